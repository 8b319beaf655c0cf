/* upload.h: one file of a model on its way into the repository, before its header.
 *
 *     rc = upload_put(backend, path, &content, md5, &upload, &err);
 *     rc = upload_verify(backend, path, &upload, &err);     is all of it there?
 *     upload_undo(backend, path, &upload);                  if it is ours
 *
 * Every write is conditional on what was found at the path, and the guard is asked after
 * that was found and before it is overwritten: so a publisher that lost its claim long
 * ago cannot write over the file of its successor. */
#ifndef PUBLISH_UPLOAD_H
#define PUBLISH_UPLOAD_H

#include "backends/backend.h"
#include "common/error.h"

#include <stdbool.h>

/* What lies at the path by now. A plain value; zeroed: nothing was put. */
struct upload {
    bool is_ours; /* we wrote it; else it was there already with the same bytes */
    uint64_t size;
    char tag[BACKEND_TAG_MAX]; /* "" until put */
    char md5[BACKEND_CHECKSUM_MAX];
};

struct upload_guard {
    /* 0: what lies there is nobody's; else why it has to stay. */
    int (*may_overwrite)(void *arg, struct error *err);
    void *arg; /* stays the caller's */
};

/* Only the holder of the claim may call it. What a crashed attempt left at the path is
 * kept if size and checksum are those of content, else overwritten if the guard lets it.
 * md5 is that of content. On failure nothing counts as ours. */
int upload_put(struct backend *backend, const char *path,
               const struct backend_content *content, const char *md5,
               const struct upload_guard *guard, struct upload *ret_upload,
               struct error *err);

/* Does the path still hold the version that was put? -EEXIST: another wrote over it. */
int upload_check(struct backend *backend, const char *path, const struct upload *upload,
                 struct error *err);

/* The same, and its checksum as the store has it. -EIO: it is damaged. */
int upload_verify(struct backend *backend, const char *path, const struct upload *upload,
                  struct error *err);

/* Remove it if it is ours and still what was put. Failing that it stays. */
void upload_undo(struct backend *backend, const char *path, const struct upload *upload);

#endif
