/* s3_client.h: requests to one bucket: address, region, login, signature, failures.
 *
 *     rc = s3_client_open("s3.example.com", "models", http, &client, &err);
 *     rc = s3_client_do(client, &(struct s3_call){.method = HTTP_HEAD, .key = path},
 *                       &reply, &err);
 *     http_reply_done(&reply);
 *     s3_client_close(client);
 *
 * The region is that of the login, or of the host name; else us-east-1 is tried, and what
 * the store says is the right one costs one more request, once. A refused login is read
 * again and tried once more if it is another by now. Thread-safe. */
#ifndef BACKENDS_S3_CLIENT_H
#define BACKENDS_S3_CLIENT_H

#include "backends/http.h"
#include "backends/s3_sign.h"

enum { S3_CLIENT_FIELDS_MAX = 8 };

struct s3_client;

/* http is lent until s3_client_close. -EINVAL for a host or bucket that is none. */
int s3_client_open(const char *host, const char *bucket, struct http *http,
                   struct s3_client **ret_client, struct error *err);
void s3_client_close(struct s3_client *client); /* accepts NULL */

/* What differs between requests; the rest is as in http.h. */
struct s3_call {
    enum http_method method;
    const char *key;   /* NULL: the bucket itself */
    const char *query; /* encoded; NULL: none */
    enum http_part part;
    struct range range;
    uint64_t suffix_size;
    const char *if_match;                              /* of reads */
    struct s3_sign_field fields[S3_CLIENT_FIELDS_MAX]; /* to send, up to name NULL */
    struct http_body body;
    bool is_repeatable;
    int64_t deadline_ms;
    void (*field)(void *arg, const char *name, const char *value);
    struct sink *to;
    int (*restart)(void *arg, struct error *err);
    void *arg;
    size_t body_max;
};

/* 0 for 2xx alone; else the errno of s3_error.h or http.h, and ret_reply holds nothing
 * but the status (0 where there was no answer) and the date. */
int s3_client_do(struct s3_client *client, const struct s3_call *call,
                 struct http_reply *ret_reply, struct error *err);

/* The login that holds now; see credentials.h. */
struct login;
int s3_client_login(struct s3_client *client, struct login *ret_login, struct error *err);

const char *s3_client_host(const struct s3_client *client);
const char *s3_client_bucket(const struct s3_client *client);

#endif
