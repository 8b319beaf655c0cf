/* place.c: node IDs taken apart and put together with the slot table. */
#include "fs/place.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <xxhash.h>

/* How the text of a kind's slot is made. */
enum slot_text {
    SLOT_NONE,
    SLOT_NAME,    /* ID, alias or path, as it is */
    SLOT_RELEASE, /* "<repository's slot>/<id>/<version>" */
    SLOT_TABLE,   /* "<repository's slot>/<id>/<version>/<digest>" */
};

enum {
    SLOT_TEXT_MAX = 512,
    NUMBER_SLOT_SHIFT = 27, /* of a staged file's number, which fills slot and index */
};

static const enum slot_text slot_texts[NODE_KINDS] = {
    [NODE_INFO_MODEL] = SLOT_NAME,      [NODE_INFO_ALIAS] = SLOT_NAME,
    [NODE_INFO_VERSION] = SLOT_RELEASE, [NODE_INFO_FILE] = SLOT_RELEASE,
    [NODE_GROUP] = SLOT_NAME,           [NODE_GROUP_LINK] = SLOT_NAME,
    [NODE_MODEL] = SLOT_NAME,           [NODE_ALIAS] = SLOT_NAME,
    [NODE_LINK_ROOT] = SLOT_RELEASE,    [NODE_LINK_MODEL] = SLOT_RELEASE,
    [NODE_LINK_ALIAS] = SLOT_RELEASE,   [NODE_VERSION] = SLOT_RELEASE,
    [NODE_MEMBER] = SLOT_TABLE,         [NODE_STAGING_STATUS] = SLOT_NAME,
    [NODE_STAGING_RESULT] = SLOT_NAME,
};

/* Copies up to the next "/" or the end, and returns what follows; NULL if it is too long.
 */
static const char *take_part(const char *text, char *part, size_t size)
{
    size_t used = strcspn(text, "/");

    if (used >= size)
        return NULL;
    memcpy(part, text, used);
    part[used] = '\0';
    return text[used] == '/' ? text + used + 1 : text + used;
}

static int parse_release(const struct slots *slots, const char *text, struct place *place)
{
    uint32_t repository;
    int used = 0;

    if (sscanf(text, "%" SCNu32 "/%n", &repository, &used) != 1 || used == 0 ||
        !slots_find_repository(slots, repository, &place->release.repository))
        return -ESTALE;
    text = take_part(text + used, place->release.id, sizeof place->release.id);
    if (text)
        text = take_part(text, place->release.version, sizeof place->release.version);
    if (text)
        text = take_part(text, place->digest, sizeof place->digest);
    return text && *text == '\0' ? 0 : -ESTALE;
}

int place_of(struct slots *slots, uint64_t node_id, struct place *ret_place,
             struct error *err)
{
    struct node node = node_id_unpack(node_id);
    enum slot_text kind = slot_texts[node.kind];
    const char *text = kind == SLOT_NONE ? "" : slots_text(slots, node.slot);

    if (node.kind == NODE_NONE || !text)
        return fail(err, ESTALE, "node %ju is not of this mount", (uintmax_t)node_id);
    *ret_place = (struct place){
        .kind = node.kind, .index = node.index, .is_arriving = node.is_arriving};
    if (node.kind == NODE_STAGED)
        ret_place->number = (uint64_t)node.slot << NUMBER_SLOT_SHIFT | node.index;
    if (kind == SLOT_NAME)
        ret_place->name = text;
    else if (kind != SLOT_NONE && parse_release(slots, text, ret_place) < 0)
        return fail(err, ESTALE, "slot '%s' means nothing (any more)", text);
    return 0;
}

int place_id(struct slots *slots, const struct place *place, uint64_t *ret_node_id,
             struct error *err)
{
    struct node node = {
        .kind = place->kind, .index = place->index, .is_arriving = place->is_arriving};
    enum slot_text kind = slot_texts[place->kind];
    char text[SLOT_TEXT_MAX];
    uint32_t repository;
    int rc = 0;

    if (place->index > NODE_INDEX_MAX)
        return fail(err, EOVERFLOW, "entry %u has no node ID", place->index);
    if (kind == SLOT_RELEASE || kind == SLOT_TABLE) {
        if (!slots_repository(slots, place->release.repository, &repository))
            return fail(err, ESTALE, "there is no repository %u",
                        place->release.repository);
        snprintf(text, sizeof text, "%" PRIu32 "/%s/%s%s%s", repository,
                 place->release.id, place->release.version, kind == SLOT_TABLE ? "/" : "",
                 kind == SLOT_TABLE ? place->digest : "");
    }
    if (place->kind == NODE_STAGED) {
        node.slot = (uint32_t)(place->number >> NUMBER_SLOT_SHIFT);
        node.index = place->number & NODE_INDEX_MAX;
    }
    if (kind != SLOT_NONE)
        rc = slots_intern(slots, kind == SLOT_NAME ? place->name : text, &node.slot, err);
    if (rc < 0)
        return rc;
    *ret_node_id = node_id_pack(node);
    return 0;
}

int place_add_repositories(struct slots *slots, const struct resolver *resolver,
                           struct error *err)
{
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < resolver_repository_count(resolver); i++)
        rc = slots_add_repository(slots, backend_location(resolver_backend(resolver, i)),
                                  err);
    return rc;
}

uint64_t place_inode(const char *canonical_path)
{
    uint64_t inode = XXH3_64bits(canonical_path, strlen(canonical_path));

    return inode > 1 ? inode : inode + 2;
}

bool place_is_staging(enum node_kind kind)
{
    return kind == NODE_STAGING || kind == NODE_STAGED || kind == NODE_STAGING_STATUS ||
           kind == NODE_STAGING_RESULT;
}
