/* known_folder.c: reads and rewrites the files of what is known. */
#include "resolver/known_folder.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "resolver/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    LOCK_TRIES = 20,
    LOCK_PAUSE_MS = 50,
    NAME_SIZE = 64,
    FILE_MODE = 0644,
    FOLDER_MODE = 0777, /* less the umask, as all of the cache folder */
};

static void file_name(const struct known_folder *folder, unsigned repository,
                      const struct catalog_kind *kind, char ret_name[NAME_SIZE])
{
    const char *location = folder->locations[repository];

    snprintf(ret_name, NAME_SIZE, "%016llx.%s",
             (unsigned long long)XXH3_64bits(location, strlen(location)), kind->saved_as);
}

static int open_root(const struct known_folder *folder, struct error *err)
{
    int fd = open(folder->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? fail_errno(err, "open '%s'", folder->root) : fd;
}

int known_folder_open(const struct known_folder *folder, unsigned repository,
                      const struct catalog_kind *kind, struct error *err)
{
    CLEANUP_CLOSE int root = open_root(folder, err);
    CLEANUP_FREE char *path = NULL;
    char name[NAME_SIZE];
    int rc;

    if (root < 0)
        return root;
    file_name(folder, repository, kind, name);
    path = xasprintf("%s/%s", folder->path, name);
    rc = files_open_beneath(root, path, O_RDONLY, 0, err);
    return rc < 0 ? fail_context(err, rc, "what is known of '%s'",
                                 folder->locations[repository])
                  : rc;
}

int known_folder_read(const struct known_folder *folder, unsigned repository, int fd,
                      struct bytes *to, struct cursor *ret_records, struct error *err)
{
    const char *location = folder->locations[repository];
    int rc = files_read_fd(fd, to, err);

    if (rc == 0)
        rc = known_file_open(to->data, to->size, location, ret_records, err);
    return rc < 0 ? fail_context(err, rc, "what is known of '%s'", location) : 0;
}

size_t known_folder_limit(const struct catalog_kind *kind)
{
    return kind->is_kept ? KNOWN_KEPT_MAX : KNOWN_FILE_MAX;
}

/* Changes of one file, sorted by key, each key once. */
struct batch {
    struct known_change **changes;
    size_t count;
};

/* By key, then by age. */
static int compare_changes(const void *left, const void *right)
{
    const struct known_change *a = *(const struct known_change *const *)left;
    const struct known_change *b = *(const struct known_change *const *)right;
    int order = strcmp(a->key, b->key);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static int compare_key(const void *key, const void *change)
{
    return strcmp(key, (*(const struct known_change *const *)change)->key);
}

static const struct known_change *find_in_batch(const struct batch *batch,
                                                const char *key)
{
    struct known_change **found =
        bsearch(key, batch->changes, batch->count, sizeof *batch->changes, compare_key);

    return found ? *found : NULL;
}

/* Does the batch say anything new? Bytes of what goes on being as it was and of what is
 * new. */
static bool weigh(const struct batch *batch, struct cursor records, size_t *ret_size)
{
    struct known_record record;
    size_t same = 0, gone = 0, present = 0;

    *ret_size = 0;
    while (known_file_next(&records, &record)) {
        const struct known_change *change = find_in_batch(batch, record.key);

        if (!change)
            *ret_size += record.size;
        else if (known_change_is_same(change, &record))
            same++;
        else if (!known_change_is_present(change))
            gone++;
    }
    for (size_t i = 0; i < batch->count; i++) {
        *ret_size += known_change_size(batch->changes[i]);
        present += known_change_is_present(batch->changes[i]);
    }
    return gone > 0 || same < present;
}

/* What was there and is not in the batch, then the batch; without the first of it where
 * that is too much. */
static void write_records(struct known_writer *writer, const struct batch *batch,
                          struct cursor records, size_t size, size_t limit)
{
    size_t surplus = size > limit ? size - limit : 0;
    struct known_record record;

    while (known_file_next(&records, &record)) {
        if (find_in_batch(batch, record.key))
            continue;
        if (surplus > 0)
            surplus -= record.size < surplus ? record.size : surplus;
        else
            known_file_copy(writer, &record);
    }
    for (size_t i = 0; i < batch->count; i++) {
        const struct known_change *change = batch->changes[i];
        size_t one = known_change_size(change);

        if (surplus > 0)
            surplus -= one < surplus ? one : surplus;
        else if (known_change_is_present(change))
            known_file_write(writer, change->key, known_change_names(change),
                             known_change_count(change));
    }
}

/* Open the folder with its lock: of all daemons one writes at a time. -EWOULDBLOCK. */
static int open_folder(const struct known_folder *folder, struct error *err)
{
    CLEANUP_CLOSE int fd =
        files_make_and_open(folder->root, folder->path, FOLDER_MODE, err);

    if (fd < 0)
        return fd;
    for (int try = 1; flock(fd, LOCK_EX | LOCK_NB) < 0; try++) {
        if (errno != EWOULDBLOCK || try == LOCK_TRIES)
            return fail_errno(err, "lock '%s'", folder->path);
        clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return steal_fd(&fd);
}

/* What a file holds before a change; nothing where it is to be made anew. */
static void read_before(const struct known_folder *folder,
                        const struct known_change *change, struct bytes *to,
                        struct cursor *ret_records)
{
    struct error ignored;
    CLEANUP_CLOSE int fd =
        known_folder_open(folder, change->repository, change->kind, &ignored);

    if (fd < 0 ||
        known_folder_read(folder, change->repository, fd, to, ret_records, &ignored) < 0)
        *ret_records = (struct cursor){0};
}

/* With the folder's lock nobody else uses the second name; a dead process may have. */
static int write_file(const struct known_folder *folder, int folder_fd,
                      const struct batch *batch, struct error *err)
{
    const struct known_change *first = batch->changes[0];
    struct known_writer writer;
    CLEANUP_BYTES struct bytes before;
    struct cursor records;
    char name[NAME_SIZE], next[NAME_SIZE + 4];
    size_t size;
    int rc;

    bytes_init(&before, known_folder_limit(first->kind));
    file_name(folder, first->repository, first->kind, name);
    read_before(folder, first, &before, &records);
    if (!weigh(batch, records, &size))
        return 0;
    snprintf(next, sizeof next, "%s.new", name);
    CLEANUP_CLOSE int fd =
        files_open_beneath(folder_fd, next, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE, err);
    if (fd < 0)
        return fd;
    known_file_begin(&writer, fd, folder->locations[first->repository]);
    write_records(&writer, batch, records, size, known_folder_limit(first->kind));
    rc = known_file_end(&writer, err);
    if (rc == 0 && renameat(folder_fd, next, folder_fd, name) < 0)
        rc = fail_errno(err, "rename '%s'", next);
    return rc;
}

static bool is_of_file(const struct known_change *change,
                       const struct known_change *other)
{
    return change->repository == other->repository && change->kind == other->kind;
}

static size_t count_all(const struct known_changes *changes)
{
    const struct known_change *change;
    size_t count = 0;

    STAILQ_FOREACH(change, changes, link) {
        count++;
    }
    return count;
}

/* Take the changes of one file out of the list. */
static struct batch take_batch(struct known_changes *changes)
{
    struct known_change *first = STAILQ_FIRST(changes), *change, *next;
    struct batch batch = {.changes =
                              xcalloc(count_all(changes), sizeof(struct known_change *))};
    struct known_changes others = STAILQ_HEAD_INITIALIZER(others);
    size_t kept = 0;

    for (change = first; change; change = next) {
        next = STAILQ_NEXT(change, link);
        if (is_of_file(change, first))
            batch.changes[batch.count++] = change;
        else
            STAILQ_INSERT_TAIL(&others, change, link);
    }
    STAILQ_INIT(changes);
    STAILQ_CONCAT(changes, &others);
    qsort(batch.changes, batch.count, sizeof *batch.changes, compare_changes);
    for (size_t i = 0; i < batch.count; i++) {
        if (i + 1 < batch.count &&
            strcmp(batch.changes[i]->key, batch.changes[i + 1]->key) == 0)
            known_change_free(batch.changes[i]);
        else
            batch.changes[kept++] = batch.changes[i];
    }
    batch.count = kept;
    return batch;
}

void known_folder_write(const struct known_folder *folder, struct known_changes *changes)
{
    struct error ignored;
    CLEANUP_CLOSE int folder_fd = open_folder(folder, &ignored);

    while (!STAILQ_EMPTY(changes)) {
        struct batch batch = take_batch(changes);

        if (folder_fd >= 0)
            (void)write_file(folder, folder_fd, &batch, &ignored);
        for (size_t i = 0; i < batch.count; i++)
            known_change_free(batch.changes[i]);
        free(batch.changes);
    }
}
