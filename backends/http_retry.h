/* http_retry.h: whether and when a request is tried again. Pure.
 *
 *     pause_ms = http_retry_pause(&policy, &so_far, &failure, random);
 *     if (pause_ms < 0) what came stands
 *
 * The one policy of the program: a try that failed in a way that may pass is followed by
 * another after a random pause of at most first_pause_ms, doubled from try to try (full
 * jitter), or after what Retry-After says; within bounds of number and time, which count
 * from the last progress. */
#ifndef BACKENDS_HTTP_RETRY_H
#define BACKENDS_HTTP_RETRY_H

#include <stdbool.h>
#include <stdint.h>

enum { HTTP_RETRY_NO_DEADLINE = -1 };

struct http_retry_policy {
    unsigned tries_max;     /* without progress */
    int64_t first_pause_ms; /* at most, before the second try */
    int64_t pause_max_ms;
    int64_t give_up_ms; /* since the last progress */
};

struct http_retry_so_far {
    bool is_repeatable; /* the request may be sent twice */
    unsigned tries;     /* since the last progress, from 1 */
    int64_t passed_ms;  /* the same */
    int64_t left_ms;    /* of the caller's deadline, or HTTP_RETRY_NO_DEADLINE */
};

struct http_retry_failure {
    int status;             /* of the reply, 0 if there is none that counts */
    bool may_pass;          /* no reply: another try may succeed */
    int64_t retry_after_ms; /* as the reply says, or -1 */
};

/* Milliseconds until the next try, or -1. */
int64_t http_retry_pause(const struct http_retry_policy *policy,
                         const struct http_retry_so_far *so_far,
                         const struct http_retry_failure *failure, uint32_t random);

#endif
