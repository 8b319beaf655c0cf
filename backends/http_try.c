/* http_try.c: one request sent once, over one handle, in the calling thread. */
#include "backends/http_try.h"

#include "backends/http_code.h"
#include "common/sync.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
    BUFFER_BYTES = 256 << 10,
    TRICKLE_BYTES = 4 << 10, /* of a body within the time: less is nothing */
    PIECE_BYTES = 64 << 10,  /* what counts as progress over all tries */
    KEEPALIVE_S = 30,
    WAIT_MAX_MS = 60000,
};

enum phase {
    PHASE_SENDING, /* up to the first byte of the reply */
    PHASE_HEAD,
    PHASE_BODY,
};

struct transfer {
    struct http_try *try;
    struct http_pool *pool;
    CURL *easy;
    int rc;           /* what a callback returned */
    bool is_enough;   /* data said so */
    struct error err; /* of that callback */
    uint64_t at;      /* in what is sent */
    uint64_t came;    /* bytes of the body */
    enum phase phase;
    int64_t moved_ms; /* when something moved last ... */
    uint64_t moved;   /* ... and what had moved then: acknowledged, or bytes that came */
    uint64_t counted; /* the same when it was a good piece last */
    char detail[CURL_ERROR_SIZE];
};

static void enter(struct transfer *transfer, enum phase phase)
{
    transfer->phase = phase;
    transfer->moved_ms = clock_now_ms();
    transfer->moved = transfer->counted = 0;
}

static size_t take_line(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;
    struct http_try *try = transfer->try;
    bool was_complete = try->head->is_complete;
    int rc;

    if (transfer->phase == PHASE_SENDING)
        enter(transfer, PHASE_HEAD);
    rc = http_head_line(try->head, data, size * one, &transfer->err);
    if (rc < 0)
        try->may_pass = true;
    if (rc == 0 && !was_complete && try->head->is_complete) {
        enter(transfer, PHASE_BODY);
        rc = try->begin(try->arg, &transfer->err);
    } else if (rc == 0 && !was_complete && (data[0] == '\r' || data[0] == '\n')) {
        enter(transfer, PHASE_SENDING); /* that was an interim reply */
    }
    transfer->rc = rc;
    return rc < 0 ? 0 : size * one;
}

static size_t take_data(char *data, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;
    int rc = transfer->try->data(transfer->try->arg, data, size * one, &transfer->err);

    transfer->came += size * one;
    if (rc == 0)
        return size * one;
    transfer->is_enough = rc > 0;
    transfer->rc = rc > 0 ? 0 : rc;
    return size * one == 0 ? 1 : 0;
}

static int read_body(const struct http_body *body, uint64_t at, char *to, size_t size,
                     struct error *err)
{
    ssize_t got;

    if (body->data) {
        memcpy(to, (const char *)body->data + at, size);
        return (int)size;
    }
    got = pread(body->fd, to, size, (off_t)(body->offset + at));
    if (got < 0)
        return fail_errno(err, "read what is to be sent");
    return got > 0 ? (int)got
                   : fail(err, EIO, "the file that is being sent became shorter");
}

static size_t give_data(char *to, size_t one, size_t size, void *arg)
{
    struct transfer *transfer = arg;
    const struct http_body *body = transfer->try->body;
    uint64_t left = body->size - transfer->at;
    int rc;

    size = size * one < BUFFER_BYTES ? size * one : BUFFER_BYTES;
    if (left == 0)
        return 0;
    rc = read_body(body, transfer->at, to, left < size ? (size_t)left : size,
                   &transfer->err);
    size = rc > 0 ? (size_t)rc : 0;
    if (rc >= 0 && body->progress)
        rc = body->progress(body->arg, transfer->at + size, &transfer->err);
    if (rc < 0) {
        transfer->rc = rc;
        return CURL_READFUNC_ABORT;
    }
    transfer->at += size;
    return size;
}

static int seek_data(void *arg, curl_off_t offset, int origin)
{
    struct transfer *transfer = arg;

    if (origin != SEEK_SET || offset < 0 || (uint64_t)offset > transfer->try->body->size)
        return CURL_SEEKFUNC_CANTSEEK;
    transfer->at = (uint64_t)offset;
    return CURL_SEEKFUNC_OK;
}

/* Sets options until one fails. */
#define SET(option, value)                                                               \
    (code = code == CURLE_OK ? curl_easy_setopt(easy, option, value) : code)

static CURLcode set_method(CURL *easy, const struct http_try *try)
{
    CURLcode code = CURLE_OK;

    switch (try->method) {
    case HTTP_HEAD:
        SET(CURLOPT_NOBODY, 1L);
        break;
    case HTTP_DELETE:
        SET(CURLOPT_CUSTOMREQUEST, "DELETE");
        break;
    case HTTP_POST:
        SET(CURLOPT_CUSTOMREQUEST, "POST");
        /* curl itself repeats what a kept connection lost. */
        SET(CURLOPT_FRESH_CONNECT, try->is_repeatable ? 0L : 1L);
        /* fall through */
    case HTTP_PUT:
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)try->body->size);
        SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)BUFFER_BYTES);
        break;
    case HTTP_GET:
        break;
    }
    return code;
}

static CURLcode set_callbacks(CURL *easy, struct transfer *transfer)
{
    CURLcode code = CURLE_OK;

    SET(CURLOPT_ERRORBUFFER, transfer->detail);
    SET(CURLOPT_HEADERFUNCTION, take_line);
    SET(CURLOPT_HEADERDATA, transfer);
    SET(CURLOPT_WRITEFUNCTION, take_data);
    SET(CURLOPT_WRITEDATA, transfer);
    SET(CURLOPT_READFUNCTION, give_data);
    SET(CURLOPT_READDATA, transfer);
    SET(CURLOPT_SEEKFUNCTION, seek_data);
    SET(CURLOPT_SEEKDATA, transfer);
    return code;
}

static CURLcode set_all(CURL *easy, struct transfer *transfer)
{
    const struct http_try *try = transfer->try;
    CURLcode code = CURLE_OK;

    SET(CURLOPT_URL, try->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    SET(CURLOPT_PATH_AS_IS, 1L);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_TCP_KEEPALIVE, 1L);
    SET(CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    SET(CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)try->connect_timeout_ms);
    SET(CURLOPT_USERAGENT, try->agent);
    SET(CURLOPT_HTTPHEADER, try->fields->list);
    if (try->is_direct)
        SET(CURLOPT_NOPROXY, "*");
    if (code == CURLE_OK)
        code = set_method(easy, try);
    if (code == CURLE_OK)
        code = set_callbacks(easy, transfer);
    http_pool_trust(transfer->pool, easy);
    /* Better with them, but not every curl has them, and 7.88 refuses to set a buffer
     * size again after a name that was not known. */
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    /* A dead name server holds nobody up who gave the request up. */
    (void)curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    return code;
}

/* Bytes that the other side has acknowledged; what is in our buffers has not moved. */
static uint64_t acknowledged(CURL *easy)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    struct tcp_info info = {0};
    socklen_t size = sizeof info;

    if (curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK ||
        fd == CURL_SOCKET_BAD || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return 0;
    return info.tcpi_bytes_acked;
}

/* Notes what moved since. Of a head nothing counts: it is to be there in time as a whole;
 * of a body of ours only more than a trickle. */
static void note_moves(struct transfer *transfer)
{
    uint64_t least = transfer->try->method == HTTP_GET ? TRICKLE_BYTES : 1;
    uint64_t moved = 0;

    if (transfer->phase == PHASE_HEAD)
        return;
    if (transfer->phase == PHASE_SENDING) {
        least = 1;
        moved = acknowledged(transfer->easy);
    } else {
        moved = transfer->came;
    }
    if (moved < transfer->moved + least)
        return;
    transfer->moved_ms = clock_now_ms();
    transfer->moved = moved;
    if (moved < transfer->counted + PIECE_BYTES)
        return;
    transfer->counted = moved;
    transfer->try->moved_ms = transfer->moved_ms;
}

static int check(struct transfer *transfer, int64_t *ret_wait_ms, struct error *err)
{
    struct http_try *try = transfer->try;
    int64_t now_ms = clock_now_ms(), limit_ms, left_ms;

    note_moves(transfer);
    limit_ms =
        transfer->phase == PHASE_BODY ? try->silence_timeout_ms : try->stall_timeout_ms;
    left_ms = transfer->moved_ms + limit_ms - now_ms;
    if (http_pool_is_cancelled(transfer->pool))
        return fail(err, ECANCELED, "the program is ending");
    if (left_ms <= 0) {
        try->may_pass = true;
        return fail(err, ETIMEDOUT, "nothing moves for %.3g s", (double)limit_ms / 1000);
    }
    if (try->deadline_ms && try->deadline_ms <= now_ms)
        return fail(err, ETIMEDOUT, "not within the time that was given");
    if (try->deadline_ms && try->deadline_ms - now_ms < left_ms)
        left_ms = try->deadline_ms - now_ms;
    *ret_wait_ms = left_ms < WAIT_MAX_MS ? left_ms : WAIT_MAX_MS;
    return 0;
}

/* Until the transfer is over, or must not go on. */
static int perform(struct transfer *transfer, CURLM *multi, CURLcode *ret_code,
                   struct error *err)
{
    for (;;) {
        int running = 0, left;
        int64_t wait_ms = 0;
        CURLMcode code = curl_multi_perform(multi, &running);
        CURLMsg *message = curl_multi_info_read(multi, &left);
        int rc;

        if (message && message->msg == CURLMSG_DONE) {
            *ret_code = message->data.result;
            return 0;
        }
        rc = check(transfer, &wait_ms, err);
        if (rc < 0)
            return rc;
        if (code == CURLM_OK)
            code = curl_multi_poll(multi, NULL, 0, (int)wait_ms, NULL);
        if (code != CURLM_OK)
            return fail(err, EIO, "libcurl: %s", curl_multi_strerror(code));
    }
}

static int judge(struct transfer *transfer, CURLcode code, struct error *err)
{
    if (transfer->rc < 0) {
        *err = transfer->err;
        return transfer->rc;
    }
    if (transfer->is_enough)
        return 0;
    if (code != CURLE_OK)
        return http_code_fail(transfer->easy, code, transfer->detail,
                              &transfer->try->may_pass, err);
    if (transfer->try->head->is_complete)
        return 0;
    transfer->try->may_pass = true;
    return fail(err, EIO, "the reply has no head");
}

int http_try_run(struct http_pool *pool, struct http_handle *handle, struct http_try *try,
                 struct error *err)
{
    struct transfer transfer = {.try = try, .pool = pool, .easy = handle->easy};
    CURLcode code = set_all(handle->easy, &transfer);
    CURLMcode added = CURLM_OK;
    int rc;

    try->may_pass = false;
    try->moved_ms = 0;
    enter(&transfer, PHASE_SENDING);
    if (code == CURLE_OK)
        added = curl_multi_add_handle(handle->multi, handle->easy);
    if (code != CURLE_OK || added != CURLM_OK)
        return fail(err, ENOMEM, "libcurl refuses the request: %s",
                    code != CURLE_OK ? curl_easy_strerror(code)
                                     : curl_multi_strerror(added));
    if (http_dial_look(&handle->dial) == HTTP_DIAL_THERE)
        http_dial_use(&handle->dial, handle->easy);
    rc = perform(&transfer, handle->multi, &code, err);
    if (rc == 0)
        rc = judge(&transfer, code, err);
    http_dial_note(&handle->dial, handle->easy);
    curl_multi_remove_handle(handle->multi, handle->easy);
    return rc;
}
