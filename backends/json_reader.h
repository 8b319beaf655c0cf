/* json_reader.h: reads JSON that comes in pieces, strictly (RFC 8259), and holds no more
 * of it than one value: for replies of any size.
 *
 *     reader = json_reader_new(each, arg);
 *     rc = json_reader_feed(reader, data, size, &err);    as often as something comes
 *     rc = json_reader_end(reader, &err);
 *     json_reader_free(reader);
 *
 * Refused besides: NUL and lone surrogates in strings, more than JSON_DEPTH_MAX levels,
 * strings and numbers over JSON_TEXT_MAX bytes. Whether a key comes twice is for each()
 * to notice. Not thread-safe. */
#ifndef BACKENDS_JSON_READER_H
#define BACKENDS_JSON_READER_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stddef.h>

enum {
    JSON_DEPTH_MAX = 32,
    JSON_TEXT_MAX = 64 << 10,
};

enum json_kind {
    JSON_NULL,
    JSON_FALSE,
    JSON_TRUE,
    JSON_NUMBER, /* text as it stands */
    JSON_STRING,
    JSON_END, /* of an object or array: all in it was told */
};

/* Lent for the call. path tells where it stands: "size", "checksums.md5",
 * "children[].uri", "[]", and for the whole "". Keys that are not [A-Za-z0-9_-]{1,64} are
 * "?" in it. */
struct json_value {
    const char *path;
    enum json_kind kind;
    const char *text; /* of strings (UTF-8) and numbers, else "" */
};

/* Returns 0, or -errno, which ends the reading. */
typedef int json_reader_each(void *arg, const struct json_value *value,
                             struct error *err);

struct json_reader;

struct json_reader *json_reader_new(json_reader_each *each,
                                    void *arg);    /* arg stays the caller's */
void json_reader_free(struct json_reader *reader); /* wipes; accepts NULL */
#define CLEANUP_JSON_READER CLEANUP_WITH(json_reader_cleanup)
static inline void json_reader_cleanup(struct json_reader **reader)
{
    json_reader_free(*reader);
}

/* -EIO with a sentence: not JSON, or past a limit; after that json_reader_free only. */
int json_reader_feed(struct json_reader *reader, const void *data, size_t size,
                     struct error *err);

/* -EIO if the text is not complete. */
int json_reader_end(struct json_reader *reader, struct error *err);

#endif
