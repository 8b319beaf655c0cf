/* http_try.h: one request sent once, over one handle, in the calling thread.
 *
 *     rc = http_try_run(pool, handle, &try, &err);
 *     if (rc < 0 && try.may_pass) another one may succeed */
#ifndef BACKENDS_HTTP_TRY_H
#define BACKENDS_HTTP_TRY_H

#include "backends/http_fields.h"
#include "backends/http_head.h"
#include "backends/http_pool.h"

struct http_try {
    enum http_method method;
    const char *url;
    const struct http_fields *fields;
    const struct http_body *body;
    bool is_repeatable;
    bool is_direct;
    const char *agent;
    int64_t connect_timeout_ms;
    int64_t stall_timeout_ms;   /* until the head of the reply is complete, ... */
    int64_t silence_timeout_ms; /* ... and within its body */
    int64_t deadline_ms;        /* by clock_now_ms, 0: none */
    /* From here on what comes. */
    struct http_head *head;
    /* The head of the final reply is complete. 0, or -errno that ends the try. */
    int (*begin)(void *arg, struct error *err);
    /* Bytes of its body. 0, 1: enough, or -errno. */
    int (*data)(void *arg, const char *data, size_t size, struct error *err);
    void *arg;
    bool may_pass;    /* what failed was the transfer, in a way that may pass */
    int64_t moved_ms; /* when a good piece of a body went either way last; 0: never */
};

/* 0 when the reply came to its end, or data had enough. -ETIMEDOUT also when nothing went
 * either way for so long: a few bytes are nothing. */
int http_try_run(struct http_pool *pool, struct http_handle *handle, struct http_try *try,
                 struct error *err);

#endif
