/* tree.h: one tree on disk: its record, its files, the locks between processes.
 *
 *     rc = tree_open(store, id, version, toc, &tree, &err);       tree_open.h
 *     rc = tree_lock(tree, TREE_LOCK_MEMBER + index, TREE_TRY, &err);
 *     fd = tree_member_create(tree, index, &err);  ... write, verify ...   tree_member.h
 *     rc = tree_member_land(tree, index, fd, "log/eval.yaml", size, &record, &err);
 *     tree_unlock(tree, TREE_LOCK_MEMBER + index);
 *     tree_close(tree);
 *
 * Locks are on bytes of `state` (byte_lock.h). Who uses a tree holds TREE_LOCK_USE
 * shared, so that no other process evicts it. All functions do local I/O only.
 * Thread-safe as far as no two threads work on one member. */
#ifndef CACHE_TREE_H
#define CACHE_TREE_H

#include "cache/byte_lock.h"
#include "cache/store.h"
#include "cache/tree_state.h"
#include "common/cleanup.h"
#include "common/error.h"
#include "common/sync.h"

#include <stdbool.h>
#include <stdint.h>

/* Constant after open. */
struct tree {
    const struct store *store;
    char *path;       /* of its folder below the root */
    char *final_path; /* where it goes when complete */
    int folder_fd;
    int state_fd;
    uint32_t entries;
    struct lock lock; /* TREE_LOCK_HEADER does not keep threads of one process apart */
};

/* Bytes of `state` that are locked; far beyond its end, where locks do no harm. */
#define TREE_LOCK_HEADER ((uint64_t)1 << 40)    /* while the header is changed */
#define TREE_LOCK_USE (TREE_LOCK_HEADER + 1)    /* shared by all that use it */
#define TREE_LOCK_MOVE (TREE_LOCK_HEADER + 2)   /* while it moves to the final path */
#define TREE_LOCK_MEMBER (TREE_LOCK_HEADER + 8) /* + index: while that one is written */

enum {
    TREE_TRY = BYTE_LOCK_TRY,
    TREE_WAIT_MS = 10000, /* more than a header's change ever takes */
};

void tree_close(struct tree *tree); /* accepts NULL */
#define CLEANUP_TREE CLEANUP_WITH(tree_cleanup)
static inline void tree_cleanup(struct tree **tree)
{
    tree_close(*tree);
}

/* Are there members that would be hashed again after the next boot? */
bool tree_is_unclean(struct tree *tree);

/* All of the tree was flushed to disk (syncfs): note that, if nobody else uses it. */
void tree_mark_clean(struct tree *tree);

/* Take one of the locks above for writing: byte_lock_write. */
int tree_lock(struct tree *tree, uint64_t byte, int timeout_ms, struct error *err);
void tree_unlock(struct tree *tree, uint64_t byte);

/* Has another open tree one of them? */
bool tree_is_locked(const struct tree *tree, uint64_t byte);

/* Share in the use; -EAGAIN while another process evicts the tree. */
int tree_lock_use(struct tree *tree, int timeout_ms, struct error *err);

/* Nobody here uses it for a while: other processes may evict it. And take part in its use
 * again: false if it was evicted meanwhile, or is being evicted; then it can only be
 * closed. Neither waits. */
void tree_let_go(struct tree *tree);
bool tree_take_again(struct tree *tree);

/* It was used until now: what was not for longer is evicted first. */
void tree_note_use(struct tree *tree);

/* Turn the shared use into an exclusive one, if nobody else uses it. -EAGAIN. */
int tree_lock_alone(struct tree *tree, struct error *err);

/* Is what we opened still what others open? Eviction removes whole trees, and so do
 * people. */
bool tree_is_there(const struct tree *tree);

/* The header in the file `state` as it is now, written by others meanwhile or not;
 * -EBADMSG if it makes no sense. */
int tree_load_header(int state_fd, struct tree_header *ret_header, struct error *err);

/* The same of a tree. */
int tree_read_header(struct tree *tree, struct tree_header *ret_header,
                     struct error *err);

int tree_write_header(struct tree *tree, const struct tree_header *header,
                      struct error *err);

/* The header for a while: the other threads and processes wait. Also on failure
 * tree_unlock_header must follow. */
int tree_lock_header(struct tree *tree, struct error *err) ACQUIRES(tree->lock);
void tree_unlock_header(struct tree *tree) RELEASES(tree->lock);

/* Change the header: change(header, arg) runs under TREE_LOCK_HEADER. */
typedef void tree_change(struct tree_header *header, void *arg);
int tree_change_header(struct tree *tree, tree_change *change, void *arg,
                       struct error *err);

/* What is noted of a member on disk; -EIO. In memory archive_state has it. */
int tree_read_record(struct tree *tree, uint32_t index, struct tree_record *ret_record,
                     struct error *err);
int tree_write_record(struct tree *tree, uint32_t index, const struct tree_record *record,
                      struct error *err);

/* All of them; records holds tree->entries. */
int tree_read_records(struct tree *tree, struct tree_record *records, struct error *err);

/* Where the tree was moved to is a member missing: take the tree as not moved, so that
 * members can be fetched again. */
int tree_forget_move(struct tree *tree, struct error *err);

/* Is that the folder of files whose move the header tells of (false also where it cannot
 * be looked at)? Where it was before, "files" in the tree's folder, it is until the
 * rename that follows. */
bool tree_is_at(const struct tree_header *header, int dir_fd, const char *path);

/* Rename the folder of files to the final path, where nothing may be. Everything in it
 * was flushed to disk before. -EEXIST. */
int tree_move(struct tree *tree, struct error *err);

/* Is the folder at the final path the one that this tree was moved to? */
bool tree_is_final_ours(struct tree *tree, const struct tree_header *header);

/* Note that the files which another program put at the final path are right; and is that
 * noted of the folder that is there now? */
int tree_attest(struct tree *tree, struct error *err);
bool tree_is_final_attested(struct tree *tree, const struct tree_header *header);

#endif
