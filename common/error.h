/* error.h: a code that decides and a sentence that explains, travelling together.
 *
 * Whatever can fail returns 0 (or a count) or -errno and takes `struct error *err` last,
 * never NULL, usually on the caller's stack:
 *
 *     struct error err = {0};
 *     int rc = header_read(path, &header, &err);
 *     if (rc < 0)
 *         return fail_context(&err, rc, "model %s", uid);
 *
 * On success err is untouched. All functions are thread-safe. */
#ifndef COMMON_ERROR_H
#define COMMON_ERROR_H

enum { ERROR_MESSAGE_MAX = 1024 };

struct error {
    int code; /* errno value, 0 while nothing failed */
    char message[ERROR_MESSAGE_MAX];
};

/* Store code and sentence in err; return -code. A sentence that is too long is cut; what
 * is no printable UTF-8 in it becomes blanks and question marks. */
int fail(struct error *err, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4), nonnull(1)));

/* The same for the current errno; ": " and its text are appended. Returns -errno. */
int fail_errno(struct error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3), nonnull(1)));

/* Put "<sentence>: " in front of what err says already; return rc. */
int fail_context(struct error *err, int rc, const char *format, ...)
    __attribute__((format(printf, 3, 4), nonnull(1)));

#endif
