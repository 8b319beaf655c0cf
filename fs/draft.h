/* draft.h: one text of metadata that is being written, in memory and on disk. For
 * fs/drafts.c alone, whose lock guards it. */
#ifndef FS_DRAFT_H
#define FS_DRAFT_H

#include "fs/draft_store.h"
#include "fs/drafts.h"
#include "publish/publish.h"

#include <sys/queue.h>

struct draft {
    uint64_t handle;
    uint64_t node_id;
    struct release release;
    struct bytes text;
    uint64_t changes; /* of the text */
    enum publish_meta how;
    bool is_dirty;      /* differs from what the repository was sent */
    bool is_flushed;    /* closed once since: its last close may be on its way */
    bool is_refused;    /* its writer was told that it is no mapping */
    bool is_committing; /* is being sent, or will be */
    bool is_released;   /* the last handle is closed */
    int fd;             /* of draft_store.h; -1: it is not kept */
    int store_fd;       /* lent */
    const char *owner;  /* lent */
    TAILQ_ENTRY(draft) next;
};

void draft_free(struct draft *draft); /* its file stays */

/* Begin a file for it, as it is. */
void draft_begin(struct draft *draft);

/* Its file gets what the fields say; draft_put and draft_cut do so themselves. */
void draft_keep(struct draft *draft);

int draft_put(struct draft *draft, const struct draft_write *write, struct error *err);
int draft_cut(struct draft *draft, uint64_t size, struct error *err);

/* Is the text of one a mapping? */
int draft_check(const struct bytes *text, struct error *err);

/* What draft_check said of a copy, made when there were so many changes. Of a text that
 * was changed since it says nothing. */
void draft_judge(struct draft *draft, uint64_t changes, bool is_refused);

#endif
