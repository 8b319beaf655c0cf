/* fork_fake.c: fork(2), which fails when it is told to. */
#include "tests/fakes/fork_fake.h"

#include <errno.h>
#include <unistd.h>

static unsigned failures;

pid_t __real_fork(void);
pid_t __wrap_fork(void);

void fork_fake_fail(unsigned calls)
{
    failures = calls;
}

pid_t __wrap_fork(void)
{
    if (failures == 0)
        return __real_fork();
    failures--;
    errno = EAGAIN;
    return -1;
}
