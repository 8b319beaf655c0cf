/* file.h: kind "file-system": a folder as repository; see backend.h.
 *
 * host is a folder, repository a folder below it; both may be links, as may anything
 * below: links are followed, as audmodel does. Nothing is contacted at open. */
#ifndef BACKENDS_FILE_H
#define BACKENDS_FILE_H

#include "backends/backend_ops.h"

extern const struct backend_ops file_ops;

#endif
