/* artifactory_error.h: what the failures of Artifactory mean: one table. Pure.
 *
 *     rc = artifactory_error_fail(&(struct artifactory_error_facts){...}, &err);
 */
#ifndef BACKENDS_ARTIFACTORY_ERROR_H
#define BACKENDS_ARTIFACTORY_ERROR_H

#include "common/error.h"

#include <stdbool.h>

struct artifactory_error_facts {
    int status;
    const char *message; /* of the error document, "" without one */
    const char *host;    /* base URL */
    const char *repository;
    const char *path;         /* "" is the repository itself */
    const char *user;         /* "" for a token; NULL: anonymous */
    const char *moved_to;     /* origin that a redirect led to; "": none */
    bool is_about_repository; /* whether it exists was asked */
};

/* A sentence with what to do, and the errno of backend.h: -ENOENT no such path,
 * -EHOSTUNREACH no such repository, or no Artifactory there, -EACCES refused, -ESTALE a
 * condition that did not hold, -EFBIG too large, -ENOSPC a quota, -ETIMEDOUT busy, -EIO
 * anything else. */
int artifactory_error_fail(const struct artifactory_error_facts *facts,
                           struct error *err);

/* Is it about the login, so that another may be let in? */
bool artifactory_error_is_refusal(int status);

#endif
