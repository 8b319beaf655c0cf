/* http_redirect.c: where a redirect leads, and who may know us there. */
#include "backends/http_redirect.h"

#include "backends/url.h"

#include <errno.h>
#include <stdio.h>

bool http_redirect_is(const struct http_request *request, int status)
{
    bool is_reading = request->method == HTTP_GET || request->method == HTTP_HEAD;

    if (!request->follows)
        return false;
    return status == 307 || status == 308 ||
           (is_reading && (status == 301 || status == 302 || status == 303));
}

/* The URL that a reply at *from redirects to. */
static int join_location(const struct http_head *head, const char *from, struct bytes *to,
                         struct url *ret_url, struct error *err)
{
    struct error why = {0};
    int rc = head->location ? url_join(from, head->location, to, &why)
                            : fail(&why, EIO, "it names no Location");

    if (rc == 0)
        rc = url_parse(to->data, URL_NONE, ret_url, &why);
    return rc < 0 ? fail(err, EIO, "a redirect that leads nowhere: %s", why.message) : 0;
}

void http_redirect_note(const struct http_head *head, const char *url,
                        char moved_to[HTTP_ORIGIN_MAX])
{
    CLEANUP_BYTES struct bytes next;
    struct error unused = {0}; /* then it leads nowhere, which is said elsewhere */
    char host[URL_FIELD_MAX];
    struct url from, to;

    bytes_init(&next, URL_MAX);
    if (head->status / 100 != 3 || !head->location ||
        url_parse(url, URL_NONE, &from, &unused) < 0 ||
        join_location(head, url, &next, &to, &unused) < 0 ||
        url_is_same_origin(&from, &to))
        return;
    url_host_field(&to, host);
    snprintf(moved_to, HTTP_ORIGIN_MAX, "%s://%s",
             to.scheme == URL_HTTPS ? "https" : "http", host);
}

int http_redirect_follow(const struct http_head *head, struct bytes *url, bool *is_home,
                         struct error *err)
{
    CLEANUP_BYTES struct bytes next;
    struct url from, to;
    int rc = url_parse(url->data, URL_NONE, &from, err);

    bytes_init(&next, URL_MAX);
    if (rc == 0)
        rc = join_location(head, url->data, &next, &to, err);
    if (rc < 0)
        return rc;
    if (from.scheme == URL_HTTPS && to.scheme != URL_HTTPS)
        return fail(err, EIO, "a redirect from https to http, which is not followed");
    *is_home = *is_home && url_is_same_origin(&from, &to);
    bytes_cut(url, 0, 0);
    return bytes_append(url, next.data, next.size, err);
}
