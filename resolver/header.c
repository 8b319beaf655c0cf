/* header.c: a model's header document, parsed. */
#include "resolver/header.h"

#include "common/bytes.h"
#include "common/memory.h"
#include "common/yaml_time.h"
#include "resolver/pyrepr.h"
#include "resolver/repo_path.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_BYTES_MAX = 64 << 10 }; /* of a name, a version, an author ... */

/* What callers see, and what it points to. */
struct owner {
    struct header header;
    atomic_uint refs;
    struct yaml *yaml;
    char *name, *subgroup, *version, *author, *date, *text;
};

static void owner_free(struct owner *owner)
{
    if (!owner)
        return;
    yaml_tree_free(owner->yaml);
    free(owner->name);
    free(owner->subgroup);
    free(owner->version);
    free(owner->author);
    free(owner->date);
    free(owner->text);
    free(owner);
}

static void owner_cleanup(struct owner **owner)
{
    owner_free(*owner);
}

/* Python's str() of what the document says; "" for null and for what is not there. */
static int field_text(const struct yaml_node *root, const char *key, char **ret_text,
                      struct error *err)
{
    const struct yaml_node *node = yaml_get(root, key);
    CLEANUP_BYTES struct bytes text;
    char time[YAML_TIME_SIZE];
    int rc = 0;

    bytes_init(&text, FIELD_BYTES_MAX);
    if (!node || node->kind == YAML_NULL) {
        *ret_text = xstrdup("");
        return 0;
    }
    if (node->kind == YAML_TEXT && !yaml_text(node)) {
        rc = fail(err, EBADMSG, "a NUL character");
    } else if (node->kind == YAML_TEXT) {
        rc = bytes_append(&text, node->text.data, node->text.size, err);
    } else if (node->kind == YAML_DATE || node->kind == YAML_DATETIME) {
        yaml_time_print(node->kind, &node->time, time);
        rc = bytes_append(&text, time, strlen(time), err);
    } else {
        rc = pyrepr_print(node, &text, err);
    }
    if (rc < 0)
        return yaml_fail_context(err, fail_context(err, rc, "'%s'", key), node->at);
    *ret_text = bytes_detach(&text);
    return 0;
}

/* Unix time at which the day of a date began; 0 if it is none. */
static int64_t date_seconds(const struct yaml_node *root)
{
    const struct yaml_node *node = yaml_get(root, "date");
    struct yaml_time time = {0};
    struct error ignored = {0};
    enum yaml_kind kind;

    if (!node)
        return 0;
    if (node->kind == YAML_DATE || node->kind == YAML_DATETIME)
        time = node->time;
    else if (!yaml_text(node) || yaml_time_parse(node->text.data, node->text.size, &kind,
                                                 &time, &ignored) < 0)
        return 0;
    return yaml_time_to_unix(
        &(struct yaml_time){.year = time.year, .month = time.month, .day = time.day});
}

/* A path is made of name and subgroup; an ID of version and name. */
static int check_fields(const struct owner *owner, struct error *err)
{
    char path[REPO_PATH_SIZE];

    if (!*owner->name)
        return fail(err, EBADMSG, "it has no 'name'");
    if (!*owner->version)
        return fail(err, EBADMSG, "it has no 'version'");
    return repo_path_archives(owner->name, owner->subgroup, path, err);
}

static int set_fields(struct owner *owner, struct error *err)
{
    static const struct yaml_node none = {.kind = YAML_NULL};
    const struct yaml_node *root = yaml_root(owner->yaml);
    const struct yaml_node *parameters = yaml_get(root, "parameters");
    int rc;

    if (root->kind != YAML_MAP)
        return fail(err, EBADMSG, "it must be a mapping, not %s",
                    yaml_kind_name(root->kind));
    if (parameters && parameters->kind != YAML_MAP && parameters->kind != YAML_NULL)
        return yaml_fail(err, EBADMSG, parameters->at,
                         "'parameters' must be a mapping, not %s",
                         yaml_kind_name(parameters->kind));
    rc = field_text(root, "name", &owner->name, err);
    if (rc == 0)
        rc = field_text(root, "subgroup", &owner->subgroup, err);
    if (rc == 0)
        rc = field_text(root, "version", &owner->version, err);
    if (rc == 0)
        rc = field_text(root, "author", &owner->author, err);
    if (rc == 0)
        rc = field_text(root, "date", &owner->date, err);
    if (rc == 0)
        rc = check_fields(owner, err);
    if (rc < 0)
        return rc;
    owner->header.date_s = date_seconds(root);
    owner->header.parameters = parameters ? parameters : &none;
    return 0;
}

int header_parse(const char *text, size_t size, struct header **ret_header,
                 struct error *err)
{
    CLEANUP_WITH(owner_cleanup) struct owner *owner = XNEW(struct owner);
    struct header *header = &owner->header;
    int rc = yaml_parse(text, size, &owner->yaml, err);

    if (rc == 0)
        rc = set_fields(owner, err);
    if (rc < 0)
        return rc == -ENOMEM ? rc : -EBADMSG;
    owner->text = malloc(size + 1);
    if (!owner->text)
        return fail(err, ENOMEM, "no memory for a header of %zu bytes", size);
    if (size)
        memcpy(owner->text, text, size);
    owner->text[size] = '\0';
    header->name = owner->name;
    header->subgroup = owner->subgroup;
    header->version = owner->version;
    header->author = owner->author;
    header->date = owner->date;
    header->text = owner->text;
    header->text_size = size;
    owner->refs = 1;
    *ret_header = &steal_ptr(&owner)->header;
    return 0;
}

struct header *header_ref(struct header *header)
{
    struct owner *owner = (struct owner *)header;

    owner->refs++;
    return header;
}

void header_unref(struct header *header)
{
    struct owner *owner = (struct owner *)header;

    if (owner && --owner->refs == 0)
        owner_free(owner);
}
