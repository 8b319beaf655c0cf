/* staging_list.c: reads a staged folder, and adds the reports of jobs at the top. */
#include "fs/staging_list.h"

#include "common/cleanup.h"
#include "fs/place.h"
#include "fs/staging_attr.h"
#include "fs/staging_job.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAMES_BYTES_MAX = 256 << 20 };

/* The places behind reports follow from their names: a process that goes on where another
 * ended finds the same, whatever came and went since. Those of a disk are hashes or small
 * numbers; one in 2^31 of them lies here. */
#define REPORTS ((uint64_t)1 << 62)

static uint64_t report_place(const char *name)
{
    return REPORTS + (uint32_t)place_inode(name);
}

struct staged_name {
    size_t name; /* offset in text */
    uint64_t next;
    uint64_t inode;
    mode_t type;
};

static int add(struct staged_names *names, const char *name, struct staged_name added,
               struct error *err)
{
    struct staged_name *all;
    int rc;

    if (names->count == names->capacity) {
        size_t capacity = names->capacity ? names->capacity * 2 : 64;

        all = reallocarray(names->all, capacity, sizeof *all);
        if (!all)
            return fail(err, ENOMEM, "no memory for %zu names", capacity);
        names->all = all;
        names->capacity = capacity;
    }
    added.name = names->text.size;
    names->all[names->count] = added;
    rc = bytes_append(&names->text, name, strlen(name) + 1, err);
    names->count += rc == 0;
    return rc;
}

static bool is_report(uint64_t place)
{
    return place >= REPORTS && place <= REPORTS + UINT32_MAX;
}

static int add_reports_of(struct fs *fs, enum job_report report, uint64_t after,
                          struct staged_names *names, struct error *err)
{
    CLEANUP_BYTES struct bytes jobs;
    char name[NAME_MAX + 16];
    int rc;

    bytes_init(&jobs, NAMES_BYTES_MAX);
    rc = job_names(fs->staging->board, report, &jobs, err);
    for (size_t at = 0; rc == 0 && at < jobs.size; at += strlen(jobs.data + at) + 1) {
        snprintf(name, sizeof name, "%s%s", jobs.data + at, staging_job_suffixes[report]);
        if (report_place(name) > after)
            rc = add(names, name,
                     (struct staged_name){.next = report_place(name),
                                          .inode = place_inode(name),
                                          .type = S_IFREG},
                     err);
    }
    return rc;
}

static int compare_places(const void *left, const void *right)
{
    const struct staged_name *a = left, *b = right;

    return a->next < b->next ? -1 : a->next > b->next;
}

/* Before the manifests, with which they go: who removes what is listed finds them. */
static int add_reports(struct fs *fs, uint64_t after, struct staged_names *names,
                       struct error *err)
{
    int rc = 0;

    for (enum job_report i = 0; rc == 0 && i < JOB_REPORTS; i++)
        rc = add_reports_of(fs, i, after, names, err);
    if (names->count > 0)
        qsort(names->all, names->count, sizeof *names->all, compare_places);
    return rc;
}

static int read_folder(DIR *dir, struct staged_names *names, struct error *err)
{
    const struct dirent *entry;
    int rc = 0;

    while (rc == 0 && (errno = 0, entry = readdir(dir)) != NULL)
        rc = add(names, entry->d_name,
                 (struct staged_name){.next = (uint64_t)entry->d_off,
                                      .inode = staging_inode(entry->d_ino),
                                      .type = (mode_t)DTTOIF(entry->d_type)},
                 err);
    if (rc == 0 && errno)
        return fail_errno(err, "read a staged folder");
    return rc;
}

int staged_names_check(struct fs *fs, uint64_t number, struct error *err)
{
    CLEANUP_CLOSE int fd = -1;

    if (staging_node_is_dead(fs->staging->nodes, number))
        return 0;
    fd = staging_disk_folder(fs->staging->disk, number, err);
    return fd < 0 ? fd : 0;
}

/* The folder from that place on. */
static int open_after(struct fs *fs, uint64_t number, uint64_t after, DIR **ret_dir,
                      struct error *err)
{
    int fd = staging_disk_folder(fs->staging->disk, number, err);
    int rc;

    if (fd < 0)
        return fd;
    *ret_dir = lseek(fd, (off_t)after, SEEK_SET) < 0 ? NULL : fdopendir(fd);
    if (*ret_dir)
        return 0;
    rc = fail_errno(err, "read a staged folder");
    close(fd);
    return rc;
}

int staged_names_read(struct fs *fs, uint64_t number, uint64_t after,
                      struct staged_names *ret_names, struct error *err)
{
    CLEANUP_CLOSEDIR DIR *dir = NULL;
    int rc = 0;

    *ret_names = (struct staged_names){.count = 0};
    bytes_init(&ret_names->text, NAMES_BYTES_MAX);
    if (staging_node_is_dead(fs->staging->nodes, number))
        return 0;
    if (number == 0 && (after == 0 || is_report(after))) {
        rc = add_reports(fs, after, ret_names, err);
        after = 0;
    }
    if (rc == 0)
        rc = open_after(fs, number, after, &dir, err);
    return rc == 0 ? read_folder(dir, ret_names, err) : rc;
}

void staged_names_done(struct staged_names *names)
{
    if (names->text.limit)
        bytes_done(&names->text);
    free(names->all);
}

const char *staged_names_get(const struct staged_names *names, size_t position)
{
    return names->text.data + names->all[position].name;
}

uint64_t staged_names_next(const struct staged_names *names, size_t position)
{
    return names->all[position].next;
}

bool staged_names_attr(const struct staged_names *names, size_t position,
                       struct stat *ret_attr)
{
    *ret_attr = (struct stat){.st_ino = names->all[position].inode,
                              .st_mode = names->all[position].type};
    return true;
}
