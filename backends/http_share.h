/* http_share.h: what all curl handles share: host names and TLS sessions. */
#ifndef BACKENDS_HTTP_SHARE_H
#define BACKENDS_HTTP_SHARE_H

#include <curl/curl.h>

struct http_share;

/* Thread-safe between the handles that have it; close it after the last of them. NULL
 * where curl has no memory. */
struct http_share *http_share_open(void);
void http_share_close(struct http_share *share); /* accepts NULL */
CURLSH *http_share_handle(const struct http_share *share);

#endif
