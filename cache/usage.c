/* usage.c: how many bytes modelfs has in the cache folder, as all processes count them.
 */
#include "cache/usage.h"

#include "cache/byte_lock.h"
#include "cache/layout.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    LOCKED_BYTE = 0,
    LOCK_MS = 1000, /* more than a change ever takes */
};

/* As they lie in the file, in the byte order of this machine. */
struct numbers {
    uint64_t used;
    uint64_t added; /* ever; never falls */
};

void usage_init(struct usage *usage, const struct store *store)
{
    *usage = (struct usage){.store = store, .fd = -1};
}

void usage_done(struct usage *usage)
{
    if (usage->fd >= 0)
        close(usage->fd);
    usage->fd = -1;
}

/* Somebody may have removed it: then what we have open is nobody else's. */
static int open_file(struct usage *usage, int flags, struct error *err)
{
    struct stat st;

    if (usage->fd >= 0 && fstat(usage->fd, &st) == 0 && st.st_nlink > 0)
        return 0;
    usage_done(usage);
    usage->fd =
        files_open_beneath(usage->store->root_fd, LAYOUT_USED, O_RDWR | flags, 0666, err);
    return usage->fd < 0 ? usage->fd : 0;
}

/* The numbers are ours until end. false: nobody can say, and end must not follow. With
 * O_CREAT they are 0 then. */
static bool begin(struct usage *usage, int flags, struct numbers *ret_numbers)
{
    struct error ignored = {0}; /* who gets false looks what is there */

    if (open_file(usage, flags, &ignored) < 0 ||
        byte_lock_write(usage->fd, LOCKED_BYTE, LOCK_MS, &ignored) < 0)
        return false;
    if (files_pread(usage->fd, ret_numbers, sizeof *ret_numbers, 0, &ignored) == 0)
        return true;
    *ret_numbers = (struct numbers){0};
    if (flags & O_CREAT)
        return true;
    byte_lock_drop(usage->fd, LOCKED_BYTE);
    return false;
}

static bool end(struct usage *usage, const struct numbers *numbers)
{
    int rc = files_pwrite(usage->fd, numbers, sizeof *numbers, 0, &(struct error){0});

    byte_lock_drop(usage->fd, LOCKED_BYTE);
    return rc == 0;
}

static void add(struct numbers *numbers, uint64_t bytes)
{
    numbers->used += bytes;
    numbers->added += bytes;
}

bool usage_take(struct usage *usage, uint64_t bytes, uint64_t limit)
{
    struct numbers numbers;
    bool fits;

    if (!begin(usage, 0, &numbers))
        return false;
    fits = numbers.used <= limit && bytes <= limit - numbers.used;
    if (fits)
        add(&numbers, bytes);
    return end(usage, &numbers) && fits;
}

void usage_add(struct usage *usage, uint64_t bytes)
{
    struct numbers numbers;

    if (!begin(usage, 0, &numbers))
        return;
    add(&numbers, bytes);
    (void)end(usage, &numbers); /* too low until somebody looks */
}

uint64_t usage_added(struct usage *usage)
{
    struct numbers numbers;

    if (!begin(usage, 0, &numbers))
        return 0;
    byte_lock_drop(usage->fd, LOCKED_BYTE);
    return numbers.added;
}

void usage_set(struct usage *usage, uint64_t added_before, uint64_t bytes,
               uint64_t coming)
{
    struct numbers numbers;

    if (!begin(usage, O_CREAT, &numbers))
        return;
    numbers.used = bytes;
    if (numbers.added > added_before)
        numbers.used += numbers.added - added_before;
    add(&numbers, coming);
    (void)end(usage, &numbers); /* the next one looks again */
}
