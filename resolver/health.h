/* health.h: whether a repository answers, and who may ask it while it does not.
 *
 *     if (!health_may_ask(&health, now_ms, pause_ms))
 *         return health_fail(&health, &err);
 *     health_begin(&health, now_ms);
 *     rc = ... ask ...
 *     health_end(&health, begun_ms, now_ms, rc, &err);
 *
 * A repository is down when the last request failed because it could not be reached, when
 * the last three broke, or when it was asked and gave no sign of life for silence_ms:
 * what hangs since before the last sign of life says nothing. While it is down one
 * request each pause_ms finds out whether it is back; nobody else asks. So an outage
 * costs its users one wait, not one each, and ends for all with the first answer.
 *
 * Plain values, no clock: the caller locks, and brings the time in ms. */
#ifndef RESOLVER_HEALTH_H
#define RESOLVER_HEALTH_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_SILENCE_MS = 2500 }; /* a look-up is to be answered within 3 s */

struct health {
    int64_t silence_ms; /* constant; 0: HEALTH_SILENCE_MS */
    uint64_t requests, failures;
    unsigned under_way;
    unsigned unheard;        /* of these: begun, or alive, since the last answer */
    int64_t silent_since_ms; /* since when they got no sign of life */
    bool is_answered;        /* at least once */
    int64_t answered_ms;     /* the last time */
    int64_t back_ms;         /* the last outage ended; what was under way may be lost */
    bool is_failing;         /* the last request failed, for whatever reason */
    int unreachable_rc;      /* what the last request failed with, if so; else 0 */
    unsigned broken;         /* replies in succession that broke (-EIO) */
    int64_t failed_ms;       /* the last failure of any sort, if failures > 0 */
    int64_t tried_ms;        /* when somebody last asked although it was down */
    bool is_told_down;       /* what health_news said */
    int64_t down_ms;         /* when it said so */
    char message[ERROR_MESSAGE_MAX]; /* of the last failure */
};

/* How long it may be silent. */
int64_t health_silence_ms(const struct health *health);

bool health_is_down(const struct health *health, int64_t now_ms);

/* May a request begin? While it is down: one each pause_ms. */
bool health_may_ask(const struct health *health, int64_t now_ms, int64_t pause_ms);

/* The one that may ask although it is down will. */
void health_try(struct health *health, int64_t now_ms);

void health_begin(struct health *health, int64_t now_ms);

/* A sign of life of a request under way: a part of a long answer. */
void health_live(struct health *health, int64_t now_ms);

/* A request that began at begun_ms ended: rc and err are its own. -ENOENT is an answer,
 * -ECANCELED our own doing. A failure of one that began before the last sign of life does
 * not make it down. */
void health_end(struct health *health, int64_t begun_ms, int64_t now_ms, int rc,
                const struct error *err);

/* Why it is down: -errno, err filled. */
int health_fail(const struct health *health, struct error *err);

/* What is to be told, once: it went down, or it is back. */
enum health_news {
    HEALTH_NO_NEWS,
    HEALTH_DOWN,
    HEALTH_BACK,
};
enum health_news health_news(struct health *health, int64_t now_ms);

#endif
