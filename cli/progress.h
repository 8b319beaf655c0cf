/* progress.h: a bar on stderr while something long runs, on terminals only.
 *
 *     progress_init(&progress, uid);
 *     progress_update(&progress, done, total);      as often as you like
 *     progress_done(&progress);                     wipes the line
 *
 * Not thread-safe. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress_bar {
    const char *title; /* lent */
    bool is_shown;     /* stderr is a terminal */
    bool is_drawn;
    int64_t start_ms;
    int64_t drawn_ms;
    uint64_t first_bytes; /* what was there before the first update */
};

void progress_init(struct progress_bar *progress, const char *title);
void progress_update(struct progress_bar *progress, uint64_t done, uint64_t total);
void progress_done(struct progress_bar *progress);

/* What a bar shows. */
struct progress_state {
    const char *title;
    uint64_t done, total; /* bytes */
    uint64_t fetched;     /* bytes of done that came in elapsed_ms: the rate */
    int64_t elapsed_ms;
};

/* One line of at most width columns: title, bar, share, bytes, rate, time left; what does
 * not fit is left out, from the bar on. Pure. */
void progress_format(const struct progress_state *state, size_t width, char *line,
                     size_t size);

#endif
