/* pack_seal.c: sets times in a finished archive and takes its checksum, in one pass. */
#include "publish/pack_seal.h"

#include "cache/toc_name.h"
#include "common/files.h"
#include "publish/pack_time.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    CHUNK_SIZE = 1 << 20,
    EXTRA_ZIP64 = 1,
    EXTRA_SIZE_MAX = 64, /* of local headers; libzip writes 20 bytes at most */
    DESCRIPTOR_FLAG = 1 << 3,
    TIMES_SIZE = 8, /* of flags, method, time and date */
};

struct seal {
    int fd;
    uint64_t offset; /* all before is digested */
    struct digest_md5 *digest;
    unsigned char *buffer; /* CHUNK_SIZE */
};

/* Headers in front of the data and entries of the central directory are alike from their
 * flags to their names. */
struct shape {
    uint32_t signature;
    size_t size; /* without name and what follows it */
    size_t flags_at;
};

static const struct shape local_header = {0x04034b50, 30, 6};
static const struct shape directory_entry = {0x02014b50, 46, 8};

struct header {
    uint16_t flags, method, time, date;
    uint32_t crc32, packed_size, size;
    uint16_t name_size, extra_size, comment_size;
};

static int digest_until(struct seal *seal, uint64_t end, struct error *err)
{
    while (seal->offset < end) {
        uint64_t left = end - seal->offset;
        size_t size = left < CHUNK_SIZE ? (size_t)left : CHUNK_SIZE;
        int rc = files_pread(seal->fd, seal->buffer, size, seal->offset, err);

        if (rc < 0)
            return rc;
        digest_md5_update(seal->digest, seal->buffer, size);
        seal->offset += size;
    }
    return 0;
}

static int fail_foreign(const char *path, struct error *err)
{
    char text[128];

    return fail(err, EIO, "the new archive is damaged at '%s'; did another write to it?",
                pack_scan_print(path, text));
}

static bool read_header(const struct shape *shape, const unsigned char *data,
                        const char *path, struct header *ret_header)
{
    size_t path_size = strlen(path);
    struct cursor cursor;
    uint32_t signature;

    cursor_init(&cursor, data, shape->size);
    signature = cursor_u32(&cursor);
    cursor_bytes(&cursor, shape->flags_at - sizeof signature);
    ret_header->flags = cursor_u16(&cursor);
    ret_header->method = cursor_u16(&cursor);
    ret_header->time = cursor_u16(&cursor);
    ret_header->date = cursor_u16(&cursor);
    ret_header->crc32 = cursor_u32(&cursor);
    ret_header->packed_size = cursor_u32(&cursor);
    ret_header->size = cursor_u32(&cursor);
    ret_header->name_size = cursor_u16(&cursor);
    ret_header->extra_size = cursor_u16(&cursor);
    ret_header->comment_size = cursor_u16(&cursor); /* of entries alone */
    return signature == shape->signature && ret_header->name_size == path_size &&
           memcmp(data + shape->size, path, path_size) == 0 &&
           !(ret_header->flags & DESCRIPTOR_FLAG);
}

static bool is_ascii(const char *path)
{
    for (; *path; path++) {
        if ((unsigned char)*path > 127)
            return false;
    }
    return true;
}

static void put_u16(unsigned char *to, uint16_t value)
{
    to[0] = (unsigned char)value;
    to[1] = (unsigned char)(value >> 8);
}

/* What flags, method, time and date should be. */
static void print_times(const struct header *header, const struct pack_file *file,
                        const char *path, unsigned char to[TIMES_SIZE])
{
    uint16_t flags = header->flags & (uint16_t)~TOC_NAME_UTF8_FLAG;
    struct pack_time time;

    if (!is_ascii(path))
        flags |= TOC_NAME_UTF8_FLAG;
    pack_time_from_unix(file->mtime.tv_sec, &time);
    put_u16(to, flags);
    put_u16(to + 2, header->method);
    put_u16(to + 4, time.time);
    put_u16(to + 6, time.date);
}

/* The header of either kind that begins here, with its name. */
static int seal_header(struct seal *seal, const struct shape *shape,
                       const struct pack_file *file, const char *path,
                       struct header *ret_header, struct error *err)
{
    unsigned char *data = seal->buffer, times[TIMES_SIZE];
    size_t size = shape->size + strlen(path);
    int rc = files_pread(seal->fd, data, size, seal->offset, err);

    if (rc < 0)
        return rc;
    if (!read_header(shape, data, path, ret_header))
        return fail_foreign(path, err);
    print_times(ret_header, file, path, times);
    if (memcmp(data + shape->flags_at, times, sizeof times) != 0) {
        memcpy(data + shape->flags_at, times, sizeof times);
        rc = files_pwrite(seal->fd, times, sizeof times, seal->offset + shape->flags_at,
                          err);
        if (rc < 0)
            return rc;
    }
    digest_md5_update(seal->digest, data, size);
    seal->offset += size;
    return 0;
}

/* Bytes of data in the archive; where they are too many for the header itself, they
 * stand in the extra field behind it. */
static int packed_size(const struct seal *seal, const struct header *header,
                       const char *path, uint64_t *ret_size, struct error *err)
{
    unsigned char extra[EXTRA_SIZE_MAX];
    struct cursor cursor;
    int rc;

    *ret_size = header->packed_size;
    if (header->packed_size != UINT32_MAX)
        return 0;
    if (header->extra_size > sizeof extra)
        return fail_foreign(path, err);
    rc = files_pread(seal->fd, extra, header->extra_size, seal->offset, err);
    if (rc < 0)
        return rc;
    cursor_init(&cursor, extra, header->extra_size);
    if (cursor_u16(&cursor) != EXTRA_ZIP64)
        return fail_foreign(path, err);
    cursor_u16(&cursor);
    cursor_u64(&cursor); /* bytes of content */
    *ret_size = cursor_u64(&cursor);
    return cursor.ok ? 0 : fail_foreign(path, err);
}

static int seal_members(struct seal *seal, const struct pack_list *list,
                        struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *path = pack_scan_path(list, &list->files[i]);
        struct header header;
        uint64_t size;
        int rc = seal_header(seal, &local_header, &list->files[i], path, &header, err);

        if (rc == 0)
            rc = packed_size(seal, &header, path, &size, err);
        if (rc == 0)
            rc = digest_until(seal, seal->offset + header.extra_size + size, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int seal_directory(struct seal *seal, const struct pack_list *list,
                          struct error *err)
{
    for (size_t i = 0; i < list->count; i++) {
        const char *path = pack_scan_path(list, &list->files[i]);
        struct header entry;
        int rc = seal_header(seal, &directory_entry, &list->files[i], path, &entry, err);

        if (rc == 0)
            rc = digest_until(seal, seal->offset + entry.extra_size + entry.comment_size,
                              err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

int pack_seal(int spool_fd, const struct pack_list *list, uint64_t *ret_size,
              char ret_md5[DIGEST_MD5_SIZE], struct error *err)
{
    CLEANUP_FREE unsigned char *buffer = malloc(CHUNK_SIZE);
    CLEANUP_DIGEST struct digest_md5 digest = {0};
    struct seal seal = {.fd = spool_fd, .digest = &digest, .buffer = buffer};
    struct stat stat;
    int rc;

    if (!buffer)
        return fail(err, ENOMEM, "no memory to read the archive");
    if (fstat(spool_fd, &stat) < 0)
        return fail_errno(err, "stat the archive");
    rc = digest_md5_init(&digest, err);
    if (rc == 0)
        rc = seal_members(&seal, list, err);
    if (rc == 0)
        rc = seal_directory(&seal, list, err);
    if (rc == 0) /* the end records */
        rc = digest_until(&seal, (uint64_t)stat.st_size, err);
    if (rc == 0)
        rc = digest_md5_final(&digest, ret_md5, err);
    if (rc < 0)
        return rc;
    *ret_size = (uint64_t)stat.st_size;
    return 0;
}
