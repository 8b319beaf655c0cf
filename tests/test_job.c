/* Tests of job.c: jobs that fail early; those that publish are tested on mounts. */
#include "publish/job.h"

#include "common/sync.h"
#include "publish/job_print.h"
#include "publish/job_store.h"
#include "tests/dead_process.h"
#include "tests/test.h"

#include "tests/folders.h"

#include <errno.h>
#include <sched.h>

/* What the jobs' threads say, and when they may go on. */
struct desk {
    struct lock lock;
    struct condition changed;
    const char *text;
    bool is_open;
    struct job_board *board;
    bool is_late;           /* ended was called when others knew already */
    unsigned ended;         /* calls of ended */
    unsigned told;          /* calls of told */
    unsigned taken;         /* calls of published */
    struct release release; /* the last one that published was given */
    char alias[ALIAS_SIZE]; /* with it */
};

static int read_text(void *arg, const char *name, struct bytes *to, struct error *err)
{
    struct desk *desk = arg;

    (void)name;
    lock_acquire(&desk->lock);
    while (!desk->is_open)
        condition_wait(&desk->changed, &desk->lock);
    lock_release(&desk->lock);
    return bytes_append(to, desk->text, strlen(desk->text), err);
}

static int open_none(void *arg, const char *name, struct error *err)
{
    (void)arg;
    return fail(err, ENOENT, "no folder '%s'", name);
}

static void published(void *arg, const char *name, const struct job_made *made)
{
    struct desk *desk = arg;

    (void)name;
    lock_acquire(&desk->lock);
    desk->taken++;
    desk->release = made->release;
    snprintf(desk->alias, sizeof desk->alias, "%s", made->alias);
    lock_release(&desk->lock);
}

static void ended(void *arg, const char *name, const struct error *err)
{
    struct desk *desk = arg;

    bool is_late = !job_is_running(desk->board, name);

    (void)err;
    lock_acquire(&desk->lock);
    desk->is_late |= is_late;
    desk->ended++;
    condition_broadcast(&desk->changed);
    lock_release(&desk->lock);
}

static void told(void *arg)
{
    struct desk *desk = arg;

    lock_acquire(&desk->lock);
    desk->told++;
    condition_broadcast(&desk->changed);
    lock_release(&desk->lock);
}

static void wait_for(struct desk *desk, unsigned *count)
{
    lock_acquire(&desk->lock);
    desk->is_open = true;
    condition_broadcast(&desk->changed);
    while (*count == 0)
        condition_wait(&desk->changed, &desk->lock);
    lock_release(&desk->lock);
}

static void wait_for_end(struct desk *desk)
{
    wait_for(desk, &desk->ended);
    while (job_is_running(desk->board, "job"))
        sched_yield();
}

/* The process whose board a board comes after; 0: there is none. */
static pid_t predecessor;

static struct job_board *open_board_at(struct desk *desk, const char *text, int folder_fd,
                                       const char *owner)
{
    struct job_board *board = NULL;
    struct error err = {0};

    *desk = (struct desk){.text = text};
    lock_init(&desk->lock);
    condition_init(&desk->changed);
    assert_int_equal(job_board_open(&(struct job_options){.folder_fd = folder_fd,
                                                          .owner = owner,
                                                          .predecessor = predecessor,
                                                          .read = read_text,
                                                          .open = open_none,
                                                          .published = published,
                                                          .ended = ended,
                                                          .arg = desk},
                                    &board, &err),
                     0);
    desk->board = board;
    return board;
}

static struct job_board *open_board(struct desk *desk, const char *text)
{
    return open_board_at(desk, text, -1, "");
}

static void close_board(struct job_board *board, struct desk *desk)
{
    job_board_close(board);
    job_board_free(board);
    assert_false(desk->is_late);
    condition_done(&desk->changed);
    lock_done(&desk->lock);
}

static void assert_status(struct job_board *board, const char *part)
{
    struct error err = {0};
    struct bytes text;

    bytes_init(&text, 10000);
    assert_int_equal(job_print_status(board, "job", &text, &err), 0);
    assert_non_null(strstr(text.data, part));
    bytes_done(&text);
}

static void run_to_failure(const char *manifest, const char *part)
{
    struct error err = {0};
    struct bytes text;
    struct desk desk;
    struct job_board *board = open_board(&desk, manifest);

    bytes_init(&text, 10000);
    assert_int_equal(job_start(board, "job", &err), -ENOENT);
    assert_int_equal(job_add(board, "job", &err), 0);
    assert_int_equal(job_print_result(board, "job", &text, &err), -EINPROGRESS);
    assert_status(board, "state: waiting\n");
    assert_int_equal(job_start(board, "job", &err), 0);
    assert_true(job_is_running(board, "job"));
    job_forget(board, "job");
    assert_true(job_is_known(board, "job"));
    assert_int_equal(job_await(board, "job", told, &desk), 0);
    wait_for(&desk, &desk.told);
    wait_for_end(&desk);
    assert_int_equal(job_await(board, "job", told, &desk), 1);
    assert_int_equal(job_print_result(board, "job", &text, &err), -EALREADY);
    assert_non_null(strstr(err.message, part));
    assert_status(board, "state: failed\n");
    assert_status(board, "error: ");
    job_forget(board, "job");
    assert_false(job_is_known(board, "job"));
    bytes_done(&text);
    close_board(board, &desk);
}

static void test_failures(void **state)
{
    (void)state;
    run_to_failure("name: [", "line ");
    run_to_failure("name: a\n", "version");
    run_to_failure("name: a\nversion: 1.0.0\n", "no folder");
}

/* Who waits is told when the board goes. */
static void test_close_tells(void **state)
{
    struct error err = {0};
    struct desk desk;
    struct job_board *board = open_board(&desk, "");

    (void)state;
    assert_int_equal(job_add(board, "job", &err), 0);
    assert_int_equal(job_await(board, "job", told, &desk), 0);
    assert_int_equal(job_await(board, "other", told, &desk), 1);
    close_board(board, &desk);
    assert_int_equal(desk.told, 1);
}

static void test_check(void **state)
{
    struct error err = {0};

    (void)state;
    assert_int_equal(job_check("name: a\nversion: 1.0.0\n", 23, &err), 0);
    assert_int_equal(job_check("name: a\n", 8, &err), -EINVAL);
}

/* What its next publish comes to is waited for, though the last one failed. */
static void test_result_of_a_retry(void **state)
{
    struct error err = {0};
    struct bytes text;
    struct desk desk;
    struct job_board *board = open_board(&desk, "name: a\n");

    (void)state;
    bytes_init(&text, 10000);
    assert_int_equal(job_add(board, "job", &err), 0);
    job_expect(board, "job");
    assert_int_equal(job_start(board, "job", &err), 0);
    wait_for_end(&desk);
    assert_int_equal(job_print_result(board, "job", &text, &err), -EALREADY);
    job_expect(board, "job");
    assert_status(board, "state: waiting\n");
    assert_int_equal(job_print_result(board, "job", &text, &err), -EINPROGRESS);
    assert_int_equal(job_await(board, "job", told, &desk), 0);
    desk.is_open = false;
    desk.ended = 0;
    assert_int_equal(job_start(board, "job", &err), 0);
    assert_int_equal(desk.told, 1); /* that it starts */
    job_expect(board, "job");
    assert_true(job_is_running(board, "job"));
    wait_for_end(&desk);
    assert_int_equal(job_print_result(board, "job", &text, &err), -EALREADY);
    bytes_done(&text);
    close_board(board, &desk);
}

/* What a board left on disk, and what the next one makes of it. */
static const struct {
    const char *owner; /* "dead", "before", "alive" or "mine" */
    enum job_state state;
    int64_t ended_s;
    const char *status; /* NULL: the job is not known */
    unsigned taken, ended;
} left[] = {
    {"dead",   JOB_FAILED,    0,         "error: no luck",         0, 0},
    {"dead",   JOB_QUEUED,    0,         "error: the mount ended", 0, 0},
    {"dead",   JOB_RUNNING,   0,         "error: the mount ended", 0, 0},
    {"alive",  JOB_RUNNING,   0,         NULL,                     0, 0},
    {"before", JOB_RUNNING,   0,         "version",                0, 1},
    {"mine",   JOB_WAITING,   0,         "state: waiting\n",       0, 0},
    {"mine",   JOB_QUEUED,    0,         "state: failed\n",        0, 1},
    {"mine",   JOB_RUNNING,   0,         "version",                0, 1},
    {"mine",   JOB_FINISHING, 0,         "uid: 3e120e8d-1.0.0\n",  1, 1},
    {"dead",   JOB_FINISHING, 0,         "state: published\n",     1, 1},
    {"dead",   JOB_PUBLISHED, INT64_MAX, "uid: 3e120e8d-1.0.0\n",  0, 0},
    {"dead",   JOB_PUBLISHED, 1,         NULL,                     0, 0},
};

static void take_up(int folder_fd, size_t row)
{
    struct job_record record = {
        .state = left[row].state,
        .release = {"3e120e8d", "1.0.0", 0},
        .alias = "prod",
        .ended_s = left[row].ended_s,
        .failure = "no luck"
    };
    struct desk desk;
    struct job_board *board;

    predecessor = 0;
    if (strcmp(left[row].owner, "dead") == 0)
        name_dead_process(record.owner);
    else if (strcmp(left[row].owner, "before") == 0)
        predecessor = name_dead_process(record.owner);
    else if (strcmp(left[row].owner, "alive") == 0)
        process_name(record.owner);
    else
        snprintf(record.owner, sizeof record.owner, "mine");
    job_store_save(folder_fd, "job", &record, JOB_STORE_QUICK);
    board = open_board_at(&desk, "name: a\n", folder_fd, "mine");
    job_resume(board);
    if (left[row].ended)
        wait_for_end(&desk);
    assert_int_equal(job_is_known(board, "job"), left[row].status != NULL);
    if (left[row].status)
        assert_status(board, left[row].status);
    job_forget(board, "job");
    close_board(board, &desk);
    assert_int_equal(desk.ended, left[row].ended);
    assert_int_equal(desk.taken, left[row].taken);
    if (desk.taken) {
        assert_string_equal(desk.release.id, "3e120e8d");
        assert_string_equal(desk.alias, "prod");
    }
    assert_int_equal(faccessat(folder_fd, "job.job", F_OK, 0),
                     strcmp(left[row].owner, "alive") == 0 ? 0 : -1);
}

static void test_board_after_a_board(void **state)
{
    const struct folder *folder = *state;

    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        test_row(i, "%s, state %d", left[i].owner, (int)left[i].state);
        take_up(folder->fd, i);
    }
}

/* What ended long ago goes with its record when another job comes. */
static void test_old_ones_go(void **state)
{
    const struct folder *folder = *state;
    struct job_record record = {
        .state = JOB_PUBLISHED,
        .release = {"3e120e8d", "1.0.0", 0},
        .ended_s = 1,
        .owner = "mine"
    };
    struct error err = {0};
    struct job_board *board;
    struct bytes names;
    struct desk desk;

    bytes_init(&names, 100);
    job_store_save(folder->fd, "old", &record, JOB_STORE_QUICK);
    record.ended_s = INT64_MAX;
    job_store_save(folder->fd, "new", &record, JOB_STORE_QUICK);
    board = open_board_at(&desk, "name: a\n", folder->fd, "mine");
    assert_false(job_is_known(board, "old"));
    assert_int_equal(job_add(board, "another", &err), 0);
    assert_int_equal(faccessat(folder->fd, "old.job", F_OK, 0), -1);
    assert_int_equal(faccessat(folder->fd, "new.job", F_OK, 0), 0);
    assert_int_equal(job_names(board, JOB_STATUS, &names, &err), 0);
    assert_int_equal(names.size, sizeof "new" + sizeof "another");
    assert_non_null(memmem(names.data, names.size, "another", sizeof "another"));
    assert_non_null(memmem(names.data, names.size, "new", sizeof "new"));
    bytes_done(&names);
    close_board(board, &desk);
    assert_int_equal(unlinkat(folder->fd, "new.job", 0), 0);
}

/* Each goes by itself, also for the next board; another attempt has both again. */
static void test_reports(void **state)
{
    const struct folder *folder = *state;
    struct error err = {0};
    struct bytes names;
    struct desk desk;
    struct job_board *board = open_board_at(&desk, "name: a\n", folder->fd, "mine");

    bytes_init(&names, 100);
    assert_int_equal(job_remove_report(board, "job", JOB_STATUS, &err), -ENOENT);
    assert_int_equal(job_add(board, "job", &err), 0);
    assert_int_equal(job_start(board, "job", &err), 0);
    wait_for_end(&desk);
    assert_int_equal(job_remove_report(board, "job", JOB_STATUS, &err), 0);
    assert_int_equal(job_remove_report(board, "job", JOB_STATUS, &err), -ENOENT);
    close_board(board, &desk);
    board = open_board_at(&desk, "name: a\n", folder->fd, "mine");
    assert_false(job_has_report(board, "job", JOB_STATUS));
    assert_true(job_has_report(board, "job", JOB_RESULT));
    assert_int_equal(job_names(board, JOB_STATUS, &names, &err), 0);
    assert_int_equal(names.size, 0);
    assert_int_equal(job_names(board, JOB_RESULT, &names, &err), 0);
    assert_string_equal(names.data, "job");
    bytes_done(&names);
    assert_int_equal(job_start(board, "job", &err), 0);
    assert_true(job_has_report(board, "job", JOB_STATUS));
    assert_int_equal(job_remove_report(board, "job", JOB_RESULT, &err), -EBUSY);
    wait_for_end(&desk);
    assert_int_equal(job_remove_report(board, "job", JOB_RESULT, &err), 0);
    assert_true(job_is_known(board, "job"));
    assert_int_equal(job_remove_report(board, "job", JOB_STATUS, &err), 0);
    assert_false(job_is_known(board, "job"));
    close_board(board, &desk);
}

/* A job that failed is known to the next board until it is forgotten. */
static void test_is_kept(void **state)
{
    const struct folder *folder = *state;
    struct error err = {0};
    struct desk desk;
    struct job_board *board = open_board_at(&desk, "name: a\n", folder->fd, "mine");

    assert_int_equal(job_add(board, "job", &err), 0);
    assert_int_equal(job_start(board, "job", &err), 0);
    wait_for_end(&desk);
    close_board(board, &desk);
    board = open_board_at(&desk, "name: a\n", folder->fd, "mine");
    job_resume(board);
    assert_status(board, "state: failed\n");
    assert_status(board, "version");
    job_forget(board, "job");
    close_board(board, &desk);
    board = open_board_at(&desk, "name: a\n", folder->fd, "mine");
    assert_false(job_is_known(board, "job"));
    close_board(board, &desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_result_of_a_retry),
        cmocka_unit_test_setup_teardown(test_board_after_a_board, folder_open,
                                        folder_close),
        cmocka_unit_test_setup_teardown(test_old_ones_go, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_reports, folder_open, folder_close),
        cmocka_unit_test_setup_teardown(test_is_kept, folder_open, folder_close),
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_close_tells),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
