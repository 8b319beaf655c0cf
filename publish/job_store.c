/* job_store.c: the records of publish jobs in a folder, one file a job. */
#include "publish/job_store.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* So that a job may be called ".". */
#define SUFFIX ".job"

static void print_name(const char *job, char name[NAME_MAX + 8])
{
    snprintf(name, NAME_MAX + 8, "%s" SUFFIX, job);
}

void job_store_save(int folder_fd, const char *job, const struct job_record *record,
                    enum job_store_how how)
{
    CLEANUP_BYTES struct bytes text;
    char name[NAME_MAX + 8];
    struct error err = {0};
    int rc;

    bytes_init(&text, JOB_RECORD_BYTES_MAX);
    if (folder_fd < 0)
        return;
    print_name(job, name);
    rc = job_record_print(record, &text, &err);
    if (rc == 0)
        rc = how == JOB_STORE_SYNC
                 ? files_replace(folder_fd, name, text.data, text.size, 0600, &err)
                 : files_replace_unsynced(folder_fd, name, text.data, text.size, 0600,
                                          &err);
    if (rc < 0)
        log_warning("publish job '%s': cannot keep its state: %s; ignoring", job,
                    err.message);
}

void job_store_remove(int folder_fd, const char *job)
{
    char name[NAME_MAX + 8];

    if (folder_fd < 0)
        return;
    print_name(job, name);
    (void)unlinkat(folder_fd, name, 0); /* there may be none */
}

/* 0, or why name holds no record. */
static int read_record(int folder_fd, const char *name, struct job_record *ret_record,
                       struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    CLEANUP_CLOSE int fd = files_open_beneath(folder_fd, name, O_RDONLY, 0, err);
    struct stat st;
    int rc = fd < 0 ? fd : 0;

    bytes_init(&text, JOB_RECORD_BYTES_MAX);
    if (rc == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
        rc = fail(err, EINVAL, "no regular file");
    if (rc == 0)
        rc = files_read_fd(fd, &text, err);
    return rc < 0 ? rc : job_record_parse(text.data, text.size, ret_record, err);
}

static bool is_name(const char *name, char job[NAME_MAX + 1])
{
    size_t size = strlen(name), end = sizeof SUFFIX - 1;

    if (size <= end || strcmp(name + size - end, SUFFIX) != 0)
        return false;
    snprintf(job, NAME_MAX + 1, "%.*s", (int)(size - end), name);
    return true;
}

struct loading {
    job_store_each *each;
    void *arg;
};

static int load(void *arg, int folder_fd, const char *name, struct error *err)
{
    const struct loading *loading = arg;
    char job[NAME_MAX + 1];
    struct job_record record;

    if (!is_name(name, job))
        return 0;
    if (read_record(folder_fd, name, &record, err) == 0) {
        loading->each(loading->arg, job, &record);
        return 0;
    }
    log_warning("'%s' is no record of a publish job: %s; removing it", name,
                err->message);
    (void)files_remove_tree(folder_fd, name, err); /* or the next time */
    return 0;
}

int job_store_load(int folder_fd, job_store_each *each, void *arg, struct error *err)
{
    struct loading loading = {.each = each, .arg = arg};
    int rc = files_list(folder_fd, ".", load, &loading, err);

    return rc < 0 ? fail_context(err, rc, "the folder of publish jobs") : 0;
}
