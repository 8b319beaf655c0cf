/* credentials_search.h: one look through all places that may hold credentials; what was
 * found, and which files were looked at. For credentials*.c alone.
 *
 *     struct credentials_search search = {.host = host, .http = http};
 *     rc = credentials_s3_find(&search, &err);
 *     ... credentials_search_is_stale(&search) ...
 *     credentials_search_done(&search); */
#ifndef BACKENDS_CREDENTIALS_SEARCH_H
#define BACKENDS_CREDENTIALS_SEARCH_H

#include "backends/credentials.h"
#include "backends/ini.h"

#include <stdint.h>
#include <sys/stat.h>

enum { CREDENTIALS_FILES_MAX = 4 };

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

/* An INI file of the search, closed with it. */
struct credentials_ini {
    struct ini *ini; /* NULL: there is no such file */
    const char *path;
};
void credentials_ini_done(struct credentials_ini *file);
#define CLEANUP_CREDENTIALS_INI CLEANUP_WITH(credentials_ini_done)

/* Read the file that the variable names, else fallback. One that does not exist is like
 * an empty one. -EACCES with file and line. */
int credentials_ini_read(struct credentials_search *search, const char *variable,
                         const char *fallback, enum ini_flags flags,
                         struct credentials_ini *ret_file, struct error *err);

/* The section for the host of the search: its name, or equal to it but for http(s):// and
 * a last "/". NULL: there is none. */
const char *credentials_ini_section(const struct credentials_ini *file, const char *host);

/* As ini_get; section may be NULL. -EACCES with file and line. */
int credentials_ini_get(const struct credentials_ini *file, const char *section,
                        const char *key, char **ret_value, struct error *err);

/* Wipe and free; accepts NULL. */
void credentials_wipe(char **secret);
#define CLEANUP_SECRET CLEANUP_WITH(credentials_wipe)

/* host without http(s):// */
const char *credentials_bare_host(const char *host);

/* The places. 1: credentials were found, 0: none, -EACCES: broken ones. */
int credentials_s3_find(struct credentials_search *search, struct error *err);
int credentials_aws_find(struct credentials_search *search, struct error *err);
int credentials_endpoint_find(struct credentials_search *search, struct error *err);
/* The region that the environment names; NULL if none. The caller frees it. */
char *credentials_aws_region(void);
int credentials_artifactory_find(struct credentials_search *search, struct error *err);

#endif
