/* verdict.c: judges the end of a worker. */
#include "fs/verdict.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

enum {
    FIRST_DELAY_MS = 20, /* then twice as long each time */
    LAST_DELAY_MS = 1000,
};

/* Who refuses may die, too. */
static struct verdict refuse(unsigned deaths)
{
    return (struct verdict){
        .kind = VERDICT_REFUSE,
        .deaths = VERDICT_DEATHS_MAX,
        .delay_ms = deaths > VERDICT_DEATHS_MAX ? LAST_DELAY_MS : 0,
    };
}

struct verdict verdict_of(const struct verdict_case *worker)
{
    struct verdict verdict = {.kind = VERDICT_START};

    if (worker->is_stopping ||
        (WIFEXITED(worker->status) && WEXITSTATUS(worker->status) == 0)) {
        verdict.kind = VERDICT_END;
    } else if (!worker->is_mounted) {
        verdict.kind = VERDICT_FAIL;
    } else if (!worker->has_answered) {
        verdict.deaths = worker->deaths + 1;
        if (verdict.deaths >= VERDICT_DEATHS_MAX)
            verdict = refuse(verdict.deaths);
        else
            verdict.delay_ms = FIRST_DELAY_MS << worker->deaths;
    }
    return verdict;
}

const char *verdict_describe(int status)
{
    static char text[80];

    if (WIFSIGNALED(status))
        snprintf(text, sizeof text, "was ended by signal %d (%s)", WTERMSIG(status),
                 strsignal(WTERMSIG(status)));
    else
        snprintf(text, sizeof text, "gave up");
    return text;
}
