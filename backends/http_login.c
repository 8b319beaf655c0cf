/* http_login.c: a request as whom its host knows us, asked again where that may help. */
#include "backends/http_login.h"

#include "backends/url.h"

#include <errno.h>
#include <string.h>

/* One time of asking. */
struct asking {
    const struct http_login *with;
    struct login login;
    struct bytes url;
};

static void asking_done(struct asking *asking)
{
    login_done(&asking->login);
    bytes_done(&asking->url);
}

static int authorize(void *arg, struct http_fields *fields, struct error *err)
{
    const struct asking *asking = arg;

    return asking->with->ops->authorize(asking->with->arg, &asking->login,
                                        asking->url.data, fields, err);
}

static int send_request(struct asking *asking, const struct http_request *request,
                        struct http_reply *reply, struct error *err)
{
    struct http_request sent = *request;

    sent.url = asking->url.data;
    sent.authorize = authorize;
    sent.authorizer = asking;
    return http_do(asking->with->http, &sent, reply, err);
}

/* What servers with TLS answer to those who speak none (nginx, Apache, Go's): a page. */
static bool wants_tls(const struct asking *asking, const struct http_reply *reply)
{
    static const char word[] = "HTTPS";

    return reply->status == 400 && strncmp(asking->url.data, "http://", 7) == 0 &&
           memmem(reply->body.data, reply->body.size, word, strlen(word));
}

static int ask(const struct http_login *with, const struct http_request *request,
               bool *was_refused, struct http_reply *ret_reply, struct error *err)
{
    CLEANUP_WITH(asking_done) struct asking asking = {.with = with};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    bool is_refusal = false;
    int rc;

    bytes_init(&asking.url, URL_MAX - 1);
    rc = credentials_get(with->credentials, &asking.login, err);
    if (rc == 0)
        rc = with->ops->address(with->arg, &asking.login, &asking.url, err);
    if (rc == 0)
        rc = send_request(&asking, request, &reply, err);
    if (rc == 0 && wants_tls(&asking, &reply))
        rc = fail(err, EHOSTUNREACH,
                  "%.*s: the server speaks TLS alone; write 'https://' before the host",
                  url_shown_size(asking.url.data), asking.url.data);
    if (rc < 0)
        return rc;
    if (reply.status < 200 || reply.status >= 300)
        rc = with->ops->judge(with->arg, &asking.login, &reply, &is_refusal, err);
    if (rc == 0) {
        *ret_reply = reply;
        reply = (struct http_reply){0};
        return 0;
    }
    *ret_reply = (struct http_reply){
        .status = reply.status, .date_s = reply.date_s, .tries = reply.tries};
    if (rc == HTTP_LOGIN_AGAIN || !is_refusal || *was_refused)
        return rc;
    *was_refused = true;
    return credentials_refresh(with->credentials, &asking.login) ? HTTP_LOGIN_AGAIN : rc;
}

int http_login_do(const struct http_login *login, const struct http_request *request,
                  struct http_reply *ret_reply, struct error *err)
{
    bool was_refused = false;
    int rc;

    do {
        *ret_reply = (struct http_reply){0};
        rc = ask(login, request, &was_refused, ret_reply, err);
    } while (rc == HTTP_LOGIN_AGAIN);
    return rc;
}
