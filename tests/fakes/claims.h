/* claims.h: claims of other publishers, put into a repository as they would. */
#ifndef TESTS_FAKES_CLAIMS_H
#define TESTS_FAKES_CLAIMS_H

#include "backends/backend.h"

/* process as of publish/process.h. since_s 0: the claim does not say. Aborts the test
 * when it cannot be put. */
void claims_put(struct backend *backend, const char *path, const char *nonce,
                const char *process, int lifetime_s, long long since_s);

#endif
