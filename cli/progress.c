/* progress.c: a bar on stderr while something long runs. */
#include "cli/progress.h"

#include "common/sync.h"
#include "common/text.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    REDRAW_MS = 100,
    RATE_AFTER_MS = 500, /* before, a rate would jump about */
    BAR_MIN = 10,        /* columns; below it there is no bar */
    BAR_MAX = 40,
    LINE_MAX_BYTES = 512,
    WIDTH_UNKNOWN = 80,
    SIZE_TEXT_BYTES = 32,
};

static void format_left(const struct progress_state *state, char *buffer, size_t size)
{
    char rate[SIZE_TEXT_BYTES];
    uint64_t per_second;
    uint64_t left_s;

    buffer[0] = '\0';
    if (state->elapsed_ms < RATE_AFTER_MS)
        return;
    per_second = (uint64_t)((double)state->fetched * 1000.0 / (double)state->elapsed_ms);
    if (per_second == 0)
        return;
    text_from_size(per_second, rate, sizeof rate);
    left_s = (state->total - state->done + per_second - 1) / per_second;
    snprintf(buffer, size, "  %s/s  %ju:%02ju", rate, (uintmax_t)(left_s / 60),
             (uintmax_t)(left_s % 60));
}

static unsigned share_of(const struct progress_state *state, unsigned whole)
{
    if (state->total == 0)
        return whole;
    return (unsigned)((double)state->done / (double)state->total * whole);
}

/* "[####....]" in columns, or nothing if that is too narrow to tell anything. */
static void format_bar(const struct progress_state *state, size_t columns, char *buffer)
{
    unsigned filled;

    buffer[0] = '\0';
    if (columns < BAR_MIN)
        return;
    if (columns > BAR_MAX)
        columns = BAR_MAX;
    filled = share_of(state, (unsigned)columns - 2);
    buffer[0] = '[';
    memset(buffer + 1, '.', columns - 2);
    memset(buffer + 1, '#', filled);
    memcpy(buffer + columns - 1, "]  ", 4);
}

void progress_format(const struct progress_state *asked, size_t width, char *line,
                     size_t size)
{
    struct progress_state state = *asked;
    char done[SIZE_TEXT_BYTES];
    char total[SIZE_TEXT_BYTES];
    char left[2 * SIZE_TEXT_BYTES];
    char numbers[6 * SIZE_TEXT_BYTES];
    char bar[BAR_MAX + 4];
    size_t used;

    if (state.done > state.total)
        state.done = state.total;
    text_from_size(state.done, done, sizeof done);
    text_from_size(state.total, total, sizeof total);
    format_left(&state, left, sizeof left);
    snprintf(numbers, sizeof numbers, "%3u%%  %s of %s%s", share_of(&state, 100), done,
             total, left);
    used = strlen(state.title) + 2 + strlen(numbers) + 2;
    format_bar(&state, width > used ? width - used : 0, bar);
    snprintf(line, size <= width ? size : width + 1, "%s  %s%s", state.title, bar,
             numbers);
}

void progress_init(struct progress_bar *progress, const char *title)
{
    *progress = (struct progress_bar){
        .title = title,
        .is_shown = isatty(STDERR_FILENO),
        .start_ms = clock_now_ms(),
    };
}

static size_t terminal_width(void)
{
    struct winsize window;

    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &window) < 0 || window.ws_col == 0)
        return WIDTH_UNKNOWN;
    return window.ws_col - 1u; /* the last column may wrap the line */
}

void progress_update(struct progress_bar *progress, uint64_t done, uint64_t total)
{
    int64_t now_ms = clock_now_ms();
    char line[LINE_MAX_BYTES];
    struct progress_state state = {.title = progress->title,
                                   .done = done,
                                   .total = total,
                                   .elapsed_ms = now_ms - progress->start_ms};

    if (!progress->is_shown)
        return;
    if (!progress->is_drawn)
        progress->first_bytes = done;
    else if (now_ms - progress->drawn_ms < REDRAW_MS && done < total)
        return;
    state.fetched = done > progress->first_bytes ? done - progress->first_bytes : 0;
    progress_format(&state, terminal_width(), line, sizeof line);
    fprintf(stderr, "\r%s\033[K", line);
    fflush(stderr);
    progress->is_drawn = true;
    progress->drawn_ms = now_ms;
}

void progress_done(struct progress_bar *progress)
{
    if (progress->is_drawn)
        fputs("\r\033[K", stderr);
    progress->is_drawn = false;
}
