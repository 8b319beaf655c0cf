/* error.c: error codes with a sentence, put together on the way up. */
#include "common/error.h"

#include "common/utf8.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static void append(char *message, size_t used, const char *text)
{
    if (used < ERROR_MESSAGE_MAX)
        snprintf(message + used, ERROR_MESSAGE_MAX - used, "%s", text);
}

/* U+0080 to U+009F steer terminals as well. */
static bool is_control(const char *at, size_t size)
{
    unsigned char byte = (unsigned char)at[0];

    return size == 1 ? byte < ' ' || byte == 0x7f
                     : byte == 0xc2 && (unsigned char)at[1] < 0xa0;
}

/* What comes from outside must forge no second line and steer no terminal, and what it is
 * quoted in is UTF-8: @status and reports of jobs are YAML. So is what was cut. */
static void flatten(char *message)
{
    size_t left = strlen(message);

    while (left > 0) {
        size_t size = utf8_size(message, left);

        if (size == 0)
            *message = '?';
        else if (is_control(message, size))
            memset(message, ' ', size);
        message += size ? size : 1;
        left -= size ? size : 1;
    }
}

int fail(struct error *err, int code, const char *format, ...)
{
    va_list args;

    assert(code > 0);
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    flatten(err->message);
    return -code;
}

int fail_errno(struct error *err, const char *format, ...)
{
    int code = errno;
    char reason[128];
    va_list args;

    assert(code > 0);
    err->code = code;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    append(err->message, strlen(err->message), ": ");
    append(err->message, strlen(err->message),
           strerror_r(code, reason, sizeof reason)); /* the GNU one: returns the text */
    flatten(err->message);
    return -code;
}

int fail_context(struct error *err, int rc, const char *format, ...)
{
    char below[ERROR_MESSAGE_MAX];
    va_list args;

    assert(rc < 0);
    memcpy(below, err->message, sizeof below);
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    append(err->message, strlen(err->message), ": ");
    append(err->message, strlen(err->message), below);
    flatten(err->message);
    err->code = -rc;
    return rc;
}
