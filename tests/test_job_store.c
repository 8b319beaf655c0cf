/* Tests of job_store.c: a file a job; what is no record goes. */
#include "publish/job_store.h"

#include "common/bytes.h"
#include "tests/test.h"

#include "tests/folders.h"

#include <unistd.h>

struct seen {
    unsigned count;
    char job[NAME_MAX + 1];
    struct job_record record;
};

static void see(void *arg, const char *job, struct job_record *record)
{
    struct seen *seen = arg;

    seen->count++;
    snprintf(seen->job, sizeof seen->job, "%s", job);
    job_record_done(record);
    seen->record = *record;
}

static void test_names(void **state)
{
    static const char *const names[] = {"job", ".", "..", "a b", ".job", "x.job", "\377"};
    const struct job_record record = {.state = JOB_FAILED, .failure = "no luck"};
    const struct folder *folder = *state;
    char longest[NAME_MAX + 1];

    memset(longest, 'x', NAME_MAX);
    longest[NAME_MAX - 5] = '\0'; /* and ".yaml" */
    for (size_t i = 0; i <= ARRAY_SIZE(names); i++) {
        const char *name = i < ARRAY_SIZE(names) ? names[i] : longest;
        struct seen seen = {.count = 0};
        struct error err = {0};

        test_row(i, "%s", name);
        job_store_save(folder->fd, name, &record,
                       i % 2 ? JOB_STORE_SYNC : JOB_STORE_QUICK);
        assert_int_equal(job_store_load(folder->fd, see, &seen, &err), 0);
        assert_int_equal(seen.count, 1);
        assert_string_equal(seen.job, name);
        assert_int_equal(seen.record.state, JOB_FAILED);
        job_store_remove(folder->fd, name);
        assert_int_equal(job_store_load(folder->fd, see, &seen, &err), 0);
        assert_int_equal(seen.count, 1);
    }
}

static void grow(int folder_fd, const char *name)
{
    CLEANUP_CLOSE int fd = openat(folder_fd, name, O_WRONLY | O_CLOEXEC);

    assert_int_equal(ftruncate(fd, 1 << 30), 0);
}

static void test_what_is_no_record(void **state)
{
    const struct folder *folder = *state;
    struct seen seen = {.count = 0};
    struct error err = {0};

    folder_put(folder->fd, "torn.job", "state: fai", 10, 0600, 1);
    folder_put(folder->fd, "folder.job/x", "x", 1, 0600, 1);
    folder_put(folder->fd, "foreign", "x", 1, 0600, 1);
    assert_int_equal(symlinkat("foreign", folder->fd, "link.job"), 0);
    assert_int_equal(mkfifoat(folder->fd, "fifo.job", 0600), 0);
    folder_put(folder->fd, "large.job", "state: failed", 13, 0600, 1);
    grow(folder->fd, "large.job");
    assert_int_equal(job_store_load(folder->fd, see, &seen, &err), 0);
    assert_int_equal(seen.count, 0);
    for (size_t i = 0; i < 5; i++) {
        static const char *const gone[] = {"torn.job", "folder.job", "link.job",
                                           "fifo.job", "large.job"};

        test_row(i, "%s", gone[i]);
        assert_int_equal(faccessat(folder->fd, gone[i], F_OK, AT_SYMLINK_NOFOLLOW), -1);
    }
    assert_int_equal(faccessat(folder->fd, "foreign", F_OK, 0), 0);
}

static void test_without_a_folder(void **state)
{
    const struct job_record record = {.state = JOB_FAILED};

    (void)state;
    job_store_save(-1, "job", &record, JOB_STORE_SYNC);
    job_store_remove(-1, "job");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_what_is_no_record, folder_open,
                                        folder_close),
        cmocka_unit_test(test_without_a_folder),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
