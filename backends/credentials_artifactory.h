/* credentials_artifactory.h: user name and password, or a token, where audbackend looks
 * for them. */
#ifndef BACKENDS_CREDENTIALS_ARTIFACTORY_H
#define BACKENDS_CREDENTIALS_ARTIFACTORY_H

#include "backends/credentials_search.h"
#include "common/error.h"

/* As credentials_search.h says of all of them. */
int credentials_artifactory_find(struct credentials_search *search, struct error *err);

#endif
