/* toc_parse.c: end record, zip64 records and central directory of a zip archive
 * (APPNOTE.TXT 6.3.10, sections 4.3.12 to 4.3.16 and 4.5.3). */
#include "cache/toc_parse.h"

#include "cache/toc_block.h"
#include "cache/toc_build.h"
#include "cache/toc_name.h"
#include "cache/toc_span.h"
#include "common/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    END_SIGNATURE = 0x06054b50,
    END_SIZE = 22,
    END64_SIGNATURE = 0x06064b50,
    END64_SIZE = 56,
    LOCATOR_SIGNATURE = 0x07064b50,
    LOCATOR_SIZE = 20,
    ENTRY_SIGNATURE = 0x02014b50,
    ENTRY_SIZE = 46,
    LOCAL_SIZE = 30,
    EXTRA_ZIP64 = 0x0001,
    /* General purpose flags: encrypted, patched, strongly encrypted, headers masked. */
    FLAGS_UNSUPPORTED = 0x0001 | 0x0020 | 0x0040 | 0x2000,
    MADE_BY_UNIX = 3,
    EXECUTE_BITS = 0111,
    DEFLATE_RATIO_MAX = 1032, /* a code of two bits for a match of 258 bytes */
};

/* The end record and its zip64 twin, whichever holds a field. */
struct end_record {
    uint64_t disk, directory_disk, count_here, count, size, first;
};

/* One entry of the central directory, as it stands there. */
struct raw_entry {
    uint16_t made_by, flags, method, time, date, name_size, extra_size, comment_size;
    uint32_t crc32, attributes;
    uint64_t packed_size, size, disk, first;
    const char *name;
};

/* Where in the tail the end record stands. Its comment must end with the archive: what
 * merely looks like a record in a comment makes the archive ambiguous, and refused. */
static int find_end(const unsigned char *tail, size_t tail_size, size_t *ret_at,
                    struct error *err)
{
    struct cursor cursor;

    for (size_t at = tail_size < END_SIZE ? 0 : tail_size - END_SIZE + 1; at-- > 0;) {
        cursor_init(&cursor, tail + at, tail_size - at);
        if (cursor_u32(&cursor) != END_SIGNATURE)
            continue;
        cursor_bytes(&cursor, END_SIZE - 6);
        if (cursor_u16(&cursor) != cursor_left(&cursor))
            return fail(err, EBADMSG,
                        "the comment of the archive is cut or has bytes "
                        "behind it");
        *ret_at = at;
        return 0;
    }
    return fail(err, EBADMSG,
                "it is no zip archive, or cut: no end record in the last "
                "%zu bytes",
                tail_size);
}

static void read_end(const unsigned char *data, struct end_record *end)
{
    struct cursor cursor;

    cursor_init(&cursor, data, END_SIZE);
    cursor_u32(&cursor);
    end->disk = cursor_u16(&cursor);
    end->directory_disk = cursor_u16(&cursor);
    end->count_here = cursor_u16(&cursor);
    end->count = cursor_u16(&cursor);
    end->size = cursor_u32(&cursor);
    end->first = cursor_u32(&cursor);
    assert(cursor.ok);
}

/* A field that is too large for the old record is all ones there and stands in the new
 * one; else both must say the same. */
static bool settle(uint64_t *field, uint64_t all_ones, uint64_t value)
{
    bool agrees = *field == value || *field == all_ones;

    *field = value;
    return agrees;
}

/* Read the zip64 end record, which stands right before its locator, which stands right
 * before the end record. *at, an offset in the tail, goes back from one to the other. */
static int read_end64(const unsigned char *tail, uint64_t tail_offset, size_t *at,
                      struct end_record *end, struct error *err)
{
    size_t locator_at = *at - LOCATOR_SIZE;
    struct cursor locator, record;
    bool agrees = true;

    cursor_init(&locator, tail + locator_at, LOCATOR_SIZE);
    cursor_u32(&locator);
    if (cursor_u32(&locator) != 0)
        return fail(err, EBADMSG, "the archive is split over several disks");
    if (locator_at < END64_SIZE ||
        cursor_u64(&locator) != tail_offset + locator_at - END64_SIZE)
        return fail(err, EBADMSG, "the zip64 end record is not right before its locator");
    if (cursor_u32(&locator) > 1)
        return fail(err, EBADMSG, "the archive is split over several disks");
    *at = locator_at - END64_SIZE;
    cursor_init(&record, tail + *at, END64_SIZE);
    if (cursor_u32(&record) != END64_SIGNATURE ||
        cursor_u64(&record) != END64_SIZE - 12) /* counted from behind this field */
        return fail(err, EBADMSG, "the zip64 end record is damaged");
    cursor_u32(&record); /* versions */
    agrees &= settle(&end->disk, UINT16_MAX, cursor_u32(&record));
    agrees &= settle(&end->directory_disk, UINT16_MAX, cursor_u32(&record));
    agrees &= settle(&end->count_here, UINT16_MAX, cursor_u64(&record));
    agrees &= settle(&end->count, UINT16_MAX, cursor_u64(&record));
    agrees &= settle(&end->size, UINT32_MAX, cursor_u64(&record));
    agrees &= settle(&end->first, UINT32_MAX, cursor_u64(&record));
    if (!agrees)
        return fail(err, EBADMSG, "the two end records of the archive disagree");
    return 0;
}

static int check_end(const struct end_record *end, uint64_t directory_end,
                     struct error *err)
{
    uint64_t sum;

    if (end->disk != 0 || end->directory_disk != 0 || end->count_here != end->count)
        return fail(err, EBADMSG, "the archive is split over several disks");
    if (__builtin_add_overflow(end->first, end->size, &sum) || sum != directory_end)
        return fail(err, EBADMSG,
                    "the central directory does not end where the end "
                    "record begins: the archive is damaged, or bytes stand "
                    "before it");
    if (end->count >= TOC_ENTRIES_MAX)
        return fail(err, EBADMSG, "%llu entries are more than the limit of %d",
                    (unsigned long long)end->count, TOC_ENTRIES_MAX);
    if (end->size > TOC_PARSE_DIRECTORY_MAX)
        return fail(err, EBADMSG, "a central directory of %llu bytes is over the limit",
                    (unsigned long long)end->size);
    if (end->size / ENTRY_SIZE < end->count)
        return fail(err, EBADMSG,
                    "a central directory of %llu bytes cannot hold %llu "
                    "entries",
                    (unsigned long long)end->size, (unsigned long long)end->count);
    return 0;
}

int toc_parse_end(const void *tail, size_t tail_size, uint64_t archive_size,
                  struct toc_end *ret_end, struct error *err)
{
    const unsigned char *bytes = tail;
    uint64_t tail_offset = archive_size - tail_size;
    struct end_record end;
    struct cursor locator;
    size_t at = 0;
    int rc;

    assert(tail_size <= archive_size);
    if (archive_size > TOC_PARSE_ARCHIVE_MAX)
        return fail(err, EBADMSG, "%llu bytes are more than an archive may have",
                    (unsigned long long)archive_size);
    rc = find_end(bytes, tail_size, &at, err);
    if (rc < 0)
        return rc;
    read_end(bytes + at, &end);
    if (at >= LOCATOR_SIZE) {
        cursor_init(&locator, bytes + at - LOCATOR_SIZE, LOCATOR_SIZE);
        if (cursor_u32(&locator) == LOCATOR_SIGNATURE)
            rc = read_end64(bytes, tail_offset, &at, &end, err);
    }
    if (rc == 0)
        rc = check_end(&end, tail_offset + at, err);
    if (rc < 0)
        return rc;
    *ret_end = (struct toc_end){end.first, end.size, end.count};
    return 0;
}

/* The fields that are all ones stand in the zip64 extra field, in this order. Some write
 * all four, needed or not: then they must say the same. What is wrong, NULL if nothing.
 */
static const char *zip64_complaint(struct raw_entry *raw, const void *data, size_t size)
{
    struct cursor needed, all;
    bool agrees;

    cursor_init(&needed, data, size);
    if (raw->size == UINT32_MAX)
        raw->size = cursor_u64(&needed);
    if (raw->packed_size == UINT32_MAX)
        raw->packed_size = cursor_u64(&needed);
    if (raw->first == UINT32_MAX)
        raw->first = cursor_u64(&needed);
    if (raw->disk == UINT16_MAX)
        raw->disk = cursor_u32(&needed);
    if (!needed.ok)
        return "has a zip64 field that is cut";
    if (cursor_left(&needed) == 0)
        return NULL;
    cursor_init(&all, data, size);
    agrees = cursor_u64(&all) == raw->size;
    agrees &= cursor_u64(&all) == raw->packed_size;
    agrees &= cursor_u64(&all) == raw->first;
    agrees &= cursor_left(&all) == 0 || cursor_u32(&all) == raw->disk;
    return agrees && all.ok && cursor_left(&all) == 0
               ? NULL
               : "has a zip64 field that says something else";
}

/* What is wrong with the extra fields, NULL if nothing. Up to three bytes at the end that
 * are no field are padding, as other programs take them. */
static const char *extra_complaint(struct raw_entry *raw, const void *extra)
{
    bool needs_zip64 = raw->size == UINT32_MAX || raw->packed_size == UINT32_MAX ||
                       raw->first == UINT32_MAX || raw->disk == UINT16_MAX;
    bool has_zip64 = false;
    struct cursor cursor;

    cursor_init(&cursor, extra, raw->extra_size);
    while (cursor_left(&cursor) >= 4) {
        uint16_t id = cursor_u16(&cursor);
        uint16_t size = cursor_u16(&cursor);
        const void *data = cursor_bytes(&cursor, size);
        const char *complaint;

        if (!cursor.ok)
            return "has extra fields that are cut";
        if (id != EXTRA_ZIP64)
            continue;
        if (has_zip64)
            return "has two zip64 fields";
        has_zip64 = true;
        complaint = zip64_complaint(raw, data, size);
        if (complaint)
            return complaint;
    }
    return needs_zip64 && !has_zip64 ? "lacks its zip64 field" : NULL;
}

static bool is_supported(const struct raw_entry *raw)
{
    return !(raw->flags & FLAGS_UNSUPPORTED) &&
           (raw->method == TOC_STORED || raw->method == TOC_DEFLATED);
}

/* What is wrong with places and sizes, NULL if nothing. */
static const char *size_complaint(const struct raw_entry *raw, const struct toc_end *end)
{
    uint64_t header = LOCAL_SIZE + (uint64_t)raw->name_size;

    if (raw->disk != 0)
        return "lies on another disk";
    if (raw->first > end->directory_first || header > end->directory_first - raw->first ||
        raw->packed_size > end->directory_first - raw->first - header)
        return "reaches past the members' part of the archive";
    if (!is_supported(raw))
        return NULL;
    if (raw->method == TOC_STORED && raw->size != raw->packed_size)
        return "is stored, but has another size in the archive";
    if (raw->size / DEFLATE_RATIO_MAX > raw->packed_size)
        return "claims a size that its bytes cannot have";
    return NULL;
}

/* Read one entry. Its sizes are checked. */
static int read_entry(struct cursor *cursor, const struct toc_end *end, uint64_t index,
                      struct raw_entry *raw, struct error *err)
{
    uint32_t signature = cursor_u32(cursor);
    const char *complaint;
    const void *extra;
    char text[128];

    raw->made_by = cursor_u16(cursor);
    cursor_u16(cursor); /* version needed */
    raw->flags = cursor_u16(cursor);
    raw->method = cursor_u16(cursor);
    raw->time = cursor_u16(cursor);
    raw->date = cursor_u16(cursor);
    raw->crc32 = cursor_u32(cursor);
    raw->packed_size = cursor_u32(cursor);
    raw->size = cursor_u32(cursor);
    raw->name_size = cursor_u16(cursor);
    raw->extra_size = cursor_u16(cursor);
    raw->comment_size = cursor_u16(cursor);
    raw->disk = cursor_u16(cursor);
    cursor_u16(cursor); /* internal attributes */
    raw->attributes = cursor_u32(cursor);
    raw->first = cursor_u32(cursor);
    raw->name = cursor_bytes(cursor, raw->name_size);
    extra = cursor_bytes(cursor, raw->extra_size);
    cursor_bytes(cursor, raw->comment_size);
    if (!cursor->ok || signature != ENTRY_SIGNATURE)
        return fail(err, EBADMSG, "the central directory is damaged at entry %llu",
                    (unsigned long long)index);
    complaint = extra_complaint(raw, extra);
    if (!complaint)
        complaint = size_complaint(raw, end);
    if (complaint)
        return fail(err, EBADMSG, "entry '%s' %s",
                    toc_name_print(raw->name, raw->name_size, text), complaint);
    return 0;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar; months count from 1. */
static int64_t days_from_date(int year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    int past = year - 1; /* whole years */

    return 365LL * past + past / 4 - past / 100 + past / 400 + before[month - 1] +
           (is_leap && month > 2) + day - 1 - 719162;
}

/* A time of DOS, taken as UTC; 0 for a date that does not exist. Seconds past 59, which
 * come from rounding up, count on. */
static int64_t time_from_dos(uint16_t date, uint16_t time)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1980 + (date >> 9), month = date >> 5 & 15, day = date & 31;
    int hour = time >> 11, minute = time >> 5 & 63, second = (time & 31) * 2;
    bool is_leap = year % 4 == 0 && year != 2100;

    if (month < 1 || month > 12 || day < 1 || day > lengths[month - 1] || hour > 23 ||
        minute > 59 || (month == 2 && day == 29 && !is_leap))
        return 0;
    return days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

/* Take one entry over into the build. */
static int add_entry(struct toc_build *build, const struct raw_entry *raw, char *buffer,
                     struct error *err)
{
    struct toc_entry entry = {
        .size = raw->size,
        .packed_size = raw->packed_size,
        .archive_first = raw->first,
        .archive_last = raw->first + LOCAL_SIZE + raw->name_size + raw->packed_size - 1,
        .mtime_s = time_from_dos(raw->date, raw->time),
        .crc32 = raw->crc32,
        .flags = raw->flags,
        .kind = TOC_FILE,
        .method = is_supported(raw) ? (uint8_t)raw->method : TOC_UNSUPPORTED,
        .execute_bits =
            raw->made_by >> 8 == MADE_BY_UNIX ? raw->attributes >> 16 & EXECUTE_BITS : 0,
    };
    char text[128];
    size_t size;
    int rc = toc_name_decode(raw->name, raw->name_size, raw->flags, buffer, &size, err);

    if (rc < 0)
        return rc;
    if (raw->made_by >> 8 != MADE_BY_UNIX && memchr(buffer, '\\', size))
        return fail(err, EBADMSG, "entry '%s' has a backslash in its name",
                    toc_name_print(raw->name, raw->name_size, text));
    if (size > 1 && buffer[size - 1] == '/') {
        entry.kind = TOC_FOLDER;
        size--;
        if (raw->size != 0)
            return fail(err, EBADMSG, "entry '%s' is a folder, but has content",
                        toc_name_print(raw->name, raw->name_size, text));
    }
    return toc_build_add(build, buffer, size, &entry, err);
}

static int read_directory(const void *directory, const struct toc_end *end,
                          struct toc_build *build, struct error *err)
{
    char buffer[TOC_NAME_BUFFER];
    struct cursor cursor;
    int rc = toc_build_reserve(build, (uint32_t)end->count, err);

    cursor_init(&cursor, directory, end->directory_size);
    for (uint64_t i = 0; i < end->count && rc == 0; i++) {
        struct raw_entry raw;

        rc = read_entry(&cursor, end, i, &raw, err);
        if (rc == 0)
            rc = add_entry(build, &raw, buffer, err);
    }
    if (rc == 0 && cursor_left(&cursor) != 0)
        rc = fail(err, EBADMSG, "the central directory has more than its %llu entries",
                  (unsigned long long)end->count);
    return rc;
}

int toc_parse(void *take_directory, const struct toc_end *end, struct toc **ret_toc,
              struct error *err)
{
    CLEANUP_TOC_BUILD struct toc_build *build = toc_build_new();
    int rc = read_directory(take_directory, end, build, err);

    free(take_directory);
    if (rc == 0)
        rc = toc_span_check(build, end->directory_first, err);
    return rc < 0 ? rc : toc_build_finish(build, ret_toc, err);
}
