/* url.c: http and https URLs: taken apart, joined, percent-encoded. */
#include "backends/url.h"

#include "common/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
    PORT_HTTP = 80,
    PORT_HTTPS = 443,
    PORT_DIGITS_MAX = 5,
};

static const char digits[] = "0123456789ABCDEF";

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* Bytes before the end of the authority. */
static size_t authority_size(const char *text)
{
    return strcspn(text, "/?#");
}

static int check_bytes(const char *text, struct error *err)
{
    size_t size = strnlen(text, URL_MAX);

    if (size == URL_MAX)
        return fail(err, EINVAL, "a URL of more than %d bytes", URL_MAX - 1);
    for (size_t i = 0; i < size; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f)
            return fail(err, EINVAL, "a URL with byte 0x%02x in it; encode it as %%%02X",
                        (unsigned char)text[i], (unsigned char)text[i]);
    return 0;
}

/* Sets the scheme and steps over it. */
static int parse_scheme(const char **text, enum url_scheme fallback,
                        enum url_scheme *ret_scheme, struct error *err)
{
    const char *end = strstr(*text, "://");

    if (!end || end > *text + authority_size(*text)) {
        if (fallback == URL_NONE)
            return fail(err, EINVAL, "a URL without http:// or https://");
        *ret_scheme = fallback;
        return 0;
    }
    if (end == *text + 4 && strncasecmp(*text, "http", 4) == 0)
        *ret_scheme = URL_HTTP;
    else if (end == *text + 5 && strncasecmp(*text, "https", 5) == 0)
        *ret_scheme = URL_HTTPS;
    else
        return fail(err, EINVAL, "a URL that begins neither http:// nor https://");
    *text = end + 3;
    return 0;
}

/* Bytes of the host at the start of an authority, 0 if there is none. */
static size_t host_size(const char *authority, size_t size)
{
    size_t i = 0;

    if (size > 0 && authority[0] == '[') {
        i = 1 + strspn(authority + 1, "0123456789abcdefABCDEF:.");
        return i > 1 && i < size && authority[i] == ']' ? i + 1 : 0;
    }
    while (i < size && (is_letter_or_digit(authority[i]) || strchr("-._", authority[i])))
        i++;
    return i;
}

static int parse_port(const char *text, size_t size, struct url *url, struct error *err)
{
    char port[PORT_DIGITS_MAX + 1];
    struct error ignored = {0}; /* the sentence below says more */
    uint64_t value = 0;

    url->port = url->scheme == URL_HTTPS ? PORT_HTTPS : PORT_HTTP;
    if (size > 0 && text[0] != ':')
        return fail(err, EINVAL, "a URL whose host is no name: '%s' and then byte 0x%02x",
                    url->host, (unsigned char)text[0]);
    if (size <= 1)
        return 0;
    snprintf(port, sizeof port, "%.*s", (int)size - 1, text + 1);
    if (size - 1 > PORT_DIGITS_MAX || text_to_u64(port, &value, &ignored) < 0 ||
        value == 0 || value > UINT16_MAX)
        return fail(err, EINVAL, "the port of host '%s' is no number from 1 to %d",
                    url->host, UINT16_MAX);
    url->port = (uint16_t)value;
    return 0;
}

int url_parse(const char *text, enum url_scheme fallback, struct url *ret_url,
              struct error *err)
{
    struct url url = {.scheme = URL_NONE};
    size_t size, host;
    int rc = check_bytes(text, err);

    if (rc == 0)
        rc = parse_scheme(&text, fallback, &url.scheme, err);
    if (rc < 0)
        return rc;
    size = authority_size(text);
    if (memchr(text, '@', size))
        return fail(err, EINVAL,
                    "a URL with a user name or password in it; credentials belong into "
                    "the environment or the credentials file");
    host = host_size(text, size);
    if (host == 0 || host >= sizeof url.host)
        return fail(err, EINVAL, "a URL without a host name");
    for (size_t i = 0; i < host; i++)
        url.host[i] = lower(text[i]);
    rc = parse_port(text + host, size - host, &url, err);
    if (rc < 0)
        return rc;
    url.target = text + size;
    url.target_size = strcspn(url.target, "#");
    url.path_size = strcspn(url.target, "?#");
    *ret_url = url;
    return 0;
}

bool url_is_same_origin(const struct url *a, const struct url *b)
{
    return a->scheme == b->scheme && a->port == b->port && strcmp(a->host, b->host) == 0;
}

void url_host_field(const struct url *url, char ret_field[URL_FIELD_MAX])
{
    if (url->port == (url->scheme == URL_HTTPS ? PORT_HTTPS : PORT_HTTP))
        snprintf(ret_field, URL_FIELD_MAX, "%s", url->host);
    else
        snprintf(ret_field, URL_FIELD_MAX, "%s:%u", url->host, url->port);
}

int url_shown_size(const char *url)
{
    return (int)strcspn(url, "?#");
}

static int append_encoded(struct bytes *to, const char *text, size_t size,
                          const char *kept, struct error *err)
{
    int rc = bytes_reserve(to, size, err);

    for (size_t i = 0; rc == 0 && i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        char triple[] = {'%', digits[c >> 4], digits[c & 15]};

        if (is_letter_or_digit(text[i]) || strchr(kept, text[i]))
            rc = bytes_append(to, &text[i], 1, err);
        else
            rc = bytes_append(to, triple, sizeof triple, err);
    }
    return rc;
}

int url_encode_path(struct bytes *to, const char *path, struct error *err)
{
    return append_encoded(to, path, strlen(path), "-._~/", err);
}

int url_encode_query(struct bytes *to, const char *text, struct error *err)
{
    return append_encoded(to, text, strlen(text), "-._~", err);
}

/* Append path without its "." and ".." parts (RFC 3986, 5.2.4); it begins with "/". */
static int append_resolved(struct bytes *to, const char *path, size_t size,
                           struct error *err)
{
    size_t root = to->size;
    const char *end = path + size;
    int rc = 0;

    while (rc == 0 && path < end) {
        const char *next = memchr(path + 1, '/', (size_t)(end - path - 1));
        const char *stop = next ? next : end;
        size_t part = (size_t)(stop - path);
        bool is_dot = part == 2 && path[1] == '.';
        bool is_up = part == 3 && path[1] == '.' && path[2] == '.';

        if (is_up) {
            while (to->size > root && to->data[--to->size] != '/')
                continue;
        }
        if (!is_dot && !is_up)
            rc = bytes_append(to, path, part, err);
        else if (!next)
            rc = bytes_append(to, "/", 1, err);
        path = stop;
    }
    return rc;
}

static int append_target(struct bytes *to, const struct url *base, const char *location,
                         struct error *err)
{
    size_t path = strcspn(location, "?#");
    size_t whole = strcspn(location, "#");
    size_t folder = base->path_size;
    CLEANUP_BYTES struct bytes merged;
    int rc = 0;

    bytes_init(&merged, URL_MAX);
    if (whole == 0)
        return bytes_append(to, base->target, base->target_size, err);
    while (folder > 0 && base->target[folder - 1] != '/')
        folder--;
    if (path == 0)
        rc = bytes_append(&merged, base->target, base->path_size, err);
    else if (location[0] != '/' && folder == 0)
        rc = bytes_append(&merged, "/", 1, err);
    else if (location[0] != '/')
        rc = bytes_append(&merged, base->target, folder, err);
    if (rc == 0)
        rc = bytes_append(&merged, location, path, err);
    if (rc == 0)
        rc = append_resolved(to, merged.data, merged.size, err);
    return rc < 0 ? rc : bytes_append(to, location + path, whole - path, err);
}

/* What servers forget to encode. */
static int append_cleaned(struct bytes *to, const char *location, struct error *err)
{
    for (const char *c = location; *c; c++)
        if (((unsigned char)*c < ' ') || *c == 0x7f)
            return fail(err, EINVAL, "a redirect to a URL with byte 0x%02x in it", *c);
    return append_encoded(to, location, strlen(location), "-._~:/?#[]@!$&'()*+,;=%", err);
}

static bool has_scheme(const char *location)
{
    size_t size = 0;

    while (is_letter_or_digit(location[size]) ||
           (size > 0 && location[size] && strchr("+-.", location[size])))
        size++;
    return size > 0 && location[size] == ':';
}

int url_join(const char *base, const char *location, struct bytes *to, struct error *err)
{
    CLEANUP_BYTES struct bytes cleaned;
    struct url from;
    const char *scheme;
    char field[URL_FIELD_MAX];
    int rc = url_parse(base, URL_NONE, &from, err);

    bytes_init(&cleaned, URL_MAX);
    if (rc == 0)
        rc = append_cleaned(&cleaned, location, err);
    if (rc < 0)
        return rc;
    location = cleaned.data;
    scheme = from.scheme == URL_HTTPS ? "https" : "http";
    if (has_scheme(location))
        return bytes_append(to, location, strcspn(location, "#"), err);
    if (location[0] == '/' && location[1] == '/')
        return bytes_printf(to, err, "%s:%.*s", scheme, (int)strcspn(location, "#"),
                            location);
    url_host_field(&from, field);
    rc = bytes_printf(to, err, "%s://%s", scheme, field);
    return rc < 0 ? rc : append_target(to, &from, location, err);
}
