/* manifest.c: what somebody asks to publish, checked key by key. */
#include "publish/manifest.h"

#include "common/memory.h"
#include "common/text.h"
#include "common/utf8.h"
#include "common/yaml_time.h"
#include "publish/texts.h"
#include "resolver/repo_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum key {
    KEY_NAME,
    KEY_VERSION,
    KEY_PARAMS,
    KEY_SUBGROUP,
    KEY_AUTHOR,
    KEY_DATE,
    KEY_META,
    KEY_ALIAS,
    KEY_REPOSITORY,
    KEY_COUNT,
};

static const char *const key_names[KEY_COUNT + 1] = {
    [KEY_NAME] = "name",
    [KEY_VERSION] = "version",
    [KEY_PARAMS] = "params",
    [KEY_SUBGROUP] = "subgroup",
    [KEY_AUTHOR] = "author",
    [KEY_DATE] = "date",
    [KEY_META] = "meta",
    [KEY_ALIAS] = "alias",
    [KEY_REPOSITORY] = "repository",
};

enum {
    PART_SIZE_MAX = 255,        /* bytes of one part of a path */
    CONFUSED_VERSION_SIZE = 27, /* with a short ID it is as long as a legacy ID */
};

/* What callers see, and what it points to. */
struct owner {
    struct manifest manifest;
    const struct yaml_node *given[KEY_COUNT]; /* NULL: not given */
    struct yaml *parsed[KEY_COUNT];           /* what they live in, a document at 0 */
    char *copies[KEY_COUNT];                  /* or */
    struct yaml_node nodes[KEY_COUNT];        /* these, made of copies */
};

static const struct yaml_node no_params = {.kind = YAML_MAP};
static const struct yaml_node no_meta = {.kind = YAML_NULL};

static struct owner *owner_of(struct manifest *manifest)
{
    return (struct owner *)manifest;
}

void manifest_free(struct manifest *manifest)
{
    struct owner *owner = owner_of(manifest);

    for (enum key key = 0; owner && key < KEY_COUNT; key++) {
        yaml_tree_free(owner->parsed[key]);
        free(owner->copies[key]);
    }
    free(owner);
}

/* Put the place in front of a sentence, for nodes that have one. */
static int fail_at(const struct yaml_node *node, int rc, struct error *err)
{
    if (!node || node->at.line == 0)
        return rc;
    return yaml_fail_context(err, rc, node->at);
}

static int refuse_kind(const struct yaml_node *node, enum key key, struct error *err)
{
    const char *name = key_names[key];
    bool is_quotable = node->kind == YAML_BOOL || node->kind == YAML_INT ||
                       node->kind == YAML_FLOAT || node->kind == YAML_DATE ||
                       node->kind == YAML_DATETIME;

    return fail_at(node,
                   fail(err, EINVAL, "'%s' must be text, not %s%s", name,
                        yaml_kind_name(node->kind),
                        is_quotable ? "; put it in quotes" : ""),
                   err);
}

/* The text of a key; NULL if it was not given. */
static int take_text(struct owner *owner, enum key key, const char **ret_text,
                     struct error *err)
{
    const struct yaml_node *node = owner->given[key];
    const char *name = key_names[key];
    int rc = 0;

    if (!node) {
        *ret_text = NULL;
        return 0;
    }
    if (node->kind != YAML_TEXT)
        return refuse_kind(node, key, err);
    if (!yaml_text(node))
        rc = fail(err, EINVAL, "'%s' has a NUL character", name);
    else if (node->text.size >= MANIFEST_TEXT_MAX)
        rc = fail(err, EINVAL, "'%s' has more than %d bytes", name,
                  (int)MANIFEST_TEXT_MAX - 1);
    else if (!utf8_is_valid(node->text.data, node->text.size))
        rc = fail(err, EINVAL, "'%s' is not UTF-8", name);
    if (rc < 0)
        return fail_at(node, rc, err);
    *ret_text = node->text.data;
    return 0;
}

static int take_needed(struct owner *owner, enum key key, const char **ret_text,
                       struct error *err)
{
    int rc = take_text(owner, key, ret_text, err);

    if (rc == 0 && !*ret_text)
        return fail(err, EINVAL, "'%s' is missing", key_names[key]);
    if (rc == 0 && !**ret_text)
        return fail_at(owner->given[key],
                       fail(err, EINVAL, "'%s' must not be empty", key_names[key]), err);
    return rc;
}

static int take_map(struct owner *owner, enum key key, const struct yaml_node *none,
                    const struct yaml_node **ret_map, struct error *err)
{
    const struct yaml_node *node = owner->given[key];

    if (node && node->kind != YAML_MAP)
        return fail_at(node,
                       fail(err, EINVAL, "'%s' must be a mapping, not %s", key_names[key],
                            yaml_kind_name(node->kind)),
                       err);
    *ret_map = node ? node : none;
    return 0;
}

/* Only the day that audmodel itself writes by default: a date, not a time. */
static int take_date(struct owner *owner, const char *today, struct yaml_time *ret_date,
                     struct error *err)
{
    const struct yaml_node *node = owner->given[KEY_DATE];
    struct yaml_node text = yaml_node_of(today);
    enum yaml_kind kind;
    int rc = 0;

    if (!node)
        node = &text;
    if (node->kind == YAML_DATE) {
        *ret_date = node->time;
        return 0;
    }
    if (node->kind != YAML_TEXT || !yaml_text(node) ||
        !yaml_time_is_one(node->text.data, node->text.size))
        rc = fail(err, EINVAL, "'date' must be a day such as 2024-02-29");
    if (rc == 0)
        rc = yaml_time_parse(node->text.data, node->text.size, &kind, ret_date, err);
    if (rc == 0 && kind != YAML_DATE)
        rc = fail(err, EINVAL, "'date' must be a day such as 2024-02-29, without a time");
    return rc < 0 ? fail_at(node, rc, err) : 0;
}

/* Names and subgroups become folders of the repository. */
static int check_path(const struct owner *owner, enum key key, const char *path,
                      struct error *err)
{
    for (const char *part = path; *part; part += *part == '/') {
        size_t size = strcspn(part, "/");

        if (size > PART_SIZE_MAX)
            return fail_at(owner->given[key],
                           fail(err, EINVAL, "'%s' has a part of more than %d bytes",
                                key_names[key], (int)PART_SIZE_MAX),
                           err);
        part += size;
    }
    return 0;
}

static int check_names(const struct owner *owner, struct error *err)
{
    const struct manifest *manifest = &owner->manifest;
    char path[REPO_PATH_SIZE];
    int rc = repo_path_archives(manifest->name, NULL, path, err);

    if (rc < 0)
        return fail_at(owner->given[KEY_NAME], fail_context(err, -EINVAL, "'name'"), err);
    rc = check_path(owner, KEY_NAME, path, err);
    if (rc < 0)
        return rc;
    if (strcmp(manifest->subgroup, REPO_PATH_MODELS) == 0 ||
        strcmp(manifest->subgroup, REPO_PATH_ALIASES) == 0)
        return fail_at(owner->given[KEY_SUBGROUP],
                       fail(err, EINVAL, "It is not allowed to set subgroup to '%s'.",
                            manifest->subgroup),
                       err);
    rc = repo_path_archives("", manifest->subgroup, path, err);
    if (rc < 0)
        return fail_at(owner->given[KEY_SUBGROUP],
                       fail_context(err, -EINVAL, "'subgroup'"), err);
    return check_path(owner, KEY_SUBGROUP, path, err);
}

static int check_version(const struct owner *owner, struct error *err)
{
    const char *version = owner->manifest.version;
    int rc = 0;

    if (strlen(version) >= VERSION_SIZE)
        rc = fail(err, EINVAL, "version '%.40s...' is longer than %d characters", version,
                  VERSION_SIZE - 1);
    else if (!uid_version_is_valid(version))
        rc = fail(err, EINVAL, "Invalid version '%s', does not match '[A-Za-z0-9._-]+'.",
                  version);
    else if (!uid_version_is_accepted(version))
        rc = fail(err, EINVAL,
                  "version '%s' could never be found again: it must begin with a digit "
                  "and have no '_'",
                  version);
    else if (strlen(version) == CONFUSED_VERSION_SIZE)
        rc = fail(err, EINVAL,
                  "version '%s' could never be found again: with %d characters its ID is "
                  "taken for a legacy ID; make it shorter or longer",
                  version, (int)CONFUSED_VERSION_SIZE);
    return rc < 0 ? fail_at(owner->given[KEY_VERSION], rc, err) : 0;
}

static int check_alias(const struct owner *owner, struct error *err)
{
    const char *alias = owner->manifest.alias;
    int rc = alias ? uid_check_alias(alias, err) : 0;

    return rc < 0 ? fail_at(owner->given[KEY_ALIAS], rc, err) : 0;
}

/* What cannot be printed must not be found out in the middle of a publish. */
static int check_texts(const struct owner *owner, struct error *err)
{
    CLEANUP_BYTES struct bytes header, meta;
    char path[REPO_PATH_SIZE];
    int rc;

    bytes_init(&header, YAML_BYTES_MAX);
    bytes_init(&meta, YAML_BYTES_MAX);
    rc = texts_header(&owner->manifest, &header, err);
    if (rc < 0)
        return fail_context(err, rc, "'params'");
    rc = texts_meta(&owner->manifest, &meta, err);
    if (rc < 0)
        return fail_context(err, rc, "'meta'");
    return repo_path_archive(owner->manifest.name, owner->manifest.subgroup,
                             owner->manifest.id, owner->manifest.version, path, err);
}

static int check_keys(struct owner *owner, struct error *err)
{
    int rc = check_names(owner, err);

    if (rc == 0)
        rc = check_version(owner, err);
    if (rc == 0)
        rc = check_alias(owner, err);
    return rc;
}

static int take_keys(struct owner *owner, const struct manifest_defaults *defaults,
                     struct error *err)
{
    struct manifest *manifest = &owner->manifest;
    int rc = take_needed(owner, KEY_NAME, &manifest->name, err);

    if (rc == 0)
        rc = take_needed(owner, KEY_VERSION, &manifest->version, err);
    if (rc == 0)
        rc = take_map(owner, KEY_PARAMS, &no_params, &manifest->params, err);
    if (rc == 0)
        rc = take_text(owner, KEY_SUBGROUP, &manifest->subgroup, err);
    if (rc == 0)
        rc = take_text(owner, KEY_AUTHOR, &manifest->author, err);
    if (rc == 0)
        rc = take_date(owner, defaults->date, &manifest->date, err);
    if (rc == 0)
        rc = take_map(owner, KEY_META, &no_meta, &manifest->meta, err);
    if (rc == 0)
        rc = take_text(owner, KEY_ALIAS, &manifest->alias, err);
    if (rc == 0)
        rc = take_text(owner, KEY_REPOSITORY, &manifest->repository, err);
    if (rc < 0)
        return rc;
    if (!manifest->subgroup)
        manifest->subgroup = "";
    if (!manifest->author)
        manifest->author = owner->copies[KEY_AUTHOR] = xstrdup(defaults->author);
    return 0;
}

/* From what was given to what callers see. */
static int finish(struct owner *owner, const struct manifest_defaults *defaults,
                  struct error *err)
{
    struct manifest *manifest = &owner->manifest;
    int rc = take_keys(owner, defaults, err);

    if (rc == 0)
        rc = check_keys(owner, err);
    if (rc == 0)
        rc = uid_short(manifest->name, manifest->subgroup, manifest->params, manifest->id,
                       err);
    if (rc < 0)
        return rc;
    snprintf(manifest->uid, sizeof manifest->uid, "%s-%s", manifest->id,
             manifest->version);
    return check_texts(owner, err);
}

static int refuse_key(const struct yaml_node *key, struct error *err)
{
    const char *text = yaml_text(key);
    const char *nearest = text ? text_nearest(text, key_names) : NULL;

    if (!text)
        return fail_at(
            key,
            fail(err, EINVAL, "a key must be text, not %s", yaml_kind_name(key->kind)),
            err);
    return fail_at(key,
                   fail(err, EINVAL, "there is no key '%.80s'%s%s%s", text,
                        nearest ? "; did you mean '" : "", nearest ? nearest : "",
                        nearest ? "'?" : ""),
                   err);
}

static int find_keys(struct owner *owner, const struct yaml_node *root, struct error *err)
{
    if (root->kind == YAML_NULL)
        return fail(err, EINVAL,
                    "the manifest is empty; 'name' and 'version' are needed");
    if (root->kind != YAML_MAP)
        return fail_at(root,
                       fail(err, EINVAL, "the manifest must be a mapping, not %s",
                            yaml_kind_name(root->kind)),
                       err);
    for (size_t i = 0; i < root->map.count; i++) {
        const struct yaml_pair *pair = &root->map.pairs[i];
        const char *text = yaml_text(pair->key);
        enum key key = 0;

        while (key < KEY_COUNT && (!text || strcmp(text, key_names[key]) != 0))
            key++;
        if (key == KEY_COUNT)
            return refuse_key(pair->key, err);
        if (pair->value->kind != YAML_NULL)
            owner->given[key] = pair->value;
    }
    return 0;
}

static int refuse_duplicate(const struct yaml *yaml, struct error *err)
{
    const struct yaml_node *key = yaml_duplicate(yaml);

    if (!key)
        return 0;
    return fail_at(key,
                   fail(err, EINVAL, "the key '%.80s' is there twice; remove one",
                        yaml_text(key) ? yaml_text(key) : yaml_kind_name(key->kind)),
                   err);
}

int manifest_parse(const char *text, size_t size,
                   const struct manifest_defaults *defaults,
                   struct manifest **ret_manifest, struct error *err)
{
    struct owner *owner = XNEW(struct owner);
    CLEANUP_MANIFEST struct manifest *manifest = &owner->manifest;
    struct yaml **document = &owner->parsed[0];
    int rc = yaml_parse(text, size, document, err);

    if (rc == 0)
        rc = refuse_duplicate(*document, err);
    if (rc == 0)
        rc = find_keys(owner, yaml_root(*document), err);
    if (rc == 0)
        rc = finish(owner, defaults, err);
    if (rc < 0)
        return rc == -ENOMEM ? rc : fail_context(err, -EINVAL, "manifest");
    *ret_manifest = steal_ptr(&manifest);
    return 0;
}

static int parse_map(struct owner *owner, enum key key, const char *text,
                     struct error *err)
{
    const struct yaml_node *root;
    int rc;

    if (!text)
        return 0;
    rc = yaml_parse(text, strlen(text), &owner->parsed[key], err);
    if (rc < 0)
        return fail_context(err, rc == -ENOMEM ? rc : -EINVAL, "'%s'", key_names[key]);
    root = yaml_root(owner->parsed[key]);
    if (root->kind != YAML_NULL)
        owner->given[key] = root;
    return 0;
}

static void copy_text(struct owner *owner, enum key key, const char *text)
{
    if (!text)
        return;
    owner->copies[key] = xstrdup(text);
    owner->nodes[key] = yaml_node_of(owner->copies[key]);
    owner->given[key] = &owner->nodes[key];
}

int manifest_make(const struct manifest_texts *texts,
                  const struct manifest_defaults *defaults,
                  struct manifest **ret_manifest, struct error *err)
{
    struct owner *owner = XNEW(struct owner);
    CLEANUP_MANIFEST struct manifest *manifest = &owner->manifest;
    int rc;

    copy_text(owner, KEY_NAME, texts->name);
    copy_text(owner, KEY_VERSION, texts->version);
    copy_text(owner, KEY_SUBGROUP, texts->subgroup);
    copy_text(owner, KEY_AUTHOR, texts->author);
    copy_text(owner, KEY_DATE, texts->date);
    copy_text(owner, KEY_ALIAS, texts->alias);
    copy_text(owner, KEY_REPOSITORY, texts->repository);
    rc = parse_map(owner, KEY_PARAMS, texts->params, err);
    if (rc == 0)
        rc = parse_map(owner, KEY_META, texts->meta, err);
    if (rc == 0)
        rc = finish(owner, defaults, err);
    if (rc < 0)
        return rc;
    *ret_manifest = steal_ptr(&manifest);
    return 0;
}
