/* transaction.c: the steps of a publish in their order, their undoing, and their
 * finishing by a later attempt. */
#include "publish/transaction.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/memory.h"
#include "publish/alias_edit.h"
#include "publish/claim.h"
#include "publish/guarded.h"
#include "publish/pack.h"
#include "publish/spool.h"
#include "publish/texts.h"
#include "publish/upload.h"
#include "resolver/repo_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

struct transaction {
    const struct publish_options *options;
    const struct manifest *manifest;
    const struct publish_watch *watch;
    unsigned repository;
    struct backend *backend;
    char header_path[REPO_PATH_SIZE], meta_path[REPO_PATH_SIZE],
        archive_path[REPO_PATH_SIZE];
    struct bytes header, meta;
    int spool_fd;
    struct pack_result packed;
    struct claim *claim;
    struct upload archive_upload, meta_upload;
};

static void transaction_init(struct transaction *transaction,
                             const struct publish_options *options,
                             const struct manifest *manifest,
                             const struct publish_watch *watch)
{
    *transaction = (struct transaction){
        .options = options, .manifest = manifest, .watch = watch, .spool_fd = -1};
    bytes_init(&transaction->header, YAML_BYTES_MAX);
    bytes_init(&transaction->meta, YAML_BYTES_MAX);
}

static void transaction_done(struct transaction *transaction)
{
    claim_release(transaction->claim);
    pack_result_done(&transaction->packed);
    cleanup_close(&transaction->spool_fd);
    bytes_done(&transaction->header);
    bytes_done(&transaction->meta);
}

static int find_repository(struct transaction *transaction, struct error *err)
{
    struct resolver *resolver = transaction->options->resolver;
    const char *wanted = transaction->manifest->repository;
    size_t count = resolver_repository_count(resolver);
    unsigned found = 0;

    while (wanted && found < count &&
           strcmp(resolver_repository_name(resolver, found), wanted) != 0)
        found++;
    if (found == count)
        return fail(err, EINVAL, "repository '%.200s' is not in the configuration",
                    wanted);
    transaction->repository = found;
    transaction->backend = resolver_backend(resolver, found);
    return 0;
}

/* All that can be refused before anything is written. */
static int prepare(struct transaction *transaction, struct error *err)
{
    const struct manifest *manifest = transaction->manifest;
    const char *id = manifest->id, *version = manifest->version;
    int rc = find_repository(transaction, err);

    if (rc == 0)
        rc = repo_path_header(id, version, transaction->header_path, err);
    if (rc == 0)
        rc = repo_path_meta(id, version, transaction->meta_path, err);
    if (rc == 0)
        rc = repo_path_archive(manifest->name, manifest->subgroup, id, version,
                               transaction->archive_path, err);
    if (rc == 0)
        rc = texts_header(manifest, &transaction->header, err);
    return rc == 0 ? texts_meta(manifest, &transaction->meta, err) : rc;
}

static int fail_exists(const struct transaction *transaction, struct error *err)
{
    return fail(err, EEXIST, "model '%s' exists already", transaction->manifest->uid);
}

/* 0: no repository has the header; -EEXIST. Asks each of them now. */
static int check_absent(void *arg, struct error *err)
{
    const struct transaction *transaction = arg;
    struct resolver *resolver = transaction->options->resolver;

    for (unsigned i = 0; i < resolver_repository_count(resolver); i++) {
        struct backend *backend = resolver_backend(resolver, i);
        struct error reason = {0};
        struct backend_stat stat;
        int rc = backend_stat(backend, transaction->header_path, &stat, &reason);

        if (rc == 0)
            return fail_exists(transaction, err);
        if (rc != -ENOENT) {
            *err = reason;
            return fail_context(err, rc, "repository '%s'",
                                resolver_repository_name(resolver, i));
        }
    }
    return 0;
}

/* Is there still reason to wait for another's claim? */
static int is_wanted(void *arg, struct error *err)
{
    const struct transaction *transaction = arg;
    const struct publish_watch *watch = transaction->watch;
    int rc = watch->progress
                 ? watch->progress(watch->arg, PUBLISH_STEP_ARCHIVE, 0, 0, err)
                 : 0;

    return rc < 0 ? rc : check_absent(arg, err);
}

static void tell_wait(void *arg, const char *owner, int64_t at_most_s)
{
    const struct transaction *transaction = arg;
    CLEANUP_FREE char *sentence = xasprintf(
        "model %s was being published by %s; waiting for that claim to be given back, or "
        "to expire in %lld s at most",
        transaction->manifest->uid, owner, (long long)at_most_s);

    if (transaction->watch->warn)
        transaction->watch->warn(transaction->watch->arg, sentence);
}

static int take_claim(struct transaction *transaction, struct error *err)
{
    const struct claim_options options = {
        .lifetime_ms = transaction->options->claim_lifetime_ms,
        .is_wanted = is_wanted,
        .waits = tell_wait,
        .arg = transaction,
    };
    int rc =
        claim_take(transaction->backend, transaction->manifest->id,
                   transaction->manifest->version, &options, &transaction->claim, err);

    /* Once more: who had the claim before may have been quick. */
    return rc == 0 ? check_absent(transaction, err) : rc;
}

static int tell_packed(void *arg, uint64_t done, uint64_t total, struct error *err)
{
    const struct publish_watch *watch = arg;

    return watch->progress(watch->arg, PUBLISH_STEP_ARCHIVE, done, total, err);
}

static int pack(struct transaction *transaction, int folder_fd, struct error *err)
{
    const struct publish_watch *watch = transaction->watch;
    const struct pack_options options = {.progress = watch->progress ? tell_packed : NULL,
                                         .arg = (void *)watch,
                                         .avoided = transaction->options->avoided};
    int rc = spool_open(transaction->backend, transaction->options->spool,
                        &transaction->spool_fd, err);

    if (rc == 0)
        rc = pack_make(folder_fd, transaction->spool_fd, &options, &transaction->packed,
                       err);
    for (size_t i = 0; rc == 0 && watch->warn && i < transaction->packed.warning_count;
         i++)
        watch->warn(watch->arg, transaction->packed.warnings[i]);
    return rc < 0
               ? fail_context(err, rc, "archive of model %s", transaction->manifest->uid)
               : 0;
}

static int tell_sent(void *arg, uint64_t done, struct error *err)
{
    const struct transaction *transaction = arg;
    const struct publish_watch *watch = transaction->watch;

    return watch->progress(watch->arg, PUBLISH_STEP_UPLOAD, done,
                           transaction->packed.size, err);
}

/* What a crashed attempt left, yes; but not the files of who took the claim over while we
 * were asleep, nor of audmodel, which knows no claims and puts its header first. */
static int may_overwrite(void *arg, struct error *err)
{
    struct transaction *transaction = arg;
    int rc = claim_check(transaction->claim, err);

    return rc < 0 ? rc : check_absent(transaction, err);
}

static int put_archive(struct transaction *transaction, struct error *err)
{
    const struct upload_guard guard = {.may_overwrite = may_overwrite,
                                       .arg = transaction};
    const struct backend_content content = {
        .fd = transaction->spool_fd,
        .size = transaction->packed.size,
        .is_given = true,
        .progress = transaction->watch->progress ? tell_sent : NULL,
        .arg = transaction,
    };

    return upload_put(transaction->backend, transaction->archive_path, &content,
                      transaction->packed.md5, &guard, &transaction->archive_upload, err);
}

static int put_meta(struct transaction *transaction, struct error *err)
{
    const struct upload_guard guard = {.may_overwrite = may_overwrite,
                                       .arg = transaction};
    const struct backend_content content = {.data = transaction->meta.data,
                                            .size = transaction->meta.size};
    char md5[DIGEST_MD5_SIZE];
    int rc = digest_md5(content.data, (size_t)content.size, md5, err);

    return rc < 0 ? rc
                  : upload_put(transaction->backend, transaction->meta_path, &content,
                               md5, &guard, &transaction->meta_upload, err);
}

/* 1: the document in the repository is this text; 0: it is another, or none. */
static int has_text(const struct transaction *transaction, const char *path,
                    const struct bytes *ours, struct error *err)
{
    CLEANUP_BYTES struct bytes theirs;
    struct error reason = {0};
    int rc;

    bytes_init(&theirs, YAML_BYTES_MAX);
    rc = backend_get(transaction->backend, path, &theirs, &reason);
    if (rc == -EFBIG || rc == -ENOENT)
        return 0;
    if (rc < 0) {
        *err = reason;
        return rc;
    }
    return theirs.size == ours->size && memcmp(theirs.data, ours->data, ours->size) == 0;
}

/* 0: the header in the repository is ours; -EEXIST: it is another's. */
static int compare_header(const struct transaction *transaction, struct error *err)
{
    int rc = has_text(transaction, transaction->header_path, &transaction->header, err);

    return rc == 0  ? fail(err, EEXIST, "model '%s' was published by another meanwhile",
                           transaction->manifest->uid)
           : rc < 0 ? rc
                    : 0;
}

/* What fails may have been done all the same, if only the reply was lost: then the header
 * is ours, since nobody else may write it while we have the claim. */
static int put_header(struct transaction *transaction, struct error *err)
{
    const struct backend_content content = {.data = transaction->header.data,
                                            .size = transaction->header.size};
    struct error unsure = {0};
    int rc =
        guarded_create(transaction->backend, transaction->header_path, &content, err);

    if (rc == 0)
        return 0;
    if (compare_header(transaction, &unsure) == 0 &&
        claim_check(transaction->claim, &unsure) == 0)
        return 0;
    return rc == -EEXIST ? fail_exists(transaction, err) : rc;
}

static int write_all(struct transaction *transaction, struct error *err)
{
    int rc = put_archive(transaction, err);

    FAULT("publish.archive-put");
    if (rc == 0)
        rc = put_meta(transaction, err);
    FAULT("publish.meta-put");
    if (rc == 0)
        rc = upload_verify(transaction->backend, transaction->archive_path,
                           &transaction->archive_upload, err);
    if (rc == 0)
        rc = claim_check(transaction->claim, err);
    FAULT("publish.checked");
    if (rc == 0 && transaction->watch->appears)
        transaction->watch->appears(transaction->watch->arg);
    if (rc == 0)
        rc = put_header(transaction, err);
    FAULT("publish.header-put");
    return rc;
}

/* Only who holds the claim cleans up, and only while no header makes use of the files: it
 * may be audmodel's, which keeps a file that has the right checksum already. */
static void undo(struct transaction *transaction)
{
    struct error ignored; /* what stays is not seen, and used or replaced next time */
    struct backend_stat stat;

    if (backend_stat(transaction->backend, transaction->header_path, &stat, &ignored) !=
            -ENOENT ||
        claim_check(transaction->claim, &ignored) < 0)
        return;
    FAULT("publish.before-undo");
    upload_undo(transaction->backend, transaction->meta_path, &transaction->meta_upload);
    FAULT("publish.meta-undone");
    upload_undo(transaction->backend, transaction->archive_path,
                &transaction->archive_upload);
}

/* Programs that know no claims may have written over our files at the same time: then
 * this is not our model. */
static int check_published(struct transaction *transaction, struct error *err)
{
    int rc = compare_header(transaction, err);

    return rc == 0 ? upload_check(transaction->backend, transaction->archive_path,
                                  &transaction->archive_upload, err)
                   : rc;
}

static void fill_result(const struct transaction *transaction,
                        struct publish_result *ret_result)
{
    const struct manifest *manifest = transaction->manifest;

    *ret_result = (struct publish_result){.is_published = true,
                                          .release.repository = transaction->repository,
                                          .size = transaction->packed.size};
    snprintf(ret_result->release.id, sizeof ret_result->release.id, "%s", manifest->id);
    snprintf(ret_result->release.version, sizeof ret_result->release.version, "%s",
             manifest->version);
    memcpy(ret_result->md5, transaction->packed.md5, sizeof ret_result->md5);
}

/* The ID exists: did an attempt of ours get so far before it ended? */
static bool may_be_ours(const struct transaction *transaction)
{
    const struct manifest *manifest = transaction->manifest;
    const char *attempted = transaction->options->attempted;

    return (attempted && strcmp(attempted, manifest->uid) == 0) ||
           claim_is_left(transaction->backend, manifest->id, manifest->version);
}

/* 0: the repository has the archive that was just made; -EEXIST: it has another. */
static int compare_archive(const struct transaction *transaction, struct error *err)
{
    char found[BACKEND_CHECKSUM_MAX];
    struct backend_stat stat;
    int rc =
        backend_checksum(transaction->backend, transaction->archive_path, found, err);

    if (rc == 0)
        rc = backend_stat(transaction->backend, transaction->archive_path, &stat, err);
    if (rc == -ENOENT || rc == -ESTALE)
        return fail_exists(transaction, err);
    if (rc < 0)
        return rc;
    return stat.size == transaction->packed.size &&
                   strcmp(found, transaction->packed.md5) == 0
               ? 0
               : fail_exists(transaction, err);
}

/* The model is there already: is it what we would publish? Cheap questions first. */
static int finish_attempt(struct transaction *transaction, int folder_fd,
                          struct error *err)
{
    const struct claim_options options = {.lifetime_ms =
                                              transaction->options->claim_lifetime_ms};
    int rc =
        claim_take(transaction->backend, transaction->manifest->id,
                   transaction->manifest->version, &options, &transaction->claim, err);

    if (rc < 0)
        return rc;
    rc = has_text(transaction, transaction->header_path, &transaction->header, err);
    if (rc == 1)
        rc = has_text(transaction, transaction->meta_path, &transaction->meta, err);
    if (rc == 0)
        return fail_exists(transaction, err);
    if (rc == 1)
        rc = pack(transaction, folder_fd, err);
    if (rc == 0)
        rc = compare_archive(transaction, err);
    if (rc == 0)
        resolver_forget_model(transaction->options->resolver, transaction->manifest->id,
                              transaction->manifest->version);
    return rc;
}

static int run(struct transaction *transaction, int folder_fd, struct error *err)
{
    int rc = prepare(transaction, err);

    if (rc == 0)
        rc = check_absent(transaction, err);
    if (rc == -EEXIST && may_be_ours(transaction))
        return finish_attempt(transaction, folder_fd, err);
    if (rc == 0)
        rc = take_claim(transaction, err);
    FAULT("publish.claimed");
    if (rc == 0)
        rc = pack(transaction, folder_fd, err);
    FAULT("publish.packed");
    if (rc < 0)
        return rc;
    rc = write_all(transaction, err);
    if (rc < 0) {
        undo(transaction);
        return rc;
    }
    resolver_forget_model(transaction->options->resolver, transaction->manifest->id,
                          transaction->manifest->version);
    return check_published(transaction, err);
}

static int set_alias(const struct transaction *transaction,
                     const struct publish_result *result, struct error *err)
{
    int rc;

    FAULT("publish.before-alias");
    rc = alias_edit_set(transaction->options->resolver, transaction->manifest->alias,
                        &result->release, err);
    FAULT("publish.alias-set");
    return rc < 0 ? fail_context(err, rc, "model %s is published, but not its alias",
                                 transaction->manifest->uid)
                  : 0;
}

int transaction_run(const struct publish_options *options,
                    const struct manifest *manifest, int folder_fd,
                    const struct publish_watch *watch, struct publish_result *ret_result,
                    struct error *err)
{
    CLEANUP_WITH(transaction_done) struct transaction transaction;
    int rc;

    transaction_init(&transaction, options, manifest, watch);
    *ret_result = (struct publish_result){.is_published = false};
    rc = run(&transaction, folder_fd, err);
    if (rc < 0)
        return rc;
    fill_result(&transaction, ret_result);
    return manifest->alias ? set_alias(&transaction, ret_result, err) : 0;
}
