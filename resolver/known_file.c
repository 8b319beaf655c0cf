/* known_file.c: answers of a repository to bytes and back. */
#include "resolver/known_file.h"

#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

enum { BUFFER_BYTES = 64 << 10 };

static const char magic[] = "modelfs known answers 1\n"; /* the number is the layout's */

enum {
    MAGIC_BYTES = sizeof magic - 1,
    CHECKSUM_BYTES = 8,
};

int known_file_open(const void *data, size_t size, const char *location,
                    struct cursor *ret_records, struct error *err)
{
    size_t location_bytes = strlen(location) + 1;
    const char *bytes = data;
    struct cursor checksum;

    if (size < MAGIC_BYTES + CHECKSUM_BYTES || memcmp(bytes, magic, MAGIC_BYTES) != 0)
        return fail(err, EBADMSG, "it holds no answers, or those of another version");
    size -= CHECKSUM_BYTES;
    cursor_init(&checksum, bytes + size, CHECKSUM_BYTES);
    if (cursor_u64(&checksum) != XXH3_64bits(data, size))
        return fail(err, EBADMSG, "it is damaged: its checksum is wrong");
    if (size - MAGIC_BYTES < location_bytes ||
        memcmp(bytes + MAGIC_BYTES, location, location_bytes) != 0)
        return fail(err, EBADMSG, "it is another repository's");
    cursor_init(ret_records, bytes + MAGIC_BYTES + location_bytes,
                size - MAGIC_BYTES - location_bytes);
    return 0;
}

static size_t count_ends(const char *text, size_t size)
{
    const char *end = text + size;
    size_t count = 0;

    while ((text = memchr(text, '\0', (size_t)(end - text)))) {
        count++;
        if (++text == end)
            break;
    }
    return count;
}

static bool has_its_names(const struct known_record *record)
{
    if (record->names_size == 0)
        return record->count == 0 || record->count == KNOWN_FILE_NONE;
    return record->names[record->names_size - 1] == '\0' &&
           count_ends(record->names, record->names_size) == record->count;
}

bool known_file_next(struct cursor *records, struct known_record *ret_record)
{
    size_t before = records->at, key_size;
    struct known_record record = {0};

    if (cursor_left(records) == 0)
        return false;
    key_size = cursor_u32(records);
    record.names_size = cursor_u32(records);
    record.count = cursor_u32(records);
    record.key = cursor_bytes(records, key_size);
    record.names = cursor_bytes(records, record.names_size);
    if (!records->ok || key_size == 0 ||
        memchr(record.key, '\0', key_size) != record.key + key_size - 1)
        return false;
    if (!has_its_names(&record))
        return false;
    record.size = records->at - before;
    *ret_record = record;
    return true;
}

static size_t names_bytes(const char *const *names, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; count != KNOWN_FILE_NONE && i < count; i++)
        size += strlen(names[i]) + 1;
    return size;
}

size_t known_file_size(const char *key, const char *const *names, size_t count)
{
    return 3 * sizeof(uint32_t) + strlen(key) + 1 + names_bytes(names, count);
}

static void flush(struct known_writer *writer)
{
    if (writer->rc == 0)
        writer->rc = files_write_fd(writer->fd, writer->buffer.data, writer->buffer.size,
                                    &writer->err);
    bytes_cut(&writer->buffer, 0, 0);
}

static void put(struct known_writer *writer, const void *data, size_t size)
{
    const char *from = data;

    if (size > 0)
        XXH3_64bits_update(writer->checksum, data, size);
    while (size > 0 && writer->rc == 0) {
        size_t piece = BUFFER_BYTES - writer->buffer.size;

        if (piece > size)
            piece = size;
        writer->rc = bytes_append(&writer->buffer, from, piece, &writer->err);
        if (writer->buffer.size == BUFFER_BYTES)
            flush(writer);
        from += piece;
        size -= piece;
    }
}

static void put_number(struct known_writer *writer, uint64_t number, size_t size)
{
    unsigned char bytes[sizeof number];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(number >> (8 * i));
    put(writer, bytes, size);
}

void known_file_begin(struct known_writer *writer, int fd, const char *location)
{
    *writer = (struct known_writer){.fd = fd, .checksum = XXH3_createState()};
    bytes_init(&writer->buffer, BUFFER_BYTES);
    if (!writer->checksum) {
        writer->rc = fail(&writer->err, ENOMEM, "no memory for a checksum");
        return;
    }
    XXH3_64bits_reset(writer->checksum);
    put(writer, magic, MAGIC_BYTES);
    put(writer, location, strlen(location) + 1);
}

static void put_head(struct known_writer *writer, const char *key, size_t names_size,
                     size_t count)
{
    put_number(writer, strlen(key) + 1, sizeof(uint32_t));
    put_number(writer, names_size, sizeof(uint32_t));
    put_number(writer, count, sizeof(uint32_t));
    put(writer, key, strlen(key) + 1);
}

void known_file_write(struct known_writer *writer, const char *key,
                      const char *const *names, size_t count)
{
    if (writer->rc < 0)
        return;
    put_head(writer, key, names_bytes(names, count), count);
    for (size_t i = 0; count != KNOWN_FILE_NONE && i < count; i++)
        put(writer, names[i], strlen(names[i]) + 1);
}

void known_file_copy(struct known_writer *writer, const struct known_record *record)
{
    if (writer->rc < 0)
        return;
    put_head(writer, record->key, record->names_size, record->count);
    put(writer, record->names, record->names_size);
}

int known_file_end(struct known_writer *writer, struct error *err)
{
    int rc;

    if (writer->rc == 0)
        put_number(writer, XXH3_64bits_digest(writer->checksum), CHECKSUM_BYTES);
    flush(writer);
    rc = writer->rc;
    if (rc < 0)
        *err = writer->err;
    XXH3_freeState(writer->checksum);
    bytes_done(&writer->buffer);
    return rc;
}
