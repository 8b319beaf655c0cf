/* log.c: one line per event on stderr. */
#include "common/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 2048 };

static const struct {
    const char *name;
    int priority; /* of syslog(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error",   3},
    [LOG_LEVEL_WARNING] = {"warning", 4},
    [LOG_LEVEL_INFO] = {"info",    6},
    [LOG_LEVEL_DEBUG] = {"debug",   7},
};

static enum log_level log_level = LOG_LEVEL_INFO;
static enum log_style log_style = LOG_STYLE_DAEMON;

void log_set_level(enum log_level level)
{
    log_level = level;
}

void log_set_style(enum log_style style)
{
    log_style = style;
}

int log_level_parse(const char *text, enum log_level *ret_level)
{
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++) {
        if (strcmp(text, levels[i].name) == 0) {
            *ret_level = (enum log_level)i;
            return 0;
        }
    }
    return -EINVAL;
}

/* systemd.exec(5): JOURNAL_STREAM is "device:inode" of the stream to the journal. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    char expected[64];
    struct stat st;

    if (!stream || fstat(STDERR_FILENO, &st) < 0)
        return false;
    snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)st.st_dev,
             (uintmax_t)st.st_ino);
    return strcmp(stream, expected) == 0;
}

static int print_prefix(char *line, size_t size, enum log_level level)
{
    struct timespec now;
    struct tm utc;
    char stamp[32];

    if (is_journal())
        return snprintf(line, size, "<%d>", levels[level].priority);
    if (log_style == LOG_STYLE_COMMAND)
        return snprintf(line, size, "modelfs: %s: ", levels[level].name);
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
    return snprintf(line, size, "%s.%03ldZ %s: ", stamp, now.tv_nsec / 1000000,
                    levels[level].name);
}

/* A message from outside must not forge a second line. */
static void flatten(char *text)
{
    for (; *text; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            *text = ' ';
    }
}

void log_line(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    int saved_errno = errno;
    int prefix;
    size_t size;
    va_list args;

    if (level > log_level)
        return;
    prefix = print_prefix(line, sizeof line, level);
    va_start(args, format);
    errno = saved_errno; /* for %m */
    vsnprintf(line + prefix, sizeof line - (size_t)prefix - 1, format, args);
    va_end(args);
    flatten(line);
    size = strlen(line);
    line[size++] = '\n';
    if (write(STDERR_FILENO, line, size) < 0) /* one write: lines never mix */
        size = 0;                             /* nowhere to report it */
    errno = saved_errno;
}
