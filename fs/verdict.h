/* verdict.h: what the supervisor does when its worker has ended. verdict_of is pure. */
#ifndef FS_VERDICT_H
#define FS_VERDICT_H

#include <stdbool.h>

enum { VERDICT_DEATHS_MAX = 5 }; /* in succession, without an answer in between */

/* What is known of the worker and of those before it. */
struct verdict_case {
    int status; /* as waitpid tells */
    bool is_stopping;
    bool is_mounted;   /* a worker began to serve, some time */
    bool has_answered; /* this worker has */
    unsigned deaths;   /* before this one, since the last answer */
};

enum verdict_kind {
    VERDICT_END,    /* the mount is to end */
    VERDICT_FAIL,   /* it never came up */
    VERDICT_START,  /* the next worker, after delay_ms */
    VERDICT_REFUSE, /* nobody can serve it: each request is answered with EIO */
};

struct verdict {
    enum verdict_kind kind;
    unsigned deaths; /* with this one */
    int delay_ms;    /* what is short of memory or disk may need a moment */
};

struct verdict verdict_of(const struct verdict_case *worker);

/* "was ended by signal 11 (Segmentation fault)", "gave up"; lent until the next call: for
 * the supervisor, which has one thread. */
const char *verdict_describe(int status);

#endif
