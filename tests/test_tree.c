/* test_tree.c: what is known of a tree survives what it should, and nothing else. */
#include "tests/test.h"

#include "cache/tree_open.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { HEADERS_READ = 40000 };

static const char large[512 << 10]; /* too much to come along with its neighbours */

static const struct zip_file files[] = {
    {.name = "a.txt",       .data = "hello",   .size = 5},
    {                   .name = "b.txt",      .data = "world",         .size = 5         },
    { .name = "large.bin", .data = large, .size = sizeof large,          .is_stored = true},
};

/* The header on disk says that another boot of the machine wrote it, cleanly or not. */
static void pretend_reboot(const char *path, uint32_t flags)
{
    unsigned char bytes[TREE_HEADER_SIZE];
    struct tree_header header;
    struct error err = {0};
    CLEANUP_CLOSE int fd = open(path, O_RDWR);

    assert_int_equal(files_pread(fd, bytes, sizeof(bytes), 0, &err), 0);
    assert_int_equal(tree_header_parse(bytes, &header, &err), 0);
    header.boot_id[0] = header.boot_id[0] == 'x' ? 'y' : 'x';
    header.flags = flags;
    tree_header_print(&header, bytes);
    assert_int_equal(files_pwrite(fd, bytes, sizeof(bytes), 0, &err), 0);
}

/* What the header on disk counts as complete. */
static uint64_t noted_bytes(const char *path)
{
    struct tree_header header;
    struct error err = {0};
    CLEANUP_CLOSE int fd = open(path, O_RDONLY);

    assert_int_equal(tree_load_header(fd, &header, &err), 0);
    return header.bytes;
}

static void a_reboot_makes_members_prove_themselves(void **state)
{
    static const struct {
        const char *what;
        uint32_t flags;
        const char *on_disk; /* after the reboot */
        const char *read;
        bool is_fetched;
    } cases[] = {
        {"clean, good",     TREE_IS_CLEAN, "hello", "hello", false},
        {"unclean, good",   0,             "hello", "hello", false},
        {"unclean, torn",   0,             "hel",   "hello", true },
        {"unclean, zeroed", 0,             "-----", "hello", true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        struct fixture fixture;
        struct archive *archive;
        char state_path[512];

        test_row(i, "%s", cases[i].what);
        fixture_open(&fixture, &(struct cache_options){0});
        fixture_publish(&fixture, files, ARRAY_SIZE(files));
        archive = fixture_archive(&fixture);
        assert_true(fixture_has(archive, "a.txt", "hello", 5));
        snprintf(state_path, sizeof(state_path), "%s",
                 fixture_tree_path(&fixture, archive, "state"));
        assert_int_equal(
            files_replace(AT_FDCWD, fixture_tree_path(&fixture, archive, "files/a.txt"),
                          cases[i].on_disk, strlen(cases[i].on_disk), 0644, &err),
            0);
        archive_unref(archive);
        cache_close(fixture.cache);
        pretend_reboot(state_path, cases[i].flags);
        assert_int_equal(cache_open(&(struct cache_options){.root = fixture.root},
                                    &fixture.cache, &err),
                         0);
        archive = fixture_archive(&fixture);
        counting_backend_reset(fixture.counting);
        assert_true(fixture_has(archive, "a.txt", cases[i].read, 5));
        assert_int_equal(noted_bytes(state_path), 10); /* b.txt came along */
        assert_int_equal(counting_backend_total(fixture.counting) > 0,
                         cases[i].is_fetched);
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

static void a_damaged_record_is_no_record(void **state)
{
    static const struct {
        const char *what;
        off_t size; /* the file is cut to it, or -1 */
    } cases[] = {
        {"empty",        0  },
        {"cut",          520},
        {"another byte", -1 }
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture fixture;
        struct archive *archive;
        char path[512];

        test_row(i, "%s", cases[i].what);
        fixture_open(&fixture, &(struct cache_options){0});
        fixture_publish(&fixture, files, ARRAY_SIZE(files));
        archive = fixture_archive(&fixture);
        assert_true(fixture_has(archive, "a.txt", "hello", 5));
        snprintf(path, sizeof(path), "%s", fixture_tree_path(&fixture, archive, "state"));
        archive_unref(archive);
        fixture_reopen(&fixture);
        if (cases[i].size >= 0) {
            assert_int_equal(truncate(path, cases[i].size), 0);
        } else {
            CLEANUP_CLOSE int fd = open(path, O_WRONLY);

            assert_int_equal(pwrite(fd, "x", 1, 100), 1);
        }
        archive = fixture_archive(&fixture);
        assert_int_equal(archive_cached_bytes(archive), 0);
        assert_true(fixture_has(archive, "a.txt", "hello", 5));
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

/* As one who died before it was noted leaves it, or somebody else. */
static void what_is_not_noted_is_replaced(void **state)
{
    static const struct {
        const char *what, *content; /* NULL: a link out of the cache */
    } cases[] = {
        {"empty",     ""           },
        {"cut",       "hel"        },
        {"longer",    "hello world"},
        {"same size", "HELLO"      },
        {"a link",    NULL         },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes found;
        struct error err = {0};
        struct fixture fixture;
        struct archive *archive;
        const char *path;

        test_row(i, "%s", cases[i].what);
        bytes_init(&found, 100);
        fixture_open(&fixture, &(struct cache_options){0});
        fixture_publish(&fixture, files, ARRAY_SIZE(files));
        assert_int_equal(files_replace(AT_FDCWD, fixture_path(&fixture, "outside"), "out",
                                       3, 0644, &err),
                         0);
        archive = fixture_archive(&fixture);
        path = fixture_tree_path(&fixture, archive, "files/a.txt");
        if (cases[i].content)
            assert_int_equal(files_replace(AT_FDCWD, path, cases[i].content,
                                           strlen(cases[i].content), 0644, &err),
                             0);
        else
            assert_int_equal(symlink(fixture_path(&fixture, "outside"), path), 0);
        assert_true(fixture_has(archive, "a.txt", "hello", 5));
        assert_int_equal(
            files_read(AT_FDCWD, fixture_path(&fixture, "outside"), &found, &err), 0);
        assert_string_equal(found.data, "out");
        archive_unref(archive);
        fixture_close(&fixture);
    }
}

static void what_was_removed_does_not_count(void **state)
{
    struct fixture fixture;
    struct archive *archive;
    struct error err = {0};
    char path[512];

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, files, 1);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    snprintf(path, sizeof(path), "%s", fixture_tree_path(&fixture, archive, "state"));
    assert_int_equal(unlink(fixture_tree_path(&fixture, archive, "files/a.txt")), 0);
    assert_int_equal(archive_fd(archive, fixture_index(archive, "a.txt"),
                                ARCHIVE_GENERATION_NEW, &err),
                     -ENOENT);
    assert_int_equal(noted_bytes(path), 0);
    assert_true(fixture_has(archive, "a.txt", "hello", 5));
    assert_int_equal(noted_bytes(path), 5);
    archive_unref(archive);
    fixture_close(&fixture);
}

static void a_member_has_one_writer(void **state)
{
    struct tree *ours = NULL, *theirs = NULL;
    struct error err = {0};
    struct fixture fixture;
    struct archive *archive;
    const struct toc *toc;
    struct store store;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&fixture);
    toc = archive_toc(archive);
    assert_int_equal(store_open(fixture.root, &store, &err), 0);
    assert_int_equal(tree_open(&store, FIXTURE_ID, FIXTURE_VERSION, toc, &ours, &err), 0);
    assert_int_equal(tree_open(&store, FIXTURE_ID, FIXTURE_VERSION, toc, &theirs, &err),
                     0);
    assert_int_equal(tree_lock(ours, TREE_LOCK_MEMBER + 1, TREE_TRY, &err), 0);
    assert_int_equal(tree_lock(theirs, TREE_LOCK_MEMBER + 1, TREE_TRY, &err), -EAGAIN);
    assert_int_equal(tree_lock(theirs, TREE_LOCK_MEMBER + 2, TREE_TRY, &err), 0);
    assert_int_equal(tree_lock_alone(theirs, &err), -EAGAIN);
    tree_close(ours); /* as if its process died */
    assert_int_equal(tree_lock(theirs, TREE_LOCK_MEMBER + 1, TREE_TRY, &err), 0);
    tree_close(theirs);
    store_close(&store);
    archive_unref(archive);
    fixture_close(&fixture);
}

struct writing {
    struct tree *tree;
    atomic_bool is_over;
};

static void turn_bytes(struct tree_header *header, void *arg)
{
    (void)arg;
    header->bytes = ~header->bytes;
    memset(header->tag, header->bytes ? 'x' : 'y', sizeof(header->tag) - 1);
}

static void *write_headers(void *arg)
{
    struct writing *writing = arg;
    struct error err = {0};
    int rc = 0;

    while (rc == 0 && !writing->is_over)
        rc = tree_change_header(writing->tree, turn_bytes, NULL, &err);
    return rc == 0 ? arg : NULL;
}

static void a_header_is_never_read_by_halves(void **state)
{
    struct writing writing = {.tree = NULL};
    struct tree_header header;
    struct error err = {0};
    struct fixture fixture;
    struct archive *archive;
    struct store store;
    pthread_t thread;
    void *ok;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, files, ARRAY_SIZE(files));
    archive = fixture_archive(&fixture);
    assert_int_equal(store_open(fixture.root, &store, &err), 0);
    assert_int_equal(tree_open(&store, FIXTURE_ID, FIXTURE_VERSION, archive_toc(archive),
                               &writing.tree, &err),
                     0);
    assert_int_equal(thread_start(&thread, "writer", write_headers, &writing), 0);
    for (int i = 0; i < HEADERS_READ; i++)
        assert_int_equal(tree_read_header(writing.tree, &header, &err), 0);
    writing.is_over = true;
    pthread_join(thread, &ok);
    assert_non_null(ok);
    tree_close(writing.tree);
    store_close(&store);
    archive_unref(archive);
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reboot_makes_members_prove_themselves),
        cmocka_unit_test(a_damaged_record_is_no_record),
        cmocka_unit_test(what_is_not_noted_is_replaced),
        cmocka_unit_test(what_was_removed_does_not_count),
        cmocka_unit_test(a_member_has_one_writer),
        cmocka_unit_test(a_header_is_never_read_by_halves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
