/* http_retry.c: whether and when a request is tried again. */
#include "backends/http_retry.h"

#include <stddef.h>

static const int passing[] = {
    408, /* Request Timeout */
    429, /* Too Many Requests */
    500, /* Internal Server Error */
    502, /* Bad Gateway */
    503, /* Service Unavailable */
    504, /* Gateway Timeout */
};

static bool may_pass(const struct http_retry_failure *failure)
{
    if (failure->status == 0)
        return failure->may_pass;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++)
        if (passing[i] == failure->status)
            return true;
    return false;
}

static int64_t longest_pause(const struct http_retry_policy *policy, unsigned tries)
{
    int64_t pause = policy->first_pause_ms;

    while (tries-- > 1 && pause < policy->pause_max_ms)
        pause *= 2;
    return pause < policy->pause_max_ms ? pause : policy->pause_max_ms;
}

int64_t http_retry_pause(const struct http_retry_policy *policy,
                         const struct http_retry_so_far *so_far,
                         const struct http_retry_failure *failure, uint32_t random)
{
    int64_t pause, left = policy->give_up_ms - so_far->passed_ms;

    if (!so_far->is_repeatable || so_far->tries >= policy->tries_max ||
        !may_pass(failure))
        return -1;
    if (so_far->left_ms != HTTP_RETRY_NO_DEADLINE && so_far->left_ms < left)
        left = so_far->left_ms;
    if (failure->retry_after_ms >= left)
        return -1;
    pause = (int64_t)((double)longest_pause(policy, so_far->tries) * random / UINT32_MAX);
    /* Not all at the very moment that the server named. */
    if (failure->retry_after_ms >= 0)
        pause = failure->retry_after_ms + pause % (policy->first_pause_ms + 1);
    return pause < left ? pause : -1;
}
