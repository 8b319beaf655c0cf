/* http_fields.h: the header fields of one request, as curl wants them; see http.h for
 * setting them.
 *
 *     CLEANUP_HTTP_FIELDS struct http_fields fields = {0};
 *     rc = http_fields_set(&fields, "Range", "bytes=0-99", &err);
 *     curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fields.list); */
#ifndef BACKENDS_HTTP_FIELDS_H
#define BACKENDS_HTTP_FIELDS_H

#include "backends/http.h"

#include <curl/curl.h>

struct http_fields {
    struct curl_slist *list;
    size_t size; /* bytes in it */
};

/* Is it the name of a field: a token of RFC 9110, 5.6.2? */
bool http_fields_is_name(const char *name, size_t size);

/* curl is not to send this field of its own accord. */
int http_fields_omit(struct http_fields *fields, const char *name, struct error *err);

/* Values are wiped: some are secrets. */
void http_fields_done(struct http_fields *fields);
#define CLEANUP_HTTP_FIELDS CLEANUP_WITH(http_fields_done)

#endif
