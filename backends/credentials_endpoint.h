/* credentials_endpoint.h: keys that expire, from the endpoint that the environment names:
 * a container's, or the machine's metadata service. */
#ifndef BACKENDS_CREDENTIALS_ENDPOINT_H
#define BACKENDS_CREDENTIALS_ENDPOINT_H

#include "backends/credentials_search.h"
#include "common/error.h"

/* As credentials_search.h says of all of them. Blocks on the endpoint, for some seconds;
 * what http_do returns when it does not answer. */
int credentials_endpoint_find(struct credentials_search *search, struct error *err);

#endif
