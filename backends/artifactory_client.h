/* artifactory_client.h: requests to one repository: addresses, login, failures.
 *
 *     rc = artifactory_client_open(host, "models", http, &client, &err);
 *     rc = artifactory_client_do(client, ARTIFACTORY_FILES, path,
 *                                &(struct http_request){.method = HTTP_GET}, &reply,
 *                                &err);
 *     http_reply_done(&reply);
 *     artifactory_client_close(client);
 *
 * A refused login is read again and tried once more if it is another by now. Thread-safe.
 */
#ifndef BACKENDS_ARTIFACTORY_CLIENT_H
#define BACKENDS_ARTIFACTORY_CLIENT_H

#include "backends/http.h"

struct artifactory_client;

/* http is lent until artifactory_client_close. -EINVAL for a host that is no base URL. */
int artifactory_client_open(const char *host, const char *repository, struct http *http,
                            struct artifactory_client **ret_client, struct error *err);
void artifactory_client_close(struct artifactory_client *client); /* accepts NULL */

enum artifactory_area {
    ARTIFACTORY_FILES,      /* <host>/<repository>/<path> */
    ARTIFACTORY_STORAGE,    /* <host>/api/storage/<repository>/<path> */
    ARTIFACTORY_REPOSITORY, /* <host>/api/repositories/<repository> */
};

/* The path of a folder that is made ends in "/"; "" is the repository itself. Of the
 * request all counts but its address and authorize; redirects of GET are followed.
 * 0 for 2xx alone; else the errno of artifactory_error.h or http.h, and ret_reply holds
 * nothing but status, date and tries. -ENOENT only of a repository that exists. */
int artifactory_client_do(struct artifactory_client *client, enum artifactory_area area,
                          const char *path, const struct http_request *request,
                          struct http_reply *ret_reply, struct error *err);

/* "https://x/artifactory/models" */
const char *artifactory_client_location(const struct artifactory_client *client);

#endif
