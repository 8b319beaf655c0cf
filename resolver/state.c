/* state.c: one question to all repositories: the first that has it, or what each says. */
#include "resolver/state.h"

#include "common/memory.h"
#include "resolver/questions.h"

#include <errno.h>
#include <stdlib.h>

static int64_t shorter(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void note_failure(struct gathered *gathered, const char *repository, int rc,
                         const struct error *err)
{
    gathered->failed++;
    if (gathered->failure.code != 0)
        return;
    gathered->failure = *err;
    fail_context(&gathered->failure, rc, "repository '%s'", repository);
}

/* One repository that cannot be asked must not hide what the others have. */
int state_find_first(struct resolver *resolver, const struct catalog_kind *kind,
                     const char *key, enum resolve_how how,
                     struct catalog_answer *ret_answer, unsigned *ret_repository,
                     struct error *err)
{
    struct error failure = {0};
    int64_t left_ms = INT64_MAX;

    for (unsigned i = 0; i < resolver->repository_count; i++) {
        struct catalog_answer answer = {0};
        struct error reason = {0};
        int rc = catalog_get(resolver->catalog, i, kind, key, how, &answer, &reason);

        left_ms = shorter(left_ms, answer.left_ms);
        if (rc == 0) {
            *ret_answer = answer;
            ret_answer->left_ms = left_ms;
            *ret_repository = i;
            return 0;
        }
        if (rc == -EINPROGRESS || rc == -EBADMSG) {
            *err = reason;
            return rc == -EINPROGRESS ? rc
                                      : fail_context(err, rc, "repository '%s'",
                                                     resolver->repositories[i].name);
        }
        if (rc != -ENOENT && failure.code == 0) {
            failure = reason;
            fail_context(&failure, rc, "repository '%s'", resolver->repositories[i].name);
        }
    }
    if (failure.code != 0) {
        *err = failure;
        return -failure.code;
    }
    return fail(err, ENOENT, "%s '%s' does not exist", kind->name, key);
}

int state_gather(struct resolver *resolver, const struct catalog_kind *kind,
                 const char *key, enum resolve_how how, struct gathered *ret_gathered,
                 struct error *err)
{
    size_t count = resolver->repository_count;
    struct gathered gathered = {.listings = xcalloc(count, sizeof(struct listing *)),
                                .count = count,
                                .left_ms = INT64_MAX};

    for (unsigned i = 0; i < count; i++) {
        struct catalog_answer answer = {0};
        struct error reason;
        int rc = catalog_get(resolver->catalog, i, kind, key, how, &answer, &reason);

        if (rc == -EINPROGRESS) {
            *err = reason;
            gathered_done(&gathered);
            return rc;
        }
        gathered.left_ms = shorter(gathered.left_ms, answer.left_ms);
        gathered.listings[i] = answer.listing;
        gathered.found += rc == 0;
        if (rc < 0 && rc != -ENOENT)
            note_failure(&gathered, resolver->repositories[i].name, rc, &reason);
    }
    if (gathered.failed == count) {
        *err = gathered.failure;
        gathered_done(&gathered);
        return -err->code;
    }
    *ret_gathered = gathered;
    return 0;
}

void gathered_done(struct gathered *gathered)
{
    for (size_t i = 0; i < gathered->count; i++)
        listing_unref(gathered->listings[i]);
    free(gathered->listings);
    *gathered = (struct gathered){0};
}

void state_note_model(struct resolver *resolver, unsigned repository, const char *id)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    struct listing *none;
    struct error ignored; /* then it is asked for */

    listing_builder_init(&builder);
    if (listing_finish(&builder, NULL, &none, &ignored) == 0)
        catalog_note(resolver->catalog, repository, &question_model, id, none);
}

int state_cached_versions(struct resolver *resolver, const char *id, enum resolve_how how,
                          struct listing **ret_listing, int64_t *ret_left_ms,
                          struct error *err)
{
    CLEANUP_FREE char *folder = NULL;
    struct catalog_answer answer = {0};
    int rc;

    if (!resolver->cache_root)
        return fail(err, ENOENT, "there is no cache folder");
    folder = xasprintf("%s/%s", resolver->cache_root, id);
    rc = catalog_get(resolver->catalog, (unsigned)resolver->repository_count,
                     &question_cached_versions, folder, how, &answer, err);
    if (rc < 0)
        return rc;
    *ret_listing = answer.listing;
    *ret_left_ms = answer.left_ms;
    return 0;
}
