/* pace.c: how many connections one member gets: one more while the total rate grows. */
#include "cache/pace.h"

enum {
    SETTLE_MS = 120, /* until new connections run at their full rate */
    WINDOW_MS = 150,
    WORTH_MS = 700, /* a connection takes a while to come up */
    PAUSE_MS_MIN = 2000,
    PAUSE_MS_MAX = 60000,
    CLEAR_PERCENT =
        50,            /* of the growth that the number of connections alone would give */
    FULL_PERCENT = 90, /* of it: then the link is far from full */
};

void pace_init(struct pace *pace, unsigned count_max)
{
    *pace = (struct pace){
        .count_max = count_max ? count_max : 1, .count = 1, .pause_ms = PAUSE_MS_MIN};
}

static void begin_window(struct pace *pace, int64_t since_ms)
{
    pace->since_ms = since_ms;
    pace->bytes = 0;
    pace->is_open = false;
}

static void give_up(struct pace *pace, int64_t now_ms)
{
    pace->count_old = 0;
    pace->rate_old = 0;
    pace->is_close = false;
    begin_window(pace, now_ms + pace->pause_ms);
    if (pace->pause_ms < PAUSE_MS_MAX)
        pace->pause_ms *= 2;
}

static void raise_by(struct pace *pace, unsigned step, uint64_t rate, int64_t now_ms)
{
    pace->count_old = pace->count;
    pace->rate_old = rate;
    if (step > pace->count_max - pace->count)
        step = pace->count_max - pace->count;
    pace->count += step;
    if (step == 0)
        give_up(pace, now_ms); /* all there are, and all help */
    else
        begin_window(pace, now_ms + SETTLE_MS);
}

/* So many percent of what the raise would give on an endless link. */
static uint64_t growth_percent(const struct pace *pace, uint64_t rate)
{
    uint64_t added = pace->count - pace->count_old;

    if (rate <= pace->rate_old)
        return 0;
    return (rate - pace->rate_old) * 100 * pace->count_old / (pace->rate_old * added);
}

static void judge(struct pace *pace, uint64_t rate, int64_t now_ms)
{
    uint64_t percent;

    pace->rate = rate;
    if (pace->rate_old == 0) {
        raise_by(pace, 1, rate, now_ms);
        return;
    }
    percent = growth_percent(pace, rate);
    if (percent >= FULL_PERCENT && !pace->is_close) {
        raise_by(pace, pace->count, rate, now_ms);
    } else if (percent >= CLEAR_PERCENT) {
        raise_by(pace, 1, rate, now_ms);
    } else if (pace->count - pace->count_old > 1) { /* several did not: does one? */
        pace->count = pace->count_old + 1;
        pace->is_close = true;
        begin_window(pace, now_ms + SETTLE_MS);
    } else {
        pace->count = pace->count_old;
        give_up(pace, now_ms);
    }
}

unsigned pace_add(struct pace *pace, uint64_t bytes, int64_t now_ms)
{
    if (pace->since_ms == 0)
        begin_window(pace, now_ms + SETTLE_MS);
    if (now_ms < pace->since_ms)
        return pace->count;
    if (!pace->is_open) { /* what came before does not count */
        pace->is_open = true;
        pace->since_ms = now_ms;
        return pace->count;
    }
    pace->bytes += bytes;
    if (now_ms - pace->since_ms >= WINDOW_MS)
        judge(pace, pace->bytes * 1000 / (uint64_t)(now_ms - pace->since_ms) + 1, now_ms);
    return pace->count;
}

bool pace_is_worth(const struct pace *pace, uint64_t bytes_left)
{
    return bytes_left * 1000 / WORTH_MS >= pace->rate;
}

void pace_settle_for(struct pace *pace, unsigned count, int64_t now_ms)
{
    if (count >= pace->count)
        return;
    pace->count = count;
    give_up(pace, now_ms);
}
