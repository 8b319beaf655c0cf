/* test_daemon.c: what the caller hears of the process in the background. */
#include "tests/test.h"

#include "cli/daemon.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child does after daemon_start. */
enum act {
    ACT_READY,
    ACT_FAILED,
    ACT_EXIT,
    ACT_KILLED,
};

static void play(enum act act, struct daemon *daemon)
{
    struct error failure = {.code = ENOSPC, .message = "no room"};

    switch (act) {
    case ACT_READY:
        daemon_ready(daemon);
        fprintf(stderr, "after\n");
        _exit(daemon_is_ready(daemon) ? 0 : 1);
    case ACT_FAILED:
        daemon_failed(daemon, &failure);
        _exit(1);
    case ACT_EXIT:
        _exit(0);
    case ACT_KILLED:
        raise(SIGKILL);
    }
}

static void wait_for_children(void)
{
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

static const struct {
    enum act act;
    int rc;
    const char *message; /* a part of it */
} cases[] = {
    {ACT_READY,  0,       ""                        },
    {ACT_FAILED, -ENOSPC, "no room"                 },
    {ACT_EXIT,   -EIO,    "ended before it answered"},
    {ACT_KILLED, -EIO,    "was ended by signal 9"   },
};

static void the_caller_hears_how_it_went(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        struct daemon daemon;
        int rc;

        test_row(i, "%s", cases[i].message);
        rc = daemon_start("/dev/null", &daemon, &err);
        if (rc == DAEMON_CHILD)
            play(cases[i].act, &daemon);
        wait_for_children();
        assert_int_equal(rc, cases[i].rc);
        assert_non_null(strstr(err.message, cases[i].message));
    }
}

/* A process that was forked before the daemon was ready, and goes on after its end. */
static void play_a_worker(struct daemon *daemon)
{
    int ends[2];
    char nothing;

    assert_int_equal(pipe(ends), 0);
    if (fork() != 0) {
        daemon_ready(daemon);
        _exit(0);
    }
    close(ends[1]);
    (void)!read(ends[0], &nothing, 1); /* until the daemon is gone */
    daemon_warn(daemon, "a repository is gone");
    daemon_warn(daemon, "another, too");
    daemon_dismiss(daemon);
    _exit(daemon_is_ready(daemon) ? 0 : 1);
}

static void the_caller_hears_warnings(void **state)
{
    char path[] = "/tmp/test_daemon.XXXXXX";
    int file = mkstemp(path), before = dup(STDERR_FILENO);
    struct error err = {0};
    struct daemon daemon;
    char text[256] = "";
    int rc;

    (void)state;
    assert_true(file >= 0);
    dup2(file, STDERR_FILENO);
    rc = daemon_start("/dev/null", &daemon, &err);
    if (rc == DAEMON_CHILD)
        play_a_worker(&daemon);
    dup2(before, STDERR_FILENO);
    close(before);
    wait_for_children();
    assert_int_equal(rc, 0);
    assert_true(pread(file, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "modelfs: warning: a repository is gone\n"
                              "modelfs: warning: another, too\n");
    close(file);
    unlink(path);
}

static void messages_go_to_the_log(void **state)
{
    char path[] = "/tmp/test_daemon.XXXXXX";
    char text[64] = "";
    struct error err = {0};
    struct daemon daemon;
    int fd = mkstemp(path);
    int rc;

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "before\n", 7), 7);
    rc = daemon_start(path, &daemon, &err);
    if (rc == DAEMON_CHILD)
        play(ACT_READY, &daemon);
    assert_int_equal(rc, 0);
    wait_for_children();
    assert_true(pread(fd, text, sizeof text - 1, 0) > 0);
    assert_string_equal(text, "before\nafter\n");
    close(fd);
    unlink(path);
}

static void a_log_that_cannot_be_opened_is_an_error(void **state)
{
    struct error err = {0};
    struct daemon daemon;

    (void)state;
    assert_int_equal(daemon_start("/no/such/log", &daemon, &err), -ENOENT);
    assert_non_null(strstr(err.message, "/no/such/log"));
    assert_int_equal(daemon_log_to("/no/such/log", &err), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_caller_hears_how_it_went),
        cmocka_unit_test(the_caller_hears_warnings),
        cmocka_unit_test(messages_go_to_the_log),
        cmocka_unit_test(a_log_that_cannot_be_opened_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
