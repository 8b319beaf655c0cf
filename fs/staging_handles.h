/* staging_handles.h: the staged files that are open.
 *
 * One descriptor stands for all handles of a file, so that all read it the same way (the
 * kernel refuses a mix of passthrough and page cache). A file that is open and loses its
 * last name is kept among the unlinked until it is closed; of any other there is a
 * descriptor until the kernel forgets it. Local I/O only. Thread-safe. */
#ifndef FS_STAGING_HANDLES_H
#define FS_STAGING_HANDLES_H

#include "common/error.h"
#include "fs/passthrough.h"
#include "fs/staging_disk.h"
#include "fs/staging_node.h"

struct staging_handles;

/* Both are lent. */
struct staging_handles *staging_handles_new(struct staging_nodes *nodes,
                                            const struct staging_disk *disk);
void staging_handles_free(struct staging_handles *handles); /* accepts NULL */

/* Files are opened for passthrough from now on, where it works. */
void staging_handles_attach(struct staging_handles *handles,
                            struct passthrough *passthrough);

/* Which handle is wanted: node_id and unique as passthrough.h, flags of open(2). */
struct staging_wish {
    uint64_t number;
    uint64_t node_id;
    uint64_t unique;
    int flags;
};

/* One more handle. take_fd is the file as just created, or -1: then it is opened. Both
 * results are 0 without passthrough. */
int staging_handles_hold(struct staging_handles *handles, const struct staging_wish *wish,
                         int take_fd, uint64_t *ret_handle, uint32_t *ret_backing_id,
                         struct error *err);

/* One handle less. true when it was the last one that could write, as far as this process
 * knows. */
bool staging_handles_release(struct staging_handles *handles, uint64_t number,
                             uint64_t handle, int flags);

/* A descriptor of an open file; -ENOENT when this process has none. The caller closes it.
 */
int staging_handles_dup(struct staging_handles *handles, uint64_t number);

/* Has this process handles that can write, of a file or of any below the name at the top?
 */
bool staging_handles_has_writers(struct staging_handles *handles, uint64_t number);
bool staging_handles_has_writers_below(struct staging_handles *handles, const char *top);

/* The file `name` in folder_fd, the folder of parent, loses that name, by unlink or
 * because another takes its place: if it is open, it gets one among the unlinked until it
 * is closed, since other names that it may have are not known to every process. Call it
 * before, and staging_handles_lost after, with what that came to (rc). */
struct staging_loss {
    uint64_t number; /* 0: nothing to do */
    bool has_other;  /* name: it lives on */
    bool is_linked;  /* among the unlinked */
    int fd;          /* of what is not open, for who may ask about it; or -1 */
};
int staging_handles_lose(struct staging_handles *handles, int folder_fd, const char *name,
                         struct staging_loss *ret_loss, struct error *err);

/* The same for a name that a process before this one took, which may not have come to
 * staging_handles_lost. */
void staging_handles_lose_again(struct staging_handles *handles, int folder_fd,
                                uint64_t parent, const char *name,
                                struct staging_loss *ret_loss);

void staging_handles_lost(struct staging_handles *handles,
                          const struct staging_loss *loss, int rc);

/* The kernel does not know the file any more. */
void staging_handles_forget(struct staging_handles *handles, uint64_t number);

/* All below the name at the top, and that itself, is going: no number means it any more.
 */
void staging_handles_lose_top(struct staging_handles *handles, const char *top);

#endif
