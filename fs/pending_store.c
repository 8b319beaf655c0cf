/* pending_store.c: what pending.c knows, in the memory that workers share. */
#include "fs/pending_store.h"

#include "common/memory.h"
#include "fs/place.h"

#include <stdlib.h>

enum flags {
    FLAG_FOLDER = 1,
    FLAG_HIDDEN = 2,
    FLAG_NO_CURRENT = 4,
};

struct pending_store {
    struct handover_block *block;
    struct slots *slots;
};

struct pending_store *pending_store_new(struct handover_block *block, struct slots *slots)
{
    struct pending_store *store = XNEW(struct pending_store);

    *store = (struct pending_store){.block = block, .slots = slots};
    return store;
}

void pending_store_free(struct pending_store *store)
{
    free(store);
}

/* The slots of both names; name 0: the folder itself. */
struct key {
    uint32_t alias;
    uint32_t name;
};

static bool find_key(struct pending_store *store, const char *alias, const char *name,
                     struct key *ret_key)
{
    struct error unused = {0}; /* then it is not kept */

    ret_key->name = 0;
    return slots_intern(store->slots, alias, &ret_key->alias, &unused) == 0 &&
           (!name || slots_intern(store->slots, name, &ret_key->name, &unused) == 0);
}

/* Its record; without one a free one if it is for a new one, else NULL. */
static struct handover_link *find(struct pending_store *store, struct key key,
                                  bool is_new)
{
    struct handover_block *block = store->block;
    struct handover_link *free_one = NULL;

    for (uint32_t i = 0; i < block->links_end; i++) {
        struct handover_link *link = &block->links[i];

        if (link->alias == key.alias && link->name == key.name)
            return link;
        if (link->alias == 0 && !free_one)
            free_one = link;
    }
    if (!is_new || free_one || block->links_end == HANDOVER_LINKS)
        return is_new ? free_one : NULL;
    return &block->links[block->links_end++];
}

static uint32_t flags_of(const struct pending_view *view)
{
    return (view->has_folder ? FLAG_FOLDER : 0) | (view->is_hidden ? FLAG_HIDDEN : 0) |
           (view->no_current ? FLAG_NO_CURRENT : 0);
}

/* Whatever is on its way when we are killed: without a flag no removal counts, and
 * without an alias nothing does. */
void pending_store_put(struct pending_store *store, const struct pending_kept *kept)
{
    struct place place = {.kind = NODE_LINK_ALIAS,
                          .index = kept->made.serial,
                          .release =
                              kept->name ? kept->made.release : kept->view.unlinked};
    struct error unused = {0}; /* then it is not kept */
    struct handover_link *link;
    uint64_t node_id = 0;
    uint32_t flags = flags_of(&kept->view);
    struct key key;

    if ((place.release.id[0] && place_id(store->slots, &place, &node_id, &unused) < 0) ||
        !find_key(store, kept->alias, kept->name, &key))
        return;
    link = find(store, key, true);
    if (!link)
        return;
    link->name = key.name;
    __atomic_store_n(&link->node_id, node_id, __ATOMIC_RELEASE);
    if (!flags)
        __atomic_store_n(&link->flags, 0, __ATOMIC_RELEASE);
    __atomic_store_n(&link->remove_at_ms, kept->remove_at_ms, __ATOMIC_RELEASE);
    __atomic_store_n(&link->flags, flags, __ATOMIC_RELEASE);
    __atomic_store_n(&link->alias, key.alias, __ATOMIC_RELEASE);
}

void pending_store_drop(struct pending_store *store, const char *alias, const char *name)
{
    struct handover_link *link;
    struct key key;

    if (!find_key(store, alias, name, &key))
        return;
    link = find(store, key, false);
    if (link)
        __atomic_store_n(&link->alias, 0, __ATOMIC_RELEASE);
}

/* false: it makes no sense. */
static bool read_link(struct pending_store *store, const struct handover_link *link,
                      struct pending_kept *ret_kept)
{
    struct error unused = {0};
    struct place place;

    *ret_kept = (struct pending_kept){
        .alias = slots_text(store->slots, link->alias),
        .name = link->name ? slots_text(store->slots, link->name) : NULL,
        .view = {.has_folder = link->flags & FLAG_FOLDER,
                 .is_hidden = link->flags & FLAG_HIDDEN,
                 .no_current = link->flags & FLAG_NO_CURRENT},
        .remove_at_ms = link->flags & FLAG_NO_CURRENT ? link->remove_at_ms : INT64_MAX,
    };
    if (!ret_kept->alias || (link->name && !ret_kept->name))
        return false;
    if (place_of(store->slots, link->node_id, &place, &unused) < 0 ||
        place.kind != NODE_LINK_ALIAS)
        return !ret_kept->name;
    if (ret_kept->name)
        ret_kept->made =
            (struct pending_link){.release = place.release, .serial = place.index};
    else
        ret_kept->view.unlinked = place.release;
    return true;
}

void pending_store_each(struct pending_store *store, pending_store_found *found,
                        void *arg)
{
    const struct handover_block *block = store->block;

    for (uint32_t i = 0; i < block->links_end && i < HANDOVER_LINKS; i++) {
        struct pending_kept kept;

        if (block->links[i].alias != 0 && read_link(store, &block->links[i], &kept))
            found(arg, &kept);
    }
}
