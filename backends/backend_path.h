/* backend_path.h: what may be a path in a repository; see backend.h. Pure. */
#ifndef BACKENDS_BACKEND_PATH_H
#define BACKENDS_BACKEND_PATH_H

#include "common/error.h"

/* 0; -EINVAL: an empty, "." or ".." part, or too long. */
int backend_path_check(const char *path, struct error *err);

#endif
