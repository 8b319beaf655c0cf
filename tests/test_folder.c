/* test_folder.c: which names each folder of the tree lists. */
#include "tests/test.h"

#include "common/sync.h"
#include "fs/child.h"
#include "fs/folder.h"
#include "fs/pending.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>

static const struct {
    const char *path;
    int rc;
    const char *names;
} cases[] = {
    {"",                          0,        "@info @tree @status @metrics newest small 3e120e8d "},
    {"@info",                     0,        "newest small 3e120e8d "                             },
    {"3e120e8d",                  0,        "1.0.0 2.0.0 latest "                                },
    {"small",                     0,        "1.0.0 2.0.0 latest current "                        },
    {"@info/3e120e8d",            0,        "1.0.0 2.0.0 latest "                                },
    {"@info/small",               0,        "1.0.0 2.0.0 latest current "                        },
    {"3e120e8d/1.0.0",            0,        "big.bin folder log model.yaml "                     },
    {"3e120e8d/1.0.0/log",        0,        "eval.yaml "                                         },
    {"3e120e8d/1.0.0/folder",     0,        ""                                                   },
    {"@tree",                     0,        "emotion "                                           },
    {"@tree/emotion/onnx",        0,        "3e120e8d "                                          },
    {"3e120e8d/1.0.0/model.yaml", -ENOTDIR, NULL                                                 },
    {"3e120e8d/latest",           -ENOTDIR, NULL                                                 },
    {"@status",                   -ENOTDIR, NULL                                                 },
};

enum { NAMES_SIZE = 256 };

/* A list of names, as in the table above. */
static int list_place(struct fs *fs, const struct place *place,
                      char ret_names[NAMES_SIZE])
{
    struct folder *folder = NULL;
    struct error err = {0};
    struct place child;
    size_t used = 0;
    int rc = folder_make(fs, place, 0, RESOLVE_FETCH, &folder, &err);

    ret_names[0] = '\0';
    for (size_t position = 0; rc == 0 && position < folder_size(folder); position++) {
        const char *name = folder_get(folder, position, &child);

        if (name)
            used += (size_t)snprintf(ret_names + used, NAMES_SIZE - used, "%s ", name);
    }
    folder_free(folder);
    return rc;
}

static void folders_list_their_names(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path);
        char names[NAMES_SIZE];

        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(list_place(&fixture.fs, &place, names), cases[i].rc);
        if (cases[i].rc == 0)
            assert_string_equal(names, cases[i].names);
    }
    fs_fixture_close(&fixture);
}

/* The kernel is told the type of each name before it looks it up. */
static void listed_names_are_what_lookup_finds(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path), listed, found;
        struct folder *folder = NULL;
        struct error err = {0};
        int64_t keep_ms;

        test_row(i, "'%s'", cases[i].path);
        if (cases[i].rc < 0)
            continue;
        assert_int_equal(
            folder_make(&fixture.fs, &place, 0, RESOLVE_FETCH, &folder, &err), 0);
        for (size_t position = 0; position < folder_size(folder); position++) {
            const char *name = folder_get(folder, position, &listed);

            assert_int_equal(child_find(&fixture.fs, &place, name, RESOLVE_FETCH, &found,
                                        &keep_ms, &err),
                             0);
            assert_int_equal(listed.kind, found.kind);
            if (listed.kind != NODE_MEMBER && listed.kind != NODE_INFO_FILE)
                continue;
            assert_int_equal(listed.index, found.index);
            assert_string_equal(listed.release.id, found.release.id);
            assert_string_equal(listed.digest, found.digest);
        }
        assert_null(folder_get(folder, folder_size(folder), &listed));
        folder_free(folder);
    }
    fs_fixture_close(&fixture);
}

static void reserved_versions_have_no_name(void **state)
{
    static const struct zip_file file = {.name = "x", .data = "", .is_stored = true};
    struct place model = {.kind = NODE_MODEL, .name = FIXTURE_ID}, child;
    struct folder *folder = NULL;
    struct fs_fixture fixture;
    struct error err = {0};
    size_t count = 0, latest = 0;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fixture_publish_as(&fixture.cache, "latest", &file, 1);
    fixture_publish_as(&fixture.cache, "current", &file, 1);
    assert_int_equal(folder_make(&fixture.fs, &model, 0, RESOLVE_FETCH, &folder, &err),
                     0);
    for (size_t position = 0; position < folder_size(folder); position++) {
        const char *name = folder_get(folder, position, &child);

        count += name != NULL;
        latest += name && strcmp(name, "latest") == 0;
    }
    assert_int_equal(count, 3);
    assert_int_equal(latest, 1);
    folder_free(folder);
    fs_fixture_close(&fixture);
}

static const struct release version_1 = {.id = FIXTURE_ID, .version = "1.0.0"};

static const struct pending_link to_version_2 = {
    .release = {.id = FIXTURE_ID, .version = "2.0.0"}
};

static void set_alias(struct fs_fixture *fixture, const char *alias, const char *text)
{
    char path[128];

    snprintf(path, sizeof path, "_alias/%s/1.0.0/%s-1.0.0.alias.yaml", alias, alias);
    memory_backend_set(fixture->cache.memory, path, text);
    resolver_forget_alias(fixture->fs.resolver, alias);
}

static void make_folder(struct fs_fixture *fixture)
{
    struct error err = {0};

    assert_int_equal(pending_add_folder(fixture->fs.pending, "new", &err), 0);
}

static void make_alias(struct fs_fixture *fixture)
{
    pending_begin(fixture->fs.pending, "new");
    set_alias(fixture, "new", "uid: 3e120e8d-1.0.0\n");
    pending_end(fixture->fs.pending, "new", 0);
}

static void make_new(struct fs_fixture *fixture)
{
    make_folder(fixture);
    make_alias(fixture);
}

/* Removals end in this file when the test says so. */
static struct {
    struct lock lock;
    struct condition changed;
    bool is_due, may_end; /* guarded by lock */
} removals;

static void remove_when_allowed(void *arg, const char *alias, struct pending_view before)
{
    struct fs_fixture *fixture = arg;

    (void)before;
    lock_acquire(&removals.lock);
    while (!removals.may_end)
        condition_wait(&removals.changed, &removals.lock);
    set_alias(fixture, alias, NULL);
    removals.is_due = false;
    condition_broadcast(&removals.changed);
    lock_release(&removals.lock);
}

static void begin_removal(struct fs_fixture *fixture)
{
    struct error err = {0};

    removals.is_due = true;
    pending_drop_current(fixture->fs.pending, "small", &version_1);
    assert_int_equal(
        pending_remove_folder(fixture->fs.pending, "small", PENDING_OF_ALIAS, &err), 0);
}

static void allow_removals(void)
{
    lock_acquire(&removals.lock);
    removals.may_end = true;
    condition_broadcast(&removals.changed);
    lock_release(&removals.lock);
}

static void end_removal(struct fs_fixture *fixture)
{
    allow_removals();
    lock_acquire(&removals.lock);
    while (removals.is_due)
        condition_wait(&removals.changed, &removals.lock);
    lock_release(&removals.lock);
    pending_begin(fixture->fs.pending, "small"); /* waits for what comes after it */
    pending_end(fixture->fs.pending, "small", -ENOENT);
}

static void remove_small(struct fs_fixture *fixture)
{
    begin_removal(fixture);
    end_removal(fixture);
}

/* Without a `current`, another name is about to become it. */
static void begin_move(struct fs_fixture *fixture)
{
    struct error err = {0};

    pending_begin(fixture->fs.pending, "small"); /* and no removal begins */
    assert_int_equal(
        pending_add(fixture->fs.pending, "small", "tmp", &to_version_2, &err), 0);
    pending_drop_current(fixture->fs.pending, "small", &version_1);
}

static void end_move(struct fs_fixture *fixture)
{
    set_alias(fixture, "small", "uid: 3e120e8d-2.0.0\n");
    pending_end(fixture->fs.pending, "small", 0);
    assert_int_equal(pending_drop(fixture->fs.pending, "small", "tmp"), 0);
}

typedef void change(struct fs_fixture *fixture);

static void change_nothing(struct fs_fixture *fixture)
{
    (void)fixture;
}

/* Aliases are changed before a folder is listed, and between two questions to the
 * repository. What was there all the time, under one name or another, is listed. */
static const struct {
    const char *what, *path;
    change *before, *between;
    const char *names;
} changes[] = {
    {"made before",           "",      make_new,       change_nothing, "new newest small 3e120e8d "},
    {"made, ends between",    "",      make_folder,    make_alias,     "newest small 3e120e8d new "},
    {"made between",          "",      change_nothing, make_new,       "newest small 3e120e8d "    },
    {"not yet made",          "",      make_folder,    change_nothing, "newest small 3e120e8d new "},
    {"removed before",        "",      remove_small,   change_nothing, "newest 3e120e8d "          },
    {"removed, ends between", "",      begin_removal,  end_removal,    "newest 3e120e8d "          },
    {"removed between",       "",      change_nothing, remove_small,   "newest small 3e120e8d "    },
    {"being removed",         "",      begin_removal,  change_nothing, "newest 3e120e8d "          },
    {"@info: removed before", "@info", remove_small,   change_nothing, "newest 3e120e8d "          },
    {"@info: ends between",   "@info", begin_removal,  end_removal,    "newest 3e120e8d "          },
    {"@info: being removed",  "@info", begin_removal,  change_nothing, "newest 3e120e8d "          },
    {"moved, ends between",   "small", begin_move,     end_move,       "1.0.0 2.0.0 latest tmp "   },
    {"being moved",           "small", begin_move,     change_nothing, "1.0.0 2.0.0 latest tmp "   },
};

struct listing_thread {
    struct fs_fixture *fixture;
    struct place place;
    char names[NAMES_SIZE];
};

static void *list_in_thread(void *arg)
{
    struct listing_thread *thread = arg;

    return list_place(&thread->fixture->fs, &thread->place, thread->names) == 0 ? arg
                                                                                : NULL;
}

/* Make a change while the repository is asked for models, or for versions of one, after
 * it was asked for aliases. */
static void list_meanwhile(struct fs_fixture *fixture, struct listing_thread *listing,
                           change *between)
{
    struct backend *fault = fixture->cache.fault;
    pthread_t thread;
    void *result;

    resolver_forget_model(fixture->fs.resolver, FIXTURE_ID, FIXTURE_VERSION);
    fault_backend_block(fault, FAULT_LIST, "_uid");
    assert_int_equal(thread_start(&thread, "list", list_in_thread, listing), 0);
    assert_true(fault_backend_wait_blocked(fault, 1));
    between(fixture);
    fault_backend_release(fault);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, listing);
}

static void open_changing(struct fs_fixture *fixture)
{
    struct error err = {0};

    fs_fixture_open(fixture, &(struct fs_fixture_options){0});
    lock_init(&removals.lock);
    condition_init(&removals.changed);
    removals.is_due = removals.may_end = false;
    pending_close(fixture->fs.pending);
    assert_int_equal(
        pending_open(remove_when_allowed, fixture, NULL, &fixture->fs.pending, &err), 0);
}

static void close_changing(struct fs_fixture *fixture)
{
    allow_removals();
    fs_fixture_close(fixture);
    condition_done(&removals.changed);
    lock_done(&removals.lock);
}

static void what_changes_meanwhile_is_never_nowhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct fs_fixture fixture;
        struct listing_thread listing = {.fixture = &fixture};
        const char *names = listing.names;

        test_row(i, "%s", changes[i].what);
        open_changing(&fixture);
        listing.place = fs_fixture_place(&fixture, changes[i].path);
        changes[i].before(&fixture);
        assert_int_equal(list_place(&fixture.fs, &listing.place, listing.names), 0);
        list_meanwhile(&fixture, &listing, changes[i].between);
        if (listing.place.kind == NODE_ROOT)
            names = strstr(names, "@metrics ") + strlen("@metrics ");
        assert_string_equal(names, changes[i].names);
        close_changing(&fixture);
    }
}

/* `cp -a` of an alias' folder makes links before `current`. */
static void links_made_here_are_listed_once(void **state)
{
    static const char *const made[] = {"1.0.0", "latest", "tmp"};
    struct fs_fixture fixture;
    struct place place;
    struct error err = {0};
    char names[NAMES_SIZE];

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    place = fs_fixture_place(&fixture, "small");
    for (size_t i = 0; i < ARRAY_SIZE(made); i++)
        assert_int_equal(
            pending_add(fixture.fs.pending, "small", made[i], &to_version_2, &err), 0);
    assert_int_equal(list_place(&fixture.fs, &place, names), 0);
    assert_string_equal(names, "2.0.0 current 1.0.0 latest tmp ");
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_changes_meanwhile_is_never_nowhere),
        cmocka_unit_test(links_made_here_are_listed_once),
        cmocka_unit_test(folders_list_their_names),
        cmocka_unit_test(listed_names_are_what_lookup_finds),
        cmocka_unit_test(reserved_versions_have_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
