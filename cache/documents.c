/* documents.c: header and metadata of releases, beside the models as audmodel has them.
 */
#include "cache/documents.h"

#include "backends/digest.h"
#include "cache/layout.h"
#include "cache/saver.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <sys/queue.h>

enum {
    HEADERS_MAX = 256, /* of which we know something */
    HEADERS_BYTES_MAX =
        256 << 10,          /* texts of those kept parsed; trees take 50 times that */
    LARGE_BYTES = 64 << 10, /* more are read and parsed one at a time */
    LARGE_WAIT_MS = 3000,   /* for one's turn: as long as a look-up may take */
    BAD_KEPT_MS = 5000,     /* what makes no sense is not parsed anew for so long */
};

/* Of a header that was parsed: itself, or when there is no room for that its date, or why
 * it makes no sense. */
struct known {
    TAILQ_ENTRY(known) link;
    struct release release;
    struct header *header; /* or NULL */
    int64_t date_s;
    int64_t failed_ms;
    char *failed_message; /* NULL: it is a header */
};
TAILQ_HEAD(known_list, known);

struct documents {
    struct saver *saver; /* constant */
    struct lock lock;
    struct known_list known; /* the newest use last; guarded by lock */
    size_t count;            /* guarded by lock */
    size_t bytes;            /* of the texts; guarded by lock */
    bool is_large_busy;      /* a large text is read or parsed; guarded by lock */
    struct condition large_ended;
};

static void drop_header_locked(struct documents *documents, struct known *known)
    REQUIRES(documents->lock)
{
    if (!known->header)
        return;
    documents->bytes -= known->header->text_size;
    header_unref(known->header);
    known->header = NULL;
}

static void drop_locked(struct documents *documents, struct known *known)
    REQUIRES(documents->lock)
{
    drop_header_locked(documents, known);
    TAILQ_REMOVE(&documents->known, known, link);
    documents->count--;
    free(known->failed_message);
    free(known);
}

int documents_open(const struct store *store, struct documents **ret_documents,
                   struct error *err)
{
    struct documents *documents = XNEW(struct documents);
    int rc = saver_open(store, &documents->saver, err);

    if (rc < 0) {
        free(documents);
        return rc;
    }
    lock_init(&documents->lock);
    condition_init(&documents->large_ended);
    TAILQ_INIT(&documents->known);
    *ret_documents = documents;
    return 0;
}

void documents_close(struct documents *documents)
{
    struct known *known;

    if (!documents)
        return;
    saver_close(documents->saver);
    lock_acquire(&documents->lock);
    while ((known = TAILQ_FIRST(&documents->known)) != NULL)
        drop_locked(documents, known);
    lock_release(&documents->lock);
    condition_done(&documents->large_ended);
    lock_done(&documents->lock);
    free(documents);
}

static struct known *find_locked(struct documents *documents,
                                 const struct release *release) REQUIRES(documents->lock)
{
    struct known *known;

    TAILQ_FOREACH(known, &documents->known, link) {
        if (release_is_same(&known->release, release))
            return known;
    }
    return NULL;
}

/* What recall finds. */
struct recalled {
    struct header *header; /* or NULL */
    bool has_date;
    int64_t date_s;
};

/* 0; -ENOENT: nothing is known; -EBADMSG: it makes no sense. */
static int recall(struct documents *documents, const struct release *release,
                  struct recalled *ret_recalled, struct error *err)
{
    struct known *known;
    int rc = -ENOENT;

    *ret_recalled = (struct recalled){0};
    lock_acquire(&documents->lock);
    known = find_locked(documents, release);
    if (known && known->failed_message &&
        clock_now_ms() - known->failed_ms >= BAD_KEPT_MS) {
        drop_locked(documents, known);
    } else if (known) {
        TAILQ_REMOVE(&documents->known, known, link);
        TAILQ_INSERT_TAIL(&documents->known, known, link);
        if (known->header)
            ret_recalled->header = header_ref(known->header);
        ret_recalled->date_s = known->date_s;
        ret_recalled->has_date = !known->failed_message;
        rc = known->failed_message ? fail(err, EBADMSG, "%s", known->failed_message) : 0;
    }
    lock_release(&documents->lock);
    return rc;
}

/* The least recently used go: of those kept parsed the trees, then what is left. */
static void make_room_locked(struct documents *documents) REQUIRES(documents->lock)
{
    struct known *known = TAILQ_FIRST(&documents->known);

    while (documents->count > HEADERS_MAX)
        drop_locked(documents, TAILQ_FIRST(&documents->known));
    known = TAILQ_FIRST(&documents->known);
    for (; documents->bytes > HEADERS_BYTES_MAX && TAILQ_NEXT(known, link);
         known = TAILQ_NEXT(known, link))
        drop_header_locked(documents, known);
}

/* header, or err where it makes none. */
static void remember(struct documents *documents, const struct release *release,
                     struct header *header, const struct error *err)
{
    struct known *known = XNEW(struct known);
    struct known *before;

    known->release = *release;
    known->header = header ? header_ref(header) : NULL;
    known->date_s = header ? header->date_s : 0;
    known->failed_message = header ? NULL : xstrdup(err->message);
    known->failed_ms = clock_now_ms();
    lock_acquire(&documents->lock);
    before = find_locked(documents, release);
    if (before)
        drop_locked(documents, before);
    TAILQ_INSERT_TAIL(&documents->known, known, link);
    documents->count++;
    documents->bytes += header ? header->text_size : 0;
    make_room_locked(documents);
    lock_release(&documents->lock);
}

/* Unless somebody did meanwhile. */
static int parse_once(struct documents *documents, const struct release *release,
                      const struct bytes *text, struct header **ret_header,
                      struct error *err)
{
    struct recalled recalled;
    int rc = recall(documents, release, &recalled, err);

    *ret_header = recalled.header;
    if (recalled.header || rc == -EBADMSG)
        return rc;
    rc = header_parse(text->data, text->size, ret_header, err);
    if (rc == 0)
        remember(documents, release, *ret_header, NULL);
    return rc;
}

/* From the folder, or with a resolver from the repository. -EFBIG: it has more bytes than
 * limit. */
static int read_header(struct documents *documents, struct resolver *resolver,
                       const struct release *release, size_t limit,
                       struct header **ret_header, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, limit);
    rc = resolver ? resolver_get_header(resolver, release, &text, err)
                  : saver_read(documents->saver, release, LAYOUT_HEADER, &text, err);
    if (rc == 0)
        rc = parse_once(documents, release, &text, ret_header, err);
    if (rc == -EBADMSG && resolver)
        remember(documents, release, NULL, err);
    if (rc == 0 && resolver)
        saver_write_later(documents->saver, release, LAYOUT_HEADER, &text);
    return rc;
}

static int wait_turn(struct documents *documents, struct error *err)
{
    int64_t deadline_ms = clock_now_ms() + LARGE_WAIT_MS;
    int rc = 0;

    lock_acquire(&documents->lock);
    while (documents->is_large_busy && rc == 0)
        rc = condition_wait_until(&documents->large_ended, &documents->lock, deadline_ms);
    if (!documents->is_large_busy)
        rc = 0;
    if (rc == 0)
        documents->is_large_busy = true;
    lock_release(&documents->lock);
    return rc < 0 ? fail(err, ETIMEDOUT, "other large ones are read first") : 0;
}

/* Many that ask at once for many large headers are to take neither all memory nor all
 * threads' time. */
static int read_large_header(struct documents *documents, struct resolver *resolver,
                             const struct release *release, struct header **ret_header,
                             struct error *err)
{
    struct recalled recalled;
    int rc = wait_turn(documents, err);

    if (rc < 0)
        return rc;
    rc =
        recall(documents, release, &recalled, err); /* somebody else's turn brought it? */
    if (recalled.header)
        *ret_header = recalled.header;
    else if (rc != -EBADMSG)
        rc = read_header(documents, resolver, release, YAML_BYTES_MAX, ret_header, err);
    lock_acquire(&documents->lock);
    documents->is_large_busy = false;
    condition_signal(&documents->large_ended);
    lock_release(&documents->lock);
    return rc;
}

static int read_any_header(struct documents *documents, struct resolver *resolver,
                           const struct release *release, struct header **ret_header,
                           struct error *err)
{
    int rc = read_header(documents, resolver, release, LARGE_BYTES, ret_header, err);

    return rc == -EFBIG ? read_large_header(documents, resolver, release, ret_header, err)
                        : rc;
}

static int fetch_header(struct documents *documents, struct resolver *resolver,
                        const struct release *release, struct header **ret_header,
                        struct error *err)
{
    int rc = read_any_header(documents, NULL, release, ret_header, err);

    if (rc < 0 && rc != -ETIMEDOUT) /* what is saved and cannot be read counts as none */
        rc = read_any_header(documents, resolver, release, ret_header, err);
    return rc < 0 ? fail_context(err, rc, "header of model %s-%s", release->id,
                                 release->version)
                  : 0;
}

static int fail_unknown(const struct release *release, struct error *err)
{
    return fail(err, EINPROGRESS, "header of model %s-%s is not known yet", release->id,
                release->version);
}

int documents_header(struct documents *documents, struct resolver *resolver,
                     const struct release *release, enum resolve_how how,
                     struct header **ret_header, struct error *err)
{
    struct recalled recalled;
    int rc = recall(documents, release, &recalled, err);

    if (rc == -EBADMSG)
        return fail_context(err, rc, "header of model %s-%s", release->id,
                            release->version);
    if (!recalled.header) {
        if (how != RESOLVE_FETCH)
            return fail_unknown(release, err);
        rc = layout_check(release->id, release->version, err);
        if (rc == 0)
            rc = fetch_header(documents, resolver, release, &recalled.header, err);
        if (rc < 0)
            return rc;
    }
    *ret_header = recalled.header;
    return 0;
}

int documents_date(struct documents *documents, struct resolver *resolver,
                   const struct release *release, enum resolve_how how,
                   int64_t *ret_date_s, struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    struct recalled recalled;
    int rc = recall(documents, release, &recalled, err);

    header_unref(recalled.header);
    if (recalled.has_date) {
        *ret_date_s = recalled.date_s;
        return 0;
    }
    rc = documents_header(documents, resolver, release, how, &header, err);
    if (rc == 0)
        *ret_date_s = header->date_s;
    return rc;
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
        saver_write_later(documents->saver, release, LAYOUT_META, text);
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
    is_saved = saver_read(documents->saver, release, LAYOUT_META, &text, &ignored) == 0;
    if (!is_saved || !resolver_is_down(resolver, release->repository))
        rc = refresh_meta(documents, resolver, release, &text, err);
    if (rc < 0) {
        if (!is_saved || rc == -ENOENT)
            return fail_context(err, rc, "metadata of model %s-%s", release->id,
                                release->version);
        bytes_done(&text); /* half fetched, perhaps */
        bytes_init(&text, YAML_BYTES_MAX);
        rc = saver_read(documents->saver, release, LAYOUT_META, &text, err);
    }
    return rc < 0 ? rc : bytes_append(to, text.data, text.size, err);
}

int documents_save(struct documents *documents, struct resolver *resolver,
                   const struct release *release, struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    CLEANUP_BYTES struct bytes meta;
    int rc = documents_header(documents, resolver, release, RESOLVE_FETCH, &header, err);

    bytes_init(&meta, YAML_BYTES_MAX);
    if (rc == 0 && !saver_has(documents->saver, release, LAYOUT_HEADER))
        rc = saver_write(documents->saver, release, LAYOUT_HEADER, header->text,
                         header->text_size, err);
    if (rc < 0 || saver_has(documents->saver, release, LAYOUT_META))
        return rc;
    rc = resolver_get_meta(resolver, release, &meta, err);
    if (rc == 0)
        rc = saver_write(documents->saver, release, LAYOUT_META, meta.data, meta.size,
                         err);
    return rc == -ENOENT ? 0 : rc;
}
