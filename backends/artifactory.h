/* artifactory.h: a repository of an Artifactory server; host is its base URL. */
#ifndef BACKENDS_ARTIFACTORY_H
#define BACKENDS_ARTIFACTORY_H

#include "backends/backend_ops.h"

extern const struct backend_ops artifactory_ops;

#endif
