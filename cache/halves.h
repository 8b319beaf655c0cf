/* halves.h: a range of an archive that somebody waits for, by two requests at once.
 *
 * Stores cap each connection: of a range that takes longer than a round trip the second
 * half comes over another connection meanwhile. Only where that connection is kept and
 * idle, for to open one takes longer than it saves; and where a thread and the memory for
 * that half are to spare. Else by one request. */
#ifndef CACHE_HALVES_H
#define CACHE_HALVES_H

#include "cache/archive_state.h"

/* As object_read, of the object of an archive. On a transfer thread, with no mutex held.
 */
int halves_read(struct archive *archive, struct object *object, struct range range,
                struct sink *to, struct error *err);

#endif
