/* test_inherit.c: what a program is passed, by another one and by a service manager. */
#include "tests/test.h"

#include "fs/inherit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HIGH = 200 }; /* descriptors that nobody has */

static const struct {
    const char *text;
    int rc;
    enum inherit_role role;
} passed[] = {
    {"worker 0 1 2 0",          0,       INHERIT_AS_WORKER    },
    {"supervisor 0 1 2 1",      0,       INHERIT_AS_SUPERVISOR},
    {"supervisor",              -EPROTO, INHERIT_NOTHING      },
    {"worker 0 1 2",            -EPROTO, INHERIT_NOTHING      },
    {"worker 0 1 2 0 1",        -EPROTO, INHERIT_NOTHING      },
    {"worker 0 1 2 200",        -EPROTO, INHERIT_NOTHING      },
    {"worker 0 1 2 -1",         -EPROTO, INHERIT_NOTHING      },
    {"worker 0 1 2 4294967296", -EPROTO, INHERIT_NOTHING      },
    {"worker 0  1 2 0",         -EPROTO, INHERIT_NOTHING      },
    {"workers 0 1 2 0",         -EPROTO, INHERIT_NOTHING      },
    {"",                        -EPROTO, INHERIT_NOTHING      },
};

static void programs_are_passed_a_mount(void **state)
{
    (void)state;
    close(HIGH);
    for (size_t i = 0; i < ARRAY_SIZE(passed); i++) {
        struct inherited inherited = {.role = INHERIT_NOTHING};
        struct error err = {0};

        test_row(i, "%s", passed[i].text);
        setenv("MODELFS_HANDOVER", passed[i].text, 1);
        assert_int_equal(inherit_find(&inherited, &err), passed[i].rc);
        assert_int_equal(inherited.role, passed[i].role);
        assert_null(getenv("MODELFS_HANDOVER")); /* not for children */
        for (int fd = 0; fd < 3; fd++)
            fcntl(fd, F_SETFD, 0);
    }
}

#define WHOLE "modelfs-device:modelfs-block:modelfs-slots:modelfs-staged"

static const struct {
    const char *names;
    int count;
    bool is_ours; /* the process that is meant */
    enum inherit_role role;
} listened[] = {
    {WHOLE,                                                       4,  true,  INHERIT_FROM_MANAGER},
    {"modelfs-staged:modelfs-slots:modelfs-block:modelfs-device", 4,  true,
     INHERIT_FROM_MANAGER                                                                        },
    {"http:" WHOLE ":modelfs-block",                              6,  true,  INHERIT_FROM_MANAGER},
    {WHOLE,                                                       4,  false, INHERIT_NOTHING     },
    {"modelfs-block:modelfs-slots:modelfs-staged",                3,  true,  INHERIT_NOTHING     },
    {WHOLE,                                                       3,  true,  INHERIT_NOTHING     },
    {"",                                                          4,  true,  INHERIT_NOTHING     },
    {WHOLE,                                                       -1, true,  INHERIT_NOTHING     },
    {WHOLE,                                                       99, true,  INHERIT_NOTHING     },
    {NULL,                                                        4,  true,  INHERIT_NOTHING     },
};

/* In a child, whose descriptors they are. The exit status: the role, 99 if a descriptor
 * that is not for us is open still. */
static int find_listened(size_t row)
{
    struct inherited inherited = {.role = INHERIT_NOTHING};
    struct error err = {0};
    char text[32];

    for (int i = 0; i < listened[row].count && i < 6; i++)
        dup2(0, 3 + i);
    snprintf(text, sizeof text, "%d", listened[row].is_ours ? getpid() : getppid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof text, "%d", listened[row].count);
    setenv("LISTEN_FDS", text, 1);
    unsetenv("LISTEN_FDNAMES");
    if (listened[row].names)
        setenv("LISTEN_FDNAMES", listened[row].names, 1);
    if (inherit_find(&inherited, &err) < 0 || getenv("LISTEN_PID"))
        return 98;
    if (inherited.role == INHERIT_FROM_MANAGER) {
        for (int i = 0; i < HANDOVER_FDS; i++) {
            if (!(fcntl(inherited.fds[i], F_GETFD) & FD_CLOEXEC))
                return 97;
        }
        if (listened[row].count == 6 &&
            (fcntl(3, F_GETFD) >= 0 || fcntl(8, F_GETFD) >= 0))
            return 99;
    }
    return (int)inherited.role;
}

static void managers_give_it_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(listened); i++) {
        int status;
        pid_t child = fork();

        test_row(i, "%s", listened[i].names ? listened[i].names : "no names");
        if (child == 0)
            _exit(find_listened(i));
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), listened[i].role);
    }
}

static void a_program_is_started_with_it(void **state)
{
    char path[] = "/bin/sh", option[] = "-c";
    char script[] = "test \"${MODELFS_HANDOVER%% *}\" = worker && "
                    "for fd in ${MODELFS_HANDOVER#* }; do test -e /proc/self/fd/$fd || "
                    "exit 2; done";
    char *command[] = {path, option, script, NULL};
    struct successor successor;
    struct handover *handover;
    struct error err = {0};
    int status;
    pid_t child;

    (void)state;
    assert_int_equal(handover_new(&handover, &err), 0);
    handover->device_fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
    inherit_prepare(&successor, handover, command);
    child = inherit_start_worker(&successor, &err);
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(fcntl(handover->block_fd, F_GETFD) & FD_CLOEXEC);

    command[0] = script; /* no program: we are who we were */
    assert_int_equal(inherit_become(&successor, &err), -ENOENT);
    assert_true(fcntl(handover->block_fd, F_GETFD) & FD_CLOEXEC);
    inherit_done(&successor);
    close(handover->device_fd);
    handover_free(handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(programs_are_passed_a_mount),
        cmocka_unit_test(managers_give_it_back),
        cmocka_unit_test(a_program_is_started_with_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
