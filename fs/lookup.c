/* lookup.c: look-ups, attributes and links. */
#include "fs/lookup.h"

#include "fs/child.h"
#include "fs/describe.h"

#include <errno.h>
#include <string.h>

static double keep_s(int64_t keep_ms)
{
    return keep_ms == INT64_MAX ? FS_FOREVER_S : (double)keep_ms / 1000;
}

/* A name that does not exist is an answer too: the kernel may keep it for a while. */
static int answer_missing(struct fs *fs, const struct place *parent,
                          struct answer *answer)
{
    answer->kind = ANSWER_ENTRY;
    answer->entry = (struct fuse_entry_param){
        .entry_timeout = child_is_immutable(parent->kind)
                             ? FS_FOREVER_S
                             : (double)fs->options.ttl_negative_ms / 1000};
    return 0;
}

int lookup_entry(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    struct place child;
    int64_t keep_ms;
    int rc = child_find(fs, place, call->name, how, &child, &keep_ms, err);

    if (rc == -ENOENT)
        return answer_missing(fs, place, answer);
    if (rc == 0)
        rc = describe(fs, &child, how, &answer->entry, err);
    if (rc < 0)
        return rc;
    answer->kind = ANSWER_ENTRY;
    answer->entry.entry_timeout = keep_s(keep_ms);
    return 0;
}

int lookup_attributes(struct fs *fs, const struct call *call, const struct place *place,
                      enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)call;
    answer->kind = ANSWER_ATTR;
    return describe(fs, place, how, &answer->entry, err);
}

int lookup_link(struct fs *fs, const struct call *call, const struct place *place,
                enum resolve_how how, struct answer *answer, struct error *err)
{
    char target[DESCRIBE_LINK_MAX];

    (void)fs;
    (void)call;
    (void)how; /* a link's node ID says where it leads */
    if (!describe_is_link(place->kind))
        return fail(err, EINVAL, "no link");
    describe_link(place, target);
    answer->kind = ANSWER_TEXT;
    return bytes_append(&answer->bytes, target, strlen(target), err);
}

int lookup_space(struct fs *fs, const struct call *call, const struct place *place,
                 enum resolve_how how, struct answer *answer, struct error *err)
{
    (void)fs;
    (void)call;
    (void)place;
    (void)how;
    (void)err;
    /* Repositories have no size that we know: df(1) shows nothing. */
    answer->statvfs =
        (struct statvfs){.f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX};
    answer->kind = ANSWER_STATFS;
    return 0;
}
