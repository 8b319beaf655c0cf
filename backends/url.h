/* url.h: http and https URLs: taken apart, joined, percent-encoded. Pure.
 *
 *     rc = url_parse("s3.example.com:9000", URL_HTTPS, &url, &err);
 *     url_host_field(&url, field);                  "s3.example.com:9000"
 *     rc = url_encode_path(&text, "a b/c.zip", &err);          "a%20b/c.zip"
 *     rc = url_encode_query(&text, "a/b+c", &err);             "a%2Fb%2Bc"
 *
 * Hosts are ASCII; a URL with a user name or password in it is refused, and never stands
 * in the error. */
#ifndef BACKENDS_URL_H
#define BACKENDS_URL_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    URL_MAX = 32 << 10,  /* bytes of a whole URL, its NUL included */
    URL_HOST_MAX = 256,  /* of a host name, its NUL included */
    URL_FIELD_MAX = 264, /* of host:port */
};

enum url_scheme {
    URL_NONE, /* for url_parse: the text must name one */
    URL_HTTP,
    URL_HTTPS,
};

struct url {
    enum url_scheme scheme;
    char host[URL_HOST_MAX]; /* lower case; IPv6 addresses in their brackets */
    uint16_t port;           /* the scheme's own where the text names none */
    const char *target;      /* path and query within the text; "" if there is none */
    size_t target_size;      /* a fragment does not count */
    size_t path_size;        /* of it before the query */
};

/* fallback is the scheme of a text without one. -EINVAL with a sentence. */
int url_parse(const char *text, enum url_scheme fallback, struct url *ret_url,
              struct error *err);

/* Scheme, host and port are the same: one may have the other's credentials. */
bool url_is_same_origin(const struct url *a, const struct url *b);

/* "host", or "host:port" where the port is not the scheme's own: the Host field. */
void url_host_field(const struct url *url, char ret_field[URL_FIELD_MAX]);

/* Append the URL that location (absolute or relative, of a redirect) means at base, which
 * is one that url_parse takes; without its fragment. -EINVAL, -EFBIG. */
int url_join(const char *base, const char *location, struct bytes *to, struct error *err);

/* Bytes of the URL that may stand in a message: all before "?" and "#". */
int url_shown_size(const char *url);

/* Append text with all but A-Z a-z 0-9 - . _ ~ as %XX (upper case), as signature version
 * 4 wants it; in a path "/" stays too. */
int url_encode_path(struct bytes *to, const char *path, struct error *err);
int url_encode_query(struct bytes *to, const char *text, struct error *err);

#endif
