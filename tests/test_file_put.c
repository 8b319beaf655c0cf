/* test_file_put.c: a folder as repository: puts, conditional replacement, spool, crashes.
 */
#include "tests/test.h"

#include "backends/backend.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "tests/fakes/file_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 8 };

static char *full_path(const struct file_fixture *fixture, const char *path)
{
    return xasprintf("%s/models/%s", fixture->host, path);
}

static int put(const struct file_fixture *fixture, const char *path, const char *text,
               enum backend_put_flags flags)
{
    struct error err = {0};

    return backend_put(fixture->backend, path,
                       &(struct backend_content){.data = text, .size = strlen(text)},
                       flags, &err);
}

static int replace(const struct file_fixture *fixture, const char *path, const char *text,
                   const char *tag)
{
    const struct backend_content content = {.data = text,
                                            .size = text ? strlen(text) : 0};
    struct error err = {0};

    return backend_replace(fixture->backend, path, text ? &content : NULL, tag, &err);
}

static void get_tag(const struct file_fixture *fixture, const char *path,
                    char tag[BACKEND_TAG_MAX])
{
    struct backend_stat stat;
    struct error err = {0};

    assert_int_equal(backend_stat(fixture->backend, path, &stat, &err), 0);
    memcpy(tag, stat.tag, sizeof stat.tag);
}

static void assert_content(const struct file_fixture *fixture, const char *path,
                           const char *text)
{
    CLEANUP_BYTES struct bytes found;
    struct error err = {0};

    bytes_init(&found, MIB);
    assert_int_equal(backend_get(fixture->backend, path, &found, &err), 0);
    assert_string_equal(found.data, text);
}

static bool exists(const struct file_fixture *fixture, const char *path)
{
    CLEANUP_FREE char *full = full_path(fixture, path);

    return access(full, F_OK) == 0;
}

static int count_entry(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)entry;
    (void)err;
    ++*(int *)arg;
    return 0;
}

static int count_entries(const struct file_fixture *fixture, const char *folder)
{
    struct error err = {0};
    int count = 0;

    assert_int_equal(backend_list(fixture->backend, folder, count_entry, &count, &err),
                     0);
    return count;
}

/* What lies in the repository's folder itself, hidden from listings or not. */
static int count_names(const struct file_fixture *fixture)
{
    CLEANUP_FREE char *path = full_path(fixture, ".");
    CLEANUP_CLOSEDIR DIR *dir = opendir(path);
    int count = -2; /* "." and ".." */

    while (readdir(dir))
        count++;
    return count;
}

static void test_puts_whole_objects(void **state)
{
    struct file_fixture *fixture = *state;

    assert_int_equal(put(fixture, "a/b/c.yaml", "one\n", BACKEND_PUT_IF_ABSENT), 0);
    assert_int_equal(put(fixture, "a/b/c.yaml", "two\n", BACKEND_PUT_IF_ABSENT), -EEXIST);
    assert_content(fixture, "a/b/c.yaml", "one\n");
    assert_int_equal(put(fixture, "a/b/c.yaml", "three\n", 0), 0);
    assert_content(fixture, "a/b/c.yaml", "three\n");
    assert_int_equal(count_names(fixture), 1);
    assert_int_equal(count_entries(fixture, "a/b"), 1);
}

static void test_replaces_the_expected_version_alone(void **state)
{
    struct file_fixture *fixture = *state;
    char first[BACKEND_TAG_MAX], second[BACKEND_TAG_MAX];

    assert_int_equal(put(fixture, "a/b", "one", 0), 0);
    get_tag(fixture, "a/b", first);
    assert_int_equal(replace(fixture, "a/b", "two", first), 0);
    assert_content(fixture, "a/b", "two");
    assert_int_equal(replace(fixture, "a/b", "three", first), -ESTALE);
    assert_content(fixture, "a/b", "two");
    assert_int_equal(replace(fixture, "a/b", NULL, first), -ESTALE);
    get_tag(fixture, "a/b", second);
    assert_int_equal(replace(fixture, "a/b", NULL, second), 0);
    assert_false(exists(fixture, "a"));
    assert_int_equal(replace(fixture, "a/b", "four", second), -ESTALE);
    assert_false(exists(fixture, "a"));
}

struct racer {
    struct file_fixture *fixture;
    char tag[BACKEND_TAG_MAX];
    int rc;
};

static void *race(void *arg)
{
    struct racer *racer = arg;

    racer->rc = replace(racer->fixture, "a", "mine", racer->tag);
    return NULL;
}

static void test_one_of_many_replaces(void **state)
{
    struct racer racers[THREADS];
    pthread_t threads[THREADS];
    int won = 0;

    assert_int_equal(put(*state, "a", "one", 0), 0);
    for (int i = 0; i < THREADS; i++) {
        racers[i].fixture = *state;
        get_tag(*state, "a", racers[i].tag);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, race, &racers[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(racers[i].rc == 0 || racers[i].rc == -ESTALE);
        won += racers[i].rc == 0;
    }
    assert_int_equal(won, 1);
}

static void test_removes_empty_folders(void **state)
{
    struct file_fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(put(fixture, "_alias/a/1.0.0/a", "x", 0), 0);
    assert_int_equal(put(fixture, "_alias/b/1.0.0/b", "x", 0), 0);
    assert_int_equal(backend_remove(fixture->backend, "_alias/a/1.0.0/a", &err), 0);
    assert_false(exists(fixture, "_alias/a"));
    assert_true(exists(fixture, "_alias/b/1.0.0/b"));
    assert_int_equal(backend_remove(fixture->backend, "_alias/a/1.0.0/a", &err), -ENOENT);
    assert_int_equal(backend_remove(fixture->backend, "_alias/b/1.0.0/b", &err), 0);
    assert_int_equal(count_names(fixture), 0);
}

static void test_links_what_was_spooled(void **state)
{
    static const struct {
        const char *before; /* NULL: nothing is there */
        enum backend_put_flags flags;
        int rc;
    } cases[] = {
        {NULL,  BACKEND_PUT_IF_ABSENT, 0      },
        {NULL,  0,                     0      },
        {"old", 0,                     0      },
        {"old", BACKEND_PUT_IF_ABSENT, -EEXIST},
    };
    struct file_fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_FREE char *path = xasprintf("x/%zu.zip", i);
        CLEANUP_FREE char *full = full_path(fixture, path);
        struct backend_content content = {.size = 5, .is_given = true};
        CLEANUP_CLOSE int fd = -1;
        struct stat spooled, found;
        struct error err = {0};

        test_row(i, "%s, flags %d", cases[i].before ? cases[i].before : "nothing",
                 (int)cases[i].flags);
        if (cases[i].before)
            assert_int_equal(put(fixture, path, cases[i].before, 0), 0);
        assert_int_equal(backend_spool(fixture->backend, &fd, &err), 0);
        assert_int_equal(files_pwrite(fd, "12345", 5, 0, &err), 0);
        assert_int_equal(fstat(fd, &spooled), 0);
        content.fd = fd;
        assert_int_equal(
            backend_put(fixture->backend, path, &content, cases[i].flags, &err),
            cases[i].rc);
        assert_content(fixture, path, cases[i].rc == 0 ? "12345" : "old");
        assert_int_equal(stat(full, &found), 0);
        assert_int_equal(found.st_ino == spooled.st_ino, cases[i].rc == 0);
    }
    assert_int_equal(count_entries(fixture, "x"), ARRAY_SIZE(cases));
    assert_int_equal(count_names(fixture), 1);
}

/* A file with a name may change after the put: it is copied. */
static void test_copies_other_files(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *source = full_path(fixture, "source");
    CLEANUP_CLOSE int fd = open(source, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct error err = {0};

    assert_int_equal(files_pwrite(fd, "12345", 5, 0, &err), 0);
    assert_int_equal(
        backend_put(fixture->backend, "x/a.zip",
                    &(struct backend_content){.fd = fd, .size = 5, .is_given = true}, 0,
                    &err),
        0);
    assert_int_equal(files_pwrite(fd, "xxxxx", 5, 0, &err), 0);
    assert_content(fixture, "x/a.zip", "12345");
}

static void leave(const struct file_fixture *fixture, const char *name, time_t age_s)
{
    CLEANUP_FREE char *path = full_path(fixture, name);
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = time(NULL) - age_s}};

    assert_int_equal(futimens(fd, times), 0);
}

static void test_hides_and_removes_what_crashes_left(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_CLOSE int fd = -1;
    struct error err = {0};

    leave(fixture, ".modelfs-put-0000000000000001", 25 * 3600);
    leave(fixture, ".modelfs-put-0000000000000002", 3600);
    leave(fixture, "old", 25 * 3600);
    assert_int_equal(count_entries(fixture, ""), 1);
    assert_int_equal(backend_spool(fixture->backend, &fd, &err), 0);
    assert_int_equal(backend_put(fixture->backend, "x/a.zip",
                                 &(struct backend_content){.fd = fd, .is_given = true}, 0,
                                 &err),
                     0);
    assert_false(exists(fixture, ".modelfs-put-0000000000000001"));
    assert_true(exists(fixture, ".modelfs-put-0000000000000002"));
    assert_true(exists(fixture, "old"));
}

static void test_tells_the_time(void **state)
{
    struct file_fixture *fixture = *state;
    struct backend_stat stat;
    struct error err = {0};
    int64_t now_s = 0;

    assert_int_equal(backend_now(fixture->backend, &now_s, &err), 0);
    assert_int_equal(put(fixture, "a", "x", 0), 0);
    assert_int_equal(backend_stat(fixture->backend, "a", &stat, &err), 0);
    assert_in_range(stat.mtime_s - now_s, 0, 5);
    assert_int_equal(count_names(fixture), 1);
}

static void test_a_missing_repository_is_no_missing_path(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *root = full_path(fixture, "");
    struct error err = {0};
    int64_t now_s;
    int fd;

    assert_int_equal(rmdir(root), 0);
    assert_int_equal(put(fixture, "a/b", "x", 0), -EHOSTUNREACH);
    assert_int_equal(replace(fixture, "a/b", "x", "tag"), -EHOSTUNREACH);
    assert_int_equal(backend_remove(fixture->backend, "a/b", &err), -EHOSTUNREACH);
    assert_int_equal(backend_spool(fixture->backend, &fd, &err), -EHOSTUNREACH);
    assert_int_equal(backend_now(fixture->backend, &now_s, &err), -EHOSTUNREACH);
}

#define TEST(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, file_fixture_set_up, file_fixture_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_puts_whole_objects),
        TEST(test_replaces_the_expected_version_alone),
        TEST(test_one_of_many_replaces),
        TEST(test_removes_empty_folders),
        TEST(test_links_what_was_spooled),
        TEST(test_copies_other_files),
        TEST(test_hides_and_removes_what_crashes_left),
        TEST(test_tells_the_time),
        TEST(test_a_missing_repository_is_no_missing_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
