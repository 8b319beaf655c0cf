/* error.c: error codes with a sentence, put together on the way up. */
#include "common/error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(char *message, size_t used, const char *text)
{
    if (used < ERROR_MESSAGE_MAX)
        snprintf(message + used, ERROR_MESSAGE_MAX - used, "%s", text);
}

/* What comes from outside must forge no second line and steer no terminal. */
static void flatten(char *message)
{
    for (; *message; message++) {
        if ((unsigned char)*message < ' ' || *message == 0x7f)
            *message = ' ';
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
    flatten(err->message);
    append(err->message, strlen(err->message), ": ");
    append(err->message, strlen(err->message),
           strerror_r(code, reason, sizeof reason)); /* the GNU one: returns the text */
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
    flatten(err->message);
    append(err->message, strlen(err->message), ": ");
    append(err->message, strlen(err->message), below);
    err->code = -rc;
    return rc;
}
