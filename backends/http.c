/* http.c: one HTTP request over kept connections: tries, redirects, resumption. */
#include "backends/http.h"

#include "backends/http_fields.h"
#include "backends/http_redirect.h"
#include "backends/http_retry.h"
#include "backends/http_span.h"
#include "backends/http_try.h"
#include "common/memory.h"
#include "common/sync.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

enum {
    CONNECT_TIMEOUT_MS = 10000,
    STALL_TIMEOUT_MS = 30000,
    PAUSE_MS = 100,
    PAUSE_MAX_MS = 5000,
    GIVE_UP_MS = 30000,
    SILENCE_SHARE = 3, /* of the stall time: how long a body that came may pause */
    TRIES_MAX = 6,
    REDIRECTS_MAX = 5,
    PROGRESS_BYTES = 64 << 10, /* so much more of a body makes all tries count anew */
    BODY_MAX = 64 << 10,
    UNASKED_BODY_MAX = 1 << 20, /* newer libcurls never ask for less */
    DRAIN_BYTES_MAX = 64 << 10, /* read to the end rather than closing the connection */
    URL_SHOWN_MAX = 400,        /* bytes in a message */
    LONG_BYTES = 1 << 20,       /* a range of that much takes a while */
};

struct http {
    struct http_pool *pool;
    char *agent;
    int64_t connect_timeout_ms, stall_timeout_ms;
    struct http_retry_policy policy;
}; /* constant after open */

/* One http_do. */
struct exchange {
    struct http *http;
    const struct http_request *request;
    struct http_head head;
    struct http_span span;
    struct bytes body;              /* what a sink would get */
    struct bytes document;          /* all else: errors, replies to PUT and DELETE */
    bool may_pass;                  /* what failed may pass */
    uint64_t came;                  /* bytes of the wanted reply */
    bool is_refused;                /* by the sink, or for its head */
    bool has_another;               /* connection that is idle */
    char moved_to[HTTP_ORIGIN_MAX]; /* by the last try */
    unsigned tries;                 /* in all */
    struct http_retry_so_far so_far;
    int64_t since_ms; /* when something moved last, or the first try began */
    uint64_t reached; /* bytes of the span when tries counted anew */
};

static const char *const methods[] = {
    [HTTP_GET] = "GET",   [HTTP_HEAD] = "HEAD",     [HTTP_PUT] = "PUT",
    [HTTP_POST] = "POST", [HTTP_DELETE] = "DELETE",
};

static int64_t or_default(int64_t value, int64_t standard)
{
    return value ? value : standard;
}

int http_open(const struct http_options *options, struct http **ret_http,
              struct error *err)
{
    struct http *http = XNEW(struct http);
    int rc = http_pool_open(options, &http->pool, err);

    if (rc < 0) {
        free(http);
        return rc;
    }
    http->agent = xstrdup(options->agent ? options->agent : "modelfs");
    http->connect_timeout_ms =
        or_default(options->connect_timeout_ms, CONNECT_TIMEOUT_MS);
    http->stall_timeout_ms = or_default(options->stall_timeout_ms, STALL_TIMEOUT_MS);
    http->policy = (struct http_retry_policy){
        .tries_max = TRIES_MAX,
        .first_pause_ms = or_default(options->pause_ms, PAUSE_MS),
        .pause_max_ms = PAUSE_MAX_MS,
        .give_up_ms = or_default(options->give_up_ms, GIVE_UP_MS),
    };
    *ret_http = http;
    return 0;
}

void http_cancel(struct http *http)
{
    http_pool_cancel(http->pool);
}

void http_close(struct http *http)
{
    if (!http)
        return;
    http_pool_close(http->pool);
    free(http->agent);
    free(http);
}

void http_reply_done(struct http_reply *reply)
{
    bytes_done(&reply->body);
}

static bool is_success(int status)
{
    return status >= 200 && status < 300;
}

/* Does the body of this reply go where the caller wants the object? */
static bool is_wanted(const struct exchange *exchange)
{
    enum http_method method = exchange->request->method;

    return is_success(exchange->head.status) &&
           (method == HTTP_GET || method == HTTP_POST);
}

static int check_condition(struct exchange *exchange, struct error *err)
{
    const struct http_request *request = exchange->request;
    const struct http_head *head = &exchange->head;

    if (head->status == 412 && (request->if_match || exchange->span.done > 0))
        return fail(err, ESTALE, "the object was replaced meanwhile");
    if (request->method == HTTP_HEAD && is_success(head->status) && request->if_match &&
        strcmp(request->if_match, head->etag) != 0)
        return fail(err, ESTALE, "the object was replaced meanwhile (ETag %s, was %s)",
                    head->etag, request->if_match);
    return 0;
}

static bool has_sink(const struct exchange *exchange)
{
    return is_wanted(exchange) && exchange->request->to;
}

static void tell_fields(const struct exchange *exchange)
{
    const struct http_request *request = exchange->request;

    if (request->field)
        http_head_each(&exchange->head, request->field, request->arg);
}

static int begin(void *arg, struct error *err)
{
    struct exchange *exchange = arg;
    int rc = check_condition(exchange, err);

    if (rc < 0 || !is_wanted(exchange))
        return rc;
    rc = http_span_begin(&exchange->span, &exchange->head, err);
    exchange->may_pass = rc < 0 && rc != -ESTALE;
    exchange->is_refused = rc < 0;
    if (rc == 0 && has_sink(exchange))
        tell_fields(exchange);
    return rc;
}

static int take_document(struct exchange *exchange, const char *data, size_t size,
                         struct error *err)
{
    size_t room = exchange->document.limit - exchange->document.size;
    int rc = bytes_append(&exchange->document, data, size < room ? size : room, err);

    return rc < 0 ? rc : size >= room;
}

/* Everything came, and what may follow is not worth keeping the connection. */
static bool is_enough(const struct exchange *exchange)
{
    const struct http_head *head = &exchange->head;

    return http_span_is_done(&exchange->span) &&
           !(head->has_length && head->length - exchange->came <= DRAIN_BYTES_MAX);
}

static int take(void *arg, const char *data, size_t size, struct error *err)
{
    struct exchange *exchange = arg;
    struct sink *to = exchange->request->to;
    int rc = 0;

    if (!is_wanted(exchange))
        return take_document(exchange, data, size, err);
    exchange->came += size;
    size = http_span_take(&exchange->span, &data, size);
    if (size > 0)
        rc = to ? to->write(to, data, size, err)
                : bytes_append(&exchange->body, data, size, err);
    exchange->is_refused = rc < 0;
    return rc < 0 ? rc : is_enough(exchange);
}

static int set_own_fields(const struct exchange *exchange, struct http_fields *fields,
                          struct error *err)
{
    const struct http_request *request = exchange->request;
    bool is_get = request->method == HTTP_GET;
    const char *condition =
        is_get ? http_span_condition(&exchange->span) : request->if_match;
    char range[HTTP_SPAN_FIELD_MAX];
    int rc = 0;

    if (is_get && http_span_field(&exchange->span, range))
        rc = http_fields_set(fields, "Range", range, err);
    if (rc == 0 && condition)
        rc = http_fields_set(fields, "If-Match", condition, err);
    /* To ask first whether a body is wanted costs a round trip, and a second where the
     * server does not answer that; a large one in vain costs more. */
    if (rc == 0 && request->body.size > 0 && request->body.size <= UNASKED_BODY_MAX)
        rc = http_fields_omit(fields, "Expect", err);
    return rc;
}

/* How long this try may take for a reply: up to the end of what all may. */
static int64_t stall_timeout_ms(const struct exchange *exchange)
{
    const struct http *http = exchange->http;
    int64_t left_ms = exchange->since_ms + http->policy.give_up_ms - clock_now_ms();

    if (left_ms > http->stall_timeout_ms)
        return http->stall_timeout_ms;
    return left_ms > 0 ? left_ms : 1;
}

static enum http_pool_use use_of(const struct http_request *request)
{
    bool is_long = request->method == HTTP_GET && request->part == HTTP_RANGE &&
                   request->range.last - request->range.first >= LONG_BYTES;

    return is_long ? HTTP_POOL_LONG : HTTP_POOL_SHORT;
}

/* The request to url with the fields, over a connection to origin. */
static int send_over(struct exchange *exchange, const char *url, const struct url *origin,
                     const struct http_fields *fields, struct error *err)
{
    const struct http_request *request = exchange->request;
    const struct http *http = exchange->http;
    struct http_handle *handle;
    struct http_try try = {
        .method = request->method,
        .url = url,
        .fields = fields,
        .body = &request->body,
        .is_repeatable = exchange->so_far.is_repeatable,
        .is_direct = request->is_direct,
        .agent = http->agent,
        .connect_timeout_ms = http->connect_timeout_ms,
        .silence_timeout_ms = request->method == HTTP_GET
                                  ? http->stall_timeout_ms / SILENCE_SHARE
                                  : http->stall_timeout_ms,
        .deadline_ms = request->deadline_ms,
        .head = &exchange->head,
        .begin = begin,
        .data = take,
        .arg = exchange,
    };
    int rc = http_pool_take(http->pool, origin, use_of(request), request->deadline_ms,
                            &handle, err);

    if (rc < 0)
        return rc;
    if (exchange->tries == 1) /* the time before was not the server's */
        exchange->since_ms = clock_now_ms();
    try.stall_timeout_ms = stall_timeout_ms(exchange);
    if (request->part == HTTP_SUFFIX) /* what lies before it comes by two at once */
        http_pool_dial(http->pool, handle);
    rc = http_try_run(http->pool, handle, &try, err);
    exchange->has_another = http_pool_has_another(http->pool, handle);
    http_pool_give(http->pool, handle);
    exchange->may_pass |= try.may_pass;
    if (try.moved_ms)
        exchange->since_ms = try.moved_ms;
    return rc;
}

/* One request to one URL. is_home: what is set besides may go there. */
static int send_once(struct exchange *exchange, const char *url, bool is_home,
                     struct error *err)
{
    const struct http_request *request = exchange->request;
    CLEANUP_HTTP_FIELDS struct http_fields fields = {0};
    struct url origin;
    int rc = url_parse(url, URL_NONE, &origin, err);

    if (rc == 0 && is_home)
        rc = http_fields_set_all(&fields, request->extra, HTTP_EXTRA_MAX, err);
    if (rc == 0 && is_home && request->authorize)
        rc = request->authorize(request->authorizer, &fields, err);
    if (rc == 0)
        rc = set_own_fields(exchange, &fields, err);
    if (rc < 0)
        return rc;
    http_head_done(&exchange->head);
    http_head_init(&exchange->head);
    bytes_cut(&exchange->document, 0, 0);
    exchange->came = 0;
    rc = send_over(exchange, url, &origin, &fields, err);
    /* How a reply ends that brought everything does not matter. */
    return is_wanted(exchange) && http_span_is_done(&exchange->span) &&
                   !exchange->is_refused
               ? 0
               : rc;
}

/* One try: the request and the redirects it meets. */
static int send_all(struct exchange *exchange, struct error *err)
{
    const struct http_request *request = exchange->request;
    CLEANUP_BYTES struct bytes url;
    bool is_home = true;
    int rc;

    bytes_init(&url, URL_MAX);
    exchange->moved_to[0] = '\0';
    rc = bytes_append(&url, request->url, strlen(request->url), err);
    for (int redirects = 0; rc == 0; redirects++) {
        rc = send_once(exchange, url.data, is_home, err);
        http_redirect_note(&exchange->head, url.data, exchange->moved_to);
        if (rc < 0 || !http_redirect_is(request, exchange->head.status))
            break;
        if (redirects == REDIRECTS_MAX)
            return fail(err, EIO, "more than %d redirects", REDIRECTS_MAX);
        rc = http_redirect_follow(&exchange->head, &url, &is_home, err);
    }
    if (rc == 0 && is_wanted(exchange)) {
        rc = http_span_end(&exchange->span, err);
        exchange->may_pass = rc < 0;
    }
    return rc;
}

static void start_anew(struct exchange *exchange)
{
    bytes_cut(&exchange->body, 0, 0);
    http_span_restart(&exchange->span, exchange->request->if_match);
    exchange->reached = 0;
}

/* How long to wait before the next try; -1: what came stands. */
static int64_t pause_before_next(struct exchange *exchange, int rc)
{
    const struct http_request *request = exchange->request;
    struct http_retry_so_far *so_far = &exchange->so_far;
    const struct http_retry_failure failure = {
        .status = rc == 0 ? exchange->head.status : 0,
        .may_pass = exchange->may_pass,
        .retry_after_ms = rc == 0 ? exchange->head.retry_after_ms : -1,
    };
    int64_t now_ms = clock_now_ms();
    uint32_t random = UINT32_MAX;

    if (exchange->span.done >= exchange->reached + PROGRESS_BYTES) {
        exchange->reached = exchange->span.done;
        so_far->tries = 1;
    }
    so_far->passed_ms = now_ms - exchange->since_ms;
    so_far->left_ms =
        request->deadline_ms
            ? (request->deadline_ms > now_ms ? request->deadline_ms - now_ms : 0)
            : HTTP_RETRY_NO_DEADLINE;
    /* Without it all wait for the longest time. */
    (void)!getrandom(&random, sizeof random, GRND_NONBLOCK);
    return http_retry_pause(&exchange->http->policy, so_far, &failure, random);
}

/* Ready for another try: 0, or -errno if the body cannot go on. */
static int prepare_next(struct exchange *exchange, struct error *err)
{
    const struct http_request *request = exchange->request;
    int rc = 0;

    if (http_span_is_lost(&exchange->span)) {
        if (request->to && !request->restart)
            return -err->code; /* what broke it */
        if (request->restart)
            rc = request->restart(request->arg, err);
        start_anew(exchange);
    } else if (exchange->span.done == 0) {
        start_anew(exchange); /* another version is as good */
    }
    exchange->tries++;
    exchange->so_far.tries++;
    return rc;
}

/* All tries. 0 when a status stands. */
static int run(struct exchange *exchange, struct error *err)
{
    for (;;) {
        int64_t pause_ms;
        int rc;

        exchange->may_pass = false;
        rc = send_all(exchange, err);
        pause_ms = pause_before_next(exchange, rc);
        if (pause_ms < 0)
            return rc;
        if (rc == 0)
            (void)fail(err, EIO, "status %d", exchange->head.status);
        rc = prepare_next(exchange, err);
        if (rc == 0)
            rc = http_pool_pause(exchange->http->pool, pause_ms, err);
        if (rc < 0)
            return rc;
    }
}

static void fill_reply(struct exchange *exchange, struct http_reply *ret_reply)
{
    const struct http_request *request = exchange->request;
    const struct http_head *head = &exchange->head;
    const struct http_span *span = &exchange->span;
    bool is_object = request->method == HTTP_GET && is_wanted(exchange);
    bool is_head = request->method == HTTP_HEAD && is_success(head->status);

    *ret_reply = (struct http_reply){
        .status = head->status,
        .has_object_size =
            is_object ? span->has_object_size : is_head && head->has_length,
        .object_size = is_object ? span->object_size
                       : is_head ? head->length
                                 : 0,
        .first = is_object ? span->first : 0,
        .date_s = head->date_s,
        .modified_s = head->modified_s,
        .tries = exchange->tries,
        .has_another = exchange->has_another,
    };
    memcpy(ret_reply->etag, head->etag, sizeof head->etag);
    memcpy(ret_reply->moved_to, exchange->moved_to, sizeof exchange->moved_to);
    if (is_wanted(exchange)) {
        ret_reply->body = exchange->body;
        bytes_init(&exchange->body, 0);
    } else {
        ret_reply->body = exchange->document;
        bytes_init(&exchange->document, 0);
    }
    if (!has_sink(exchange))
        tell_fields(exchange);
}

static void show_url(const struct http_request *request, struct error *err)
{
    int size = url_shown_size(request->url);

    fail_context(err, -err->code, "%s %.*s", methods[request->method],
                 size < URL_SHOWN_MAX ? size : URL_SHOWN_MAX, request->url);
}

int http_do(struct http *http, const struct http_request *request,
            struct http_reply *ret_reply, struct error *err)
{
    size_t body_max = request->body_max ? request->body_max : BODY_MAX;
    struct exchange exchange = {
        .http = http, .request = request, .tries = 1, .since_ms = clock_now_ms()};
    struct error failure = {0};
    int rc;

    exchange.so_far.tries = 1;
    exchange.so_far.is_repeatable =
        request->method != HTTP_POST || request->is_repeatable;
    http_head_init(&exchange.head);
    bytes_init(&exchange.body, body_max);
    bytes_init(&exchange.document, body_max);
    rc = http_span_init(&exchange.span,
                        request->method == HTTP_GET ? request->part : HTTP_WHOLE,
                        request->range, request->suffix_size,
                        request->method == HTTP_GET ? request->if_match : NULL, &failure);
    exchange.span.is_whole_document = request->method == HTTP_POST;
    if (rc == 0)
        rc = run(&exchange, &failure);
    if (rc == 0) {
        fill_reply(&exchange, ret_reply);
    } else {
        *err = failure;
        show_url(request, err);
    }
    http_head_done(&exchange.head);
    bytes_done(&exchange.body);
    bytes_done(&exchange.document);
    return rc;
}
