/* fuzz_url.c: hostile URLs: of the configuration, and those that redirects name. */
#include "backends/url.h"
#include "common/memory.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
    if (!condition)
        abort();
}

/* What was understood is understood in the same way when it is put together again. */
static void parse(const char *text)
{
    char field[URL_FIELD_MAX];
    CLEANUP_FREE char *again = NULL;
    struct url url, other;
    struct error err = {0};

    must(url_shown_size(text) >= 0 && (size_t)url_shown_size(text) <= strlen(text));
    if (url_parse(text, URL_HTTPS, &url, &err) < 0)
        return;
    must(url.scheme != URL_NONE && url.host[0]);
    must(url.path_size <= url.target_size && url.target_size <= strlen(url.target));
    must(!strchr(url.host, '@') && !strchr(url.host, '/'));
    url_host_field(&url, field);
    again = xasprintf("%s://%s%.*s", url.scheme == URL_HTTP ? "http" : "https", field,
                      (int)url.target_size, url.target);
    must(url_parse(again, URL_NONE, &other, &err) == 0);
    must(url_is_same_origin(&url, &other) && url.path_size == other.path_size);
}

/* Where a redirect leads may be of another scheme, and is for url_parse to refuse. */
static void join(const char *base, const char *location)
{
    CLEANUP_BYTES struct bytes to;
    struct url from, url;
    struct error err = {0};

    bytes_init(&to, URL_MAX - 1);
    if (url_parse(base, URL_NONE, &from, &err) < 0 ||
        url_join(base, location, &to, &err) < 0)
        return;
    must(!strchr(to.data, '#'));
    if (url_parse(to.data, URL_NONE, &url, &err) == 0 && location[0] == '/' &&
        location[1] != '/')
        must(url_is_same_origin(&from, &url));
}

static void encode(const char *text)
{
    CLEANUP_BYTES struct bytes to;
    struct error err = {0};

    bytes_init(&to, URL_MAX);
    if (url_encode_query(&to, text, &err) == 0)
        must(strspn(to.data, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                             "0123456789-._~%") == to.size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_FREE char *text = xstrndup(size ? (const char *)data : "", size);
    char *line_end = strchr(text, '\n');

    parse(text);
    encode(text);
    if (line_end) {
        *line_end = '\0';
        parse(text);
        join(text, line_end + 1);
        join("https://example.com/a/b?c", line_end + 1);
    }
    return 0;
}
