/* tree_state.c: the record of one tree: a header, then one record per entry. */
#include "cache/tree_state.h"

#include "common/bytes.h"

#include <errno.h>
#include <xxhash.h>

enum { LAYOUT_VERSION = 1, CHECKSUM_AT = TREE_HEADER_SIZE - 8 };

static const char magic[16] = "modelfs state\n";

static unsigned char *put(unsigned char *to, const void *from, size_t size)
{
    memcpy(to, from, size);
    return to + size;
}

static unsigned char *put_number(unsigned char *to, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        to[i] = (unsigned char)(value >> (8 * i));
    return to + size;
}

void tree_header_print(const struct tree_header *header,
                       unsigned char ret_bytes[TREE_HEADER_SIZE])
{
    unsigned char *at = ret_bytes;

    memset(ret_bytes, 0, TREE_HEADER_SIZE);
    at = put(at, magic, sizeof(magic));
    at = put_number(at, LAYOUT_VERSION, 4);
    at = put_number(at, header->flags, 4);
    at = put_number(at, header->entries, 4);
    at = put_number(at, header->bytes, 8);
    at = put_number(at, header->total_bytes, 8);
    at = put_number(at, header->folder_inode, 8);
    at = put_number(at, (uint64_t)header->folder_born_ns, 8);
    at = put(at, header->boot_id, sizeof(header->boot_id));
    put(at, header->tag, sizeof(header->tag));
    put_number(ret_bytes + CHECKSUM_AT, XXH3_64bits(ret_bytes, CHECKSUM_AT), 8);
}

int tree_header_parse(const unsigned char bytes[TREE_HEADER_SIZE],
                      struct tree_header *ret_header, struct error *err)
{
    struct tree_header header = {0};
    struct cursor cursor, end;

    cursor_init(&cursor, bytes, TREE_HEADER_SIZE);
    cursor_init(&end, bytes + CHECKSUM_AT, 8);
    if (memcmp(cursor_bytes(&cursor, sizeof(magic)), magic, sizeof(magic)) != 0 ||
        cursor_u32(&cursor) != LAYOUT_VERSION)
        return fail(err, EBADMSG, "not the state of a tree of this program's version");
    if (cursor_u64(&end) != XXH3_64bits(bytes, CHECKSUM_AT))
        return fail(err, EAGAIN, "it is damaged: its checksum is wrong");
    header.flags = cursor_u32(&cursor);
    header.entries = cursor_u32(&cursor);
    header.bytes = cursor_u64(&cursor);
    header.total_bytes = cursor_u64(&cursor);
    header.folder_inode = cursor_u64(&cursor);
    header.folder_born_ns = (int64_t)cursor_u64(&cursor);
    memcpy(header.boot_id, cursor_bytes(&cursor, sizeof(header.boot_id)),
           sizeof(header.boot_id) - 1);
    memcpy(header.tag, cursor_bytes(&cursor, sizeof(header.tag)), sizeof(header.tag) - 1);
    *ret_header = header;
    return 0;
}

static uint16_t hours_of(int64_t now_s)
{
    return (uint16_t)(now_s / 3600);
}

void tree_record_fail(struct tree_record *record, int64_t now_s)
{
    if (record->failures < UINT8_MAX)
        record->failures++;
    record->failed_h = hours_of(now_s);
}

void tree_record_forgive(struct tree_record *record, int64_t now_s)
{
    uint16_t age_h = (uint16_t)(hours_of(now_s) - record->failed_h);

    if (age_h > 1) /* a whole one at least; or the clock was set back */
        record->failures = 0;
}

bool tree_record_is_there(const struct tree_record *record)
{
    return record->state == TREE_COMPLETE || record->state == TREE_FOREIGN;
}

void tree_record_print(const struct tree_record *record,
                       unsigned char ret_bytes[TREE_RECORD_SIZE])
{
    unsigned char *at = put_number(ret_bytes, record->xxh3, 8);

    at = put_number(at, record->failed, 4);
    at = put_number(at, record->state, 1);
    at = put_number(at, record->failures, 1);
    put_number(at, record->failed_h, 2);
}

void tree_record_parse(const unsigned char bytes[TREE_RECORD_SIZE],
                       struct tree_record *ret_record)
{
    struct cursor cursor;

    cursor_init(&cursor, bytes, TREE_RECORD_SIZE);
    ret_record->xxh3 = cursor_u64(&cursor);
    ret_record->failed = cursor_u32(&cursor);
    ret_record->state = cursor_u8(&cursor);
    ret_record->failures = cursor_u8(&cursor);
    ret_record->failed_h = cursor_u16(&cursor);
    if (ret_record->state > TREE_UNCHECKED)
        ret_record->state = TREE_ABSENT;
}
