/* describe.c: attributes of every kind of place. */
#include "fs/describe.h"

#include "fs/info.h"
#include "fs/place_archive.h"
#include "fs/staging_attr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    MODE_FOLDER = S_IFDIR | 0755,         /* may be written one day */
    MODE_VERSION_FOLDER = S_IFDIR | 0555, /* published: never written */
    MODE_STAGING = S_IFDIR | 0700,
    MODE_FILE = S_IFREG | 0444,
    MODE_LINK = S_IFLNK | 0777,
    BLOCK_SIZE = 4096,
    STAT_BLOCK = 512,
    CANONICAL_MAX = 8192,
};

static const mode_t modes[NODE_KINDS] = {
    [NODE_ROOT] = MODE_FOLDER,         [NODE_STATUS] = MODE_FILE,
    [NODE_METRICS] = MODE_FILE,        [NODE_INFO] = MODE_FOLDER,
    [NODE_INFO_MODEL] = MODE_FOLDER,   [NODE_INFO_ALIAS] = MODE_FOLDER,
    [NODE_INFO_VERSION] = MODE_FOLDER, [NODE_INFO_FILE] = MODE_FILE,
    [NODE_GROUP] = MODE_FOLDER,        [NODE_GROUP_LINK] = MODE_LINK,
    [NODE_MODEL] = MODE_FOLDER,        [NODE_ALIAS] = MODE_FOLDER,
    [NODE_LINK_ROOT] = MODE_LINK,      [NODE_LINK_MODEL] = MODE_LINK,
    [NODE_LINK_ALIAS] = MODE_LINK,     [NODE_VERSION] = MODE_VERSION_FOLDER,
    [NODE_STAGING] = MODE_STAGING,     [NODE_STAGED] = MODE_FILE,
    [NODE_STAGING_STATUS] = MODE_FILE, [NODE_STAGING_RESULT] = MODE_FILE,
    [NODE_MEMBER] = MODE_FILE, /* or a folder: by its entry */
};

bool describe_is_link(enum node_kind kind)
{
    return S_ISLNK(modes[kind]);
}

static size_t count_parts(const char *path)
{
    size_t count = 1;

    for (; *path; path++)
        count += *path == '/';
    return count;
}

void describe_link(const struct place *place, char *buffer)
{
    const struct release *release = &place->release;
    const char *leaf;
    size_t used = 0;

    switch (place->kind) {
    case NODE_LINK_ROOT:
        snprintf(buffer, DESCRIBE_LINK_MAX, "%s/%s", release->id, release->version);
        break;
    case NODE_LINK_MODEL:
        snprintf(buffer, DESCRIBE_LINK_MAX, "%s", release->version);
        break;
    case NODE_LINK_ALIAS:
        snprintf(buffer, DESCRIBE_LINK_MAX, "../%s/%s", release->id, release->version);
        break;
    default: /* a leaf of @tree, as deep as its path has parts */
        leaf = strrchr(place->name, '/');
        for (size_t i = count_parts(place->name); i > 0 && used < DESCRIBE_LINK_MAX / 2;
             i--)
            used += (size_t)snprintf(buffer + used, DESCRIBE_LINK_MAX - used, "../");
        snprintf(buffer + used, DESCRIBE_LINK_MAX - used, "%s",
                 leaf ? leaf + 1 : place->name);
        break;
    }
}

/* A text that only this place has, the same on each machine: members are named by their
 * path alone (canonical_member). */
static void canonical(const struct place *place, char *buffer)
{
    char target[DESCRIBE_LINK_MAX];

    if (describe_is_link(place->kind)) {
        describe_link(place, target);
        snprintf(buffer, CANONICAL_MAX, "@link/%d/%u/%s", place->kind, place->index,
                 target);
    } else if (place->kind == NODE_VERSION) {
        snprintf(buffer, CANONICAL_MAX, "%s/%s", place->release.id,
                 place->release.version);
    } else if (place->name) {
        snprintf(buffer, CANONICAL_MAX, "@%d/%s", place->kind, place->name);
    } else {
        snprintf(buffer, CANONICAL_MAX, "@%d/%s/%s/%u", place->kind, place->release.id,
                 place->release.version, place->index);
    }
}

static void canonical_member(const struct place *place, const struct toc *toc,
                             char *buffer)
{
    int used = snprintf(buffer, CANONICAL_MAX, "%s/%s/", place->release.id,
                        place->release.version);

    toc_path(toc, place->index, buffer + used);
}

void describe_briefly(const struct place *place, struct stat *ret_attr)
{
    char path[CANONICAL_MAX];

    canonical(place, path);
    *ret_attr = (struct stat){.st_ino = place_inode(path), .st_mode = modes[place->kind]};
}

static void set_times(struct stat *attr, int64_t time_s)
{
    attr->st_mtim.tv_sec = time_s;
    attr->st_ctim.tv_sec = time_s;
    attr->st_atim.tv_sec = time_s;
}

static void set_size(struct stat *attr, uint64_t size)
{
    attr->st_size = (off_t)size;
    attr->st_blocks = (blkcnt_t)((size + STAT_BLOCK - 1) / STAT_BLOCK);
}

/* The date of the header: that of the version's folders. */
static int version_date(struct fs *fs, const struct release *release,
                        enum resolve_how how, int64_t *ret_date_s, struct error *err)
{
    return cache_date(fs->cache, fs->resolver, release, how, ret_date_s, err);
}

static int describe_member(struct fs *fs, const struct place *place, enum resolve_how how,
                           struct fuse_entry_param *entry, struct error *err)
{
    struct archive *archive = NULL;
    const struct toc_entry *member;
    const struct toc *toc;
    char path[CANONICAL_MAX];
    int64_t time_s;
    int rc = place_archive(fs, place, how, &archive, err);

    if (rc < 0)
        return rc;
    toc = archive_toc(archive);
    if (place->index >= toc_count(toc)) {
        archive_unref(archive);
        return fail(err, ESTALE, "model %s-%s has no entry %u", place->release.id,
                    place->release.version, place->index);
    }
    member = toc_entry(toc, place->index);
    canonical_member(place, toc, path);
    entry->attr.st_ino = place_inode(path);
    time_s = member->mtime_s;
    if (member->kind == TOC_FOLDER) {
        entry->attr.st_mode = MODE_VERSION_FOLDER;
        rc = version_date(fs, &place->release, how, &time_s, err);
    } else {
        entry->attr.st_mode = MODE_FILE | member->execute_bits;
        set_size(&entry->attr, member->size);
    }
    set_times(&entry->attr, time_s);
    archive_unref(archive);
    return rc;
}

static int describe_info_file(struct fs *fs, const struct place *place,
                              enum resolve_how how, struct fuse_entry_param *entry,
                              struct error *err)
{
    struct bytes content;
    int rc;

    bytes_init(&content, ANSWER_BYTES_MAX);
    rc = info_print(fs, place, how, &content, err);
    set_size(&entry->attr, content.size);
    entry->attr_timeout = info_timeout_s(fs, place->index);
    if (fs->options.write_meta && info_is_writable(place->index))
        entry->attr.st_mode |= S_IWUSR;
    bytes_done(&content);
    return rc;
}

/* Size, times and timeout, where they are not those of describe(). */
static int describe_more(struct fs *fs, const struct place *place, enum resolve_how how,
                         struct fuse_entry_param *entry, struct error *err)
{
    char target[DESCRIBE_LINK_MAX];
    int64_t date_s;
    int rc;

    switch (place->kind) {
    case NODE_MEMBER:
        return describe_member(fs, place, how, entry, err);
    case NODE_INFO_FILE:
        return describe_info_file(fs, place, how, entry, err);
    case NODE_STATUS:
    case NODE_METRICS:
    case NODE_STAGING_STATUS:
    case NODE_STAGING_RESULT:
        entry->attr_timeout = 0;
        return 0;
    case NODE_VERSION:
        rc = version_date(fs, &place->release, how, &date_s, err);
        if (rc == 0)
            set_times(&entry->attr, date_s);
        return rc;
    default:
        if (describe_is_link(place->kind)) {
            describe_link(place, target);
            set_size(&entry->attr, strlen(target));
        }
        return 0;
    }
}

int describe(struct fs *fs, const struct place *place, enum resolve_how how,
             struct fuse_entry_param *ret_entry, struct error *err)
{
    struct fuse_entry_param entry = {.attr_timeout = FS_FOREVER_S};
    int rc;

    if (place->kind == NODE_STAGING || place->kind == NODE_STAGED)
        return staging_describe(fs, place, ret_entry, err);
    describe_briefly(place, &entry.attr);
    set_times(&entry.attr, fs->start_s);
    entry.attr.st_nlink = 1; /* for folders: their number is not counted, as on btrfs */
    entry.attr.st_uid = fs->uid;
    entry.attr.st_gid = fs->gid;
    entry.attr.st_blksize = BLOCK_SIZE;
    rc = describe_more(fs, place, how, &entry, err);
    if (rc == 0)
        rc = place_id(fs->slots, place, &entry.ino, err);
    if (rc == 0)
        *ret_entry = entry;
    return rc;
}
