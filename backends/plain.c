/* plain.c: the calls that save requests, made of those that every kind has. */
#include "backends/plain.h"

#include "backends/backend_path.h"
#include "backends/bytes_sink.h"
#include "common/memory.h"

#include <errno.h>
#include <string.h>

enum { FOLDERS_BYTES_MAX = 64 << 20 }; /* of the names of one folder's folders */

void plain_diagnose(struct backend *backend, backend_finding *each, void *arg)
{
    (void)backend, (void)each, (void)arg; /* see plain.h */
}

int plain_prune(struct backend *backend, const char *path, struct error *err)
{
    (void)backend, (void)path, (void)err; /* see plain.h */
    return 0;
}

/* The bytes of an object from first on. */
static int read_rest(struct object *object, uint64_t first, struct bytes *to,
                     struct error *err)
{
    struct bytes_sink sink = bytes_sink_of(to);
    uint64_t size = object->stat.size;

    return first < size ? object->backend->ops->object_read(
                              object, (struct range){first, size - 1}, &sink.base, err)
                        : 0;
}

int plain_get(struct backend *backend, const char *path, struct bytes *to,
              struct backend_stat *ret_stat, struct error *err)
{
    CLEANUP_OWN_OBJECT struct object *object = NULL;
    int rc = backend->ops->object_open(backend, path, &object, err);
    uint64_t size;

    if (rc < 0)
        return rc;
    size = object->stat.size;
    if (size > to->limit - to->size)
        return fail(err, EFBIG, "'%s' has %llu bytes, more than the limit of %zu", path,
                    (unsigned long long)size, to->limit);
    rc = read_rest(object, 0, to, err);
    if (rc == 0)
        *ret_stat = object->stat;
    return rc;
}

int plain_object_open_tail(struct backend *backend, const char *path, size_t tail_size,
                           struct bytes *tail, struct object **ret_object,
                           struct error *err)
{
    CLEANUP_OWN_OBJECT struct object *object = NULL;
    int rc = backend->ops->object_open(backend, path, &object, err);
    uint64_t size;

    if (rc < 0)
        return rc;
    size = object->stat.size;
    rc = read_rest(object, size > tail_size ? size - tail_size : 0, tail, err);
    if (rc == 0)
        *ret_object = steal_ptr(&object);
    return rc;
}

struct walk {
    struct backend *backend;
    backend_each *each;
    void *arg;
    bool is_ended; /* by each */
};

/* One folder of a walk. */
struct level {
    struct walk *walk;
    const char *prefix; /* the folder, from where the walk began: "" or "a/b/" */
    bool is_deepest;
    struct bytes folders; /* names of those in it, each with its NUL */
};

static int visit(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct level *level = arg;
    struct backend_entry object = *entry;
    CLEANUP_FREE char *path = NULL;
    int rc;

    if (entry->is_folder)
        return level->is_deepest ? 0
                                 : bytes_append(&level->folders, entry->name,
                                                strlen(entry->name) + 1, err);
    path = xasprintf("%s%s", level->prefix, entry->name);
    object.name = path;
    rc = level->walk->each(level->walk->arg, &object, err);
    level->walk->is_ended = rc < 0;
    return rc;
}

/* The recursion ends at depth. A folder is listed to its end before those in it are. */
static int walk_folder(struct walk *walk, const char *folder, const char *prefix,
                       unsigned depth, struct error *err)
{
    struct level level = {.walk = walk, .prefix = prefix, .is_deepest = depth == 0};
    CLEANUP_BYTES struct bytes folders;
    int rc = 0;

    bytes_init(&level.folders, FOLDERS_BYTES_MAX);
    if (folder[0])
        rc = backend_path_check(folder, err);
    if (rc == 0)
        rc = walk->backend->ops->list(walk->backend, folder, visit, &level, err);
    folders = level.folders;
    for (size_t at = 0; rc == 0 && at < folders.size;
         at += strlen(folders.data + at) + 1) {
        const char *name = folders.data + at;
        CLEANUP_FREE char *path = xasprintf("%s%s%s", folder, folder[0] ? "/" : "", name);
        CLEANUP_FREE char *below = xasprintf("%s%s/", prefix, name);

        rc = walk_folder(walk, path, below, depth - 1, err);
        if (!walk->is_ended && (rc == -ENOENT || rc == -EINVAL))
            rc = 0; /* removed meanwhile, or no name of ours */
    }
    return rc;
}

int plain_list_deep(struct backend *backend, const char *folder, unsigned depth,
                    backend_each *each, void *arg, struct error *err)
{
    struct walk walk = {.backend = backend, .each = each, .arg = arg};

    return walk_folder(&walk, folder, "", depth, err);
}
