/* memory_backend.c: a sorted array of paths, each with its bytes. */
#include "tests/fakes/memory_backend.h"

#include "backends/digest.h"
#include "backends/plain.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
    char *path;
    char *data;
    size_t size;
    unsigned long long revision; /* of the backend when it was put */
    int64_t put_s;
};

struct memory {
    struct backend base;
    struct lock lock;
    struct file *files; /* guarded by lock; sorted by path */
    size_t count;       /* guarded by lock */
    unsigned long long revision;
    int64_t now_s;      /* guarded by lock; when the clock was set */
    int64_t second_ms;  /* guarded by lock; of the running clock, 0: it stands */
    int64_t started_ms; /* guarded by lock */
    bool has_no_conditions;
    bool keeps_connections;
    struct link *link; /* NULL: none; constant before the first read */
};

struct memory_object {
    struct object base;
    char *path;
};

static int64_t now_locked(const struct memory *memory) REQUIRES(memory->lock)
{
    return memory->second_ms
               ? memory->now_s + (clock_now_ms() - memory->started_ms) / memory->second_ms
               : memory->now_s;
}

/* The place of path, or where it would be inserted. */
static size_t find_locked(const struct memory *memory, const char *path, bool *ret_found)
    REQUIRES(memory->lock)
{
    size_t low = 0, high = memory->count;

    *ret_found = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(path, memory->files[middle].path);

        if (order == 0) {
            *ret_found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static int stat_locked(const struct memory *memory, const char *path,
                       struct backend_stat *ret_stat, struct error *err)
    REQUIRES(memory->lock)
{
    bool found;
    size_t at = find_locked(memory, path, &found);

    if (!found)
        return fail(err, ENOENT, "'%s' does not exist", path);
    *ret_stat = (struct backend_stat){.size = memory->files[at].size,
                                      .mtime_s = memory->files[at].put_s};
    snprintf(ret_stat->tag, sizeof ret_stat->tag, "%llu", memory->files[at].revision);
    return 0;
}

static int memory_open(const struct backend_options *options,
                       struct backend **ret_backend, struct error *err)
{
    (void)options; /* nothing to choose */
    (void)err;     /* cannot fail */
    *ret_backend = memory_backend_new();
    return 0;
}

static void memory_close(struct backend *backend)
{
    struct memory *memory = (struct memory *)backend;

    for (size_t i = 0; i < memory->count; i++) {
        free(memory->files[i].path);
        free(memory->files[i].data);
    }
    free(memory->files);
    lock_done(&memory->lock);
    free(memory);
}

static int memory_stat(struct backend *backend, const char *path,
                       struct backend_stat *ret_stat, struct error *err)
{
    struct memory *memory = (struct memory *)backend;

    lock_acquire(&memory->lock);
    int rc = stat_locked(memory, path, ret_stat, err);
    lock_release(&memory->lock);
    return rc;
}

static int memory_checksum(struct backend *backend, const char *path,
                           char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err)
{
    struct memory *memory = (struct memory *)backend;
    bool found;
    size_t at;
    int rc;

    lock_acquire(&memory->lock);
    at = find_locked(memory, path, &found);
    rc = found ? digest_md5(memory->files[at].data, memory->files[at].size, ret_md5, err)
               : fail(err, ENOENT, "'%s' does not exist", path);
    lock_release(&memory->lock);
    return rc;
}

/* The children of prefix, copied. Those of one folder stand side by side. */
static size_t children_locked(const struct memory *memory, const char *prefix,
                              struct backend_entry **ret_entries) REQUIRES(memory->lock)
{
    struct backend_entry *entries = xcalloc(memory->count + 1, sizeof *entries);
    size_t count = 0, prefix_size = strlen(prefix);
    bool found;

    for (size_t i = find_locked(memory, prefix, &found); i < memory->count; i++) {
        const char *last = count > 0 ? entries[count - 1].name : "";
        const char *name;
        size_t size;

        if (strncmp(memory->files[i].path, prefix, prefix_size) != 0)
            break;
        name = memory->files[i].path + prefix_size;
        size = strcspn(name, "/");
        if (strncmp(last, name, size) == 0 && last[size] == '\0')
            continue;
        entries[count++] = (struct backend_entry){
            .name = xstrndup(name, size),
            .is_folder = name[size] == '/',
            .size = name[size] == '/' ? 0 : memory->files[i].size,
        };
    }
    *ret_entries = entries;
    return count;
}

static int memory_list(struct backend *backend, const char *folder, backend_each *each,
                       void *arg, struct error *err)
{
    struct memory *memory = (struct memory *)backend;
    CLEANUP_FREE char *prefix = xasprintf("%s%s", folder, folder[0] ? "/" : "");
    CLEANUP_FREE struct backend_entry *entries = NULL;
    size_t count;
    int rc = 0;

    lock_acquire(&memory->lock);
    count = children_locked(memory, prefix, &entries);
    lock_release(&memory->lock);
    for (size_t i = 0; i < count; i++) {
        if (rc == 0)
            rc = each(arg, &entries[i], err);
        free((char *)entries[i].name);
    }
    if (count == 0 && folder[0])
        return fail(err, ENOENT, "folder '%s' does not exist", folder);
    return rc;
}

static int put_locked(struct memory *memory, const char *path, char *take_data,
                      size_t size, enum backend_put_flags flags, struct error *err)
    REQUIRES(memory->lock)
{
    bool found;
    size_t at = find_locked(memory, path, &found);

    if (found && (flags & BACKEND_PUT_IF_ABSENT)) {
        free(take_data);
        return fail(err, EEXIST, "'%s' exists", path);
    }
    if (!found) {
        memory->files =
            realloc(memory->files, (memory->count + 1) * sizeof *memory->files);
        if (!memory->files)
            abort();
        memmove(memory->files + at + 1, memory->files + at,
                (memory->count - at) * sizeof *memory->files);
        memory->count++;
        memory->files[at] = (struct file){.path = xstrdup(path)};
    }
    free(memory->files[at].data);
    memory->files[at].data = take_data;
    memory->files[at].size = size;
    memory->files[at].revision = ++memory->revision;
    memory->files[at].put_s = now_locked(memory);
    return 0;
}

static int copy_content(const struct backend_content *content, char **ret_data,
                        struct error *err)
{
    CLEANUP_FREE char *data = xcalloc(1, (size_t)content->size + 1);
    int rc = 0;

    if (content->data)
        memcpy(data, content->data, (size_t)content->size);
    else
        rc = files_pread(content->fd, data, (size_t)content->size, 0, err);
    if (rc == 0)
        *ret_data = steal_ptr(&data);
    return rc;
}

static int memory_put(struct backend *backend, const char *path,
                      const struct backend_content *content, enum backend_put_flags flags,
                      struct error *err)
{
    struct memory *memory = (struct memory *)backend;
    char *data;
    int rc;

    if (memory->has_no_conditions && (flags & BACKEND_PUT_IF_ABSENT))
        return fail(err, ENOTSUP, "memory without conditional writes");
    rc = copy_content(content, &data, err);
    if (rc < 0)
        return rc;
    lock_acquire(&memory->lock);
    rc = put_locked(memory, path, data, (size_t)content->size, flags, err);
    lock_release(&memory->lock);
    return rc;
}

static int remove_locked(struct memory *memory, const char *path, struct error *err)
    REQUIRES(memory->lock)
{
    bool found;
    size_t at = find_locked(memory, path, &found);

    if (!found)
        return fail(err, ENOENT, "'%s' does not exist", path);
    free(memory->files[at].path);
    free(memory->files[at].data);
    memory->count--;
    memmove(memory->files + at, memory->files + at + 1,
            (memory->count - at) * sizeof *memory->files);
    return 0;
}

static int memory_replace(struct backend *backend, const char *path,
                          const struct backend_content *content, const char *expected_tag,
                          struct error *err)
{
    struct memory *memory = (struct memory *)backend;
    CLEANUP_FREE char *data = NULL;
    struct backend_stat now;
    int rc;

    if (memory->has_no_conditions)
        return fail(err, ENOTSUP, "memory without conditional writes");
    rc = content ? copy_content(content, &data, err) : 0;
    if (rc < 0)
        return rc;
    lock_acquire(&memory->lock);
    if (stat_locked(memory, path, &now, err) < 0 || strcmp(now.tag, expected_tag) != 0)
        rc = fail(err, ESTALE, "'%s' was replaced", path);
    else if (content)
        rc = put_locked(memory, path, steal_ptr(&data), (size_t)content->size, 0, err);
    else
        rc = remove_locked(memory, path, err);
    lock_release(&memory->lock);
    return rc;
}

static int memory_remove(struct backend *backend, const char *path, struct error *err)
{
    struct memory *memory = (struct memory *)backend;

    lock_acquire(&memory->lock);
    int rc = remove_locked(memory, path, err);
    lock_release(&memory->lock);
    return rc;
}

static int memory_spool(struct backend *backend, int *ret_fd, struct error *err)
{
    (void)backend;
    (void)ret_fd;
    return fail(err, ENOTSUP, "memory is no disk");
}

static int memory_now(struct backend *backend, int64_t *ret_now_s, struct error *err)
{
    struct memory *memory = (struct memory *)backend;

    (void)err; /* cannot fail */
    lock_acquire(&memory->lock);
    *ret_now_s = now_locked(memory);
    lock_release(&memory->lock);
    return 0;
}

static int memory_object_open(struct backend *backend, const char *path,
                              struct object **ret_object, struct error *err)
{
    struct backend_stat stat;
    struct memory_object *object;
    int rc = memory_stat(backend, path, &stat, err);

    if (rc < 0)
        return rc;
    object = XNEW(struct memory_object);
    object->base = (struct object){
        .backend = backend,
        .stat = stat,
        .has_another = ((struct memory *)backend)->keeps_connections,
    };
    object->path = xstrdup(path);
    *ret_object = &object->base;
    return 0;
}

static int check_locked(const struct memory *memory, const struct memory_object *object,
                        struct error *err) REQUIRES(memory->lock)
{
    struct error missing;
    struct backend_stat now;

    if (stat_locked(memory, object->path, &now, &missing) < 0 ||
        strcmp(now.tag, object->base.stat.tag) != 0)
        return fail(err, ESTALE, "'%s' was replaced", object->path);
    return 0;
}

/* A copy of the bytes, so that the sink runs without the lock. */
static int copy_locked(const struct memory *memory, const struct memory_object *object,
                       struct range range, char **ret_data, struct error *err)
    REQUIRES(memory->lock)
{
    int rc = check_locked(memory, object, err);
    bool found;
    size_t at, size = (size_t)(range.last - range.first + 1);

    if (rc < 0)
        return rc;
    if (range.last >= object->base.stat.size)
        return fail(err, EIO, "'%s' ends before byte %llu", object->path,
                    (unsigned long long)range.last);
    at = find_locked(memory, object->path, &found);
    *ret_data = xcalloc(1, size);
    memcpy(*ret_data, memory->files[at].data + range.first, size);
    return 0;
}

static int memory_object_read(struct object *base, struct range range, struct sink *to,
                              struct error *err)
{
    struct memory_object *object = (struct memory_object *)base;
    struct memory *memory = (struct memory *)base->backend;
    CLEANUP_FREE char *data = NULL;

    lock_acquire(&memory->lock);
    int rc = copy_locked(memory, object, range, &data, err);
    lock_release(&memory->lock);
    if (rc < 0)
        return rc;
    return link_feed(memory->link, data, (size_t)(range.last - range.first + 1), to, err);
}

static int memory_object_check(struct object *base, struct error *err)
{
    struct memory *memory = (struct memory *)base->backend;

    lock_acquire(&memory->lock);
    int rc = check_locked(memory, (struct memory_object *)base, err);
    lock_release(&memory->lock);
    return rc;
}

static int memory_object_fd(struct object *object)
{
    (void)object; /* never a local file */
    return -1;
}

static void memory_object_close(struct object *base)
{
    struct memory_object *object = (struct memory_object *)base;

    free(object->path);
    free(object);
}

static const struct backend_ops memory_ops = {
    .kind = "memory",
    .open = memory_open,
    .close = memory_close,
    .diagnose = plain_diagnose,
    .stat = memory_stat,
    .checksum = memory_checksum,
    .get = plain_get,
    .list = memory_list,
    .list_deep = plain_list_deep,
    .put = memory_put,
    .replace = memory_replace,
    .remove = memory_remove,
    .prune = plain_prune,
    .spool = memory_spool,
    .now = memory_now,
    .object_open = memory_object_open,
    .object_open_tail = plain_object_open_tail,
    .object_read = memory_object_read,
    .object_check = memory_object_check,
    .object_fd = memory_object_fd,
    .object_close = memory_object_close,
};

struct backend *memory_backend_new(void)
{
    struct memory *memory = XNEW(struct memory);

    memory->base = (struct backend){.ops = &memory_ops, .location = "memory"};
    memory->now_s = 1700000000;
    lock_init(&memory->lock);
    return &memory->base;
}

void memory_backend_link(struct backend *backend, struct link *link)
{
    ((struct memory *)backend)->link = link;
}

void memory_backend_set_bytes(struct backend *backend, const char *path, const void *data,
                              size_t size)
{
    struct backend_content content = {.data = data, .size = size};
    struct error err = {0};

    if (backend_put(backend, path, &content, 0, &err) < 0) {
        fprintf(stderr, "memory_backend: %s\n", err.message);
        abort();
    }
}

void memory_backend_set(struct backend *backend, const char *path, const char *text)
{
    struct error err = {0};

    if (text)
        memory_backend_set_bytes(backend, path, text, strlen(text));
    else if (backend_remove(backend, path, &err) < 0)
        abort();
}

void memory_backend_set_now(struct backend *backend, int64_t now_s)
{
    struct memory *memory = (struct memory *)backend;

    lock_acquire(&memory->lock);
    memory->now_s = now_s;
    lock_release(&memory->lock);
}

void memory_backend_run_clock(struct backend *backend, int64_t second_ms)
{
    struct memory *memory = (struct memory *)backend;

    lock_acquire(&memory->lock);
    memory->started_ms = clock_now_ms();
    memory->second_ms = second_ms;
    lock_release(&memory->lock);
}

void memory_backend_keep_connections(struct backend *backend)
{
    ((struct memory *)backend)->keeps_connections = true;
}

void memory_backend_forget_conditions(struct backend *backend)
{
    ((struct memory *)backend)->has_no_conditions = true;
}
