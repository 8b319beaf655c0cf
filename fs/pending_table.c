/* pending_table.c: the folders and links of fs/pending.c. */
#include "fs/pending_table.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/node_id.h"

#include <string.h>

struct pending_folder *pending_table_find(struct pending_table *table, const char *alias)
{
    struct pending_folder *folder;

    TAILQ_FOREACH(folder, &table->folders, next) {
        if (strcmp(folder->alias, alias) == 0)
            return folder;
    }
    return NULL;
}

struct pending_folder *pending_table_make(struct pending_table *table, const char *alias)
{
    struct pending_folder *folder = pending_table_find(table, alias);

    if (folder)
        return folder;
    folder = XNEW(struct pending_folder);
    folder->alias = xstrdup(alias);
    folder->remove_at_ms = INT64_MAX;
    TAILQ_INIT(&folder->all);
    TAILQ_INSERT_TAIL(&table->folders, folder, next);
    table->count++;
    return folder;
}

struct pending_name *pending_table_link(struct pending_folder *folder, const char *name)
{
    struct pending_name *link;

    TAILQ_FOREACH(link, &folder->all, next) {
        if (strcmp(link->name, name) == 0)
            return link;
    }
    return NULL;
}

/* For the worker after this one. */
void pending_table_keep(struct pending_table *table, const struct pending_folder *folder)
{
    const struct pending_view *view = &folder->view;

    if (!table->store)
        return;
    if (!view->has_folder && !view->is_hidden && !view->no_current)
        pending_store_drop(table->store, folder->alias, NULL);
    else
        pending_store_put(table->store,
                          &(struct pending_kept){.alias = folder->alias,
                                                 .view = *view,
                                                 .remove_at_ms = folder->remove_at_ms});
}

static void keep_link(struct pending_table *table, const struct pending_folder *folder,
                      const struct pending_name *link)
{
    if (table->store)
        pending_store_put(table->store, &(struct pending_kept){.alias = folder->alias,
                                                               .name = link->name,
                                                               .made = link->made});
}

static void free_link(struct pending_folder *folder, struct pending_name *link)
{
    TAILQ_REMOVE(&folder->all, link, next);
    folder->count--;
    free(link->name);
    free(link);
}

void pending_table_drop(struct pending_table *table, struct pending_folder *folder,
                        struct pending_name *link)
{
    if (table->store)
        pending_store_drop(table->store, folder->alias, link->name);
    free_link(folder, link);
}

void pending_table_put(struct pending_table *table, struct pending_folder *folder,
                       const char *name, const struct pending_link *made)
{
    struct pending_name *link = pending_table_link(folder, name);

    if (!link) {
        link = XNEW(struct pending_name);
        link->name = xstrdup(name);
        TAILQ_INSERT_TAIL(&folder->all, link, next);
        folder->count++;
    }
    link->made = *made;
    if (made->serial == 0)
        link->made.serial = table->serial = table->serial % NODE_INDEX_MAX + 1;
    keep_link(table, folder, link);
}

/* Forget a folder of which nothing is to be remembered. */
void pending_table_tidy(struct pending_table *table, struct pending_folder *folder)
{
    const struct pending_view *view = &folder->view;

    pending_table_keep(table, folder);
    if (folder->is_busy || folder->waiting > 0 || folder->count > 0 || view->has_folder ||
        view->is_hidden || view->no_current)
        return;
    TAILQ_REMOVE(&table->folders, folder, next);
    table->count--;
    free(folder->alias);
    free(folder);
}

/* Whoever was about to make a new `current` sends its request again, and has the time
 * for that which it had. */
static void take_over(void *arg, const struct pending_kept *kept)
{
    struct pending_table *table = arg;
    struct pending_folder *folder = pending_table_make(table, kept->alias);

    if (kept->name) {
        pending_table_put(table, folder, kept->name, &kept->made);
        if (kept->made.serial > table->serial)
            table->serial = kept->made.serial;
        return;
    }
    folder->view = kept->view;
    if (kept->remove_at_ms != INT64_MAX)
        folder->remove_at_ms =
            kept->view.is_hidden ? 0 : clock_now_ms() + PENDING_GRACE_MS;
}

void pending_table_init(struct pending_table *table, struct pending_store *take_store)
{
    *table = (struct pending_table){.store = take_store};
    TAILQ_INIT(&table->folders);
    if (take_store)
        pending_store_each(take_store, take_over, table);
}

void pending_table_done(struct pending_table *table)
{
    struct pending_folder *folder;

    while ((folder = TAILQ_FIRST(&table->folders))) {
        while (!TAILQ_EMPTY(&folder->all))
            free_link(folder, TAILQ_FIRST(&folder->all));
        TAILQ_REMOVE(&table->folders, folder, next);
        free(folder->alias);
        free(folder);
    }
    pending_store_free(table->store);
}

static int append_name(struct bytes *to, const char *name, struct error *err)
{
    return bytes_append(to, name, strlen(name) + 1, err);
}

int pending_table_names(struct pending_table *table, enum pending_names_of of,
                        const char *alias, struct bytes *to, struct error *err)
{
    struct pending_folder *folder;
    const struct pending_name *link;
    int rc = 0;

    TAILQ_FOREACH(folder, &table->folders, next) {
        if ((of == PENDING_FOLDERS && folder->view.has_folder) ||
            (of == PENDING_HIDDEN && folder->view.is_hidden))
            rc = append_name(to, folder->alias, err);
        if (rc < 0)
            return rc;
    }
    folder = of == PENDING_LINKS ? pending_table_find(table, alias) : NULL;
    if (!folder)
        return 0;
    TAILQ_FOREACH(link, &folder->all, next) {
        rc = append_name(to, link->name, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
