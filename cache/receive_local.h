/* receive_local.h: a large member that comes in order, from an archive that is a local
 * file. Small ones come by batch.h. */
#ifndef CACHE_RECEIVE_LOCAL_H
#define CACHE_RECEIVE_LOCAL_H

#include "cache/archive_state.h"
#include "cache/receive.h"

/* The member is not small; object_fd(object) is the archive's. Blocks. Errors as
 * receive_bytes; -ESTALE when the archive changed meanwhile. */
int receive_local(struct archive *archive, struct member *member, struct object *object,
                  struct received *ret_received, struct error *err);

#endif
