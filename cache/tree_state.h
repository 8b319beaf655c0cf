/* tree_state.h: the record of one tree: a header, then one record per entry of its table.
 *
 * The file is written in place, 16 bytes a record, each by the holder of that member's
 * lock (tree.h). It is read by other versions of this program: a layout that changes
 * gets another number, and a file with an unknown number counts as no file. Pure. */
#ifndef CACHE_TREE_STATE_H
#define CACHE_TREE_STATE_H

#include "backends/backend.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TREE_HEADER_SIZE = 512,
    TREE_RECORD_SIZE = 16,
    TREE_BOOT_ID_SIZE = 37,
};

enum tree_flags {
    TREE_IS_CLEAN = 1,    /* flushed to disk, and not written to since */
    TREE_IS_MOVED = 2,    /* its files are at the final path */
    TREE_IS_ATTESTED = 4, /* another program's are, and `cache verify` found them right */
};

struct tree_header {
    uint32_t flags;       /* enum tree_flags */
    uint32_t entries;     /* of the table */
    uint64_t bytes;       /* of the members that are complete */
    uint64_t total_bytes; /* of all members */
    /* The folder of files, to tell it from one that another program puts there. */
    uint64_t folder_inode;
    int64_t folder_born_ns;
    char boot_id[TREE_BOOT_ID_SIZE];
    char tag[BACKEND_TAG_MAX]; /* of the object that the table was read from */
};

enum tree_record_state {
    TREE_ABSENT = 0,
    TREE_COMPLETE = 1,
    TREE_UNCHECKED = 2, /* complete before an unclean stop: to be hashed before its use */
    TREE_FOREIGN = 3,   /* by audmodel, size compared; in memory only */
};

struct tree_record {
    uint64_t xxh3;     /* of the content */
    uint32_t failed;   /* attempts that failed their check, ever */
    uint8_t state;     /* enum tree_record_state */
    uint8_t failures;  /* the same in succession */
    uint16_t failed_h; /* when the last did: hours of Unix time, as far as they fit */
};

/* Note that an attempt failed its check; and forget failures in succession that are an
 * hour old: what damages bytes may lie between the archive and us. */
void tree_record_fail(struct tree_record *record, int64_t now_s);
void tree_record_forgive(struct tree_record *record, int64_t now_s);

/* Can the member be handed out? */
bool tree_record_is_there(const struct tree_record *record);

void tree_header_print(const struct tree_header *header,
                       unsigned char ret_bytes[TREE_HEADER_SIZE]);

/* -EBADMSG for what is no such header, or one of another layout. -EAGAIN when its
 * checksum is wrong: it is damaged, or was read while it is written (tree_load_header).
 */
int tree_header_parse(const unsigned char bytes[TREE_HEADER_SIZE],
                      struct tree_header *ret_header, struct error *err);

void tree_record_print(const struct tree_record *record,
                       unsigned char ret_bytes[TREE_RECORD_SIZE]);
void tree_record_parse(const unsigned char bytes[TREE_RECORD_SIZE],
                       struct tree_record *ret_record);

#endif
