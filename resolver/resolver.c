/* resolver.c: searches the repositories in their order: aliases, releases, documents. */
#include "resolver/resolver.h"

#include "common/memory.h"
#include "resolver/questions.h"
#include "resolver/repo_path.h"
#include "resolver/state.h"
#include "resolver/uid.h"
#include "resolver/version.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Files of what is known are told apart by where repositories are, not by their names. */
static void open_known(struct resolver *resolver, const struct resolver_options *options)
{
    size_t count = options->repository_count;
    char **locations;

    if (!options->cache_root || !options->known_folder)
        return;
    locations = xcalloc(count, sizeof *locations);
    for (size_t i = 0; i < count; i++) {
        const struct backend *backend = options->repositories[i].backend;

        locations[i] =
            xasprintf("%s %s", backend_kind(backend), backend_location(backend));
    }
    resolver->known =
        known_open(&(struct known_options){.root = options->cache_root,
                                           .folder = options->known_folder,
                                           .locations = (const char *const *)locations,
                                           .repository_count = count});
    for (size_t i = 0; i < count; i++)
        free(locations[i]);
    free(locations);
}

/* The catalog knows one repository more than there are: this machine's cache folder. */
static int open_catalog(struct resolver *resolver, const struct resolver_options *options,
                        struct error *err)
{
    size_t count = options->repository_count;
    CLEANUP_FREE struct backend **backends = xcalloc(count + 1, sizeof(*backends));
    CLEANUP_FREE const char **names = xcalloc(count + 1, sizeof(*names));

    for (size_t i = 0; i < count; i++) {
        backends[i] = options->repositories[i].backend;
        names[i] = resolver->repositories[i].name;
    }
    names[count] = "the cache folder";
    return catalog_open(
        &(struct catalog_options){
            .backends = backends,
            .backend_count = count + 1,
            .names = names,
            .known = resolver->known,
            .ttl_ms = {[CATALOG_TTL_ALIAS] = options->ttl_alias_ms,
                       [CATALOG_TTL_LISTING] = options->ttl_listing_ms,
                       [CATALOG_TTL_NEGATIVE] = options->ttl_negative_ms},
            .silence_ms = options->silence_ms,
    },
        &resolver->catalog, err);
}

int resolver_open(const struct resolver_options *options, struct resolver **ret_resolver,
                  struct error *err)
{
    size_t count = options->repository_count;
    struct resolver *resolver;
    int rc;

    if (count == 0)
        return fail(err, EINVAL,
                    "no repository: the configuration must name at least one");
    resolver = XNEW(struct resolver);
    lock_init(&resolver->lock);
    resolver->repositories = xcalloc(count, sizeof *resolver->repositories);
    resolver->repository_count = count;
    for (size_t i = 0; i < count; i++) {
        resolver->repositories[i].name = xstrdup(options->repositories[i].name);
        resolver->repositories[i].backend = options->repositories[i].backend;
    }
    if (options->cache_root)
        resolver->cache_root = xstrdup(options->cache_root);
    open_known(resolver, options);
    rc = open_catalog(resolver, options, err);
    if (rc < 0) {
        resolver_close(resolver);
        return rc;
    }
    *ret_resolver = resolver;
    return 0;
}

void resolver_close(struct resolver *resolver)
{
    if (!resolver)
        return;
    for (size_t of = 0; of < sizeof resolver->merged / sizeof *resolver->merged; of++) {
        struct merged *merged = &resolver->merged[of];

        for (size_t i = 0; merged->sources && i < resolver->repository_count; i++)
            listing_unref(merged->sources[i]);
        free(merged->sources);
        listing_unref(merged->listing);
    }
    catalog_close(resolver->catalog);
    known_close(resolver->known);
    for (size_t i = 0; i < resolver->repository_count; i++)
        free((char *)resolver->repositories[i].name);
    free(resolver->repositories);
    free(resolver->cache_root);
    lock_done(&resolver->lock);
    free(resolver);
}

size_t resolver_repository_count(const struct resolver *resolver)
{
    return resolver->repository_count;
}

const char *resolver_repository_name(const struct resolver *resolver, unsigned repository)
{
    assert(repository < resolver->repository_count);
    return resolver->repositories[repository].name;
}

struct backend *resolver_backend(const struct resolver *resolver, unsigned repository)
{
    assert(repository < resolver->repository_count);
    return resolver->repositories[repository].backend;
}

int resolver_alias(struct resolver *resolver, const char *alias, enum resolve_how how,
                   struct alias_target *ret_target, struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct catalog_answer answer = {0};
    unsigned repository;
    int rc;

    if (!uid_alias_is_valid(alias))
        return uid_fail_unknown(alias, err);
    rc = state_find_first(resolver, &question_alias, alias, how, &answer, &repository,
                          err);
    if (rc < 0)
        return rc == -ENOENT ? uid_fail_unknown(alias, err) : rc;
    listing = answer.listing;
    *ret_target = (struct alias_target){.fresh.left_ms = answer.left_ms};
    snprintf(ret_target->id, sizeof ret_target->id, "%s", listing->names[0]);
    snprintf(ret_target->version, sizeof ret_target->version, "%s", listing->names[1]);
    return 0;
}

/* The first repository that has the release, as far as the lists of versions tell.
 * -ENOENT also where one that comes before cannot tell. */
static int find_listed(struct resolver *resolver, const char *id, const char *version,
                       enum resolve_how how, unsigned *ret_repository,
                       int64_t *ret_left_ms)
{
    int64_t left_ms = INT64_MAX;

    for (unsigned i = 0; i < resolver->repository_count; i++) {
        CLEANUP_LISTING struct listing *listing = NULL;
        struct catalog_answer answer = {0};
        struct error ignored; /* then the header is asked for instead */
        int rc = catalog_get(resolver->catalog, i, &question_versions, id, how, &answer,
                             &ignored);

        listing = answer.listing;
        if (rc < 0 && rc != -ENOENT)
            return -ENOENT;
        if (answer.left_ms < left_ms)
            left_ms = answer.left_ms;
        if (rc == 0 && listing_has(listing, version_compare, version)) {
            *ret_repository = i;
            *ret_left_ms = left_ms;
            return 0;
        }
    }
    return -ENOENT;
}

/* Is the header in the cache folder? Then it is not fetched again, but looked for in the
 * list of versions. */
static bool is_saved(struct resolver *resolver, const char *id, const char *version)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct error ignored; /* nothing is saved */
    int64_t left_ms;

    return state_cached_versions(resolver, id, RESOLVE_FETCH, &listing, &left_ms,
                                 &ignored) == 0 &&
           listing_has(listing, version_compare, version);
}

/* Where a release is: from the lists of versions, else by asking for its header, which
 * whoever looks for it wants next. */
static int find_release(struct resolver *resolver, const char *id, const char *version,
                        enum resolve_how how, unsigned *ret_repository,
                        int64_t *ret_left_ms, struct error *err)
{
    enum resolve_how known = how == RESOLVE_FETCH ? RESOLVE_KNOWN : how;
    char key[MODEL_ID_SIZE + VERSION_SIZE];
    struct catalog_answer answer = {0};
    int rc = find_listed(resolver, id, version, known, ret_repository, ret_left_ms);

    if (rc == 0)
        return 0;
    if (how == RESOLVE_FETCH && is_saved(resolver, id, version) &&
        find_listed(resolver, id, version, how, ret_repository, ret_left_ms) == 0)
        return 0;
    snprintf(key, sizeof key, "%s/%s", id, version);
    rc = state_find_first(resolver, &question_release, key, how, &answer, ret_repository,
                          err);
    listing_unref(answer.listing);
    *ret_left_ms = answer.left_ms;
    if (rc < 0 && rc != -ENOENT && rc != -EBADMSG && how == RESOLVE_FETCH &&
        find_listed(resolver, id, version, RESOLVE_SAVED, ret_repository, ret_left_ms) ==
            0)
        return 0; /* it was listed when it could be asked */
    return rc;
}

/* The repositories cannot be asked: is the release in the cache folder? rc and err say
 * why they cannot; they stand if it is not. Which repository it is from is not known: the
 * first stands for it. */
static int offline_release(struct resolver *resolver, const char *id, const char *version,
                           enum resolve_how how, int rc, struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct error reason = {0};
    int64_t left_ms;
    int found = state_cached_versions(resolver, id, how, &listing, &left_ms, &reason);

    if (found == -EINPROGRESS)
        return fail(err, EINPROGRESS, "%s", reason.message);
    return found == 0 && listing_has(listing, version_compare, version) ? 0 : rc;
}

static int fail_no_release(const char *id, const char *version, struct error *err)
{
    return fail(err, ENOENT, "no model '%.60s-%.240s'", id, version);
}

int resolver_release(struct resolver *resolver, const char *id, const char *version,
                     enum resolve_how how, struct release *ret_release,
                     struct freshness *ret_fresh, struct error *err)
{
    struct release release = {0};
    int64_t left_ms = 0;
    int rc;

    if (!uid_is_id(id) || !uid_version_is_valid(version))
        return fail_no_release(id, version, err);
    rc = find_release(resolver, id, version, how, &release.repository, &left_ms, err);
    snprintf(release.id, sizeof release.id, "%s", id);
    snprintf(release.version, sizeof release.version, "%s", version);
    if (rc == 0 && how == RESOLVE_FETCH && left_ms > 0)
        state_note_model(resolver, release.repository, release.id);
    if (rc < 0 && rc != -ENOENT && rc != -EINPROGRESS)
        rc = offline_release(resolver, id, version, how, rc, err);
    if (rc == -ENOENT)
        return fail_no_release(id, version, err);
    if (rc < 0)
        return rc;
    *ret_release = release;
    ret_fresh->left_ms = left_ms;
    return 0;
}

void resolver_forget_model(struct resolver *resolver, const char *id, const char *version)
{
    char key[MODEL_ID_SIZE + VERSION_SIZE];

    snprintf(key, sizeof key, "%s/%s", id, version);
    catalog_forget(resolver->catalog, &question_models, NULL);
    catalog_forget(resolver->catalog, &question_versions, id);
    catalog_forget(resolver->catalog, &question_release, key);
    catalog_forget(resolver->catalog, &question_model, id);
    catalog_forget(resolver->catalog, &question_folders, NULL);
}

void resolver_forget_alias(struct resolver *resolver, const char *alias)
{
    catalog_forget(resolver->catalog, &question_alias, alias);
    catalog_forget(resolver->catalog, &question_aliases, NULL);
    catalog_forget(resolver->catalog, &question_alias_list, NULL);
}

static int get_document(struct resolver *resolver, const struct release *release,
                        const char *path, struct bytes *to, struct error *err)
{
    unsigned repository = release->repository;
    int64_t begun_ms;
    int rc = catalog_enter(resolver->catalog, repository, &begun_ms, err);

    if (rc == 0) {
        rc = backend_get(resolver_backend(resolver, repository), path, to, err);
        catalog_leave(resolver->catalog, repository, begun_ms, rc, err);
    }
    return rc < 0 ? fail_context(err, rc, "repository '%s'",
                                 resolver->repositories[repository].name)
                  : 0;
}

/* The text that came when the release was looked for. -ENOENT: none did. */
static int noted_header(struct resolver *resolver, const struct release *release,
                        struct bytes *to, struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    char key[MODEL_ID_SIZE + VERSION_SIZE];
    struct catalog_answer answer = {0};
    int rc;

    snprintf(key, sizeof key, "%s/%s", release->id, release->version);
    rc = catalog_get(resolver->catalog, release->repository, &question_release, key,
                     RESOLVE_STALE, &answer, err);
    listing = answer.listing;
    if (rc < 0 || listing->count == 0)
        return -ENOENT;
    return bytes_append(to, listing->names[0], strlen(listing->names[0]), err);
}

int resolver_get_header(struct resolver *resolver, const struct release *release,
                        struct bytes *to, struct error *err)
{
    char path[REPO_PATH_SIZE];
    int rc = repo_path_header(release->id, release->version, path, err);

    if (rc == 0 && noted_header(resolver, release, to, err) == 0)
        return 0;
    return rc < 0 ? rc : get_document(resolver, release, path, to, err);
}

int resolver_get_meta(struct resolver *resolver, const struct release *release,
                      struct bytes *to, struct error *err)
{
    char path[REPO_PATH_SIZE];
    int rc = repo_path_meta(release->id, release->version, path, err);

    return rc < 0 ? rc : get_document(resolver, release, path, to, err);
}

int resolver_meta_checksum(struct resolver *resolver, const struct release *release,
                           char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    unsigned repository = release->repository;
    char path[REPO_PATH_SIZE];
    int64_t begun_ms;
    int rc = repo_path_meta(release->id, release->version, path, err);

    if (rc == 0)
        rc = catalog_enter(resolver->catalog, repository, &begun_ms, err);
    if (rc == 0) {
        rc = backend_checksum(resolver_backend(resolver, repository), path, ret_md5, err);
        catalog_leave(resolver->catalog, repository, begun_ms, rc, err);
    }
    return rc < 0 ? fail_context(err, rc, "repository '%s'",
                                 resolver->repositories[repository].name)
                  : 0;
}

int resolver_open_object(struct resolver *resolver, unsigned repository, const char *path,
                         size_t tail_size, struct bytes *tail, struct object **ret_object,
                         struct error *err)
{
    struct backend *backend = resolver_backend(resolver, repository);
    int64_t begun_ms;
    int rc = catalog_enter(resolver->catalog, repository, &begun_ms, err);

    if (rc < 0)
        return rc;
    rc = tail ? backend_object_open_tail(backend, path, tail_size, tail, ret_object, err)
              : backend_object_open(backend, path, ret_object, err);
    catalog_leave(resolver->catalog, repository, begun_ms, rc, err);
    return rc;
}
