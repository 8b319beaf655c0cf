/* staging_job.c: from a manifest in @staging to a published model. */
#include "fs/staging_job.h"

#include "cache/layout.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/files.h"
#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"
#include "fs/device.h"
#include "fs/failures.h"
#include "fs/invalidate.h"
#include "fs/links.h"
#include "fs/staging_attr.h"
#include "publish/job_print.h"
#include "publish/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const staging_job_suffixes[JOB_REPORTS] = {
    [JOB_STATUS] = ".status", [JOB_RESULT] = ".result"};

/* For the kernel to hear of a publish: a change of the same alias that waits for its
 * repository can keep it from that. */
enum { TELL_MS = 3000 };

static const struct place landing = {.kind = NODE_STAGING};

static void print_manifest_name(const char *job, char name[NAME_MAX + 8])
{
    snprintf(name, NAME_MAX + 8, "%s.yaml", job);
}

/* These two run on a job's thread. */
static int read_manifest(void *arg, const char *job, struct bytes *text,
                         struct error *err)
{
    struct fs *fs = arg;
    char name[NAME_MAX + 8];
    CLEANUP_CLOSE int fd = -1;
    int rc;

    print_manifest_name(job, name);
    fd = files_open_beneath(staging_disk_fd(fs->staging->disk), name, O_RDONLY, 0, err);
    if (fd < 0)
        return fd;
    rc = files_read_fd(fd, text, err);
    return rc < 0 ? fail_context(err, rc, "manifest '%s'", name) : 0;
}

static int open_folder(void *arg, const char *job, struct error *err)
{
    struct fs *fs = arg;
    int rc = files_open_beneath(staging_disk_fd(fs->staging->disk), job,
                                O_RDONLY | O_DIRECTORY, 0, err);

    return rc < 0 ? fail_context(err, rc, "there is no folder for the manifest") : rc;
}

/* The folder goes in one step, so that a kill leaves all of it or nothing; then the
 * manifest. What is gone already went before a crash. What cannot be removed is removed
 * when the next mount starts. */
static void remove_job(struct fs *fs, const char *job, struct error *err)
{
    struct staging *staging = fs->staging;
    int landing_fd = staging_disk_fd(staging->disk);
    int trash_fd = staging_disk_trash_fd(staging->disk);
    char name[NAME_MAX + 8], trash[NAME_MAX + 1];

    print_manifest_name(job, name);
    snprintf(trash, sizeof trash, "job-%.200s", job);
    FAULT("staging.published.before-remove");
    staging_handles_lose_top(staging->handles, job);
    staging_handles_lose_top(staging->handles, name);
    (void)files_remove_tree(trash_fd, trash, &(struct error){0}); /* of a crash */
    if (renameat(landing_fd, job, trash_fd, trash) < 0 && errno != ENOENT)
        (void)fail_errno(err, "remove '%s'", job);
    FAULT("staging.published.before-manifest");
    if (unlinkat(landing_fd, name, 0) < 0 && errno != ENOENT)
        (void)fail_errno(err, "remove '%s'", name);
    (void)files_remove_tree(trash_fd, trash, &(struct error){0});
}

/* May anybody have a file of the job open for writing? */
static bool has_writers(struct fs *fs, const char *job)
{
    return fs->staging->is_successor ||
           staging_handles_has_writers_below(fs->staging->handles, job);
}

/* From now on it is served from the cache. What cannot be taken over is fetched when it
 * is read. Without a folder that was done before a crash. */
static void put_in_cache(struct fs *fs, const char *job, const struct release *release)
{
    CLEANUP_CLOSE int folder_fd = -1;
    struct error err = {0};
    int rc = folder_fd = open_folder(fs, job, &err);

    if (rc == -ENOENT)
        return;
    if (rc >= 0 && release->repository >= resolver_repository_count(fs->resolver))
        rc = fail(&err, ENOENT, "its repository is not configured any more");
    if (rc >= 0)
        rc = cache_adopt(fs->cache, fs->resolver, release, folder_fd,
                         has_writers(fs, job) ? CACHE_ADOPT_COPY : CACHE_ADOPT_SHARE,
                         &err);
    if (rc < 0)
        log_warning("publish job '%s': its model is not in the cache yet: %s; ignoring",
                    job, err.message);
}

/* What the kernel may hold for missing, or for the latest. A folder that was there before
 * is not touched: who works in it could not tell its path any more. */
static void tell_model(struct fs *fs, const struct job_made *made)
{
    static const enum node_kind kinds[][2] = {
        {NODE_ROOT, NODE_MODEL     },
        {NODE_INFO, NODE_INFO_MODEL},
    };
    const struct release *release = &made->release;
    char uid[RELEASE_UID_SIZE];

    release_print_uid(release, uid);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct place top = {.kind = kinds[i][0]};
        struct place model = {.kind = kinds[i][1], .name = release->id};

        if (!made->had_model)
            invalidate_entry(fs, &top, release->id);
        invalidate_entry(fs, &top, uid);
        invalidate_entry(fs, &model, "latest");
        invalidate_entry(fs, &model, release->version);
    }
}

static void tell_alias(struct fs *fs, const struct job_made *made)
{
    static const enum node_kind kinds[] = {NODE_ALIAS, NODE_INFO_ALIAS};
    const char *alias = made->alias;

    if (!alias[0])
        return;
    if (!made->alias_before[0])
        invalidate_entry(fs, &(struct place){.kind = NODE_ROOT}, alias);
    links_tell_alias(fs, alias, made->alias_before, made->release.id);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        invalidate_entry(fs, &(struct place){.kind = kinds[i], .name = alias},
                         made->release.version);
}

/* Before the result can be read: who has it may look at once. The job's names go last:
 * from then on a new job wants them, and is not to wait for changes of an alias. */
static void published(void *arg, const char *job, const struct job_made *made)
{
    int64_t deadline_ms = clock_now_ms() + TELL_MS;
    struct fs *fs = arg;
    char name[NAME_MAX + 8];
    struct error err = {0};

    put_in_cache(fs, job, &made->release);
    tell_model(fs, made);
    tell_alias(fs, made);
    (void)invalidate_wait(fs->invalidate, deadline_ms);
    remove_job(fs, job, &err);
    if (err.code)
        log_warning("publish job '%s': %s; ignoring", job, err.message);
    print_manifest_name(job, name);
    invalidate_entry(fs, &landing, job);
    invalidate_entry(fs, &landing, name);
    if (!invalidate_wait(fs->invalidate, deadline_ms))
        log_debug("publish job '%s' ends before the kernel knows all of it", job);
}

static void ended(void *arg, const char *job, const struct error *failure)
{
    struct fs *fs = arg;
    struct error err;

    if (!failure) {
        log_info("publish job '%s' is done", job);
        return;
    }
    err = *failure;
    (void)fail_context(&err, -err.code, "publish job '%s'", job);
    failures_note(fs->failures, err.message);
}

/* Manifests that were there before this mount wait to be touched. */
static int find_manifest(void *arg, int folder_fd, const char *name, struct error *err)
{
    struct staging *staging = arg;
    char job[NAME_MAX + 1];

    (void)folder_fd; /* nothing is opened yet */
    return staging_job_of(name, ".yaml", job) ? job_add(staging->board, job, err) : 0;
}

/* All workers of a mount are children of one process. */
int staging_job_open(struct fs *fs, struct staging *staging, struct error *err)
{
    char owner[PROCESS_NAME_SIZE];
    int rc = staging->jobs_fd =
        files_make_and_open(fs->options.cache_root, LAYOUT_JOBS, 0700, err);

    if (rc < 0)
        return fail_context(err, rc, "@staging");
    staging->spool = xasprintf("%s/%s", fs->options.cache_root, LAYOUT_JOBS);
    process_name_of(getppid(), owner);
    rc = job_board_open(
        &(struct job_options){
            .resolver = fs->resolver,
            .spool = staging->spool,
            .folder_fd = staging->jobs_fd,
            .avoided = device_number(fs->options.mountpoint),
            .owner = owner,
            .predecessor = fs->options.handover->block->supervisor_before,
            .read = read_manifest,
            .open = open_folder,
            .published = published,
            .ended = ended,
            .arg = fs,
        },
        &staging->board, err);
    return rc < 0 ? rc
                  : files_list(staging_disk_fd(staging->disk), ".", find_manifest,
                               staging, err);
}

static void forget_reports(struct fs *fs, const char *job)
{
    char name[NAME_MAX + 8];

    for (enum job_report i = 0; i < JOB_REPORTS; i++) {
        snprintf(name, sizeof name, "%s%s", job, staging_job_suffixes[i]);
        invalidate_entry(fs, &landing, name);
    }
}

static void add(struct fs *fs, const char *job)
{
    struct error err = {0};

    if (job_add(fs->staging->board, job, &err) < 0)
        failures_note(fs->failures, err.message);
}

bool staging_job_appeared(struct fs *fs, const char *name)
{
    char job[NAME_MAX + 1];

    if (!staging_job_of(name, ".yaml", job))
        return false;
    add(fs, job);
    return true;
}

void staging_job_vanished(struct fs *fs, const char *name)
{
    char job[NAME_MAX + 1];

    if (!staging_job_of(name, ".yaml", job))
        return;
    job_forget(fs->staging->board, job);
    forget_reports(fs, job);
}

/* Who removes both reports has the job forgotten, and may have the manifest still. */
static void remember(struct fs *fs, const char *job)
{
    if (!job_is_known(fs->staging->board, job))
        add(fs, job);
}

void staging_job_start(struct fs *fs, const char *name)
{
    struct error err = {0};
    char job[NAME_MAX + 1];

    if (!staging_job_of(name, ".yaml", job))
        return;
    remember(fs, job);
    if (job_start(fs->staging->board, job, &err) < 0)
        failures_note(fs->failures, err.message);
}

void staging_job_closing(struct fs *fs, const char *name)
{
    char job[NAME_MAX + 1];

    if (!staging_job_of(name, ".yaml", job))
        return;
    remember(fs, job);
    job_expect(fs->staging->board, job);
}

void staging_job_resume(struct fs *fs)
{
    job_resume(fs->staging->board);
}

bool staging_job_has_report(struct fs *fs, const char *name, char ret_job[NAME_MAX + 1],
                            enum job_report *ret_report)
{
    for (enum job_report i = 0; i < JOB_REPORTS; i++) {
        if (!staging_job_of(name, staging_job_suffixes[i], ret_job))
            continue;
        *ret_report = i;
        return job_has_report(fs->staging->board, ret_job, i);
    }
    return false;
}

int staging_job_check(int fd, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct stat st;
    int rc;

    bytes_init(&text, MANIFEST_BYTES_MAX);
    if (fstat(fd, &st) < 0)
        return fail_errno(err, "look at a manifest");
    if (st.st_size > MANIFEST_BYTES_MAX)
        return fail(err, EINVAL, "manifest: it has more than %d bytes",
                    MANIFEST_BYTES_MAX);
    rc = bytes_reserve(&text, (size_t)st.st_size, err);
    if (rc == 0) /* the descriptor's offset is everybody's */
        rc = files_pread(fd, text.data, (size_t)st.st_size, 0, err);
    if (rc < 0 || st.st_size == 0)
        return rc;
    text.size = (size_t)st.st_size;
    return job_check(text.data, text.size, err) < 0 ? -EINVAL : 0;
}

int staging_job_read(struct fs *fs, const struct call *call, const struct place *place,
                     enum resolve_how how, struct answer *answer, struct error *err)
{
    struct bytes *text = &answer->bytes;
    int rc;

    (void)how;
    answer->kind = ANSWER_BYTES;
    if (place->kind == NODE_STAGING_STATUS)
        rc = job_print_status(fs->staging->board, place->name, text, err);
    else
        rc = job_print_result(fs->staging->board, place->name, text, err);
    if (rc == -EINPROGRESS)
        return CALL_WANT_JOB;
    if (rc == 0)
        bytes_cut(text, call->offset, call->size);
    return rc;
}
