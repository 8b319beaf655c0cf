/* artifactory_client.h: requests to one repository: addresses, login, failures.
 *
 *     rc = artifactory_client_open(host, "models", http, &client, &err);
 *     call = (struct artifactory_call){.path = path};
 *     rc = artifactory_client_do(client, &call, &reply, &err);
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

/* What differs between requests; the rest is as in http.h. Redirects of GET are followed,
 * without the login to another host. */
struct artifactory_call {
    enum http_method method;
    enum artifactory_area area;
    const char *path; /* a folder that is made ends in "/"; "": the repository itself */
    enum http_part part;
    struct range range;
    uint64_t suffix_size;
    const char *if_match;
    const char *md5; /* of the body, for the server to check; NULL: none */
    struct http_body body;
    void (*field)(void *arg, const char *name, const char *value);
    struct sink *to;
    int (*restart)(void *arg, struct error *err);
    void *arg;
    size_t body_max;
};

/* 0 for 2xx alone; else the errno of artifactory_error.h or http.h, and ret_reply holds
 * nothing but status, date and tries. -ENOENT only of a repository that exists. */
int artifactory_client_do(struct artifactory_client *client,
                          const struct artifactory_call *call,
                          struct http_reply *ret_reply, struct error *err);

/* "https://x/artifactory/models" */
const char *artifactory_client_location(const struct artifactory_client *client);

#endif
