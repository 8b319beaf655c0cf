/* http_redirect.h: where a redirect leads, and who may know us there. Pure. */
#ifndef BACKENDS_HTTP_REDIRECT_H
#define BACKENDS_HTTP_REDIRECT_H

#include "backends/http.h"
#include "backends/http_head.h"

/* Is a reply of that status to be followed? Others than GET and HEAD only where they are
 * to be repeated as they are. */
bool http_redirect_is(const struct http_request *request, int status);

/* Notes the origin that the reply at url redirects to, if it does and that is another. */
void http_redirect_note(const struct http_head *head, const char *url,
                        char moved_to[HTTP_ORIGIN_MAX]);

/* The reply at *url is a redirect: *url becomes where it leads. *is_home turns false once
 * that is another scheme, host or port, for good. -EIO where nobody may go: not http or
 * https, from https to http, a URL with credentials in it. */
int http_redirect_follow(const struct http_head *head, struct bytes *url, bool *is_home,
                         struct error *err);

#endif
