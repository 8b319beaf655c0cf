/* staging.h: @staging: a folder on disk below the cache root in which models are put
 * together, and published when their manifest is closed.
 *
 * `<job>/` holds the files, `<job>.yaml` is the manifest; `<job>.status` and
 * `<job>.result` are made up (staging_job.h). All else is a folder like any other. The
 * handlers do local I/O at once, but for fsync. */
#ifndef FS_STAGING_H
#define FS_STAGING_H

#include "fs/call.h"
#include "fs/staging_disk.h"
#include "fs/staging_handles.h"
#include "fs/staging_node.h"
#include "publish/job.h"

/* Constant while the mount is served. */
struct staging {
    bool is_successor; /* of a worker that died: files may be open that we know nothing of
                        */
    struct staging_nodes *nodes;
    struct staging_disk *disk;
    struct staging_handles *handles;
    int jobs_fd; /* the folder of what is known of jobs */
    char *spool; /* its path: archives on their way to a server lie there, too */
    struct job_board *board;
};

/* Before the channel is there: fs->staging is set. */
int staging_open(struct fs *fs, struct error *err);

/* Files are opened for passthrough from now on, where it works. */
void staging_attach(struct fs *fs);

/* Jobs that a worker before did not end go on. Once the mount answers. */
void staging_resume(struct fs *fs);

/* Ends the jobs; nobody waits any more. Then, without FUSE threads, the rest. */
void staging_stop(struct staging *staging); /* accepts NULL */
void staging_free(struct staging *staging); /* accepts NULL */

/* The handler of a kind of call in @staging. Never NULL. */
call_handler *staging_handler(enum call_kind kind);

#endif
