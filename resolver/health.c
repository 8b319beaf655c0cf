/* health.c: whether a repository answers, and who may ask it while it does not. */
#include "resolver/health.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { BROKEN_MAX = 3 };

/* Does the failure mean that nobody is there? */
static bool is_unreachable(int rc)
{
    static const int codes[] = {ETIMEDOUT,  ECONNREFUSED, EHOSTUNREACH, ENETUNREACH,
                                ECONNRESET, ECONNABORTED, EHOSTDOWN,    ENETDOWN};

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (rc == -codes[i])
            return true;
    return false;
}

int64_t health_silence_ms(const struct health *health)
{
    return health->silence_ms ? health->silence_ms : HEALTH_SILENCE_MS;
}

static bool is_silent(const struct health *health, int64_t now_ms)
{
    return health->unheard > 0 &&
           now_ms - health->silent_since_ms >= health_silence_ms(health);
}

bool health_is_down(const struct health *health, int64_t now_ms)
{
    return health->unreachable_rc < 0 || is_silent(health, now_ms);
}

bool health_may_ask(const struct health *health, int64_t now_ms, int64_t pause_ms)
{
    int64_t tried_ms = health->tried_ms;

    if (is_silent(health, now_ms) && health->silent_since_ms > tried_ms)
        tried_ms = health->silent_since_ms; /* what hangs was an attempt, too */
    return !health_is_down(health, now_ms) || now_ms - tried_ms >= pause_ms;
}

void health_try(struct health *health, int64_t now_ms)
{
    health->tried_ms = now_ms;
}

void health_begin(struct health *health, int64_t now_ms)
{
    if (health_is_down(health, now_ms))
        health_try(health, now_ms);
    health->under_way++;
    if (health->unheard++ == 0)
        health->silent_since_ms = now_ms;
    health->requests++;
}

static void hear(struct health *health, int64_t now_ms, unsigned unheard)
{
    if (health_is_down(health, now_ms))
        health->back_ms = now_ms;
    health->unheard = unheard;
    health->unreachable_rc = 0;
    health->broken = 0;
}

void health_live(struct health *health, int64_t now_ms)
{
    hear(health, now_ms, 1); /* it may fall silent in the middle */
    health->silent_since_ms = now_ms;
}

static void leave(struct health *health, int64_t begun_ms)
{
    if (health->unheard > 0 && begun_ms >= health->silent_since_ms)
        health->unheard--;
    if (health->unheard > health->under_way)
        health->unheard = health->under_way;
}

void health_end(struct health *health, int64_t begun_ms, int64_t now_ms, int rc,
                const struct error *err)
{
    bool is_failure = rc < 0 && rc != -ENOENT;
    bool was_down = health_is_down(health, now_ms);
    bool is_lost = is_unreachable(rc);

    health->under_way--;
    if (rc == -ECANCELED)
        return;
    if (rc == -EIO) /* one object's fault, or the connection's? */
        is_lost = ++health->broken >= BROKEN_MAX || was_down;
    health->is_failing =
        is_failure && rc != -EBADMSG && rc != -EFBIG; /* one document's */
    if (is_failure) {
        health->failures++;
        health->failed_ms = now_ms;
        snprintf(health->message, sizeof health->message, "%s", err->message);
    } else {
        health->is_answered = true;
        health->answered_ms = now_ms;
    }
    if (!is_lost) {
        if (rc != -EIO)
            hear(health, now_ms, 0);
    } else if (!health->is_answered || health->answered_ms <= begun_ms) {
        if (!was_down)
            health_try(health, now_ms);
        health->unreachable_rc = rc;
    }
    leave(health, begun_ms);
}

int health_fail(const struct health *health, struct error *err)
{
    if (health->unreachable_rc < 0)
        return fail(err, -health->unreachable_rc, "%s", health->message);
    return fail(err, ETIMEDOUT, "the repository has not answered for %.1f s",
                (double)health_silence_ms(health) / 1000);
}

enum health_news health_news(struct health *health, int64_t now_ms)
{
    bool is_down = health_is_down(health, now_ms);

    if (is_down == health->is_told_down)
        return HEALTH_NO_NEWS;
    health->is_told_down = is_down;
    if (is_down)
        health->down_ms = now_ms;
    return is_down ? HEALTH_DOWN : HEALTH_BACK;
}
