/* known_index.c: finds single answers in the files of what is known. */
#include "resolver/known_index.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { TABLES_MAX = 8 }; /* a repository has about five files */

struct place {
    uint64_t hash; /* of the key */
    uint32_t offset;
    uint32_t size;
};

/* Where the records of one file lie. */
struct table {
    TAILQ_ENTRY(table) link;
    unsigned repository;
    const struct catalog_kind *kind;
    struct stat file;
    size_t count;
    struct place places[]; /* by hash, then by offset */
};

struct known_index {
    const struct known_folder *folder;    /* constant */
    struct lock lock;                     /* held while a file is read */
    TAILQ_HEAD(table_list, table) tables; /* last used first; guarded by lock */
    size_t count;                         /* guarded by lock */
};

struct known_index *known_index_new(const struct known_folder *folder)
{
    struct known_index *index = XNEW(struct known_index);

    index->folder = folder;
    lock_init(&index->lock);
    TAILQ_INIT(&index->tables);
    return index;
}

static void drop_locked(struct known_index *index, struct table *table)
    REQUIRES(index->lock)
{
    TAILQ_REMOVE(&index->tables, table, link);
    index->count--;
    free(table);
}

void known_index_free(struct known_index *index)
{
    if (!index)
        return;
    lock_acquire(&index->lock);
    while (!TAILQ_EMPTY(&index->tables))
        drop_locked(index, TAILQ_FIRST(&index->tables));
    lock_release(&index->lock);
    lock_done(&index->lock);
    free(index);
}

/* Files are never changed, only replaced. */
static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* The table of a file as it is now; NULL: there is none. One of a file that was replaced
 * goes. */
static struct table *find_table_locked(struct known_index *index, unsigned repository,
                                       const struct catalog_kind *kind,
                                       const struct stat *file) REQUIRES(index->lock)
{
    struct table *table;

    TAILQ_FOREACH(table, &index->tables, link) {
        if (table->repository == repository && table->kind == kind)
            break;
    }
    if (table && !is_same_file(&table->file, file)) {
        drop_locked(index, table);
        return NULL;
    }
    if (table) {
        TAILQ_REMOVE(&index->tables, table, link);
        TAILQ_INSERT_HEAD(&index->tables, table, link);
    }
    return table;
}

static int compare(const void *left, const void *right)
{
    const struct place *a = left, *b = right;
    int order = (a->hash > b->hash) - (a->hash < b->hash);

    return order ? order : (a->offset > b->offset) - (a->offset < b->offset);
}

static size_t count_records(struct cursor records)
{
    struct known_record record;
    size_t count = 0;

    while (known_file_next(&records, &record))
        count++;
    return count;
}

/* base: where the records begin in the file. */
static struct table *make_table(struct cursor records, size_t base, struct error *err)
{
    size_t count = count_records(records);
    struct table *table = calloc(1, sizeof *table + count * sizeof *table->places);
    struct known_record record;

    if (!table) {
        (void)fail(err, ENOMEM, "no memory to find %zu answers", count);
        return NULL;
    }
    while (known_file_next(&records, &record))
        table->places[table->count++] = (struct place){
            .hash = XXH3_64bits(record.key, strlen(record.key)),
            .offset = (uint32_t)(base + records.at - record.size),
            .size = (uint32_t)record.size,
        };
    qsort(table->places, table->count, sizeof *table->places, compare);
    return table;
}

/* Read a file through. */
static int add_table_locked(struct known_index *index, unsigned repository,
                            const struct catalog_kind *kind, int fd,
                            const struct stat *file, struct table **ret_table,
                            struct error *err) REQUIRES(index->lock)
{
    struct table *table;
    CLEANUP_BYTES struct bytes data;
    struct cursor records;
    int rc;

    bytes_init(&data, known_folder_limit(kind));
    rc = known_folder_read(index->folder, repository, fd, &data, &records, err);
    if (rc < 0)
        return rc;
    table = make_table(records, (size_t)((const char *)records.data - data.data), err);
    if (!table)
        return -ENOMEM;
    table->repository = repository;
    table->kind = kind;
    table->file = *file;
    TAILQ_INSERT_HEAD(&index->tables, table, link);
    if (++index->count > TABLES_MAX)
        drop_locked(index, TAILQ_LAST(&index->tables, table_list));
    *ret_table = table;
    return 0;
}

/* Behind the last record of a hash. */
static size_t find_end(const struct table *table, uint64_t hash)
{
    size_t low = 0, high = table->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (table->places[middle].hash <= hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int read_record(int fd, const struct place *place, struct bytes *to,
                       struct known_record *ret_record, struct error *err)
{
    struct cursor cursor;
    int rc;

    bytes_cut(to, 0, 0);
    rc = bytes_reserve(to, place->size, err);
    if (rc == 0)
        rc = files_pread(fd, to->data, place->size, place->offset, err);
    if (rc < 0)
        return rc;
    to->size = place->size;
    cursor_init(&cursor, to->data, to->size);
    if (!known_file_next(&cursor, ret_record))
        return fail(err, EBADMSG, "a file of what is known changed while it was read");
    return 0;
}

/* The later record of a key holds. */
static int find_record(const struct table *table, int fd, const char *key,
                       struct bytes *to, struct known_record *ret_record,
                       struct error *err)
{
    uint64_t hash = XXH3_64bits(key, strlen(key));

    for (size_t i = find_end(table, hash); i > 0 && table->places[i - 1].hash == hash;
         i--) {
        int rc = read_record(fd, &table->places[i - 1], to, ret_record, err);

        if (rc < 0 || strcmp(ret_record->key, key) == 0)
            return rc;
    }
    return fail(err, ENOENT, "nothing is known of %s '%s'", table->kind->name, key);
}

static int find_locked(struct known_index *index, unsigned repository,
                       const struct catalog_kind *kind, int fd, const char *key,
                       struct bytes *to, struct known_record *ret_record,
                       struct error *err) REQUIRES(index->lock)
{
    struct table *table;
    struct stat file;
    int rc = 0;

    if (fstat(fd, &file) < 0)
        return fail_errno(err, "look at what is known");
    table = find_table_locked(index, repository, kind, &file);
    if (!table)
        rc = add_table_locked(index, repository, kind, fd, &file, &table, err);
    return rc < 0 ? rc : find_record(table, fd, key, to, ret_record, err);
}

int known_index_find(struct known_index *index, unsigned repository,
                     const struct catalog_kind *kind, const char *key, struct bytes *to,
                     struct known_record *ret_record, struct error *err)
{
    CLEANUP_CLOSE int fd = known_folder_open(index->folder, repository, kind, err);
    int rc;

    if (fd < 0)
        return fd;
    lock_acquire(&index->lock);
    rc = find_locked(index, repository, kind, fd, key, to, ret_record, err);
    lock_release(&index->lock);
    return rc;
}
