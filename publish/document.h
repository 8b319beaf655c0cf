/* document.h: a small document of a repository, read, changed and written back.
 *
 *     rc = document_edit(&(struct document_edit){.backend = backend,
 *                                                .path = path,
 *                                                .bytes_max = 64 * KIB,
 *                                                .change = add_name,
 *                                                .arg = &name},
 *                        &err);
 *
 * Of many that change one document at once each gets its way: whoever was slower reads
 * and changes it anew, after a pause that grows from try to try and is not the same for
 * any two (http_retry.h). In a store without conditional writes the last of those that
 * write at the same moment wins, as with audmodel. */
#ifndef PUBLISH_DOCUMENT_H
#define PUBLISH_DOCUMENT_H

#include "backends/backend.h"
#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Append to to what the document should be; before is what it is, empty when there is
 * none. Runs once a try. 0; DOCUMENT_IS_RIGHT: nothing is to be written; -errno ends the
 * edit. */
enum { DOCUMENT_IS_RIGHT = 1 };
typedef int document_change(void *arg, const struct bytes *before, struct bytes *to,
                            struct error *err);

struct document_edit {
    struct backend *backend;
    const char *path;
    size_t bytes_max; /* before and after */
    document_change *change;
    void *arg;          /* of change; stays the caller's */
    int64_t pause_ms;   /* at most, before the second try; 0: 10 ms */
    int64_t give_up_ms; /* 0: 10 s */
};

/* Blocks. 0: the document is what it should be. -EBUSY: others wrote it again and again
 * for give_up_ms; what change, or the store, said. */
int document_edit(const struct document_edit *edit, struct error *err);

#endif
