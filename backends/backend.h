/* backend.h: bytes at a path of a repository; what the bytes mean is not known here.
 *
 *     rc = backend_open("file-system", &options, &backend, &err);
 *     rc = backend_list(backend, "_uid/3e120e8d", each, arg, &err);
 *     rc = backend_object_open(backend, "a/b.zip", &object, &err);
 *     rc = object_read(object, (struct range){0, 99}, sink, &err);
 *     object_close(object);
 *     backend_close(backend);
 *
 * Paths are relative to the repository, with "/" between their parts, no "/" in front,
 * no empty, "." or ".." part (else -EINVAL); they name objects, and folders for
 * backend_list alone (elsewhere a folder is -ENOENT). All calls may block for as long as
 * the network takes, within the backend's own deadlines, and are thread-safe; objects are
 * too.
 *
 * Errors: -ENOENT no such path, -EACCES refused credentials, -ETIMEDOUT -ECONNREFUSED
 * -EHOSTUNREACH not reachable (the last also for a repository that does not exist, so
 * that a missing repository is never taken for one without the path), -ESTALE the object
 * is not the version that was opened, -EEXIST it exists (only_if_absent), -EFBIG past a
 * limit, -EIO a broken reply, -ENOSPC no room, -ENOTSUP the store cannot do it; what a
 * sink returns is passed through. */
#ifndef BACKENDS_BACKEND_H
#define BACKENDS_BACKEND_H

#include "backends/backend_types.h"

/* Is there such a kind, and is its host a folder of this machine? -EINVAL names the kinds
 * that there are. */
int backend_find_kind(const char *kind, bool *ret_host_is_path, struct error *err);

/* Open a repository of a kind ("file-system", ...). Contacts nothing: a repository that
 * is missing or unreachable shows in the calls. -EINVAL for an unknown kind or options it
 * cannot use. backend_close the result after its last object was closed. */
int backend_open(const char *kind, const struct backend_options *options,
                 struct backend **ret_backend, struct error *err);
void backend_close(struct backend *backend);

/* "file-system" ... and where it is, for messages and URLs: "/srv/audmodel/models". */
const char *backend_kind(const struct backend *backend);
const char *backend_location(const struct backend *backend);

/* Is it a folder of this machine? */
bool backend_is_local(const struct backend *backend);

/* Does the repository answer? 0, or what is wrong, in a sentence with what to do. */
int backend_check(struct backend *backend, struct error *err);

/* What else working with it needs, for `modelfs doctor`: the login and where it was
 * found, the clock, conditional writes (by an object that goes at once). No secret stands
 * in a sentence. */
void backend_diagnose(struct backend *backend, backend_finding *each, void *arg);

int backend_stat(struct backend *backend, const char *path, struct backend_stat *ret_stat,
                 struct error *err);

/* MD5 in hex as the store knows it ("" where it does not), on a file system of the bytes.
 */
int backend_checksum(struct backend *backend, const char *path,
                     char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err);

/* Each name directly below folder ("" is the repository itself), in no order, each once;
 * as a stream. A folder that does not exist is -ENOENT. */
int backend_list(struct backend *backend, const char *folder, backend_each *each,
                 void *arg, struct error *err);

/* Each object below folder that has at most depth folders between (0: those directly in
 * it): entry->name is its path from folder ("1.0.0/a.yaml"). Folders are not told. In no
 * order, each once, as a stream. A folder that does not exist is -ENOENT. An object store
 * needs one request per 1,000 objects, others one per folder. */
int backend_list_deep(struct backend *backend, const char *folder, unsigned depth,
                      backend_each *each, void *arg, struct error *err);

/* Does that take a request to a server for each folder? */
bool backend_lists_deep_slowly(const struct backend *backend);

/* Write a whole object; folders come as needed. On failure the path is as before. */
int backend_put(struct backend *backend, const char *path,
                const struct backend_content *content, enum backend_put_flags flags,
                struct error *err);

/* Overwrite an object, or remove it where content is NULL, if it is still the version of
 * expected_tag; else -ESTALE, and nothing changed, also when it is gone. Of several that
 * replace one version at once, one succeeds; a plain put or remove at that moment is not
 * held back. -ENOTSUP where the store has no conditional write. */
int backend_replace(struct backend *backend, const char *path,
                    const struct backend_content *content, const char *expected_tag,
                    struct error *err);

/* -ENOENT if there is none. On a file system folders that it leaves empty go with it;
 * Artifactory keeps them, since removing one there removes what others put into it. */
int backend_remove(struct backend *backend, const char *path, struct error *err);

/* Where folders stay: remove the two above a path that was removed, if nothing is in
 * them. What another puts there at that very moment goes with them: for paths alone of
 * which each change takes the place of the one before. 0 also where there is nothing to
 * do. */
int backend_prune(struct backend *backend, const char *path, struct error *err);

/* A new file without a name on the repository's own disk, to be filled and put (is_given)
 * without a copy. The caller closes it; after a crash nothing of it is left. -ENOTSUP
 * where there is no such disk: fill a file elsewhere. */
int backend_spool(struct backend *backend, int *ret_fd, struct error *err);

/* The store's clock, by which it dates objects (mtime_s): machines differ in theirs. */
int backend_now(struct backend *backend, int64_t *ret_now_s, struct error *err);

/* Append a small object as a whole; -EFBIG past the limit of to, with nothing more sent
 * than that takes to find out. One request. */
int backend_get(struct backend *backend, const char *path, struct bytes *to,
                struct error *err);

/* The same, and which version it was. */
int backend_get_version(struct backend *backend, const char *path, struct bytes *to,
                        struct backend_stat *ret_stat, struct error *err);

/* Pin the version of an object that is there now: all reads are of it, or -ESTALE. */
int backend_object_open(struct backend *backend, const char *path,
                        struct object **ret_object, struct error *err);

/* The same, with the last tail_size bytes of it (at least 1; all if it has less) appended
 * to tail: one request where the store can (a range "bytes=-<tail_size>" tells the size
 * and the tag too). On failure tail is as before. */
int backend_object_open_tail(struct backend *backend, const char *path, size_t tail_size,
                             struct bytes *tail, struct object **ret_object,
                             struct error *err);

/* Feed the bytes of range, all of them and in order, to the sink. -EIO if the object ends
 * before. What the sink was given before a failure is of the pinned version, too. The
 * sink runs in the calling thread. */
int object_read(struct object *object, struct range range, struct sink *to,
                struct error *err);

/* Is the object at its path still the version that was opened? 0 or -ESTALE. */
int object_check(struct object *object, struct error *err);

const struct backend_stat *object_stat(const struct object *object);

/* Would a read beside another one find a connection that is kept and idle? As the last
 * reply left it; without one it works as well, but opens one. false of local files. */
bool object_has_another(struct object *object);

/* A descriptor of the object where it is a local file, for copy_file_range and pread (the
 * caller calls object_check afterwards), else -1. Lent. */
int object_fd(struct object *object);
void object_close(struct object *object); /* accepts NULL */
#define CLEANUP_OBJECT CLEANUP_WITH(object_cleanup)
static inline void object_cleanup(struct object **object)
{
    object_close(*object);
}

#endif
