/* backend_ops.h: what a kind of backend is made of: for the kinds and for backend.c,
 * which says in backend.h what each call promises. But for it only plain.c calls through
 * the table, on behalf of a kind and of what was checked before. */
#ifndef BACKENDS_BACKEND_OPS_H
#define BACKENDS_BACKEND_OPS_H

#include "backends/backend_types.h"

#include <stdatomic.h>

struct backend_ops {
    const char *kind;       /* as in the configuration */
    bool host_is_path;      /* host is a folder of this machine, not a server */
    bool lists_deep_slowly; /* list_deep asks a server for each folder */
    int (*open)(const struct backend_options *options, struct backend **ret_backend,
                struct error *err);
    void (*close)(struct backend *backend);
    void (*diagnose)(struct backend *backend, backend_finding *each, void *arg);
    int (*stat)(struct backend *backend, const char *path, struct backend_stat *ret_stat,
                struct error *err);
    int (*checksum)(struct backend *backend, const char *path,
                    char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err);
    int (*get)(struct backend *backend, const char *path, struct bytes *to,
               struct backend_stat *ret_stat, struct error *err);
    int (*list)(struct backend *backend, const char *folder, backend_each *each,
                void *arg, struct error *err);
    int (*list_deep)(struct backend *backend, const char *folder, unsigned depth,
                     backend_each *each, void *arg, struct error *err);
    int (*put)(struct backend *backend, const char *path,
               const struct backend_content *content, enum backend_put_flags flags,
               struct error *err);
    int (*replace)(struct backend *backend, const char *path,
                   const struct backend_content *content, const char *expected_tag,
                   struct error *err);
    int (*remove)(struct backend *backend, const char *path, struct error *err);
    int (*prune)(struct backend *backend, const char *path, struct error *err);
    int (*spool)(struct backend *backend, int *ret_fd, struct error *err);
    int (*now)(struct backend *backend, int64_t *ret_now_s, struct error *err);
    int (*object_open)(struct backend *backend, const char *path,
                       struct object **ret_object, struct error *err);
    int (*object_open_tail)(struct backend *backend, const char *path, size_t tail_size,
                            struct bytes *tail, struct object **ret_object,
                            struct error *err);
    int (*object_read)(struct object *object, struct range range, struct sink *to,
                       struct error *err);
    int (*object_check)(struct object *object, struct error *err);
    int (*object_fd)(struct object *object);
    void (*object_close)(struct object *object);
};

/* First field of each kind's own struct. Constant after open. */
struct backend {
    const struct backend_ops *ops;
    const char *location; /* host and repository, no credentials; of the kind's struct */
};

/* First field of each kind's own struct. Constant after open, but for has_another. */
struct object {
    struct backend *backend;
    struct backend_stat stat;
    atomic_bool has_another; /* as object_has_another says */
};

/* Closes an object that its kind has not handed out. */
#define CLEANUP_OWN_OBJECT CLEANUP_WITH(object_cleanup_own)
static inline void object_cleanup_own(struct object **object)
{
    if (*object)
        (*object)->backend->ops->object_close(*object);
}

#endif
