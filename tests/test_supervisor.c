/* test_supervisor.c: what becomes of a mount whose worker cannot be replaced at once. All
 * else is tested on mounts. */
#include "tests/test.h"

#include "fs/supervisor.h"
#include "tests/fakes/fork_fake.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static int serve_nothing(void *arg, struct handover *handover, struct error *err)
{
    (void)arg;
    (void)handover;
    (void)err;
    return 0;
}

static void count(void *arg)
{
    ++*(unsigned *)arg;
}

/* A device that is unmounted already. */
static int open_device(void)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    close(ends[0]);
    return ends[1];
}

/* A process that was killed. Nobody has waited for it. */
static pid_t dead_worker(void)
{
    pid_t worker = fork();

    assert_true(worker >= 0);
    if (worker == 0) {
        raise(SIGKILL);
        _exit(1);
    }
    return worker;
}

static void a_worker_is_replaced_when_there_is_room(void **state)
{
    struct inherited inherited = {.role = INHERIT_AS_SUPERVISOR};
    struct handover *handover = NULL;
    char *command[] = {(char *)"/none", NULL};
    unsigned ready = 0;
    struct error err = {0};

    (void)state;
    assert_int_equal(handover_new(&handover, &err), 0);
    handover->device_fd = open_device();
    handover_list(handover, inherited.fds);
    for (int i = 0; i < HANDOVER_FDS; i++)
        inherited.fds[i] = fcntl(inherited.fds[i], F_DUPFD_CLOEXEC, 0);
    handover->block->worker = handover->block->ready = dead_worker();
    fork_fake_fail(2);
    assert_int_equal(
        supervisor_run(&(struct supervisor_options){.device.mountpoint = "/none",
                                                    .life.work = serve_nothing,
                                                    .inherited = &inherited,
                                                    .command = command,
                                                    .ready = count,
                                                    .arg = &ready},
                       &err),
        0);
    assert_int_equal(ready, 1);
    assert_int_equal(handover->block->restarts, 1);
    close(handover->device_fd);
    handover_free(handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_is_replaced_when_there_is_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
