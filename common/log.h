/* log.h: one line per event on stderr, message first, then fields.
 *
 * Only edges log (fs/reply.c, the end of a publish job, cli); all else returns errors.
 * Quotes around foreign text, never a credential or a signed URL. Under the journal
 * (JOURNAL_STREAM names stderr) lines carry the priority prefix of sd-daemon(3), else
 * that of their style. Thread-safe; errno is kept. */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

enum log_level {
    LOG_LEVEL_ERROR,   /* a request failed */
    LOG_LEVEL_WARNING, /* something failed and we went on; such a line ends "ignoring" */
    LOG_LEVEL_INFO,    /* the state changed */
    LOG_LEVEL_DEBUG,   /* each request */
};

/* Print lines up to this level; LOG_LEVEL_INFO until called. Call before threads start.
 */
void log_set_level(enum log_level level);

enum log_style {
    LOG_STYLE_DAEMON,  /* "2026-02-28T12:00:00.000Z warning: ..." */
    LOG_STYLE_COMMAND, /* "modelfs: warning: ...", as its other messages */
};

/* LOG_STYLE_DAEMON until called. Call before threads start. */
void log_set_style(enum log_style style);

/* Read "error", "warning", "info" or "debug". 0, or -EINVAL. */
int log_level_parse(const char *text, enum log_level *ret_level);

void log_line(enum log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)

#endif
