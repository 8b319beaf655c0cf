/* Tests of job.c: jobs that fail early; those that publish are tested on mounts. */
#include "publish/job.h"

#include "common/sync.h"
#include "tests/test.h"

#include <errno.h>

/* What the jobs' threads say, and when they may go on. */
struct desk {
    struct lock lock;
    struct condition changed;
    const char *text;
    bool is_open;
    unsigned ended; /* calls of ended */
    unsigned told;  /* calls of told */
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

static void published(void *arg, const char *name, const struct release *release)
{
    (void)arg;
    (void)name;
    (void)release;
    fail_msg("nothing can be published here");
}

static void ended(void *arg, const char *name, const struct error *err)
{
    struct desk *desk = arg;

    (void)name;
    lock_acquire(&desk->lock);
    desk->ended += err != NULL;
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

static struct job_board *open_board(struct desk *desk, const char *text)
{
    struct job_board *board = NULL;
    struct error err = {0};

    *desk = (struct desk){.text = text};
    lock_init(&desk->lock);
    condition_init(&desk->changed);
    assert_int_equal(job_board_open(&(struct job_options){.read = read_text,
                                                          .open = open_none,
                                                          .published = published,
                                                          .ended = ended,
                                                          .arg = desk},
                                    &board, &err),
                     0);
    return board;
}

static void close_board(struct job_board *board, struct desk *desk)
{
    job_board_close(board);
    job_board_free(board);
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
    wait_for(&desk, &desk.ended);
    assert_int_equal(job_await(board, "job", told, &desk), 1);
    assert_int_equal(job_print_result(board, "job", &text, &err), -EIO);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_failures),
        cmocka_unit_test(test_close_tells),
        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
