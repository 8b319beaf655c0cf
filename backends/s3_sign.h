/* s3_sign.h: Amazon's signature version 4 of one request. Pure: key, time and payload
 * hash come in as arguments.
 *
 *     s3_sign_date(now_s, date);
 *     struct http_field fields[] = {{"x-amz-content-sha256", hash},
 *                                   {"x-amz-date", date}};
 *     rc = s3_sign(&(struct s3_sign_request){.method = "GET", .url = url, ...},
 *                  &authorization, &err);
 *
 * The URL is signed as it is sent: percent-encoded by url_encode_path and
 * url_encode_query. Its parameters may stand in any order. */
#ifndef BACKENDS_S3_SIGN_H
#define BACKENDS_S3_SIGN_H

#include "backends/http.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stddef.h>
#include <stdint.h>

#define S3_SIGN_UNSIGNED "UNSIGNED-PAYLOAD" /* as payload hash: of a body over TLS */
#define S3_SIGN_EMPTY                                                                    \
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" /* of no body */

enum {
    S3_SIGN_DATE_SIZE = 17, /* "20130524T000000Z" and a NUL */
    S3_SIGN_FIELDS_MAX = 16,
    S3_SIGN_PARAMETERS_MAX = 16,
};

struct s3_sign_request {
    const char *method; /* "GET" */
    const char *url;
    const struct http_field *fields; /* to be signed and sent, names in lower case;
                                      * "host" is added here */
    size_t field_count;
    const char *payload_hash; /* SHA-256 in hex, or S3_SIGN_UNSIGNED */
    const char *date;         /* by s3_sign_date; also the field "x-amz-date" */
    const char *region;
    const char *service; /* NULL: "s3" */
    const char *key;
    const char *secret;
};

void s3_sign_date(int64_t time_s, char ret_date[S3_SIGN_DATE_SIZE]);

/* Append the value of the field "Authorization". -EINVAL for a URL that is none, -EFBIG
 * for more fields or parameters than fit. Nothing of the secret is left in memory. */
int s3_sign(const struct s3_sign_request *request, struct bytes *authorization,
            struct error *err);

#endif
