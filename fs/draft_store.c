/* draft_store.c: texts of metadata on disk, until the repository has them. */
#include "fs/draft_store.h"

#include "cache/layout.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/log.h"
#include "common/yaml.h"
#include "resolver/uid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_AT = 1024, NAME_SIZE = 32 };

_Static_assert(sizeof(struct draft_head) <= TEXT_AT, "the head has room");

static const char MAGIC[8] = "mfdraft";

static void print_name(uint64_t handle, char name[NAME_SIZE])
{
    snprintf(name, NAME_SIZE, "%016jx", (uintmax_t)handle);
}

int draft_store_open(const char *cache_root, struct error *err)
{
    return files_make_and_open(cache_root, LAYOUT_DRAFTS, 0700, err);
}

int draft_store_create(int store_fd, uint64_t handle, const struct draft_head *head)
{
    CLEANUP_CLOSE int fd = -1;
    char name[NAME_SIZE];
    struct error err = {0};

    if (store_fd < 0)
        return -1;
    print_name(handle, name);
    fd = openat(store_fd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && draft_store_set(fd, head))
        return steal_fd(&fd);
    (void)fail_errno(&err, "keep metadata that is being written in '%s/%s'",
                     LAYOUT_DRAFTS, name);
    log_warning("%s; ignoring", err.message);
    return -1;
}

bool draft_store_set(int fd, const struct draft_head *head)
{
    struct draft_head whole = *head;
    struct error unused = {0};

    memcpy(whole.magic, MAGIC, sizeof whole.magic);
    return fd < 0 || files_pwrite(fd, &whole, sizeof whole, 0, &unused) == 0;
}

bool draft_store_put(int fd, const void *data, size_t size, uint64_t offset)
{
    struct error unused = {0};

    return fd < 0 || files_pwrite(fd, data, size, TEXT_AT + offset, &unused) == 0;
}

bool draft_store_cut(int fd, uint64_t size)
{
    return fd < 0 || ftruncate(fd, (off_t)(TEXT_AT + size)) == 0;
}

void draft_store_remove(int store_fd, uint64_t handle)
{
    char name[NAME_SIZE];

    print_name(handle, name);
    if (store_fd >= 0)
        (void)unlinkat(store_fd, name, 0); /* there may be none */
}

static bool is_head(struct draft_head *head)
{
    struct error unused = {0};
    struct uid uid;

    head->owner[sizeof head->owner - 1] = '\0';
    head->uid[sizeof head->uid - 1] = '\0';
    return memcmp(head->magic, MAGIC, sizeof head->magic) == 0 &&
           uid_parse_target(head->uid, &uid, &unused) == 0;
}

static int read_draft(int fd, struct draft_head *head, struct bytes *text,
                      struct error *err)
{
    struct stat st;
    int rc = fstat(fd, &st) < 0 ? fail_errno(err, "look at it") : 0;

    if (rc == 0 && !S_ISREG(st.st_mode))
        rc = fail(err, EINVAL, "no regular file");
    if (rc == 0)
        rc = files_pread(fd, head, sizeof *head, 0, err);
    if (rc == 0 && (!is_head(head) || st.st_size > TEXT_AT + (off_t)YAML_BYTES_MAX))
        rc = fail(err, EINVAL, "it makes no sense");
    if (rc < 0 || st.st_size <= TEXT_AT)
        return rc;
    rc = bytes_reserve(text, (size_t)(st.st_size - TEXT_AT), err);
    if (rc == 0)
        rc = files_pread(fd, text->data, (size_t)(st.st_size - TEXT_AT), TEXT_AT, err);
    if (rc == 0) {
        text->size = (size_t)(st.st_size - TEXT_AT);
        text->data[text->size] = '\0';
    }
    return rc;
}

struct taking {
    draft_store_found *found;
    void *arg;
};

static int take_up(void *arg, int store_fd, const char *name, struct error *err)
{
    const struct taking *taking = arg;
    struct draft_head head = {.magic = ""};
    CLEANUP_BYTES struct bytes text;
    CLEANUP_CLOSE int fd = -1;
    uint64_t handle;
    char again[NAME_SIZE];

    bytes_init(&text, YAML_BYTES_MAX);
    if (sscanf(name, "%16jx", (uintmax_t *)&handle) != 1)
        return 0;
    print_name(handle, again);
    if (strcmp(name, again) != 0)
        return 0;
    fd = files_open_beneath(store_fd, name, O_RDWR, 0, err);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
        return 0; /* of a mount that lives */
    if (fd >= 0 && read_draft(fd, &head, &text, err) == 0) {
        taking->found(taking->arg, handle, steal_fd(&fd), &head, &text);
        return 0;
    }
    log_warning("'%s/%s' is no metadata that was being written: %s; removing it",
                LAYOUT_DRAFTS, name, err->message);
    (void)files_remove_tree(store_fd, name, err); /* or the next time */
    return 0;
}

void draft_store_each(int store_fd, draft_store_found *found, void *arg)
{
    struct taking taking = {.found = found, .arg = arg};
    struct error err;

    if (store_fd >= 0 && files_list(store_fd, ".", take_up, &taking, &err) < 0)
        log_warning("metadata that was being written: %s; ignoring", err.message);
}
