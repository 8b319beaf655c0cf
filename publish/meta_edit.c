/* meta_edit.c: merges or replaces metadata. */
#include "publish/meta_edit.h"

#include "common/cleanup.h"
#include "common/fault.h"
#include "common/yaml.h"
#include "common/yaml_key.h"
#include "publish/document.h"
#include "resolver/meta.h"
#include "resolver/repo_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Arrays of pairs that a merge made; they live until the result is printed. */
struct arena {
    struct yaml_pair **arrays;
    size_t count, capacity;
};

static void arena_done(struct arena *arena)
{
    for (size_t i = 0; i < arena->count; i++)
        free(arena->arrays[i]);
    free(arena->arrays);
}

static struct yaml_pair *arena_pairs(struct arena *arena, size_t count, struct error *err)
{
    struct yaml_pair *pairs = calloc(count + 1, sizeof *pairs);

    if (pairs && arena->count == arena->capacity) {
        size_t capacity = 2 * arena->capacity + 16;
        struct yaml_pair **arrays = reallocarray(arena->arrays, capacity, sizeof *arrays);

        if (arrays) {
            arena->arrays = arrays;
            arena->capacity = capacity;
        }
    }
    if (!pairs || arena->count == arena->capacity) {
        free(pairs);
        fail(err, ENOMEM, "no memory for %zu keys", count);
        return NULL;
    }
    return arena->arrays[arena->count++] = pairs;
}

static int compare_keys(const void *left, const void *right)
{
    const struct yaml_pair *a = *(struct yaml_pair *const *)left;
    const struct yaml_pair *b = *(struct yaml_pair *const *)right;

    return yaml_key_compare(a->key, b->key);
}

/* The pair of base with that key, or NULL; sorted points to all pairs of base. */
static struct yaml_pair *find_pair(struct yaml_pair *const *sorted, size_t count,
                                   const struct yaml_pair *wanted)
{
    struct yaml_pair *const *found =
        bsearch(&wanted, sorted, count, sizeof(struct yaml_pair *), compare_keys);

    return found ? *found : NULL;
}

/* Change base, whose tree is ours and read by nobody else, in place, as Python does: a
 * mapping that stands in several places of the document changes in all of them. Depth is
 * that of the texts, YAML_DEPTH_MAX at most. */
static int merge(struct arena *arena, struct yaml_node *base,
                 const struct yaml_node *update, struct error *err)
{
    size_t count = base->map.count;
    struct yaml_pair *pairs = arena_pairs(arena, count + update->map.count, err);
    CLEANUP_FREE struct yaml_pair **sorted = calloc(count + 1, sizeof *sorted);
    int rc = 0;

    if (!pairs)
        return -ENOMEM;
    if (!sorted)
        return fail(err, ENOMEM, "no memory for %zu keys", count);
    for (size_t i = 0; i < count; i++) {
        pairs[i] = base->map.pairs[i];
        sorted[i] = &pairs[i];
    }
    qsort(sorted, count, sizeof *sorted, compare_keys);
    base->map.pairs = pairs;
    for (size_t i = 0; rc == 0 && i < update->map.count; i++) {
        const struct yaml_pair *from = &update->map.pairs[i];
        struct yaml_pair *to = find_pair(sorted, count, from);

        if (!to)
            pairs[base->map.count++] = *from;
        else if (to->value->kind == YAML_MAP && from->value->kind == YAML_MAP)
            rc = merge(arena, (struct yaml_node *)to->value, from->value, err);
        else
            to->value = from->value;
    }
    return rc;
}

static int print_merged(struct yaml *base, const struct yaml *update, struct bytes *to,
                        struct error *err)
{
    CLEANUP_WITH(arena_done) struct arena arena = {0};
    int rc;

    if (yaml_root(base)->kind != YAML_MAP) /* null: no metadata */
        return meta_print(meta_root(update), to, err);
    rc = merge(&arena, (struct yaml_node *)yaml_root(base), meta_root(update), err);
    return rc < 0 ? rc : meta_print(meta_root(base), to, err);
}

/* Limits are of one document: two that keep them may break them together. */
static int check_readable(const struct bytes *text, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    struct error reason = {0};

    if (meta_parse(text->data, text->size, &yaml, &reason) == 0)
        return 0;
    return fail(err, EFBIG, "the merged metadata could not be read again: %s",
                reason.message);
}

static int merge_texts(const struct bytes *before, const struct yaml *update,
                       struct bytes *to, struct error *err)
{
    CLEANUP_YAML struct yaml *base = NULL;
    int rc = meta_parse(before->data, before->size, &base, err);

    if (rc < 0)
        return fail_context(err, rc == -ENOMEM ? rc : -EBADMSG,
                            "cannot merge into the metadata that is there");
    rc = print_merged(base, update, to, err);
    return rc < 0 ? rc : check_readable(to, err);
}

int meta_edit_apply(const struct bytes *before, const char *text, size_t size,
                    enum publish_meta how, struct bytes *to, struct error *err)
{
    CLEANUP_YAML struct yaml *update = NULL;
    int rc = meta_parse(text, size, &update, err);

    if (rc < 0)
        return rc;
    if (how == PUBLISH_META_REPLACE)
        return meta_print(meta_root(update), to, err);
    return merge_texts(before, update, to, err);
}

struct update {
    const char *text;
    size_t size;
    enum publish_meta how;
};

static int change(void *arg, const struct bytes *before, struct bytes *to,
                  struct error *err)
{
    const struct update *update = arg;
    int rc = meta_edit_apply(before, update->text, update->size, update->how, to, err);

    if (rc == 0)
        FAULT("meta.before-write");
    return rc;
}

int meta_edit_set(struct resolver *resolver, const struct release *release,
                  const char *text, size_t size, enum publish_meta how, struct error *err)
{
    struct update update = {.text = text, .size = size, .how = how};
    CLEANUP_YAML struct yaml *checked = NULL;
    char path[REPO_PATH_SIZE];
    int rc = meta_parse(text, size, &checked, err); /* before anything is asked */

    if (rc == 0)
        rc = repo_path_meta(release->id, release->version, path, err);
    if (rc < 0)
        return rc;
    rc = document_edit(&(struct document_edit){.backend = resolver_backend(
                                                   resolver, release->repository),
                                               .path = path,
                                               .bytes_max = YAML_BYTES_MAX,
                                               .change = change,
                                               .arg = &update},
                       err);
    return rc < 0
               ? fail_context(err, rc, "metadata of %s-%s", release->id, release->version)
               : 0;
}
