/* archive_state.c: an open archive as the files of cache/ see it: members and records. */
#include "cache/archive_state.h"

#include "cache/internal.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>

enum { SMALL_MAX = 1 << 20 }; /* bytes of a member that may lie in memory as a whole */

bool archive_state_is_complete_locked(struct archive *archive)
{
    return archive->complete_count == toc_file_count(archive->toc);
}

struct member *archive_state_member_locked(struct archive *archive, uint32_t index)
{
    struct member *member;

    LIST_FOREACH(member, &archive->members[index % ARCHIVE_BUCKETS], link) {
        if (member->index == index)
            return member;
    }
    return NULL;
}

bool archive_state_may_fetch_locked(struct archive *archive, uint32_t index)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    const struct tree_record *record = &archive->records[index];

    return entry->kind == TOC_FILE && entry->method != TOC_UNSUPPORTED &&
           (record->state == TREE_ABSENT || record->state == TREE_UNCHECKED) &&
           record->failures == 0 && !archive_state_member_locked(archive, index);
}

enum member_order archive_state_order(const struct archive *archive, uint32_t index)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);

    return entry->method == TOC_STORED &&
                   (entry->size > archive->cache->hold || entry->size > SMALL_MAX)
               ? MEMBER_BY_BLOCK
               : MEMBER_IN_ORDER;
}

bool archive_state_is_small(const struct archive *archive, uint32_t index)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);

    return entry->size <= archive->cache->hold &&
           (entry->method == TOC_STORED ? entry->size <= SMALL_MAX
                                        : entry->packed_size + entry->size <= SMALL_MAX);
}

bool archive_state_is_local_locked(struct archive *archive)
{
    return archive->object && object_fd(archive->object) >= 0;
}

bool archive_state_is_waited_for(struct archive *archive, const struct member *member)
{
    bool result;

    lock_acquire(&archive->lock);
    result = !TAILQ_EMPTY(&member->waiters);
    lock_release(&archive->lock);
    return result;
}

int archive_state_new_member_locked(struct archive *archive, uint32_t index,
                                    struct member **ret_member, struct error *err)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    struct member *member;
    int rc = member_new(index, archive->records[index].failed + 1, entry->size,
                        archive->cache->hold, archive_state_order(archive, index),
                        &member, err);

    if (rc < 0)
        return rc;
    member->is_small = archive_state_is_small(archive, index);
    LIST_INSERT_HEAD(&archive->members[index % ARCHIVE_BUCKETS], member, link);
    archive->member_count++;
    *ret_member = member;
    return 0;
}

void archive_state_drop_member_locked(struct archive *archive, struct member *member)
{
    LIST_REMOVE(member, link);
    archive->member_count--;
}

void archive_state_forget_failure_locked(struct archive *archive, uint32_t index)
{
    struct failure *failure, *next;

    for (failure = TAILQ_FIRST(&archive->failures); failure; failure = next) {
        next = TAILQ_NEXT(failure, link);
        if (failure->index != index)
            continue;
        TAILQ_REMOVE(&archive->failures, failure, link);
        archive->failure_count--;
        free(failure);
    }
}

void archive_state_note_failure_locked(struct archive *archive, uint32_t index,
                                       const struct error *err)
{
    struct failure *failure = XNEW(struct failure);

    archive_state_forget_failure_locked(archive, index);
    if (archive->failure_count == ARCHIVE_FAILURES_MAX)
        archive_state_forget_failure_locked(archive,
                                            TAILQ_FIRST(&archive->failures)->index);
    failure->index = index;
    failure->err = *err;
    TAILQ_INSERT_TAIL(&archive->failures, failure, link);
    archive->failure_count++;
}

void archive_state_set_record_locked(struct archive *archive, uint32_t index,
                                     const struct tree_record *record)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    struct tree_record *mine = &archive->records[index];

    if (entry->kind != TOC_FILE)
        return;
    if (tree_record_is_there(mine)) {
        archive->complete_count--;
        archive->complete_bytes -= entry->size;
    }
    *mine = *record;
    if (tree_record_is_there(mine)) {
        archive->complete_count++;
        archive->complete_bytes += entry->size;
    }
}

int archive_state_new(struct cache *cache, struct resolver *resolver,
                      const struct release *release, struct toc *take_toc,
                      struct tree *take_tree, struct archive **ret_archive,
                      struct error *err)
{
    struct archive *archive = XNEW(struct archive);

    archive->cache = cache;
    archive->resolver = resolver;
    archive->release = *release;
    archive->toc = take_toc;
    archive->tree = take_tree;
    archive->opened_ms = clock_now_ms();
    archive->refs = 1;
    lock_init(&archive->lock);
    condition_init(&archive->changed);
    TAILQ_INIT(&archive->failures);
    for (size_t i = 0; i < ARCHIVE_BUCKETS; i++)
        LIST_INIT(&archive->members[i]);
    archive->records = calloc(toc_count(take_toc), sizeof(*archive->records));
    if (!archive->records) {
        archive_state_free(archive);
        return fail(err, ENOMEM, "no memory for the records of %s-%s", release->id,
                    release->version);
    }
    *ret_archive = archive;
    return 0;
}

void archive_state_free(struct archive *archive)
{
    struct failure *failure;
    struct member *member;

    if (!archive)
        return;
    for (size_t i = 0; i < ARCHIVE_BUCKETS; i++) {
        while ((member = LIST_FIRST(&archive->members[i])) != NULL) {
            LIST_REMOVE(member, link);
            member_free(member);
        }
    }
    while ((failure = TAILQ_FIRST(&archive->failures)) != NULL) {
        TAILQ_REMOVE(&archive->failures, failure, link);
        free(failure);
    }
    object_close(archive->object);
    order_free(archive->order);
    tree_close(archive->tree);
    toc_free(archive->toc);
    condition_done(&archive->changed);
    lock_done(&archive->lock);
    free(archive->records);
    free(archive);
}

/* Has the file at the final path the size that the table says? */
static bool is_foreign_member(struct archive *archive, int final_fd, uint32_t index)
{
    const struct toc_entry *entry = toc_entry(archive->toc, index);
    struct error err = {0};
    char path[TOC_PATH_MAX + 1];
    CLEANUP_CLOSE int fd = -1;
    struct stat st;

    toc_path(archive->toc, index, path);
    fd = files_open_beneath(final_fd, path, O_PATH | O_NOFOLLOW, 0, &err);
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
           (uint64_t)st.st_size == entry->size;
}

static void adopt_locked(struct archive *archive, uint32_t index, int final_fd)
    REQUIRES(archive->lock)
{
    static const struct tree_record foreign = {.state = TREE_FOREIGN};

    if (!is_foreign_member(archive, final_fd, index))
        return;
    archive_state_set_record_locked(archive, index, &foreign);
    archive->is_foreign = true;
}

static int open_final(struct archive *archive)
{
    return files_open_beneath(archive->cache->store.root_fd, archive->tree->final_path,
                              O_PATH | O_DIRECTORY, 0, &(struct error){0});
}

bool archive_state_adopt_foreign(struct archive *archive)
{
    CLEANUP_CLOSE int final_fd = open_final(archive);
    bool are_all = final_fd >= 0;

    for (uint32_t i = 0; are_all && i < toc_count(archive->toc); i++)
        are_all = toc_entry(archive->toc, i)->kind != TOC_FILE ||
                  is_foreign_member(archive, final_fd, i);
    if (!are_all)
        return false;
    lock_acquire(&archive->lock);
    for (uint32_t i = 0; i < toc_count(archive->toc); i++) {
        if (toc_entry(archive->toc, i)->kind == TOC_FILE)
            adopt_locked(archive, i, final_fd);
    }
    lock_release(&archive->lock);
    return true;
}

/* What audmodel unpacked is taken as it is, member by member, where we have nothing. */
static void take_records_locked(struct archive *archive,
                                const struct tree_record *records, int final_fd)
    REQUIRES(archive->lock)
{
    for (uint32_t i = 0; i < toc_count(archive->toc); i++) {
        archive->records[i].failed = records[i].failed;
        archive->records[i].failures = records[i].failures;
        archive_state_set_record_locked(archive, i, &records[i]);
        if (final_fd >= 0 && toc_entry(archive->toc, i)->kind == TOC_FILE &&
            records[i].state == TREE_ABSENT)
            adopt_locked(archive, i, final_fd);
    }
}

int archive_state_load(struct archive *archive, struct error *err)
{
    struct tree *tree = archive->tree;
    CLEANUP_FREE struct tree_record *records =
        calloc(toc_count(archive->toc), sizeof(*records));
    CLEANUP_CLOSE int final_fd = open_final(archive);
    struct tree_header header;
    int rc = records ? tree_read_header(tree, &header, err)
                     : fail(err, ENOMEM, "no memory for the records of members");

    if (rc == 0)
        rc = tree_read_records(tree, records, err);
    if (rc < 0)
        return rc;
    for (uint32_t i = 0; i < toc_count(archive->toc); i++)
        tree_record_forgive(&records[i], time(NULL));
    lock_acquire(&archive->lock);
    archive->is_final = tree_is_final_ours(tree, &header);
    archive->is_attested = tree_is_final_attested(tree, &header);
    take_records_locked(archive, records, archive->is_final ? -1 : final_fd);
    if (archive->is_foreign && archive_state_is_complete_locked(archive))
        archive->is_final = true;
    lock_release(&archive->lock);
    return 0;
}
