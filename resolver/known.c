/* known.c: answers of repositories on disk, for the time when these cannot be asked. */
#include "resolver/known.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "resolver/known_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum {
    NOTES_MAX = 1 << 14, /* that wait to be written */
    LOCK_TRIES = 20,
    LOCK_PAUSE_MS = 50,
    DELAY_MS = 2000, /* they are collected for so long */
    NAME_SIZE = 64,
    FILE_MODE = 0644,
    FOLDER_MODE = 0777, /* less the umask, as all of the cache folder */
};

struct note {
    STAILQ_ENTRY(note) link;
    unsigned repository;
    const struct catalog_kind *kind;
    struct listing *listing; /* NULL: there is none */
    uint64_t number;         /* the later one holds */
    char key[];
};
STAILQ_HEAD(notes, note);

struct known {
    char *root, *folder; /* constant */
    char **locations;    /* constant */
    size_t count;        /* of repositories; constant */
    struct lock lock;
    struct condition changed;
    struct notes notes; /* oldest first; guarded by lock */
    size_t note_count;  /* guarded by lock */
    size_t note_bytes;  /* but for kept kinds; guarded by lock */
    uint64_t number;    /* of the last note; guarded by lock */
    bool has_thread;    /* guarded by lock */
    bool is_closing;    /* guarded by lock */
    pthread_t thread;   /* constant once has_thread */
};

int known_open(const struct known_options *options, struct known **ret_known,
               struct error *err)
{
    struct known *known = XNEW(struct known);

    (void)err; /* nothing is touched yet */
    known->root = xstrdup(options->root);
    known->folder = xstrdup(options->folder);
    known->count = options->repository_count;
    known->locations = xcalloc(known->count + 1, sizeof *known->locations);
    for (size_t i = 0; i < known->count; i++)
        known->locations[i] = xstrdup(options->locations[i]);
    STAILQ_INIT(&known->notes);
    lock_init(&known->lock);
    condition_init(&known->changed);
    *ret_known = known;
    return 0;
}

static void note_free(struct note *note)
{
    listing_unref(note->listing);
    free(note);
}

static void file_name(const struct known *known, unsigned repository,
                      const struct catalog_kind *kind, char ret_name[NAME_SIZE])
{
    const char *location = known->locations[repository];

    snprintf(ret_name, NAME_SIZE, "%016llx.%s",
             (unsigned long long)XXH3_64bits(location, strlen(location)), kind->saved_as);
}

static int open_root(const struct known *known, struct error *err)
{
    int fd = open(known->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? fail_errno(err, "open '%s'", known->root) : fd;
}

/* A file and its records; -ENOENT, or -EBADMSG for one that makes no sense. */
static int read_file(const struct known *known, unsigned repository,
                     const struct catalog_kind *kind, struct bytes *to,
                     struct cursor *ret_records, struct error *err)
{
    CLEANUP_CLOSE int root = open_root(known, err);
    CLEANUP_CLOSE int fd = -1;
    CLEANUP_FREE char *path = NULL;
    char name[NAME_SIZE];
    int rc;

    if (root < 0)
        return root;
    file_name(known, repository, kind, name);
    path = xasprintf("%s/%s", known->folder, name);
    fd = files_open_beneath(root, path, O_RDONLY, 0, err);
    rc = fd < 0 ? fd : files_read_fd(fd, to, err);
    if (rc == 0)
        rc = known_file_open(to->data, to->size, known->locations[repository],
                             ret_records, err);
    return rc < 0 ? fail_context(err, rc, "what is known of '%s'",
                                 known->locations[repository])
                  : 0;
}

static size_t limit_of(const struct catalog_kind *kind)
{
    return kind->is_kept ? KNOWN_KEPT_MAX : KNOWN_FILE_MAX;
}

/* Is it to be in the file? */
static bool is_present(const struct note *note)
{
    return note->listing || note->kind->saves_none;
}

static size_t count_of(const struct note *note)
{
    return note->listing ? note->listing->count : KNOWN_FILE_NONE;
}

static const char *const *names_of(const struct note *note)
{
    return note->listing ? note->listing->names : NULL;
}

static bool is_same(const struct known_record *record, const struct note *note)
{
    const char *at = record->names, *end = record->names + record->names_size;
    const struct listing *listing = note->listing;

    if (!is_present(note) || record->count != count_of(note))
        return false;
    if (!listing)
        return true;
    for (size_t i = 0; i < listing->count; i++) {
        size_t size = strlen(listing->names[i]) + 1;

        if (size > (size_t)(end - at) || memcmp(at, listing->names[i], size) != 0)
            return false;
        at += size;
    }
    return true;
}

/* Notes of one file, sorted by key, each key once. */
struct batch {
    struct note **notes;
    size_t count;
};

/* By key, then by age. */
static int compare_notes(const void *left, const void *right)
{
    const struct note *a = *(const struct note *const *)left;
    const struct note *b = *(const struct note *const *)right;
    int order = strcmp(a->key, b->key);

    return order ? order : (a->number > b->number) - (a->number < b->number);
}

static int compare_key(const void *key, const void *note)
{
    return strcmp(key, (*(const struct note *const *)note)->key);
}

static const struct note *find_in_batch(const struct batch *batch, const char *key)
{
    struct note **found =
        bsearch(key, batch->notes, batch->count, sizeof *batch->notes, compare_key);

    return found ? *found : NULL;
}

static size_t size_of(const struct note *note)
{
    return is_present(note) ? known_file_size(note->key, names_of(note), count_of(note))
                            : 0;
}

/* Does the batch say anything new? Bytes of what goes on being as it was and of what is
 * new. */
static bool weigh(const struct batch *batch, struct cursor records, size_t *ret_size)
{
    struct known_record record;
    size_t same = 0, gone = 0, present = 0;

    *ret_size = 0;
    while (known_file_next(&records, &record)) {
        const struct note *note = find_in_batch(batch, record.key);

        if (!note)
            *ret_size += record.size;
        else if (is_same(&record, note))
            same++;
        else if (!is_present(note))
            gone++;
    }
    for (size_t i = 0; i < batch->count; i++) {
        *ret_size += size_of(batch->notes[i]);
        present += is_present(batch->notes[i]);
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
        const struct note *note = batch->notes[i];
        size_t one = size_of(note);

        if (surplus > 0)
            surplus -= one < surplus ? one : surplus;
        else if (is_present(note))
            known_file_write(writer, note->key, names_of(note), count_of(note));
    }
}

/* Open the folder with its lock: of all daemons one writes at a time. -EWOULDBLOCK. */
static int open_folder(const struct known *known, struct error *err)
{
    CLEANUP_CLOSE int root = open_root(known, err);
    CLEANUP_CLOSE int folder = -1;
    int rc = root < 0 ? root
                      : files_make_folders_beneath(root, known->folder, FOLDER_MODE, err);

    if (rc < 0)
        return rc;
    folder = files_open_beneath(root, known->folder, O_RDONLY | O_DIRECTORY, 0, err);
    if (folder < 0)
        return folder;
    for (int try = 1; flock(folder, LOCK_EX | LOCK_NB) < 0; try++) {
        if (errno != EWOULDBLOCK || try == LOCK_TRIES)
            return fail_errno(err, "lock '%s'", known->folder);
        clock_sleep_ms(LOCK_PAUSE_MS);
    }
    return steal_fd(&folder);
}

/* With the folder's lock nobody else uses the second name; a dead process may have. */
static int write_file(const struct known *known, int folder, const struct batch *batch,
                      struct error *err)
{
    const struct note *first = batch->notes[0];
    struct known_writer writer;
    CLEANUP_BYTES struct bytes before;
    struct cursor records = {0};
    char name[NAME_SIZE], next[NAME_SIZE + 4];
    size_t size;
    int rc;

    bytes_init(&before, limit_of(first->kind));
    file_name(known, first->repository, first->kind, name);
    if (read_file(known, first->repository, first->kind, &before, &records, err) < 0)
        records = (struct cursor){0}; /* it is made anew */
    if (!weigh(batch, records, &size))
        return 0;
    snprintf(next, sizeof next, "%s.new", name);
    CLEANUP_CLOSE int fd =
        files_open_beneath(folder, next, O_WRONLY | O_CREAT | O_TRUNC, FILE_MODE, err);
    if (fd < 0)
        return fd;
    known_file_begin(&writer, fd, known->locations[first->repository]);
    write_records(&writer, batch, records, size, limit_of(first->kind));
    rc = known_file_end(&writer, err);
    if (rc == 0 && renameat(folder, next, folder, name) < 0)
        rc = fail_errno(err, "rename '%s'", next);
    return rc;
}

static bool is_of_file(const struct note *note, const struct note *other)
{
    return note->repository == other->repository && note->kind == other->kind;
}

/* Take the notes of one file out of the list. */
static struct batch take_batch(struct notes *notes)
{
    struct note *first = STAILQ_FIRST(notes), *note, *next;
    struct batch batch = {.notes = xcalloc(NOTES_MAX, sizeof(struct note *))};
    struct notes others = STAILQ_HEAD_INITIALIZER(others);
    size_t kept = 0;

    for (note = first; note; note = next) {
        next = STAILQ_NEXT(note, link);
        if (is_of_file(note, first))
            batch.notes[batch.count++] = note;
        else
            STAILQ_INSERT_TAIL(&others, note, link);
    }
    STAILQ_INIT(notes);
    STAILQ_CONCAT(notes, &others);
    qsort(batch.notes, batch.count, sizeof *batch.notes, compare_notes);
    for (size_t i = 0; i < batch.count; i++) {
        if (i + 1 < batch.count &&
            strcmp(batch.notes[i]->key, batch.notes[i + 1]->key) == 0)
            note_free(batch.notes[i]);
        else
            batch.notes[kept++] = batch.notes[i];
    }
    batch.count = kept;
    return batch;
}

/* Nobody hears of failures: what is not written is not known after a restart. */
static void write_notes(const struct known *known, struct notes *notes)
{
    struct error ignored;
    CLEANUP_CLOSE int folder = open_folder(known, &ignored);

    while (!STAILQ_EMPTY(notes)) {
        struct batch batch = take_batch(notes);

        if (folder >= 0)
            (void)write_file(known, folder, &batch, &ignored);
        for (size_t i = 0; i < batch.count; i++)
            note_free(batch.notes[i]);
        free(batch.notes);
    }
}

static void *keep_writing(void *arg)
{
    struct known *known = arg;
    struct notes notes = STAILQ_HEAD_INITIALIZER(notes);
    bool is_closing;

    do {
        int64_t deadline_ms;
        int rc = 0;

        lock_acquire(&known->lock);
        while (!known->is_closing && STAILQ_EMPTY(&known->notes))
            condition_wait(&known->changed, &known->lock);
        deadline_ms = clock_now_ms() + DELAY_MS;
        while (rc == 0 && !known->is_closing)
            rc = condition_wait_until(&known->changed, &known->lock, deadline_ms);
        is_closing = known->is_closing;
        STAILQ_CONCAT(&notes, &known->notes);
        known->note_count = known->note_bytes = 0;
        lock_release(&known->lock);
        write_notes(known, &notes);
    } while (!is_closing);
    return NULL;
}

void known_close(struct known *known)
{
    bool has_thread;

    if (!known)
        return;
    lock_acquire(&known->lock);
    known->is_closing = true;
    has_thread = known->has_thread;
    condition_broadcast(&known->changed);
    lock_release(&known->lock);
    if (has_thread)
        pthread_join(known->thread, NULL);
    for (size_t i = 0; i < known->count; i++)
        free(known->locations[i]);
    free(known->locations);
    free(known->folder);
    free(known->root);
    condition_done(&known->changed);
    lock_done(&known->lock);
    free(known);
}

static bool note_locked(struct known *known, struct note *note) REQUIRES(known->lock)
{
    size_t size = note->kind->is_kept ? 0 : size_of(note);

    if (known->note_count >= NOTES_MAX || size > KNOWN_FILE_MAX - known->note_bytes)
        return false;
    if (!known->has_thread)
        known->has_thread =
            thread_start(&known->thread, "known", keep_writing, known) == 0;
    if (!known->has_thread)
        return false;
    note->number = ++known->number;
    STAILQ_INSERT_TAIL(&known->notes, note, link);
    known->note_count++;
    known->note_bytes += size;
    condition_signal(&known->changed);
    return true;
}

bool known_note(struct known *known, unsigned repository, const struct catalog_kind *kind,
                const char *key, struct listing *listing)
{
    struct note *note = xcalloc(1, sizeof *note + strlen(key) + 1);
    bool is_noted;

    note->repository = repository;
    note->kind = kind;
    note->listing = listing ? listing_ref(listing) : NULL;
    memcpy(note->key, key, strlen(key) + 1);
    lock_acquire(&known->lock);
    is_noted = note_locked(known, note);
    lock_release(&known->lock);
    if (!is_noted)
        note_free(note);
    return is_noted;
}

/* What is not written yet: 1 and the newest note's listing, which may be NULL; 0: none.
 */
static int find_note(struct known *known, unsigned repository,
                     const struct catalog_kind *kind, const char *key,
                     struct listing **ret_listing)
{
    const struct note *note, *found = NULL;

    lock_acquire(&known->lock);
    STAILQ_FOREACH(note, &known->notes, link)
    {
        if (note->repository == repository && note->kind == kind &&
            strcmp(note->key, key) == 0)
            found = note;
    }
    if (found)
        *ret_listing = found->listing ? listing_ref(found->listing) : NULL;
    lock_release(&known->lock);
    return found != NULL;
}

/* Names of a file are as hostile as those of a repository. */
static int make_listing(const struct catalog_kind *kind,
                        const struct known_record *record, struct listing **ret_listing,
                        struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_LISTING struct listing *listing = NULL;
    const char *end = record->names + record->names_size;
    int rc = 0;

    listing_builder_init(&builder);
    for (const char *name = record->names; rc == 0 && name < end;
         name += strlen(name) + 1)
        rc = listing_add(&builder, name, err);
    if (rc == 0)
        rc = listing_finish(&builder, kind->compare, &listing, err);
    if (rc < 0)
        return rc;
    if (!kind->is_sane(listing))
        return fail(err, EBADMSG, "what is known of %s '%s' makes no sense", kind->name,
                    record->key);
    *ret_listing = steal_ptr(&listing);
    return 0;
}

int known_find(struct known *known, unsigned repository, const struct catalog_kind *kind,
               const char *key, struct listing **ret_listing, struct error *err)
{
    struct known_record record, found = {0};
    struct listing *listing = NULL;
    CLEANUP_BYTES struct bytes data;
    struct cursor records;
    int rc;

    bytes_init(&data, limit_of(kind));
    if (find_note(known, repository, kind, key, &listing)) {
        *ret_listing = listing;
        return listing || kind->saves_none
                   ? 0
                   : fail(err, ENOENT, "there was no %s '%s'", kind->name, key);
    }
    rc = read_file(known, repository, kind, &data, &records, err);
    if (rc < 0)
        return rc;
    while (known_file_next(&records, &record)) {
        if (strcmp(record.key, key) == 0)
            found = record;
    }
    if (!found.key)
        return fail(err, ENOENT, "nothing is known of %s '%s'", kind->name, key);
    if (found.count == KNOWN_FILE_NONE) {
        *ret_listing = NULL;
        return 0;
    }
    return make_listing(kind, &found, ret_listing, err);
}
