/* toc_local.c: local headers (APPNOTE.TXT 6.3.10, section 4.3.7) against the table. */
#include "cache/toc_local.h"

#include "cache/toc_name.h"
#include "common/bytes.h"

#include <errno.h>
#include <string.h>

enum {
    SIGNATURE = 0x04034b50,
    EXTRA_ZIP64 = 0x0001,
    FLAG_DESCRIPTOR = 0x0008, /* CRC-32 and sizes stand behind the member */
    /* Encrypted, patched, strongly encrypted, UTF-8, headers masked. */
    FLAGS_COMPARED = 0x0001 | 0x0020 | 0x0040 | 0x0800 | 0x2000,
};

struct local {
    uint16_t flags, method, name_size, extra_size;
    uint32_t crc32;
    uint64_t packed_size, size;
    const void *name, *extra;
};

/* Sizes that are all ones stand in the zip64 field. Fields that are cut are padding. */
static void read_zip64(struct local *local)
{
    struct cursor cursor, field;

    cursor_init(&cursor, local->extra, local->extra_size);
    while (cursor_left(&cursor) >= 4) {
        uint16_t id = cursor_u16(&cursor);
        uint16_t size = cursor_u16(&cursor);
        const void *data = cursor_bytes(&cursor, size);

        if (!data || id != EXTRA_ZIP64)
            continue;
        cursor_init(&field, data, size);
        if (local->size == UINT32_MAX)
            local->size = cursor_u64(&field);
        if (local->packed_size == UINT32_MAX)
            local->packed_size = cursor_u64(&field);
        return;
    }
}

/* With a descriptor behind the member, sizes and CRC-32 may be zero here. */
static bool number_agrees(const struct local *local, uint64_t value, uint64_t expected)
{
    return value == expected || ((local->flags & FLAG_DESCRIPTOR) && value == 0);
}

static bool name_agrees(const struct toc *toc, uint32_t index, const struct local *local)
{
    char decoded[TOC_NAME_BUFFER], path[TOC_PATH_MAX + 1];
    struct error err;
    size_t size;

    toc_path(toc, index, path);
    return toc_name_decode(local->name, local->name_size, local->flags, decoded, &size,
                           &err) == 0 &&
           size == strlen(path) && memcmp(decoded, path, size) == 0;
}

/* What the two say differently, NULL if nothing. */
static const char *difference(const struct toc *toc, uint32_t index,
                              const struct local *local)
{
    const struct toc_entry *entry = toc_entry(toc, index);

    if (!name_agrees(toc, index, local))
        return "name";
    if (((local->flags ^ entry->flags) & FLAGS_COMPARED) != 0)
        return "flags";
    if (entry->method != TOC_UNSUPPORTED && local->method != entry->method)
        return "method";
    if (!number_agrees(local, local->size, entry->size) ||
        !number_agrees(local, local->packed_size, entry->packed_size))
        return "size";
    return number_agrees(local, local->crc32, entry->crc32) ? NULL : "CRC-32";
}

static void read_fixed(struct cursor *cursor, struct local *local)
{
    cursor_u16(cursor); /* version needed */
    local->flags = cursor_u16(cursor);
    local->method = cursor_u16(cursor);
    cursor_u32(cursor); /* time and date */
    local->crc32 = cursor_u32(cursor);
    local->packed_size = cursor_u32(cursor);
    local->size = cursor_u32(cursor);
    local->name_size = cursor_u16(cursor);
    local->extra_size = cursor_u16(cursor);
}

int toc_local_check(const struct toc *toc, uint32_t index, const void *data, size_t size,
                    size_t *ret_size, struct error *err)
{
    const struct toc_entry *entry = toc_entry(toc, index);
    const char *name = toc_name(toc, index), *different;
    struct cursor cursor;
    struct local local;
    size_t header_size;

    if (size < TOC_LOCAL_MIN) {
        *ret_size = TOC_LOCAL_MIN;
        return 1;
    }
    cursor_init(&cursor, data, size);
    if (cursor_u32(&cursor) != SIGNATURE)
        return fail(err, EIO,
                    "'%s': no local header where the archive's table of "
                    "contents says",
                    name);
    read_fixed(&cursor, &local);
    header_size = TOC_LOCAL_MIN + (size_t)local.name_size + local.extra_size;
    if (header_size + entry->packed_size > entry->archive_last - entry->archive_first + 1)
        return fail(err, EIO, "'%s' reaches into what follows it in the archive", name);
    if (size < header_size) {
        *ret_size = header_size;
        return 1;
    }
    local.name = cursor_bytes(&cursor, local.name_size);
    local.extra = cursor_bytes(&cursor, local.extra_size);
    read_zip64(&local);
    different = difference(toc, index, &local);
    if (different)
        return fail(err, EIO,
                    "'%s' has another %s in its local header than in the "
                    "archive's table of contents",
                    name, different);
    *ret_size = header_size;
    return 0;
}
