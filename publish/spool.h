/* spool.h: a file without a name that an archive is packed into before it is uploaded. */
#ifndef PUBLISH_SPOOL_H
#define PUBLISH_SPOOL_H

#include "backends/backend.h"
#include "common/error.h"

/* On the repository's own disk, where it has one, so that the archive is linked into
 * place; else in folder (NULL: $TMPDIR or /tmp). The caller closes the descriptor;
 * nothing is left after a crash. */
int spool_open(struct backend *backend, const char *folder, int *ret_fd,
               struct error *err);

#endif
