/* draft.c: one text of metadata that is being written, in memory and on disk. */
#include "fs/draft.h"

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/yaml.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void draft_free(struct draft *draft)
{
    cleanup_close(&draft->fd);
    bytes_done(&draft->text);
    free(draft);
}

static struct draft_head head_of(const struct draft *draft)
{
    struct draft_head head = {
        .is_merged = draft->how == PUBLISH_META_MERGE,
        .is_dirty = draft->is_dirty,
        .is_flushed = draft->is_flushed,
        .is_refused = draft->is_refused,
        .is_released = draft->is_released,
        .repository = draft->release.repository,
        .node_id = draft->node_id,
    };

    memcpy(head.owner, draft->owner, sizeof head.owner);
    release_print_uid(&draft->release, head.uid);
    return head;
}

/* A disk that is full costs the copy, not the text. */
static void check_kept(struct draft *draft, bool is_kept)
{
    if (is_kept)
        return;
    draft_store_remove(draft->store_fd, draft->handle);
    cleanup_close(&draft->fd);
    draft->fd = -1;
}

void draft_keep(struct draft *draft)
{
    struct draft_head head = head_of(draft);

    check_kept(draft, draft_store_set(draft->fd, &head));
}

void draft_begin(struct draft *draft)
{
    struct draft_head head = head_of(draft);

    draft->fd = draft_store_create(draft->store_fd, draft->handle, &head);
    check_kept(draft, draft_store_put(draft->fd, draft->text.data, draft->text.size, 0));
}

/* Zeros up to size, as in any file. */
static int extend(struct bytes *text, uint64_t size, struct error *err)
{
    int rc;

    if (size > YAML_BYTES_MAX)
        return fail(err, EFBIG, "metadata has at most %d bytes", YAML_BYTES_MAX);
    if (size <= text->size)
        return 0;
    rc = bytes_reserve(text, size - text->size, err);
    if (rc < 0)
        return rc;
    memset(text->data + text->size, 0, size - text->size + 1);
    text->size = size;
    return 0;
}

/* Did a worker before us append it? To merge the same twice would do no harm. */
static bool ends_with(const struct draft *draft, const struct draft_write *write)
{
    const struct bytes *text = &draft->text;

    return text->size >= write->size &&
           memcmp(text->data + text->size - write->size, write->data, write->size) == 0;
}

/* The repository was sent another text, and nothing was said of this one. */
static void note_change(struct draft *draft)
{
    draft->changes++;
    draft->is_dirty = true;
    draft->is_refused = false;
    draft->is_flushed = false;
}

/* What is merged is appended wherever the kernel thinks the file ends. */
int draft_put(struct draft *draft, const struct draft_write *write, struct error *err)
{
    uint64_t offset = write->offset;
    uint64_t end;
    int rc;

    if (draft->how == PUBLISH_META_MERGE)
        offset = draft->text.size;
    if (draft->how == PUBLISH_META_MERGE && write->is_again && ends_with(draft, write))
        offset -= write->size;
    if (__builtin_add_overflow(offset, write->size, &end))
        return fail(err, EFBIG, "metadata has at most %d bytes", YAML_BYTES_MAX);
    rc = extend(&draft->text, end, err);
    if (rc < 0)
        return rc;
    memcpy(draft->text.data + offset, write->data, write->size);
    note_change(draft);
    check_kept(draft, draft_store_put(draft->fd, write->data, write->size, offset));
    draft_keep(draft);
    FAULT("draft.written");
    return 0;
}

int draft_cut(struct draft *draft, uint64_t size, struct error *err)
{
    bool is_change = draft->text.size != size;
    int rc = extend(&draft->text, size, err);

    if (rc < 0 || !is_change)
        return rc;
    note_change(draft);
    draft_keep(draft); /* first: a worker that is asked again may find it cut already */
    draft->text.size = size;
    draft->text.data[size] = '\0';
    check_kept(draft, draft_store_cut(draft->fd, size));
    return 0;
}

int draft_check(const struct bytes *text, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    int rc = yaml_parse(text->data, text->size, &yaml, err);

    if (rc < 0)
        return fail_context(err, -EINVAL, "meta.yaml");
    if (yaml_root(yaml)->kind != YAML_MAP)
        return fail(err, EINVAL, "meta.yaml: a mapping is needed, not a %s",
                    yaml_kind_name(yaml_root(yaml)->kind));
    return 0;
}

void draft_judge(struct draft *draft, uint64_t changes, bool is_refused)
{
    if (draft->changes == changes)
        draft->is_refused = is_refused;
    draft_keep(draft);
}
