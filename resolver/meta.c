/* meta.c: a model's metadata document: any YAML mapping. */
#include "resolver/meta.h"

#include "common/cleanup.h"

#include <errno.h>

static const struct yaml_node empty = {.kind = YAML_MAP};

int meta_parse(const char *text, size_t size, struct yaml **ret_yaml, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *root;
    int rc = yaml_parse(text, size, &yaml, err);

    if (rc < 0)
        return fail_context(err, rc == -EFBIG ? -EINVAL : rc, "metadata");
    root = yaml_root(yaml);
    if (root->kind != YAML_MAP && root->kind != YAML_NULL)
        return fail(err, EINVAL, "metadata: it must be a mapping, not %s",
                    yaml_kind_name(root->kind));
    *ret_yaml = steal_ptr(&yaml);
    return 0;
}

const struct yaml_node *meta_root(const struct yaml *yaml)
{
    const struct yaml_node *root = yaml_root(yaml);

    return root->kind == YAML_MAP ? root : &empty;
}

int meta_print(const struct yaml_node *map, struct bytes *to, struct error *err)
{
    int rc = yaml_print(map, to, err);

    return rc < 0 ? fail_context(err, rc, "metadata") : 0;
}
