/* questions.c: the requests and documents behind each kind of answer. */
#include "resolver/questions.h"

#include "common/files.h"
#include "common/memory.h"
#include "resolver/alias.h"
#include "resolver/repo_path.h"
#include "resolver/uid.h"
#include "resolver/version.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    ALIAS_BYTES_MAX = 64 << 10,
    ALIAS_LIST_BYTES_MAX = 8 << 20,
    HEADER_BYTES_MAX = 64 << 10, /* larger ones are fetched when they are needed */
    FEW_MAX = 999,               /* one less than a page of a store has */
};

typedef bool name_filter(const char *name);

struct collector {
    struct listing_builder builder;
    name_filter *is_wanted;
    struct catalog_request *request;
    size_t seen;
    size_t seen_max; /* 0: no limit */
};

static int collect_folder(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct collector *collector = arg;

    catalog_live(collector->request);
    if (++collector->seen > collector->seen_max && collector->seen_max > 0)
        return fail(err, EFBIG, "there are more than %zu names", collector->seen_max);
    if (!entry->is_folder || !collector->is_wanted(entry->name))
        return 0;
    return listing_add(&collector->builder, entry->name, err);
}

/* The wanted folders in a folder. -ENOENT without that folder, -EFBIG where that has more
 * names than seen_max. */
static int list_folders(struct catalog_request *request, const char *folder,
                        name_filter *is_wanted, size_t seen_max,
                        struct listing **ret_listing, struct error *err)
{
    struct collector collector = {
        .is_wanted = is_wanted, .request = request, .seen_max = seen_max};
    int rc;

    listing_builder_init(&collector.builder);
    rc = backend_list(request->backend, folder, collect_folder, &collector, err);
    if (rc == 0)
        rc = listing_finish(&collector.builder, strcmp, ret_listing, err);
    listing_builder_done(&collector.builder);
    return rc;
}

static int ask_models(struct catalog_request *request, const char *key,
                      struct listing **ret_listing, struct error *err)
{
    (void)key; /* all */
    return list_folders(request, REPO_PATH_MODELS, uid_is_id, 0, ret_listing, err);
}

static int ask_few(struct catalog_request *request, const char *key,
                   struct listing **ret_listing, struct error *err)
{
    int rc =
        list_folders(request, REPO_PATH_MODELS, uid_is_id, FEW_MAX, ret_listing, err);

    (void)key; /* all */
    return rc == -EFBIG ? fail(err, ENOENT, "there are too many models") : rc;
}

static int ask_presence(struct catalog_request *request, const char *key,
                        struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    int rc = backend_check(request->backend, err);

    (void)key; /* the repository itself */
    listing_builder_init(&builder);
    return rc < 0 ? rc : listing_finish(&builder, NULL, ret_listing, err);
}

static int ask_aliases(struct catalog_request *request, const char *key,
                       struct listing **ret_listing, struct error *err)
{
    (void)key; /* all */
    return list_folders(request, REPO_PATH_ALIASES, uid_alias_is_valid, 0, ret_listing,
                        err);
}

/* Could audmodel have made a folder of this name? */
static bool is_folder_name(const char *name)
{
    char path[REPO_PATH_SIZE];
    struct error ignored; /* then the name is not shown */

    return repo_path_archives(name, NULL, path, &ignored) == 0;
}

static bool is_top_folder_name(const char *name)
{
    return is_folder_name(name) && strcmp(name, REPO_PATH_MODELS) != 0 &&
           strcmp(name, REPO_PATH_ALIASES) != 0;
}

/* Beside the models' own documents: archives of a subgroup that begins with "_uid.". */
static bool is_beside_models(const char *name)
{
    return is_folder_name(name) && !repo_path_is_of_model(name);
}

static int ask_folders(struct catalog_request *request, const char *key,
                       struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING struct listing *folders = NULL;
    bool is_models = strcmp(key, REPO_PATH_MODELS) == 0;
    int rc = list_folders(request, key,
                          is_models ? is_beside_models
                          : key[0]  ? is_folder_name
                                    : is_top_folder_name,
                          0, &folders, err);

    if (rc == -EINVAL || (rc == 0 && is_models && folders->count == 0))
        return fail(err, ENOENT, "no folder '%.900s'", key);
    if (rc == 0)
        *ret_listing = steal_ptr(&folders);
    return rc;
}

/* Ends the listing at the first. */
static int find_version(void *arg, const struct backend_entry *entry, struct error *err)
{
    bool *has_version = arg;

    *has_version = entry->is_folder && uid_version_is_valid(entry->name);
    return *has_version ? fail(err, ECANCELED, "found") : 0;
}

static int ask_model(struct catalog_request *request, const char *key,
                     struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    char folder[REPO_PATH_SIZE];
    bool has_version = false;
    int rc = repo_path_versions(key, folder, err);

    listing_builder_init(&builder);
    if (rc == 0)
        rc = backend_list(request->backend, folder, find_version, &has_version, err);
    if (has_version)
        return listing_finish(&builder, NULL, ret_listing, err);
    return rc == 0 ? fail(err, ENOENT, "'%s' has no version", key) : rc;
}

/* The versions whose header is among what lies below a model's folder. */
struct headers {
    struct listing_builder builder;
    struct catalog_request *request;
    const char *id;
    const char *folder; /* repo_path_versions of id */
};

static int collect_header(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct headers *headers = arg;
    size_t size = strcspn(entry->name, "/");
    char version[VERSION_SIZE], path[REPO_PATH_SIZE];
    size_t folder_size = strlen(headers->folder);
    struct error ignored; /* then it is no header */

    catalog_live(headers->request);
    if (size >= sizeof version)
        return 0;
    snprintf(version, sizeof version, "%.*s", (int)size, entry->name);
    if (!uid_version_is_valid(version) ||
        repo_path_header(headers->id, version, path, &ignored) < 0 ||
        strcmp(path + folder_size + 1, entry->name) != 0)
        return 0;
    return listing_add(&headers->builder, version, err);
}

/* One listing tells which folders have a header. */
static int ask_versions(struct catalog_request *request, const char *key,
                        struct listing **ret_listing, struct error *err)
{
    char folder[REPO_PATH_SIZE];
    struct headers headers = {.request = request, .id = key, .folder = folder};
    int rc = repo_path_versions(key, folder, err);

    listing_builder_init(&headers.builder);
    if (rc == 0)
        rc =
            backend_list_deep(request->backend, folder, 1, collect_header, &headers, err);
    if (rc == 0 && headers.builder.count == 0)
        rc = fail(err, ENOENT, "'%s' has no version", key);
    if (rc == 0)
        rc = listing_finish(&headers.builder, version_compare, ret_listing, err);
    listing_builder_done(&headers.builder);
    return rc;
}

/* "<id>/<version>" to its parts. */
static void split_key(const char *key, char id[MODEL_ID_SIZE], char version[VERSION_SIZE])
{
    size_t size = strcspn(key, "/");

    snprintf(id, MODEL_ID_SIZE, "%.*s", (int)size, key);
    snprintf(version, VERSION_SIZE, "%s", key[size] ? key + size + 1 : "");
}

static int ask_release(struct catalog_request *request, const char *key,
                       struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_BYTES struct bytes text;
    char id[MODEL_ID_SIZE], version[VERSION_SIZE], path[REPO_PATH_SIZE];
    int rc;

    listing_builder_init(&builder);
    bytes_init(&text, HEADER_BYTES_MAX);
    split_key(key, id, version);
    rc = repo_path_header(id, version, path, err);
    if (rc == 0)
        rc = backend_get(request->backend, path, &text, err);
    if (rc == -EINVAL || rc == -ENAMETOOLONG)
        return fail(err, ENOENT, "'%s' has no header", key);
    if (rc == 0 && strlen(text.data) == text.size)
        rc = listing_add(&builder, text.data, err);
    return rc < 0 && rc != -EFBIG ? rc : listing_finish(&builder, NULL, ret_listing, err);
}

static int get_document(struct backend *backend, const char *path, size_t limit,
                        struct bytes *text, struct error *err)
{
    bytes_init(text, limit);
    return backend_get(backend, path, text, err);
}

static int ask_alias(struct catalog_request *request, const char *key,
                     struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder = {0};
    CLEANUP_BYTES struct bytes text = {0};
    CLEANUP_FREE char *target = NULL;
    char path[REPO_PATH_SIZE];
    struct uid uid;
    int rc = repo_path_alias(key, path, err);

    if (rc == 0)
        rc = get_document(request->backend, path, ALIAS_BYTES_MAX, &text, err);
    if (rc < 0)
        return rc;
    rc = alias_parse(text.data, text.size, &target, err);
    if (rc == 0 && uid_parse_target(target, &uid, err) < 0)
        rc = -EBADMSG;
    if (rc < 0)
        return fail_context(err, rc, "'%s'", path);
    listing_builder_init(&builder);
    rc = listing_add(&builder, uid.id, err);
    if (rc == 0)
        rc = listing_add(&builder, uid.version, err);
    return rc < 0 ? rc : listing_finish(&builder, NULL, ret_listing, err);
}

static int ask_alias_list(struct catalog_request *request, const char *key,
                          struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder = {0};
    CLEANUP_ALIAS_LIST struct alias_list list = {0};
    CLEANUP_BYTES struct bytes text = {0};
    char id[MODEL_ID_SIZE], version[VERSION_SIZE], path[REPO_PATH_SIZE];
    int rc;

    split_key(key, id, version);
    rc = repo_path_alias_list(id, version, path, err);
    if (rc == 0)
        rc = get_document(request->backend, path, ALIAS_LIST_BYTES_MAX, &text, err);
    if (rc < 0)
        return rc;
    rc = alias_list_parse(text.data, text.size, &list, err);
    if (rc < 0)
        return fail_context(err, rc, "'%s'", path);
    listing_builder_init(&builder);
    for (size_t i = 0; rc == 0 && i < list.count; i++)
        rc = listing_add(&builder, list.aliases[i], err);
    return rc < 0 ? rc : listing_finish(&builder, strcmp, ret_listing, err);
}

static int add_header(void *arg, int folder_fd, const char *name, struct error *err)
{
    static const char suffix[] = ".header.yaml";
    CLEANUP_FREE char *version = xstrdup(name);
    size_t size = strlen(version);

    (void)folder_fd; /* its name says it all */
    if (size < sizeof suffix || strcmp(version + size + 1 - sizeof suffix, suffix) != 0)
        return 0;
    version[size + 1 - sizeof suffix] = '\0';
    return uid_version_is_valid(version) ? listing_add(arg, version, err) : 0;
}

static int ask_cached_versions(struct catalog_request *request, const char *key,
                               struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    int fd = open(key, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

    (void)request; /* there is no backend */
    listing_builder_init(&builder);
    if (fd < 0) /* for whatever reason: the repositories are asked instead */
        return fail(err, ENOENT, "'%s' cannot be listed", key);
    rc = files_list_fd(fd, key, add_header, &builder, err);
    if (rc < 0)
        return rc;
    if (builder.count == 0)
        return fail(err, ENOENT, "'%s' holds no header", key);
    return listing_finish(&builder, version_compare, ret_listing, err);
}

static bool all_are(const struct listing *listing, name_filter *is_name)
{
    for (size_t i = 0; i < listing->count; i++)
        if (!is_name(listing->names[i]))
            return false;
    return true;
}

static bool are_ids(const struct listing *listing)
{
    return all_are(listing, uid_is_id);
}

static bool are_aliases(const struct listing *listing)
{
    return all_are(listing, uid_alias_is_valid);
}

static bool are_versions(const struct listing *listing)
{
    return listing->count > 0 && all_are(listing, uid_version_is_valid);
}

static bool are_folders(const struct listing *listing)
{
    return all_are(listing, is_folder_name);
}

static bool is_target(const struct listing *listing)
{
    return listing->count == 2 && uid_is_id(listing->names[0]) &&
           (!listing->names[1][0] || uid_version_is_valid(listing->names[1]));
}

static bool is_any(const struct listing *listing)
{
    (void)listing; /* texts of a document */
    return true;
}

const struct catalog_kind question_models = {.name = "models",
                                             .ttl = CATALOG_TTL_LISTING,
                                             .is_kept = true,
                                             .ask = ask_models,
                                             .saved_as = "models",
                                             .saves_none = true,
                                             .compare = strcmp,
                                             .is_sane = are_ids};
const struct catalog_kind question_aliases = {.name = "aliases",
                                              .ttl = CATALOG_TTL_LISTING,
                                              .is_kept = true,
                                              .ask = ask_aliases,
                                              .saved_as = "aliases",
                                              .saves_none = true,
                                              .compare = strcmp,
                                              .is_sane = are_aliases};
const struct catalog_kind question_versions = {.name = "model",
                                               .ttl = CATALOG_TTL_LISTING,
                                               .ask = ask_versions,
                                               .saved_as = "versions",
                                               .saves_none = true,
                                               .compare = version_compare,
                                               .is_sane = are_versions};
const struct catalog_kind question_release = {
    .name = "version", .ttl = CATALOG_TTL_LISTING, .ask = ask_release};
const struct catalog_kind question_few = {
    .name = "models", .ttl = CATALOG_TTL_LISTING, .is_kept = true, .ask = ask_few};
const struct catalog_kind question_presence = {
    .name = "presence", .ttl = CATALOG_TTL_LISTING, .ask = ask_presence};
const struct catalog_kind question_model = {
    .name = "model", .ttl = CATALOG_TTL_LISTING, .ask = ask_model};
const struct catalog_kind question_alias = {.name = "alias",
                                            .ttl = CATALOG_TTL_ALIAS,
                                            .ask = ask_alias,
                                            .saved_as = "alias",
                                            .is_sane = is_target};
const struct catalog_kind question_alias_list = {.name = "alias list",
                                                 .ttl = CATALOG_TTL_ALIAS,
                                                 .ask = ask_alias_list,
                                                 .saved_as = "lists",
                                                 .saves_none = true,
                                                 .compare = strcmp,
                                                 .is_sane = is_any};
const struct catalog_kind question_folders = {.name = "folder",
                                              .ttl = CATALOG_TTL_LISTING,
                                              .ask = ask_folders,
                                              .saved_as = "folders",
                                              .saves_none = true,
                                              .compare = strcmp,
                                              .is_sane = are_folders};
const struct catalog_kind question_cached_versions = {
    .name = "cached versions", .ttl = CATALOG_TTL_LISTING, .ask = ask_cached_versions};
