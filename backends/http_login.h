/* http_login.h: a request as whom its host knows us, asked again where that may help.
 *
 *     static const struct http_login_ops ops = {address, authorize, judge};
 *     const struct http_login login = {http, credentials, &ops, arg};
 *
 *     rc = http_login_do(&login, &request, &reply, &err);
 *     http_reply_done(&reply);
 *
 * Each time it takes the login that holds then. A refused one is read again, and tried
 * once more if it is another by now. Thread-safe as far as the operations are. */
#ifndef BACKENDS_HTTP_LOGIN_H
#define BACKENDS_HTTP_LOGIN_H

#include "backends/credentials.h"
#include "backends/http.h"

enum { HTTP_LOGIN_AGAIN = 1 };

/* What a kind of host has of its own; all of them run in the calling thread. */
struct http_login_ops {
    /* Each time that it is asked: append where, up to URL_MAX. */
    int (*address)(void *arg, const struct login *login, struct bytes *url,
                   struct error *err);
    /* Before each try, see http.h. */
    int (*authorize)(void *arg, const struct login *login, const char *url,
                     struct http_fields *fields, struct error *err);
    /* What a status says that is none of 2xx: -errno, 0 where it is an answer, or
     * HTTP_LOGIN_AGAIN: there is another way to ask, which is up to the operations to
     * end. *is_refusal comes as false. */
    int (*judge)(void *arg, const struct login *login, const struct http_reply *reply,
                 bool *is_refusal, struct error *err);
};

struct http_login {
    struct http *http;
    struct credentials *credentials;
    const struct http_login_ops *ops;
    void *arg; /* of the operations */
};

/* url, authorize and authorizer of the request do not count. Where it is not 0, ret_reply
 * holds nothing but status (0 where there was no answer), date and tries. */
int http_login_do(const struct http_login *login, const struct http_request *request,
                  struct http_reply *ret_reply, struct error *err);

#endif
