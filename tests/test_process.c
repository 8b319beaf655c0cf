/* test_process.c: what others may know of a process. */
#include "tests/test.h"

#include "publish/process.h"
#include "tests/dead_process.h"

#include <grp.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOT_ALLOWED = 77, NOBODY = 65534 };

/* As another user on a machine that shows nobody the processes of others. */
static void be_nobody(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("proc", "/proc", "proc", 0, "hidepid=2") < 0 || setgroups(0, NULL) < 0 ||
        setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0)
        _exit(NOT_ALLOWED);
}

static void who_is_hidden_is_not_dead(void **state)
{
    char hidden[PROCESS_NAME_SIZE], dead[PROCESS_NAME_SIZE];
    pid_t child;
    int status;

    (void)state;
    process_name(hidden);
    name_dead_process(dead);
    child = fork();
    if (child == 0) {
        be_nobody();
        _exit(process_is_dead(hidden) | process_is_alive(hidden) << 1 |
              !process_is_dead(dead) << 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NOT_ALLOWED)
        skip(); /* only root may have a /proc of its own */
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void who_was_before_is_known_by_number(void **state)
{
    char dead[PROCESS_NAME_SIZE], mine[PROCESS_NAME_SIZE];
    pid_t pid = name_dead_process(dead);

    (void)state;
    process_name(mine);
    assert_true(process_was(dead, pid));
    assert_false(process_was(dead, 0));
    assert_false(process_was(dead, pid + 1));
    assert_false(process_was(mine, getpid())); /* it lives */
    assert_false(process_was("", pid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_hidden_is_not_dead),
        cmocka_unit_test(who_was_before_is_known_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
