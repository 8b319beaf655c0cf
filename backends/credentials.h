/* credentials.h: who we are to a host; found where audbackend finds it, then where the
 * AWS tools do.
 *
 *     rc = credentials_open(CREDENTIALS_S3, "s3.example.com:9000", http, &credentials,
 *                           &err);
 *     rc = credentials_get(credentials, &login, &err);
 *     ... a request was refused:
 *     if (credentials_refresh(credentials, &login)) get and try once more
 *     login_done(&login);
 *     credentials_close(credentials);
 *
 * S3: MINIO_ACCESS_KEY_<HOST>, MINIO_ACCESS_KEY and the same of MINIO_SECRET_KEY, the
 * file MINIO_CONFIG_FILE or ~/.config/audbackend/minio.cfg; then, unless the file has a
 * section for the host, AWS_ACCESS_KEY_ID, ~/.aws/credentials, ~/.aws/config and the
 * endpoints that the environment names. Artifactory: ARTIFACTORY_USERNAME,
 * ARTIFACTORY_API_KEY, the file ARTIFACTORY_CONFIG_FILE or ~/.artifactory_python.cfg.
 *
 * Read again when a file changed or they are about to expire, so that a running mount
 * survives a rotation. Never in an error or a log; wiped when freed. Thread-safe. */
#ifndef BACKENDS_CREDENTIALS_H
#define BACKENDS_CREDENTIALS_H

#include "backends/login.h"
#include "common/error.h"

#include <stdbool.h>

enum credentials_kind {
    CREDENTIALS_S3,
    CREDENTIALS_ARTIFACTORY,
};

struct credentials;
struct http;

/* Make the paths absolute by which the environment names files of credentials and of
 * certificates: before the working folder changes, and while there is one thread. -errno:
 * one cannot be. */
int credentials_keep_paths(struct error *err);

/* host as configured, with or without http(s)://. Reads nothing yet. http, lent until
 * credentials_close, fetches from the endpoints that the environment names. */
int credentials_open(enum credentials_kind kind, const char *host, struct http *http,
                     struct credentials **ret_credentials, struct error *err);
void credentials_close(struct credentials *credentials); /* accepts NULL */

/* Cheap: files are looked at once a second. Finding nothing is no error but an anonymous
 * login. -EACCES with a sentence that names the file, and the line where there is one,
 * if it is broken or cannot be read; what http_do returns from an endpoint. login_done
 * the result. */
int credentials_get(struct credentials *credentials, struct login *ret_login,
                    struct error *err);

/* The server refused a login: read everything again, unless others hold already. true:
 * they are others than refused. */
bool credentials_refresh(struct credentials *credentials, const struct login *refused);

#endif
