/* documents_clean.c: removes headers and metadata that lie beside no model. */
#include "cache/documents_clean.h"

#include "cache/layout.h"
#include "cache/model_lock.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "resolver/uid.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

struct walk {
    const struct store *store;
    const char *id;
    uint32_t removed;
};

/* Files of the model, or a part of them? What cannot be looked at counts as there. */
static bool has_files(const struct store *store, const char *id, const char *version)
{
    CLEANUP_FREE char *model = layout_path(id, version, LAYOUT_MODEL);
    CLEANUP_FREE char *trees = layout_trees(id, version);
    struct error ignored;

    return store_has_files(store, model, &ignored) != 0 ||
           store_has_files(store, trees, &ignored) != 0;
}

/* Without a lock file nobody holds the lock, and none is made for this. */
static int try_lock(const struct store *store, const char *id, const char *version,
                    enum layout_document document, int *ret_fd)
{
    CLEANUP_FREE char *path = layout_lock(id, version, document);
    struct error ignored;

    if (faccessat(store->root_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT)
        return 0;
    return model_lock_acquire(store->root_fd, path, 0, ret_fd, &ignored);
}

static void remove_document(struct walk *walk, const char *version,
                            enum layout_document document)
{
    CLEANUP_FREE char *path = layout_path(walk->id, version, document);
    int model_fd = -1, document_fd = -1;

    /* In audmodel's order: it takes the second while it holds the first. */
    if (try_lock(walk->store, walk->id, version, LAYOUT_MODEL, &model_fd) == 0 &&
        try_lock(walk->store, walk->id, version, document, &document_fd) == 0 &&
        !has_files(walk->store, walk->id, version) &&
        unlinkat(walk->store->root_fd, path, 0) == 0)
        walk->removed++;
    model_lock_release(document_fd);
    model_lock_release(model_fd);
}

static int visit_name(void *arg, const char *name, struct error *err)
{
    (void)err; /* what cannot go stays */
    for (enum layout_document document = LAYOUT_HEADER; document <= LAYOUT_META;
         document++) {
        CLEANUP_FREE char *version = layout_version_of_document(name, document);

        if (version)
            remove_document(arg, version, document);
    }
    return 0;
}

static int visit_id(void *arg, const char *name, struct error *err)
{
    struct walk *walk = arg;

    walk->id = name;
    return uid_is_id(name) ? store_list(walk->store, name, visit_name, walk, err) : 0;
}

int documents_clean(const struct store *store, uint32_t *ret_removed, struct error *err)
{
    struct walk walk = {.store = store};
    int rc = store_list(store, ".", visit_id, &walk, err);

    *ret_removed = walk.removed;
    return rc;
}
