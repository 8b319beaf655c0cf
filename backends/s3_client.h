/* s3_client.h: requests to one bucket: address, region, login, signature, failures.
 *
 *     rc = s3_client_open("s3.example.com", "models", http, &client, &err);
 *     rc = s3_client_do(client, path, NULL, &(struct http_request){.method = HTTP_HEAD},
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

struct s3_client;

/* http is lent until s3_client_close. -EINVAL for a host or bucket that is none. */
int s3_client_open(const char *host, const char *bucket, struct http *http,
                   struct s3_client **ret_client, struct error *err);
void s3_client_close(struct s3_client *client); /* accepts NULL */

/* key NULL: the bucket itself; query: encoded, NULL: none. Of the request all counts but
 * its address and authorize; names in extra are lower case. 0 for 2xx alone; else the
 * errno of s3_error.h or http.h, and ret_reply holds nothing but the status (0 where
 * there was no answer), the date and the tries. */
int s3_client_do(struct s3_client *client, const char *key, const char *query,
                 const struct http_request *request, struct http_reply *ret_reply,
                 struct error *err);

/* The login that holds now; see credentials.h. */
struct login;
int s3_client_login(struct s3_client *client, struct login *ret_login, struct error *err);

const char *s3_client_host(const struct s3_client *client);
const char *s3_client_bucket(const struct s3_client *client);

#endif
