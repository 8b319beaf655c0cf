/* test_known.c: what repositories said outlives the process, within limits. */
#include "tests/test.h"

#include "common/files.h"
#include "common/memory.h"
#include "resolver/known.h"
#include "resolver/known_folder.h"
#include "resolver/questions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER ".modelfs/known"

struct fixture {
    char *root;
    struct known *known;
};

static const char *const locations[] = {"s3 host/one", "s3 host/two"};

static void open_known(struct fixture *fixture)
{
    fixture->known = known_open(&(struct known_options){.root = fixture->root,
                                                        .folder = FOLDER,
                                                        .locations = locations,
                                                        .repository_count = 2});
}

/* As when the process ends and another one begins. */
static void restart(struct fixture *fixture)
{
    known_close(fixture->known);
    open_known(fixture);
}

static int set_up(void **state)
{
    struct fixture *fixture = XNEW(struct fixture);
    const char *parent = getenv("TMPDIR");

    fixture->root = xasprintf("%s/test-known-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture->root));
    open_known(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    known_close(fixture->known);
    assert_int_equal(files_remove_tree(AT_FDCWD, fixture->root, &err), 0);
    free(fixture->root);
    free(fixture);
    return 0;
}

/* A listing of names with a blank between; NULL for NULL. */
static struct listing *listing_of(const struct catalog_kind *kind, const char *text)
{
    CLEANUP_FREE char *copy = text ? xstrdup(text) : NULL;
    struct listing_builder builder;
    struct listing *listing = NULL;
    struct error err = {0};
    char *rest = copy, *name;

    if (!text)
        return NULL;
    listing_builder_init(&builder);
    while ((name = strsep(&rest, " ")))
        assert_int_equal(listing_add(&builder, name, &err), 0);
    assert_int_equal(listing_finish(&builder, kind->compare, &listing, &err), 0);
    return listing;
}

static void note(struct fixture *fixture, unsigned repository,
                 const struct catalog_kind *kind, const char *key, const char *text)
{
    struct listing *listing = listing_of(kind, text);

    assert_true(known_note(fixture->known, repository, kind, key, listing));
    listing_unref(listing);
}

static void assert_known(struct fixture *fixture, unsigned repository,
                         const struct catalog_kind *kind, const char *key,
                         const char *expected)
{
    struct listing *listing = NULL;
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};
    int rc = known_find(fixture->known, repository, kind, key, &listing, &err);

    bytes_init(&text, MIB);
    if (!expected) {
        assert_int_equal(rc, -ENOENT);
        return;
    }
    assert_int_equal(rc, 0);
    if (strcmp(expected, "none") == 0) {
        assert_null(listing);
        return;
    }
    for (size_t i = 0; i < listing->count; i++)
        assert_int_equal(
            bytes_printf(&text, &err, "%s%s", i ? " " : "", listing->names[i]), 0);
    assert_string_equal(text.data, expected);
    listing_unref(listing);
}

static void answers_are_known_before_and_after_a_restart(void **state)
{
    struct fixture *fixture = *state;

    note(fixture, 0, &question_alias, "small", "3e120e8d 1.0.0");
    note(fixture, 0, &question_alias, "any", "3e120e8d ");
    note(fixture, 0, &question_versions, "3e120e8d", "1.0.0 10.0.0 2.0.0");
    note(fixture, 1, &question_alias, "small", "00000001 1.0.0");
    note(fixture, 1, &question_models, "", "00000001 3e120e8d");
    for (size_t i = 0; i < 3; i++) {
        test_row(i, "restarts");
        assert_known(fixture, 0, &question_alias, "small", "3e120e8d 1.0.0");
        assert_known(fixture, 0, &question_alias, "any", "3e120e8d ");
        assert_known(fixture, 0, &question_versions, "3e120e8d", "1.0.0 2.0.0 10.0.0");
        assert_known(fixture, 1, &question_alias, "small", "00000001 1.0.0");
        assert_known(fixture, 1, &question_alias, "any", NULL);
        assert_known(fixture, 1, &question_models, "", "00000001 3e120e8d");
        assert_known(fixture, 0, &question_models, "", NULL);
        restart(fixture);
    }
}

static void the_last_answer_holds(void **state)
{
    struct fixture *fixture = *state;

    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    note(fixture, 0, &question_alias, "b", "00000001 1.0.0");
    note(fixture, 0, &question_alias, "a", "00000002 1.0.0");
    assert_known(fixture, 0, &question_alias, "a", "00000002 1.0.0");
    restart(fixture);
    assert_known(fixture, 0, &question_alias, "a", "00000002 1.0.0");
    note(fixture, 0, &question_alias, "a", "00000003 1.0.0");
    note(fixture, 0, &question_alias, "b", NULL);
    note(fixture, 0, &question_alias, "c", NULL);
    assert_known(fixture, 0, &question_alias, "b", NULL);
    restart(fixture);
    assert_known(fixture, 0, &question_alias, "a", "00000003 1.0.0");
    assert_known(fixture, 0, &question_alias, "b", NULL);
}

/* Which of several repositories has the latest version only all of them can tell. */
static void that_there_is_none_is_known_where_all_are_asked(void **state)
{
    struct fixture *fixture = *state;

    note(fixture, 0, &question_versions, "3e120e8d", "1.0.0");
    note(fixture, 1, &question_versions, "3e120e8d", NULL);
    note(fixture, 1, &question_models, "", NULL);
    for (size_t i = 0; i < 2; i++) {
        test_row(i, "restarts");
        assert_known(fixture, 0, &question_versions, "3e120e8d", "1.0.0");
        assert_known(fixture, 1, &question_versions, "3e120e8d", "none");
        assert_known(fixture, 1, &question_models, "", "none");
        assert_known(fixture, 1, &question_aliases, "", NULL);
        restart(fixture);
    }
    note(fixture, 0, &question_versions, "3e120e8d", NULL);
    restart(fixture);
    assert_known(fixture, 0, &question_versions, "3e120e8d", "none");
}

static void daemons_that_share_the_folder_add_up(void **state)
{
    struct fixture *fixture = *state, other = {.root = fixture->root};

    open_known(&other);
    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    note(&other, 0, &question_alias, "b", "00000002 1.0.0");
    known_close(other.known);
    restart(fixture);
    assert_known(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    assert_known(fixture, 0, &question_alias, "b", "00000002 1.0.0");
}

/* The one file in the folder. */
static char *the_file(const struct fixture *fixture)
{
    CLEANUP_FREE char *folder = xasprintf("%s/" FOLDER, fixture->root);
    CLEANUP_CLOSEDIR DIR *dir = opendir(folder);
    struct dirent *entry;
    char *path = NULL;

    assert_non_null(dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        assert_null(path);
        path = xasprintf("%s/%s", folder, entry->d_name);
    }
    assert_non_null(path);
    return path;
}

static void what_says_nothing_new_writes_nothing(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_FREE char *path = NULL;
    struct stat before, after;

    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    restart(fixture);
    path = the_file(fixture);
    assert_int_equal(stat(path, &before), 0);
    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    note(fixture, 0, &question_alias, "b", NULL);
    restart(fixture);
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    note(fixture, 0, &question_alias, "a", "00000001 2.0.0");
    restart(fixture);
    assert_int_equal(stat(path, &after), 0);
    assert_int_not_equal(before.st_ino, after.st_ino);
}

static void damaged_files_are_made_anew(void **state)
{
    static const struct {
        const char *content;
        size_t size;
    } cases[] = {
        {"",                          0 },
        {"x",                         1 },
        {"modelfs known answers 2\n", 24},
        {"\0\0\0\0\0\0\0\0\0\0",      10},
    };
    struct fixture *fixture = *state;
    CLEANUP_FREE char *path = NULL;
    struct error err = {0};

    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    restart(fixture);
    path = the_file(fixture);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct listing *listing;

        test_row(i, "%zu bytes", cases[i].size);
        assert_int_equal(
            files_replace(AT_FDCWD, path, cases[i].content, cases[i].size, 0644, &err),
            0);
        assert_int_equal(
            known_find(fixture->known, 0, &question_alias, "a", &listing, &err),
            -EBADMSG);
        note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
        restart(fixture);
        assert_known(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    }
}

static void what_makes_no_sense_is_not_believed(void **state)
{
    static const struct {
        const struct catalog_kind *kind;
        const char *names;
    } cases[] = {
        {&question_alias,    "3e120e8d"            },
        {&question_alias,    "../../x 1.0.0"       },
        {&question_alias,    "3e120e8d ../x"       },
        {&question_alias,    "3e120e8d 1.0.0 2.0.0"},
        {&question_versions, "1.0.0 a/b"           },
        {&question_models,   "3e120e8d ../x"       },
        {&question_aliases,  "good bad/name"       },
        {&question_folders,  "good .."             },
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct listing *listing;
        struct error err = {0};

        test_row(i, "%s: %s", cases[i].kind->name, cases[i].names);
        note(fixture, 0, cases[i].kind, "key", cases[i].names);
        restart(fixture);
        assert_int_equal(
            known_find(fixture->known, 0, cases[i].kind, "key", &listing, &err),
            -EBADMSG);
    }
}

static void links_are_not_followed(void **state)
{
    struct fixture *fixture = *state;
    CLEANUP_FREE char *folder = xasprintf("%s/" FOLDER, fixture->root);
    CLEANUP_FREE char *elsewhere = xasprintf("%s/elsewhere", fixture->root);
    struct listing *listing;
    struct error err = {0};

    *strrchr(folder, '/') = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    folder[strlen(folder)] = '/';
    assert_int_equal(symlink(elsewhere, folder), 0);
    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    restart(fixture);
    assert_int_equal(known_find(fixture->known, 0, &question_alias, "a", &listing, &err),
                     -ELOOP);
    assert_int_equal(rmdir(elsewhere), 0); /* it is empty */
    assert_int_equal(unlink(folder), 0);
}

/* Long lists fill the file soon: what changed longest ago goes. */
static void a_file_stays_within_its_limit(void **state)
{
    enum { VERSIONS = 4000, MODELS = 300 };
    struct fixture *fixture = *state;
    CLEANUP_FREE char *path = NULL;
    CLEANUP_BYTES struct bytes versions;
    struct error err = {0};
    struct stat found;
    char id[16];

    bytes_init(&versions, MIB);
    for (unsigned i = 0; i < VERSIONS; i++)
        assert_int_equal(
            bytes_printf(&versions, &err, "%s%u.0.0", i ? " " : "", 10000 + i), 0);
    for (unsigned i = 0; i < MODELS; i++) {
        snprintf(id, sizeof id, "%08x", i);
        note(fixture, 0, &question_versions, id, versions.data);
        if (i % 50 == 49)
            restart(fixture);
    }
    path = the_file(fixture);
    assert_int_equal(stat(path, &found), 0);
    assert_in_range(found.st_size, KNOWN_FILE_MAX / 2, KNOWN_FILE_MAX + 1000);
    assert_known(fixture, 0, &question_versions, "00000000", NULL);
    assert_known(fixture, 0, &question_versions, id, versions.data);
}

static void without_a_cache_folder_nothing_is_known(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(files_remove_tree(AT_FDCWD, fixture->root, &err), 0);
    note(fixture, 0, &question_alias, "a", "00000001 1.0.0");
    restart(fixture);
    assert_known(fixture, 0, &question_alias, "a", NULL);
    assert_int_equal(access(fixture->root, F_OK), -1);
    assert_int_equal(mkdir(fixture->root, 0700), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
        TEST(answers_are_known_before_and_after_a_restart),
        TEST(the_last_answer_holds),
        TEST(that_there_is_none_is_known_where_all_are_asked),
        TEST(daemons_that_share_the_folder_add_up),
        TEST(what_says_nothing_new_writes_nothing),
        TEST(damaged_files_are_made_anew),
        TEST(what_makes_no_sense_is_not_believed),
        TEST(links_are_not_followed),
        TEST(a_file_stays_within_its_limit),
        TEST(without_a_cache_folder_nothing_is_known),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
