/* credentials_search.h: one look through all places that may hold credentials; what was
 * found, and which files were looked at. For credentials*.c alone.
 *
 *     struct credentials_search search = {.host = host, .http = http};
 *     rc = credentials_s3_find(&search, &err);
 *     ... credentials_search_is_stale(&search) ...
 *     credentials_search_done(&search);
 *
 * Each credentials_*_find looks through some of the places. 1: credentials were found
 * (login), 0: none, -EACCES: broken ones. */
#ifndef BACKENDS_CREDENTIALS_SEARCH_H
#define BACKENDS_CREDENTIALS_SEARCH_H

#include "backends/login.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

enum { CREDENTIALS_FILES_MAX = 4 };

struct http;

struct credentials_search {
    const char *host;   /* as configured; lent */
    struct http *http;  /* lent */
    struct login login; /* strings are NULL until found */
    int64_t expires_s;  /* Unix time; 0: never */
    int64_t fetched_ms; /* when from an endpoint, by clock_now_ms; 0: from none */
    struct {
        char *path;
        struct stat stat; /* zeroed: there was none */
    } files[CREDENTIALS_FILES_MAX];
    size_t file_count;
};

void credentials_search_done(struct credentials_search *search);

/* Has a file come, gone or changed since? */
bool credentials_search_is_stale(const struct credentials_search *search);

/* host without http(s):// */
const char *credentials_search_bare_host(const char *host);

/* NULL for a variable that is not set or empty. */
const char *credentials_search_environment(const char *variable);

#endif
