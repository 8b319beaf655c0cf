/* fault.c: kills, crashes or delays the process at the point that MODELFS_FAULT names. */
#include "common/fault.h"

#ifdef FAULTS
#include "common/sync.h"
#include "common/text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void pause_for(const char *duration)
{
    struct error err = {0};
    int64_t ms;

    if (text_to_time(duration, &ms, &err) < 0)
        abort();
    clock_sleep_ms(ms);
}

void fault_point(const char *name)
{
    const char *wanted = getenv("MODELFS_FAULT");
    size_t size = strlen(name);

    if (!wanted || strncmp(wanted, name, size) != 0 || wanted[size] != ':')
        return;
    if (strcmp(wanted + size + 1, "kill") == 0) {
        kill(getpid(), SIGKILL);
    } else if (strcmp(wanted + size + 1, "crash") == 0) {
        raise(SIGSEGV);
    } else if (strncmp(wanted + size + 1, "once=", 5) == 0) {
        if (unlink(wanted + size + 6) == 0)
            kill(getpid(), SIGKILL);
    } else if (strncmp(wanted + size + 1, "delay=", 6) == 0) {
        pause_for(wanted + size + 7);
    } else {
        abort(); /* a misspelt test must not pass */
    }
}
#endif
