/* documents.c: header and metadata of releases, beside the models as audmodel has them.
 */
#include "cache/documents.h"

#include "backends/digest.h"
#include "cache/layout.h"
#include "cache/model_lock.h"
#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "common/workers.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/queue.h>
#include <sys/stat.h>

enum {
    HEADERS_MAX = 256,             /* kept parsed */
    HEADERS_BYTES_MAX = 256 << 10, /* their texts together; trees take 50 times that */
    LOCK_TIMEOUT_MS = 10000,       /* audmodel's */
    SAVES_MAX = 1024,              /* that wait; others are not saved */
};

struct known {
    TAILQ_ENTRY(known) link;
    struct release release;
    struct header *header;
};
TAILQ_HEAD(known_list, known);

struct documents {
    const struct store *store; /* constant */
    struct workers *savers;    /* constant; one thread */
    struct lock lock;
    struct known_list known; /* the newest use last; guarded by lock */
    size_t count;            /* guarded by lock */
    size_t bytes;            /* of the texts; guarded by lock */
};

/* What the thread saves. */
struct saving {
    struct documents *documents;
    struct release release;
    enum layout_document which;
    char *data;
    size_t size;
};

static void drop_locked(struct documents *documents, struct known *known)
    REQUIRES(documents->lock)
{
    TAILQ_REMOVE(&documents->known, known, link);
    documents->count--;
    documents->bytes -= known->header->text_size;
    header_unref(known->header);
    free(known);
}

int documents_open(const struct store *store, struct documents **ret_documents,
                   struct error *err)
{
    struct documents *documents = XNEW(struct documents);
    int rc = workers_open(
        &(struct workers_options){.name = "save", .threads = 1, .queue_max = SAVES_MAX},
        &documents->savers, err);

    if (rc < 0) {
        free(documents);
        return rc;
    }
    documents->store = store;
    lock_init(&documents->lock);
    TAILQ_INIT(&documents->known);
    *ret_documents = documents;
    return 0;
}

void documents_close(struct documents *documents)
{
    struct known *known;

    if (!documents)
        return;
    workers_close(documents->savers);
    lock_acquire(&documents->lock);
    while ((known = TAILQ_FIRST(&documents->known)) != NULL)
        drop_locked(documents, known);
    lock_release(&documents->lock);
    lock_done(&documents->lock);
    free(documents);
}

static struct known *find_locked(struct documents *documents,
                                 const struct release *release) REQUIRES(documents->lock)
{
    struct known *known;

    TAILQ_FOREACH(known, &documents->known, link)
    {
        if (release_is_same(&known->release, release))
            return known;
    }
    return NULL;
}

/* NULL if it is not known. */
static struct header *recall(struct documents *documents, const struct release *release)
{
    struct header *header = NULL;
    struct known *known;

    lock_acquire(&documents->lock);
    known = find_locked(documents, release);
    if (known) {
        TAILQ_REMOVE(&documents->known, known, link);
        TAILQ_INSERT_TAIL(&documents->known, known, link);
        header = header_ref(known->header);
    }
    lock_release(&documents->lock);
    return header;
}

static void remember(struct documents *documents, const struct release *release,
                     struct header *header)
{
    struct known *known = XNEW(struct known);
    struct known *before;

    known->release = *release;
    known->header = header_ref(header);
    lock_acquire(&documents->lock);
    before = find_locked(documents, release);
    if (before)
        drop_locked(documents, before);
    TAILQ_INSERT_TAIL(&documents->known, known, link);
    documents->count++;
    documents->bytes += header->text_size;
    while (documents->count > 1 &&
           (documents->count > HEADERS_MAX || documents->bytes > HEADERS_BYTES_MAX))
        drop_locked(documents, TAILQ_FIRST(&documents->known));
    lock_release(&documents->lock);
}

/* Put a document beside the model, under audmodel's lock. */
static int save(struct documents *documents, const struct release *release,
                enum layout_document which, const void *data, size_t size,
                struct error *err)
{
    const struct store *store = documents->store;
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    CLEANUP_FREE char *lock = layout_lock(release->id, release->version, which);
    int lock_fd = -1;
    int rc =
        files_make_folders_beneath(store->root_fd, release->id, store->folder_mode, err);

    if (rc == 0)
        rc = model_lock_acquire(store->root_fd, lock, LOCK_TIMEOUT_MS, &lock_fd, err);
    if (rc == 0)
        rc = files_replace(store->root_fd, path, data, size, store->file_mode, err);
    model_lock_release(lock_fd);
    return rc;
}

static void run_saving(void *arg)
{
    struct saving *saving = arg;

    /* Not saved, it is fetched again by the next process. */
    (void)save(saving->documents, &saving->release, saving->which, saving->data,
               saving->size, &(struct error){0});
    free(saving->data);
    free(saving);
}

static void save_later(struct documents *documents, const struct release *release,
                       enum layout_document which, const struct bytes *text)
{
    struct saving *saving = XNEW(struct saving);
    struct error err = {0};

    saving->documents = documents;
    saving->release = *release;
    saving->which = which;
    saving->data = malloc(text->size + 1);
    saving->size = text->size;
    if (saving->data) {
        memcpy(saving->data, text->data, text->size);
        if (workers_submit(documents->savers, run_saving, saving, &err) == 0)
            return;
    }
    free(saving->data);
    free(saving);
}

static int read_saved(struct documents *documents, const struct release *release,
                      enum layout_document which, struct bytes *to, struct error *err)
{
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    CLEANUP_CLOSE int fd =
        files_open_beneath(documents->store->root_fd, path, O_RDONLY, 0, err);

    return fd < 0 ? fd : files_read_fd(fd, to, err);
}

/* A saved header that cannot be read counts as none. */
static int saved_header(struct documents *documents, const struct release *release,
                        struct header **ret_header)
{
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};
    int rc;

    bytes_init(&text, YAML_BYTES_MAX);
    rc = read_saved(documents, release, LAYOUT_HEADER, &text, &err);
    return rc < 0 ? rc : header_parse(text.data, text.size, ret_header, &err);
}

static int fetch_header(struct documents *documents, struct resolver *resolver,
                        const struct release *release, struct header **ret_header,
                        struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, YAML_BYTES_MAX);
    rc = resolver_get_header(resolver, release, &text, err);
    if (rc == 0)
        rc = header_parse(text.data, text.size, ret_header, err);
    if (rc < 0)
        return fail_context(err, rc, "header of model %s-%s", release->id,
                            release->version);
    save_later(documents, release, LAYOUT_HEADER, &text);
    return 0;
}

int documents_header(struct documents *documents, struct resolver *resolver,
                     const struct release *release, enum resolve_how how,
                     struct header **ret_header, struct error *err)
{
    struct header *header = recall(documents, release);
    int rc = 0;

    if (!header) {
        if (how != RESOLVE_FETCH)
            return fail(err, EINPROGRESS, "header of model %s-%s is not known yet",
                        release->id, release->version);
        rc = layout_check(release->id, release->version, err);
        if (rc == 0 && saved_header(documents, release, &header) < 0)
            rc = fetch_header(documents, resolver, release, &header, err);
        if (rc < 0)
            return rc;
        remember(documents, release, header);
    }
    *ret_header = header;
    return 0;
}

static bool has_checksum(const struct bytes *text, const char *md5)
{
    char ours[DIGEST_MD5_SIZE];
    struct error err = {0};

    return md5[0] && digest_md5(text->data, text->size, ours, &err) == 0 &&
           strcmp(ours, md5) == 0;
}

/* Fetch it if what is saved is not what the backend has. */
static int refresh_meta(struct documents *documents, struct resolver *resolver,
                        const struct release *release, struct bytes *text,
                        struct error *err)
{
    char md5[BACKEND_CHECKSUM_MAX] = "";
    int rc = resolver_meta_checksum(resolver, release, md5, err);

    if (rc < 0 || has_checksum(text, md5))
        return rc;
    bytes_done(text);
    bytes_init(text, YAML_BYTES_MAX);
    rc = resolver_get_meta(resolver, release, text, err);
    if (rc == 0)
        save_later(documents, release, LAYOUT_META, text);
    return rc;
}

int documents_meta(struct documents *documents, struct resolver *resolver,
                   const struct release *release, struct bytes *to, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct error ignored = {0};
    bool is_saved;
    int rc = layout_check(release->id, release->version, err);

    bytes_init(&text, YAML_BYTES_MAX);
    if (rc < 0)
        return rc;
    is_saved = read_saved(documents, release, LAYOUT_META, &text, &ignored) == 0;
    rc = refresh_meta(documents, resolver, release, &text, err);
    if (rc < 0) {
        if (!is_saved || rc == -ENOENT)
            return fail_context(err, rc, "metadata of model %s-%s", release->id,
                                release->version);
        bytes_done(&text); /* half fetched, perhaps */
        bytes_init(&text, YAML_BYTES_MAX);
        rc = read_saved(documents, release, LAYOUT_META, &text, err);
    }
    return rc < 0 ? rc : bytes_append(to, text.data, text.size, err);
}

static bool is_saved(struct documents *documents, const struct release *release,
                     enum layout_document which)
{
    CLEANUP_FREE char *path = layout_path(release->id, release->version, which);
    struct stat st;

    return fstatat(documents->store->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode) && st.st_size > 0;
}

int documents_save(struct documents *documents, struct resolver *resolver,
                   const struct release *release, struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    CLEANUP_BYTES struct bytes meta;
    int rc = documents_header(documents, resolver, release, RESOLVE_FETCH, &header, err);

    bytes_init(&meta, YAML_BYTES_MAX);
    if (rc == 0 && !is_saved(documents, release, LAYOUT_HEADER))
        rc =
            save(documents, release, LAYOUT_HEADER, header->text, header->text_size, err);
    if (rc < 0 || is_saved(documents, release, LAYOUT_META))
        return rc;
    rc = resolver_get_meta(resolver, release, &meta, err);
    if (rc == 0)
        rc = save(documents, release, LAYOUT_META, meta.data, meta.size, err);
    return rc == -ENOENT ? 0 : rc;
}
