/* http.h: one HTTP request over kept connections, tried again where http_retry says so.
 *
 *     rc = http_open(&(struct http_options){.connections = 16}, &http, &err);
 *     rc = http_do(http, &request, &reply, &err);
 *     if (rc == 0 && reply.status == 206) ...
 *     http_reply_done(&reply);
 *     http_close(http);
 *
 * One struct http serves all repositories of a process: it keeps connections, and lets at
 * most `connections` requests run at once to one host; others wait for their turn. Long
 * ranges leave some of them to all else: a look-up is not to wait for a download.
 * Thread-safe; requests block in the calling thread. http_open costs nothing until the
 * first request. Credentials, query strings and bodies never stand in an error or a log.
 *
 * http_do returns 0 whenever the server answered with a status that stands; what a status
 * means is the backend's table. Tried again (GET, HEAD, PUT, DELETE, and a POST that says
 * so), with growing pauses and Retry-After, within bounds: failures to connect, broken
 * and stalled connections, 408, 429, 500, 502, 503, 504. What stands then is the last
 * try's. A body that breaks off goes on where it stopped, if it is still the same object
 * (ETag, If-Match); a part that the object does not have in full is -EIO.
 *
 * Errors: -ETIMEDOUT -ECONNREFUSED -EHOSTUNREACH not reachable (unknown hosts, refused
 * certificates and proxies with the sentence for it), -EIO a broken reply, -ESTALE not
 * the object of if_match, -ECANCELED by http_cancel; what the sink or the body returned.
 */
#ifndef BACKENDS_HTTP_H
#define BACKENDS_HTTP_H

#include "backends/backend_types.h"

struct http;

struct http_options {
    const char *ca_file;        /* PEM, besides the system's certificates; NULL: what the
                                 * environment names, if anything */
    unsigned connections;       /* to one host; 0: 16 */
    int64_t connect_timeout_ms; /* 0: 10 s */
    int64_t stall_timeout_ms;   /* without progress, either way; 0: 30 s. A body that came
                                 * so far goes on over another connection after a third */
    int64_t pause_ms;           /* at most, before the second try; 0: 100 ms */
    int64_t give_up_ms;         /* without progress, over all tries; 0: 30 s */
    const char *agent;          /* "modelfs/0.1.0"; NULL: "modelfs" */
};

int http_open(const struct http_options *options, struct http **ret_http,
              struct error *err);

/* All requests, running and later ones, end with -ECANCELED within a second. */
void http_cancel(struct http *http);

void http_close(struct http *http); /* nobody may be inside http_do; accepts NULL */

enum http_method {
    HTTP_GET,
    HTTP_HEAD,
    HTTP_PUT,
    HTTP_POST,
    HTTP_DELETE,
};

enum http_part {
    HTTP_WHOLE,
    HTTP_RANGE,  /* bytes range.first to range.last */
    HTTP_SUFFIX, /* the last suffix_size bytes, all where there are fewer; what lies
                    before them may come next, by two at once: so another connection is
                    opened meanwhile (http_pool_dial) */
};

/* Header fields of a request; names without regard to case, the last value counts.
 * -EINVAL for what cannot stand in a header. */
struct http_fields;
int http_fields_set(struct http_fields *fields, const char *name, const char *value,
                    struct error *err);

struct http_field {
    const char *name;
    const char *value;
};

/* The same for several: at most count, up to one whose name is NULL. */
int http_fields_set_all(struct http_fields *fields, const struct http_field *set,
                        size_t count, struct error *err);

/* What is sent: size bytes at data, or of fd from offset. */
struct http_body {
    const void *data;
    int fd;
    uint64_t offset;
    uint64_t size;
    int (*progress)(void *arg, uint64_t bytes_done, struct error *err); /* or NULL */
    void *arg;
};

enum {
    HTTP_EXTRA_MAX = 8,
    HTTP_ORIGIN_MAX = 280, /* of "https://host:port" */
};

struct http_request {
    enum http_method method;
    const char *url; /* sent as it stands: percent-encoded, without credentials */
    enum http_part part;
    struct range range;
    uint64_t suffix_size;
    const char *if_match; /* ETag as it came, quotes and all; NULL: any */
    struct http_field extra[HTTP_EXTRA_MAX]; /* to send besides, up to name NULL */
    struct http_body body;                   /* size 0: none */
    bool is_repeatable;                      /* a POST that may be sent twice */
    bool follows;        /* redirects; to another host without extra and authorize's */
    bool is_direct;      /* through none of the proxies that the environment names */
    int64_t deadline_ms; /* by clock_now_ms: -ETIMEDOUT at the latest; 0: none */

    /* May be NULL. Runs before each try, in the calling thread: sets the fields of this
     * try (signature, date, authorization). */
    int (*authorize)(void *authorizer, struct http_fields *fields, struct error *err);
    void *authorizer;
    /* May be NULL. Each field of the final reply: name in lower case, value trimmed.
     * Where a sink takes the body they come before its first byte, for each try that
     * gives some. */
    void (*field)(void *arg, const char *name, const char *value);
    void *arg;

    /* Takes the body of a 2xx reply to GET or POST, exactly the part that was asked for,
     * each byte once and in order, over all tries; NULL: into reply.body. */
    struct sink *to;
    /* May be NULL. A body that broke off cannot go on (no ETag): to gets it once more
     * from its first byte and forgets what it had. Without it such a body is -EIO. 0, or
     * -errno that ends the request. */
    int (*restart)(void *arg, struct error *err);
    size_t body_max; /* of reply.body; 0: 64 KiB. More is -EFBIG for 2xx, else cut */
};

struct http_reply {
    int status;
    uint64_t object_size; /* of the whole object (Content-Range, Content-Length) */
    bool has_object_size;
    uint64_t first;                 /* where the part began in it */
    int64_t date_s;                 /* the server's clock, Unix time; 0: it did not say */
    int64_t modified_s;             /* Last-Modified, the same */
    char etag[BACKEND_TAG_MAX];     /* as it came; "" if none */
    char moved_to[HTTP_ORIGIN_MAX]; /* another origin that a redirect led to, followed or
                                     * not; "": none */
    unsigned tries;    /* from 2 on an earlier one may have been carried out */
    bool has_another;  /* connection to that server, kept and idle */
    struct bytes body; /* error documents, and 2xx bodies without a sink */
};

int http_do(struct http *http, const struct http_request *request,
            struct http_reply *ret_reply, struct error *err);
void http_reply_done(struct http_reply *reply); /* accepts a zeroed one */
#define CLEANUP_HTTP_REPLY CLEANUP_WITH(http_reply_done)

#endif
