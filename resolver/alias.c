/* alias.c: the documents that make an alias: the alias itself and the list of them. */
#include "resolver/alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The value of the one key that such a document has. */
static int parse_value(const char *text, size_t size, const char *key, struct yaml **yaml,
                       const struct yaml_node **ret_value, struct error *err)
{
    int rc = yaml_parse(text, size, yaml, err);
    const struct yaml_node *root;

    if (rc < 0)
        return rc == -ENOMEM ? rc : -EBADMSG;
    root = yaml_root(*yaml);
    if (root->kind != YAML_MAP)
        return fail(err, EBADMSG, "it must be a mapping, not %s",
                    yaml_kind_name(root->kind));
    *ret_value = yaml_get(root, key);
    if (!*ret_value)
        return fail(err, EBADMSG, "it has no '%s'", key);
    return 0;
}

int alias_parse(const char *text, size_t size, char **ret_uid, struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *value;
    char *uid;
    int rc = parse_value(text, size, "uid", &yaml, &value, err);

    if (rc < 0)
        return fail_context(err, rc, "alias document");
    if (!yaml_text(value)) {
        rc = yaml_fail(err, EBADMSG, value->at, "'uid' must be text, not %s",
                       yaml_kind_name(value->kind));
        return fail_context(err, rc, "alias document");
    }
    uid = strdup(yaml_text(value));
    if (!uid)
        return fail(err, ENOMEM, "no memory for an alias");
    *ret_uid = uid;
    return 0;
}

static int collect_texts(const struct yaml_node *value, struct alias_list *list,
                         struct error *err)
{
    if (value->kind == YAML_NULL)
        return 0;
    if (value->kind != YAML_LIST)
        return yaml_fail(err, EBADMSG, value->at, "'aliases' must be a list, not %s",
                         yaml_kind_name(value->kind));
    list->aliases = calloc(value->list.count + 1, sizeof *list->aliases);
    if (!list->aliases)
        return fail(err, ENOMEM, "no memory for %zu aliases", value->list.count);
    for (size_t i = 0; i < value->list.count; i++) {
        const struct yaml_node *item = value->list.items[i];

        if (!yaml_text(item))
            return yaml_fail(err, EBADMSG, item->at, "an alias must be text, not %s",
                             yaml_kind_name(item->kind));
        list->aliases[list->count++] = yaml_text(item);
    }
    return 0;
}

int alias_list_parse(const char *text, size_t size, struct alias_list *ret_list,
                     struct error *err)
{
    CLEANUP_ALIAS_LIST struct alias_list list = {0};
    const struct yaml_node *value;
    int rc = parse_value(text, size, "aliases", &list.yaml, &value, err);

    if (rc == 0)
        rc = collect_texts(value, &list, err);
    if (rc < 0)
        return fail_context(err, rc, "list of aliases");
    *ret_list = list;
    list = (struct alias_list){0};
    return 0;
}

void alias_list_done(struct alias_list *list)
{
    free(list->aliases);
    yaml_tree_free(list->yaml);
    *list = (struct alias_list){0};
}
