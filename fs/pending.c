/* pending.c: the table of alias folders that differ from what repositories have. */
#include "fs/pending.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/node_id.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

enum {
    FOLDERS_MAX = 1024,
    LINKS_MAX = 1024, /* in one folder */
};

struct link {
    char *name;
    struct pending_link made;
    TAILQ_ENTRY(link) next;
};

struct folder_links {
    char *alias;
    struct pending_view view;
    bool is_busy;         /* between pending_begin and pending_end, or being removed */
    size_t waiting;       /* in pending_begin */
    int64_t remove_at_ms; /* of clock_now_ms(); INT64_MAX: not */
    size_t count;
    TAILQ_HEAD(link_list, link) all;
    TAILQ_ENTRY(folder_links) next;
};

struct pending {
    struct lock lock;
    struct condition changed;
    TAILQ_HEAD(folders, folder_links) folders; /* few; guarded by lock */
    size_t count;                              /* of folders; guarded by lock */
    uint32_t serial;                           /* the last one given; guarded by lock */
    bool is_closing;                           /* guarded by lock */
    pending_remove *remove;                    /* constant */
    void *arg;                                 /* constant */
    pthread_t thread;                          /* constant */
};

static struct folder_links *find_locked(struct pending *pending, const char *alias)
    REQUIRES(pending->lock)
{
    struct folder_links *folder;

    TAILQ_FOREACH(folder, &pending->folders, next)
    {
        if (strcmp(folder->alias, alias) == 0)
            return folder;
    }
    return NULL;
}

static struct folder_links *make_locked(struct pending *pending, const char *alias)
    REQUIRES(pending->lock)
{
    struct folder_links *folder = find_locked(pending, alias);

    if (folder)
        return folder;
    folder = XNEW(struct folder_links);
    folder->alias = xstrdup(alias);
    folder->remove_at_ms = INT64_MAX;
    TAILQ_INIT(&folder->all);
    TAILQ_INSERT_TAIL(&pending->folders, folder, next);
    pending->count++;
    return folder;
}

static struct link *link_of(struct folder_links *folder, const char *name)
{
    struct link *link;

    TAILQ_FOREACH(link, &folder->all, next)
    {
        if (strcmp(link->name, name) == 0)
            return link;
    }
    return NULL;
}

static void free_link(struct folder_links *folder, struct link *link)
{
    TAILQ_REMOVE(&folder->all, link, next);
    folder->count--;
    free(link->name);
    free(link);
}

/* Forget a folder of which nothing is to be remembered. */
static void tidy_locked(struct pending *pending, struct folder_links *folder)
    REQUIRES(pending->lock)
{
    const struct pending_view *view = &folder->view;

    if (folder->is_busy || folder->waiting > 0 || folder->count > 0 || view->has_folder ||
        view->is_hidden || view->no_current)
        return;
    TAILQ_REMOVE(&pending->folders, folder, next);
    pending->count--;
    free(folder->alias);
    free(folder);
}

/* The folder whose removal is due; *ret_next_ms is when the next one will be. */
static struct folder_links *due_locked(struct pending *pending, int64_t *ret_next_ms)
    REQUIRES(pending->lock)
{
    int64_t now = clock_now_ms();
    struct folder_links *folder;

    *ret_next_ms = INT64_MAX;
    TAILQ_FOREACH(folder, &pending->folders, next)
    {
        if (folder->is_busy || folder->remove_at_ms == INT64_MAX)
            continue;
        if (folder->remove_at_ms <= now || pending->is_closing)
            return folder;
        if (folder->remove_at_ms < *ret_next_ms)
            *ret_next_ms = folder->remove_at_ms;
    }
    return NULL;
}

static void remove_locked(struct pending *pending, struct folder_links *folder)
    REQUIRES(pending->lock)
{
    folder->is_busy = true;
    folder->remove_at_ms = INT64_MAX;
    folder->view.is_hidden = true;
    lock_release(&pending->lock);
    pending->remove(pending->arg, folder->alias);
    lock_acquire(&pending->lock);
    folder->is_busy = false;
    folder->view.is_hidden = false; /* removed, or still there and seen again */
    folder->view.no_current = false;
    while (!folder->view.has_folder && folder->count > 0)
        free_link(folder, TAILQ_FIRST(&folder->all)); /* they were in the folder */
    condition_broadcast(&pending->changed);
    tidy_locked(pending, folder);
}

static void *watch(void *arg)
{
    struct pending *pending = arg;
    struct folder_links *folder;
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

int pending_open(pending_remove *remove, void *arg, struct pending **ret_pending,
                 struct error *err)
{
    struct pending *pending = XNEW(struct pending);
    int rc;

    lock_init(&pending->lock);
    condition_init(&pending->changed);
    TAILQ_INIT(&pending->folders);
    pending->remove = remove;
    pending->arg = arg;
    rc = thread_start(&pending->thread, "aliases", watch, pending);
    if (rc < 0) {
        condition_done(&pending->changed);
        lock_done(&pending->lock);
        free(pending);
        return fail(err, -rc, "cannot start the thread that removes aliases");
    }
    *ret_pending = pending;
    return 0;
}

void pending_close(struct pending *pending)
{
    struct folder_links *folder;

    if (!pending)
        return;
    lock_acquire(&pending->lock);
    pending->is_closing = true;
    condition_broadcast(&pending->changed);
    lock_release(&pending->lock);
    pthread_join(pending->thread, NULL);
    while ((folder = TAILQ_FIRST(&pending->folders))) {
        while (!TAILQ_EMPTY(&folder->all))
            free_link(folder, TAILQ_FIRST(&folder->all));
        TAILQ_REMOVE(&pending->folders, folder, next);
        free(folder->alias);
        free(folder);
    }
    condition_done(&pending->changed);
    lock_done(&pending->lock);
    free(pending);
}

struct pending_view pending_view(struct pending *pending, const char *alias)
{
    struct pending_view view = {0};
    const struct folder_links *folder;

    lock_acquire(&pending->lock);
    folder = find_locked(pending, alias);
    if (folder)
        view = folder->view;
    lock_release(&pending->lock);
    return view;
}

int pending_find(struct pending *pending, const char *alias, const char *name,
                 struct pending_link *ret_link)
{
    struct folder_links *folder;
    const struct link *link;

    lock_acquire(&pending->lock);
    folder = find_locked(pending, alias);
    link = folder ? link_of(folder, name) : NULL;
    if (link)
        *ret_link = link->made;
    lock_release(&pending->lock);
    return link ? 0 : -ENOENT;
}

static int append_name(struct bytes *to, const char *name, struct error *err)
{
    return bytes_append(to, name, strlen(name) + 1, err);
}

static int names_locked(struct pending *pending, enum pending_names_of of,
                        const char *alias, struct bytes *to, struct error *err)
    REQUIRES(pending->lock)
{
    struct folder_links *folder;
    const struct link *link;
    int rc = 0;

    TAILQ_FOREACH(folder, &pending->folders, next)
    {
        if ((of == PENDING_FOLDERS && folder->view.has_folder) ||
            (of == PENDING_HIDDEN && folder->view.is_hidden))
            rc = append_name(to, folder->alias, err);
        if (rc < 0)
            return rc;
    }
    folder = of == PENDING_LINKS ? find_locked(pending, alias) : NULL;
    if (!folder)
        return 0;
    TAILQ_FOREACH(link, &folder->all, next)
    {
        rc = append_name(to, link->name, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int pending_names(struct pending *pending, enum pending_names_of of, const char *alias,
                  struct bytes *to, struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = names_locked(pending, of, alias, to, err);
    lock_release(&pending->lock);
    return rc;
}

static int add_folder_locked(struct pending *pending, const char *alias,
                             struct error *err) REQUIRES(pending->lock)
{
    const struct folder_links *known = find_locked(pending, alias);

    if (known && known->view.has_folder)
        return fail(err, EEXIST, "'%s' exists", alias);
    if (pending->count >= FOLDERS_MAX)
        return fail(err, ENOSPC, "there are %zu alias folders without an alias already",
                    pending->count);
    make_locked(pending, alias)->view.has_folder = true;
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
                                bool is_published, struct error *err)
    REQUIRES(pending->lock)
{
    struct folder_links *folder = make_locked(pending, alias);
    int rc = 0;

    if (folder->count > 0 || (is_published && !folder->view.no_current)) {
        rc = fail(err, ENOTEMPTY, "alias folder '%s' is not empty", alias);
    } else {
        folder->view.has_folder = false;
        if (folder->view.no_current && !folder->view.is_hidden) {
            folder->view.is_hidden = true;
            folder->remove_at_ms = 0;
            condition_broadcast(&pending->changed);
        }
    }
    tidy_locked(pending, folder);
    return rc;
}

int pending_remove_folder(struct pending *pending, const char *alias, bool is_published,
                          struct error *err)
{
    int rc;

    lock_acquire(&pending->lock);
    rc = remove_folder_locked(pending, alias, is_published, err);
    lock_release(&pending->lock);
    return rc;
}

static int add_locked(struct pending *pending, const char *alias, const char *name,
                      const struct pending_link *made, struct error *err)
    REQUIRES(pending->lock)
{
    struct folder_links *folder = find_locked(pending, alias);
    struct link *link = folder ? link_of(folder, name) : NULL;

    if ((folder && folder->count >= LINKS_MAX) || pending->count >= FOLDERS_MAX)
        return fail(err, ENOSPC, "alias folder '%s' has too many links", alias);
    folder = make_locked(pending, alias);
    if (!link) {
        link = XNEW(struct link);
        link->name = xstrdup(name);
        TAILQ_INSERT_TAIL(&folder->all, link, next);
        folder->count++;
    }
    link->made = *made;
    if (made->serial == 0)
        link->made.serial = pending->serial = pending->serial % NODE_INDEX_MAX + 1;
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
    struct folder_links *folder;
    struct link *link;

    lock_acquire(&pending->lock);
    folder = find_locked(pending, alias);
    link = folder ? link_of(folder, name) : NULL;
    if (link) {
        free_link(folder, link);
        tidy_locked(pending, folder);
    }
    lock_release(&pending->lock);
    return link ? 0 : -ENOENT;
}

void pending_drop_current(struct pending *pending, const char *alias)
{
    struct folder_links *folder;

    lock_acquire(&pending->lock);
    folder = make_locked(pending, alias);
    folder->view.no_current = true;
    folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS;
    condition_broadcast(&pending->changed);
    lock_release(&pending->lock);
}

void pending_postpone(struct pending *pending, const char *alias)
{
    struct folder_links *folder;

    lock_acquire(&pending->lock);
    folder = find_locked(pending, alias);
    if (folder && folder->remove_at_ms != INT64_MAX && !folder->view.is_hidden)
        folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS;
    lock_release(&pending->lock);
}

void pending_begin(struct pending *pending, const char *alias)
{
    struct folder_links *folder;

    lock_acquire(&pending->lock);
    folder = make_locked(pending, alias);
    folder->waiting++;
    while (folder->is_busy)
        condition_wait(&pending->changed, &pending->lock);
    folder->waiting--;
    folder->is_busy = true;
    lock_release(&pending->lock);
}

void pending_end(struct pending *pending, const char *alias, bool is_set)
{
    struct folder_links *folder;

    lock_acquire(&pending->lock);
    folder = make_locked(pending, alias);
    folder->is_busy = false;
    if (is_set) {
        folder->view = (struct pending_view){0};
        folder->remove_at_ms = INT64_MAX;
    } else if (folder->remove_at_ms != INT64_MAX && !folder->view.is_hidden) {
        folder->remove_at_ms = clock_now_ms() + PENDING_GRACE_MS; /* as if unlinked now */
    }
    condition_broadcast(&pending->changed);
    tidy_locked(pending, folder);
    lock_release(&pending->lock);
}
