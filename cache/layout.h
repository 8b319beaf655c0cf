/* layout.h: every name below the cache root. Pure.
 *
 *     <root>/<id>/<version>/                  a complete model, audmodel's place
 *     <root>/<id>/<version>.header.yaml       documents beside it
 *     <root>/<id>/<version>.meta.yaml
 *     <root>/<id>/.<name>.lock                audmodel's lock of each of the three
 *     <root>/.modelfs/trees/<id>/<version>/<digest>/
 *         state                               what is known of each member, and our locks
 *         toc                                 the table of contents
 *         files/<path>                        verified members, complete once state says
 * so incoming/<index>                    members that arrive
 *
 *     <root>/.modelfs/known/                  what repositories said: resolver/known.h
 *     <root>/.modelfs/used                    how many bytes that are: usage.h
 *     <root>/.modelfs/removed/                trees on their way out: evict.h
 *     <root>/.modelfs/staging/                @staging: fs/staging_disk.h
 *     <root>/.modelfs/unlinked/<mount>/       of it, files that are open and have no name
 *     <root>/.modelfs/jobs/                   publish jobs: publish/job_store.h; without
 *                                             names, their archives for servers
 *     <root>/.modelfs/drafts/                 metadata being written: fs/draft_store.h
 *
 * The versions "." and ".." stand there as "@." and "@..": no version holds an "@".
 * Paths are relative to the root; results are freed by the caller. */
#ifndef CACHE_LAYOUT_H
#define CACHE_LAYOUT_H

#include "common/error.h"

#define LAYOUT_PRIVATE ".modelfs"
#define LAYOUT_TREES LAYOUT_PRIVATE "/trees"
#define LAYOUT_KNOWN LAYOUT_PRIVATE "/known"
#define LAYOUT_USED LAYOUT_PRIVATE "/used"
#define LAYOUT_REMOVED LAYOUT_PRIVATE "/removed"
#define LAYOUT_STAGING LAYOUT_PRIVATE "/staging"
#define LAYOUT_UNLINKED LAYOUT_PRIVATE "/unlinked"
#define LAYOUT_JOBS LAYOUT_PRIVATE "/jobs"
#define LAYOUT_DRAFTS LAYOUT_PRIVATE "/drafts"

enum layout_document {
    LAYOUT_MODEL, /* the model's folder itself */
    LAYOUT_HEADER,
    LAYOUT_META,
};

/* 0, or -EINVAL for an ID or a version that must not become a path. All others below
 * expect names that passed. */
int layout_check(const char *id, const char *version, struct error *err);

char *layout_path(const char *id, const char *version, enum layout_document document);
char *layout_lock(const char *id, const char *version, enum layout_document document);

/* The folder of all tables of a version, and of one of them. */
char *layout_trees(const char *id, const char *version);
char *layout_tree(const char *id, const char *version, const char *digest);

/* The version that a folder's name stands for, lent; NULL for a name that is none. */
const char *layout_version_of(const char *name);

/* The version that a header's or metadata's name stands for; NULL for a name that is
 * none. */
char *layout_version_of_document(const char *name, enum layout_document document);

#endif
