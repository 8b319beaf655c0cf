/* call.h: one request of the kernel, and the answer to it, as plain values.
 *
 * A handler turns a call into an answer and never replies itself. It says how far it
 * came:
 *
 *     0             the answer is complete
 *     CALL_WANT     bytes must arrive first: answer->want says which
 *     -EINPROGRESS  a backend has to be asked: call it again with RESOLVE_FETCH
 *     -errno        failed, err has the sentence
 *
 * So the same handler serves a FUSE thread, which never waits (RESOLVE_KNOWN), a pool
 * thread, which may (RESOLVE_FETCH), and the deadline (RESOLVE_STALE). */
#ifndef FS_CALL_H
#define FS_CALL_H

#include "cache/archive.h"
#include "common/bytes.h"
#include "common/error.h"
#include "fs/fs.h"
#include "fs/place.h"

#include "fs/target.h"

#include <fuse_lowlevel.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum call_kind {
    CALL_LOOKUP,
    CALL_GETATTR,
    CALL_READLINK,
    CALL_OPEN,
    CALL_READ,
    CALL_OPENDIR,
    CALL_READDIR,
    CALL_STATFS,
    CALL_WRITE, /* from here on: requests that change something */
    CALL_SETATTR,
    CALL_FLUSH,
    CALL_FSYNC, /* of folders, too */
    CALL_FALLOCATE,
    CALL_CREATE,
    CALL_MKNOD,
    CALL_LINK,
    CALL_MKDIR,
    CALL_RMDIR,
    CALL_SYMLINK,
    CALL_UNLINK,
    CALL_RENAME,
    CALL_KINDS,
};

struct call {
    enum call_kind kind;
    fuse_req_t req;
    uint64_t node_id;
    char name[NAME_MAX + 1];  /* LOOKUP, and what changes folders */
    char other[TARGET_SIZE];  /* RENAME: new name; SYMLINK: path of the target */
    uint64_t other_id;        /* RENAME: new folder; LINK: the file */
    unsigned flags;           /* RENAME */
    struct fuse_file_info fi; /* of what has a handle */
    const char *data;         /* WRITE; SYMLINK in @staging: target. Lent: no handler that
                                 needs it asks a backend */
    const struct stat *attr;  /* SETATTR; lent likewise */
    int to_set;               /* SETATTR: FUSE_SET_ATTR_... */
    mode_t mode;          /* CREATE, MKNOD, MKDIR; FALLOCATE: what fallocate(2) says */
    size_t size;          /* READ, READDIR, WRITE, FALLOCATE */
    uint64_t offset;      /* the same */
    bool has_handle;      /* SETATTR: fi is filled */
    bool with_attributes; /* READDIR: readdirplus */
    bool has_bytes;       /* what answer->want asked for has arrived */
    uint64_t unique; /* of READ, and of what must not be done twice (passthrough.h): the
                        kernel's number of it */
    uint32_t generation; /* OPEN: of the attempt that brought them */
};

/* Does the kernel send it once more? A worker before us may have done it already: then
 * that it is done is success. */
bool call_is_repeated(const struct call *call);

enum answer_kind {
    ANSWER_NONE,
    ANSWER_ENTRY,   /* entry */
    ANSWER_ATTR,    /* entry.attr, entry.attr_timeout */
    ANSWER_TEXT,    /* bytes, ended by NUL: the target of a link */
    ANSWER_OPEN,    /* fi */
    ANSWER_BYTES,   /* bytes */
    ANSWER_CREATED, /* entry, fi */
    ANSWER_STATFS,  /* statvfs */
    ANSWER_WRITTEN, /* file_size */
    ANSWER_FILE,    /* file_size bytes of file at file_offset */
};

enum {
    CALL_WANT = 1,
    CALL_WANT_JOB = 2, /* the publish job that the place names must end first */
};

struct open_file;

struct answer {
    enum answer_kind kind;
    struct fuse_entry_param entry;
    struct fuse_file_info fi;
    struct bytes bytes;
    struct statvfs statvfs;
    uint32_t backing_id;    /* OPEN: passthrough to this file, 0 for none */
    struct open_file *file; /* a reference, see open_files.h */
    uint64_t file_offset;
    size_t file_size;
    struct {
        struct archive *archive; /* a reference */
        uint32_t index;
        uint64_t offset;
        uint64_t size;
        uint32_t generation;
    } want;
    struct {
        const char *alias; /* lent by the slot table; NULL: no alias was changed */
        char before[MODEL_ID_SIZE];
        char after[MODEL_ID_SIZE];
    } changed;
};

enum { ANSWER_BYTES_MAX = 64 << 20 };

void answer_init(struct answer *answer);
void answer_done(struct answer *answer);
#define CLEANUP_ANSWER CLEANUP_WITH(answer_done)

typedef int call_handler(struct fs *fs, const struct call *call,
                         const struct place *place, enum resolve_how how,
                         struct answer *answer, struct error *err);

#endif
