/* pending.c: alias folders that differ from what repositories have, and their removal. */
#include "fs/pending.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/pending_table.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    FOLDERS_MAX = 1024,
    LINKS_MAX = 1024, /* in one folder */
};

struct pending {
    struct lock lock;
    struct condition changed;
    struct pending_table table; /* guarded by lock */
    bool is_closing;            /* guarded by lock */
    pending_remove *remove;     /* constant */
    void *arg;                  /* constant */
    pthread_t thread;           /* constant */
};

/* The folder whose removal is due; *ret_next_ms is when the next one will be. */
static struct pending_folder *due_locked(struct pending *pending, int64_t *ret_next_ms)
    REQUIRES(pending->lock)
{
    int64_t now = clock_now_ms();
    struct pending_folder *folder;

    *ret_next_ms = INT64_MAX;
    TAILQ_FOREACH(folder, &pending->table.folders, next) {
        if (folder->is_busy || folder->remove_at_ms == INT64_MAX)
            continue;
        if (folder->remove_at_ms <= now || pending->is_closing)
            return folder;
        if (folder->remove_at_ms < *ret_next_ms)
            *ret_next_ms = folder->remove_at_ms;
    }
    return NULL;
}

static void remove_locked(struct pending *pending, struct pending_folder *folder)
    REQUIRES(pending->lock)
{
    struct pending_view before = folder->view;

    folder->is_busy = true;
    folder->remove_at_ms = INT64_MAX;
    folder->view.is_hidden = true;
    lock_release(&pending->lock);
    pending->remove(pending->arg, folder->alias, before);
    lock_acquire(&pending->lock);
    folder->is_busy = false;
    folder->view = (struct pending_view){
        .has_folder = folder->view.has_folder}; /* removed, or still there and seen */
    while (!folder->view.has_folder && folder->count > 0)
        pending_table_drop(&pending->table, folder,
                           TAILQ_FIRST(&folder->all)); /* they were in the folder */
    condition_broadcast(&pending->changed);
    pending_table_tidy(&pending->table, folder);
}

static void *watch(void *arg)
{
    struct pending *pending = arg;
    struct pending_folder *folder;
    int64_t next_ms;

    lock_acquire(&pending->lock);
    for (;;) {
        folder = due_locked(pending, &next_ms);
        if (folder)
            remove_locked(pending, folder);
        else if (pending->is_closing)
            break;
        else if (next_ms == INT64_MAX)
            condition_wait(&pending->changed, &pending->lock);
        else
            condition_wait_until(&pending->changed, &pending->lock, next_ms);
    }
    lock_release(&pending->lock);
    return NULL;
}

static void free_all(struct pending *pending)
{
    pending_table_done(&pending->table);
    condition_done(&pending->changed);
    lock_done(&pending->lock);
    free(pending);
}

int pending_open(pending_remove *remove, void *arg, struct pending_store *take_store,
                 struct pending **ret_pending, struct error *err)
{
    struct pending *pending = XNEW(struct pending);
    int rc;

    lock_init(&pending->lock);
    condition_init(&pending->changed);
    pending->remove = remove;
    pending->arg = arg;
    lock_acquire(&pending->lock);
    pending_table_init(&pending->table, take_store);
    lock_release(&pending->lock);
    rc = thread_start(&pending->thread, "aliases", watch, pending);
    if (rc < 0) {
        free_all(pending);
        return fail(err, -rc, "cannot start the thread that removes aliases");
    }
    *ret_pending = pending;
    return 0;
}

void pending_close(struct pending *pending)
{
    if (!pending)
        return;
    lock_acquire(&pending->lock);
    pending->is_closing = true;
    condition_broadcast(&pending->changed);
    lock_release(&pending->lock);
    pthread_join(pending->thread, NULL);
    free_all(pending);
}

static struct pending_view view_locked(struct pending *pending, const char *alias)
    REQUIRES(pending->lock)
{
    const struct pending_folder *folder = pending_table_find(&pending->table, alias);

    return folder ? folder->view : (struct pending_view){0};
}

bool pending_view_has_unlinked(const struct pending_view *view,
                               const struct alias_target *target)
{
    return view->no_current &&
           (view->unlinked.id[0] == '\0' ||
            release_is_named(&view->unlinked, target->id, target->version));
}

struct pending_view pending_view(struct pending *pending, const char *alias)
{
    struct pending_view view;

    lock_acquire(&pending->lock);
    view = view_locked(pending, alias);
    lock_release(&pending->lock);
    return view;
}

int pending_look(struct pending *pending, const char *alias,
                 struct pending_view *ret_view, struct bytes *to, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    *ret_view = view_locked(pending, alias);
    rc = pending_table_names(&pending->table, PENDING_LINKS, alias, to, err);
    lock_release(&pending->lock);
    return rc;
}

int pending_find(struct pending *pending, const char *alias, const char *name,
                 struct pending_link *ret_link)
{
    struct pending_folder *folder;
    const struct pending_name *link;

    lock_acquire(&pending->lock);
    folder = pending_table_find(&pending->table, alias);
    link = folder ? pending_table_link(folder, name) : NULL;
    if (link)
        *ret_link = link->made;
    lock_release(&pending->lock);
    return link ? 0 : -ENOENT;
}

int pending_names(struct pending *pending, enum pending_names_of of, const char *alias,
                  struct bytes *to, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = pending_table_names(&pending->table, of, alias, to, err);
    lock_release(&pending->lock);
    return rc;
}

static int add_folder_locked(struct pending *pending, const char *alias,
                             struct error *err) REQUIRES(pending->lock)
{
    const struct pending_folder *known = pending_table_find(&pending->table, alias);
    struct pending_folder *made;

    if (known && known->view.has_folder)
        return fail(err, EEXIST, "'%s' exists", alias);
    if (pending->table.count >= FOLDERS_MAX)
        return fail(err, ENOSPC, "there are %zu alias folders without an alias already",
                    pending->table.count);
    made = pending_table_make(&pending->table, alias);
    made->view.has_folder = true;
    pending_table_keep(&pending->table, made);
    return 0;
}

int pending_add_folder(struct pending *pending, const char *alias, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = add_folder_locked(pending, alias, err);
    lock_release(&pending->lock);
    return rc;
}

static int remove_folder_locked(struct pending *pending, const char *alias,
                                enum pending_folder_of of, struct error *err)
    REQUIRES(pending->lock)
{
    struct pending_folder *folder = pending_table_make(&pending->table, alias);
    int rc = 0;

    if (folder->count > 0 || (of == PENDING_OF_ALIAS && !folder->view.no_current)) {
        rc = fail(err, ENOTEMPTY, "alias folder '%s' is not empty", alias);
    } else {
        folder->view.has_folder = false;
        if (folder->view.no_current && !folder->view.is_hidden) {
            folder->view.is_hidden = true;
            folder->remove_at_ms = 0;
            condition_broadcast(&pending->changed);
        }
    }
    pending_table_tidy(&pending->table, folder);
    return rc;
}

int pending_remove_folder(struct pending *pending, const char *alias,
                          enum pending_folder_of of, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = remove_folder_locked(pending, alias, of, err);
    lock_release(&pending->lock);
    return rc;
}

static int add_locked(struct pending *pending, const char *alias, const char *name,
                      const struct pending_link *made, struct error *err)
    REQUIRES(pending->lock)
{
    struct pending_folder *folder = pending_table_find(&pending->table, alias);

    if ((folder && folder->count >= LINKS_MAX) || pending->table.count >= FOLDERS_MAX)
        return fail(err, ENOSPC, "alias folder '%s' has too many links", alias);
    folder = pending_table_make(&pending->table, alias);
    pending_table_put(&pending->table, folder, name, made);
    return 0;
}

int pending_add(struct pending *pending, const char *alias, const char *name,
                const struct pending_link *made, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = add_locked(pending, alias, name, made, err);
    lock_release(&pending->lock);
    return rc;
}

int pending_drop(struct pending *pending, const char *alias, const char *name)
{
    struct pending_folder *folder;
    struct pending_name *link;

    lock_acquire(&pending->lock);
    folder = pending_table_find(&pending->table, alias);
    link = folder ? pending_table_link(folder, name) : NULL;
    if (link) {
        pending_table_drop(&pending->table, folder, link);
        pending_table_tidy(&pending->table, folder);
    }
    lock_release(&pending->lock);
    return link ? 0 : -ENOENT;
}

void pending_drop_current(struct pending *pending, const char *alias,
                          const struct release *unlinked)
{
    struct pending_folder *folder;

    lock_acquire(&pending->lock);
    folder = pending_table_make(&pending->table, alias);
    folder->view.no_current = true;
    folder->view.unlinked = *unlinked;
    folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS;
    pending_table_keep(&pending->table, folder);
    condition_broadcast(&pending->changed);
    lock_release(&pending->lock);
}

void pending_postpone(struct pending *pending, const char *alias)
{
    struct pending_folder *folder;

    lock_acquire(&pending->lock);
    folder = pending_table_find(&pending->table, alias);
    if (folder && folder->remove_at_ms != INT64_MAX && !folder->view.is_hidden)
        folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS;
    lock_release(&pending->lock);
}

void pending_begin(struct pending *pending, const char *alias)
{
    struct pending_folder *folder;

    lock_acquire(&pending->lock);
    folder = pending_table_make(&pending->table, alias);
    folder->waiting++;
    while (folder->is_busy)
        condition_wait(&pending->changed, &pending->lock);
    folder->waiting--;
    folder->is_busy = true;
    lock_release(&pending->lock);
}

void pending_end(struct pending *pending, const char *alias, int rc)
{
    struct pending_folder *folder;

    lock_acquire(&pending->lock);
    folder = pending_table_make(&pending->table, alias);
    folder->is_busy = false;
    if (rc == 0) {
        folder->view = (struct pending_view){0};
        folder->remove_at_ms = INT64_MAX;
    } else if (folder->remove_at_ms != INT64_MAX && !folder->view.is_hidden) {
        folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS; /* as if unlinked now */
    }
    condition_broadcast(&pending->changed);
    pending_table_tidy(&pending->table, folder);
    lock_release(&pending->lock);
}
