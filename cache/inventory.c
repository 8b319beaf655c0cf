/* inventory.c: what lies in the cache folder, read from disk. */
#include "cache/inventory.h"

#include "cache/layout.h"
#include "cache/toc_folder.h"
#include "cache/tree.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"
#include "resolver/uid.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* Where a walk is. */
struct walk {
    const struct store *store;
    const char *id;
    const char *version;
    const char *folder;
    inventory_each_tree *each_tree;
    inventory_each_model *each_model;
    void *arg;
};

/* The header says so a while before: between the two lies a flush of the disk. */
static bool is_moved(const struct store *store, const char *path,
                     const struct tree_header *header)
{
    struct error ignored = {0};
    CLEANUP_CLOSE int fd = -1;

    if (!(header->flags & TREE_IS_MOVED))
        return false;
    fd = files_open_beneath(store->root_fd, path, O_PATH | O_DIRECTORY, 0, &ignored);
    return fd < 0 || !tree_is_at(header, fd, "files");
}

/* A record that cannot be read belongs to no tree: the next open drops it. */
static int visit_tree(void *arg, const char *name, struct error *err)
{
    struct walk *walk = arg;
    struct inventory_tree tree = {
        .id = walk->id, .version = walk->version, .digest = name};
    CLEANUP_FREE char *folder = xasprintf("%s/%s", walk->folder, name);
    CLEANUP_FREE char *path = xasprintf("%s/state", folder);
    struct error ignored = {0};
    struct stat st;
    CLEANUP_CLOSE int fd =
        files_open_beneath(walk->store->root_fd, path, O_RDONLY, 0, &ignored);

    if (fd < 0 || fstat(fd, &st) < 0 || tree_load_header(fd, &tree.header, &ignored) < 0)
        return 0;
    tree.is_moved = is_moved(walk->store, folder, &tree.header);
    tree.used_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    return walk->each_tree(walk->arg, &tree, err);
}

static int visit_trees(const struct walk *walk, const char *id, const char *version,
                       struct error *err)
{
    CLEANUP_FREE char *folder = layout_trees(id, version);
    struct walk inner = *walk;

    inner.id = id;
    inner.version = version;
    inner.folder = folder;
    return store_list(walk->store, folder, visit_tree, &inner, err);
}

static int visit_tree_version(void *arg, const char *name, struct error *err)
{
    struct walk *walk = arg;
    const char *version = layout_version_of(name);

    return version ? visit_trees(walk, walk->id, version, err) : 0;
}

static int visit_tree_id(void *arg, const char *name, struct error *err)
{
    CLEANUP_FREE char *folder = xasprintf(LAYOUT_TREES "/%s", name);
    struct walk walk = *(struct walk *)arg;

    walk.id = name;
    return uid_is_id(name)
               ? store_list(walk.store, folder, visit_tree_version, &walk, err)
               : 0;
}

int inventory_trees(const struct store *store, const char *id, const char *version,
                    inventory_each_tree *each, void *arg, struct error *err)
{
    struct walk walk = {.store = store, .each_tree = each, .arg = arg};

    return id ? visit_trees(&walk, id, version, err)
              : store_list(store, LAYOUT_TREES, visit_tree_id, &walk, err);
}

static int visit_version(void *arg, const char *name, struct error *err)
{
    struct walk *walk = arg;
    CLEANUP_FREE char *path = xasprintf("%s/%s", walk->id, name);
    const char *version = layout_version_of(name);
    struct stat st;

    if (!version || fstatat(walk->store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISDIR(st.st_mode))
        return 0;
    return walk->each_model(walk->arg, walk->id, version, err);
}

static int visit_id(void *arg, const char *name, struct error *err)
{
    struct walk walk = *(struct walk *)arg;

    walk.id = name;
    return uid_is_id(name) ? store_list(walk.store, name, visit_version, &walk, err) : 0;
}

int inventory_models(const struct store *store, inventory_each_model *each, void *arg,
                     struct error *err)
{
    struct walk walk = {.store = store, .each_model = each, .arg = arg};

    return store_list(store, ".", visit_id, &walk, err);
}

int inventory_size(const struct store *store, const char *id, const char *version,
                   uint64_t *ret_bytes, struct error *err)
{
    CLEANUP_FREE char *path = layout_path(id, version, LAYOUT_MODEL);
    CLEANUP_CLOSE int fd =
        files_open_beneath(store->root_fd, path, O_RDONLY | O_DIRECTORY, 0, err);
    struct toc *toc = NULL;
    int rc = fd < 0 ? fd : toc_folder_read(fd, &toc, err);

    if (rc == 0)
        *ret_bytes = toc_total_size(toc);
    toc_free(toc);
    return rc;
}
