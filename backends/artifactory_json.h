/* artifactory_json.h: what Artifactory's storage API answers, as it comes. Pure.
 *
 *     json = artifactory_json_new(each, arg);
 *     rc = artifactory_json_feed(json, data, size, &err);   as often as something comes
 *     rc = artifactory_json_end(json, &item, &err);
 *     artifactory_json_free(json);
 *
 * Not thread-safe. */
#ifndef BACKENDS_ARTIFACTORY_JSON_H
#define BACKENDS_ARTIFACTORY_JSON_H

#include "backends/backend_types.h"

enum { ARTIFACTORY_MESSAGE_MAX = 256 };

/* A file. Digests in lower-case hex, "" where none was told. */
struct artifactory_item {
    uint64_t size;
    int64_t modified_s; /* Unix time */
    char md5[33];
    char sha1[41];
    char sha256[65];
};

struct artifactory_json;

/* each gets the names of a folder as they come, each once; NULL for who asks about a
 * file: a folder is then -EISDIR as soon as that shows. */
struct artifactory_json *artifactory_json_new(backend_each *each, void *arg);
void artifactory_json_free(struct artifactory_json *json); /* accepts NULL */
#define CLEANUP_ARTIFACTORY_JSON CLEANUP_WITH(artifactory_json_cleanup)
static inline void artifactory_json_cleanup(struct artifactory_json **json)
{
    artifactory_json_free(*json);
}

/* -EIO for what is no such reply, or past a limit; what each returned. */
int artifactory_json_feed(struct artifactory_json *json, const void *data, size_t size,
                          struct error *err);

/* The reply broke off and comes again from its first byte: names that were told are not
 * told again, and if they are others now, that is -EIO. */
void artifactory_json_restart(struct artifactory_json *json);

/* 0: a file, in *ret_item; -EISDIR: it was a folder, and all its names were told. */
int artifactory_json_end(struct artifactory_json *json, struct artifactory_item *ret_item,
                         struct error *err);

/* The first message of {"errors": [{"message": ...}]}, without control characters and cut
 * to fit; "" if text is no such document. */
void artifactory_json_message(const char *text, size_t size,
                              char ret_message[ARTIFACTORY_MESSAGE_MAX]);

#endif
