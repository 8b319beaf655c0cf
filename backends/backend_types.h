/* backend_types.h: the values that callers of backend.h and kinds of backends exchange.
 */
#ifndef BACKENDS_BACKEND_TYPES_H
#define BACKENDS_BACKEND_TYPES_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    BACKEND_PATH_MAX = 4096,
    BACKEND_TAG_MAX = 128,
    BACKEND_CHECKSUM_MAX = 33,
    BACKEND_DEPTH_MAX = 8, /* of backend_list_deep */
};

/* Bytes first to last, both included. */
struct range {
    uint64_t first;
    uint64_t last;
};

struct backend_stat {
    uint64_t size;   /* bytes */
    int64_t mtime_s; /* Unix time */
    /* Equal tags are equal bytes: an ETag, or device, inode, size, mtime and ctime. */
    char tag[BACKEND_TAG_MAX];
};

/* Takes bytes in order; returns 0, or -errno, which ends the call that feeds it. */
struct sink {
    int (*write)(struct sink *sink, const void *data, size_t size, struct error *err);
};

/* One name directly below a listed folder; lent for the call. */
struct backend_entry {
    const char *name;
    bool is_folder;
    uint64_t size;   /* of files, where the listing tells, else 0 */
    int64_t mtime_s; /* the same */
};

/* Returns 0, or -errno, which ends the listing. */
typedef int backend_each(void *arg, const struct backend_entry *entry, struct error *err);

/* What to put: bytes in memory (data), or a file (fd, from offset 0) when data is NULL.
 */
struct backend_content {
    const void *data;
    int fd;
    uint64_t size;
    /* Nobody writes to fd any more: a store on its disk may link the file into place
     * instead of copying it. */
    bool is_given;
    /* May be NULL. Runs in the calling thread while fd is sent: bytes so far. 0, or
     * -errno with err filled, which ends the put with that. */
    int (*progress)(void *arg, uint64_t bytes_done, struct error *err);
    void *arg; /* stays the caller's */
};

enum backend_put_flags {
    BACKEND_PUT_IF_ABSENT = 1, /* -EEXIST, and nothing changed, if the path exists */
};

struct http;

struct backend_options {
    const char *host;       /* folder, host[:port] or URL */
    const char *repository; /* folder below it, or bucket */
    struct http *http;      /* the caller's, for as long as the backend is open */
};

enum backend_health {
    BACKEND_FINE,
    BACKEND_WARNING, /* something will not work */
    BACKEND_BROKEN,  /* nothing will */
};

/* What a person should know: a topic of one word or two ("clock") and a sentence. */
typedef void backend_finding(void *arg, enum backend_health health, const char *topic,
                             const char *sentence);

struct backend;
struct object;

#endif
