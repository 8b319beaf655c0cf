/* zip_writer.c: archives in memory for tests. */
#include "tests/fakes/zip_writer.h"

#include "common/memory.h"

#include <stdlib.h>
#include <zlib.h>

struct packed {
    unsigned char *data;
    size_t size;
    uint32_t crc32;
    size_t at; /* of the local header */
};

static void number(struct bytes *to, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    struct error err = {0};

    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    if (bytes_append(to, bytes, size, &err) < 0)
        abort();
}

static void append(struct bytes *to, const void *data, size_t size)
{
    struct error err = {0};

    if (bytes_append(to, data, size, &err) < 0)
        abort();
}

static void pack(const struct zip_file *file, struct packed *packed)
{
    z_stream stream = {0};

    packed->crc32 = (uint32_t)crc32_z(0, file->data, file->size);
    if (file->has_wrong_crc)
        packed->crc32 ^= 1;
    packed->data = xcalloc(1, compressBound(file->size) + 64);
    packed->size = file->size;
    if (file->is_stored) {
        if (file->size)
            memcpy(packed->data, file->data, file->size);
        return;
    }
    if (deflateInit2(&stream, 1, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        abort();
    stream.next_in = (unsigned char *)(uintptr_t)file->data;
    stream.avail_in = (uInt)file->size;
    stream.next_out = packed->data;
    stream.avail_out = (uInt)(compressBound(file->size) + 64);
    if (deflate(&stream, Z_FINISH) != Z_STREAM_END)
        abort();
    packed->size = stream.total_out;
    deflateEnd(&stream);
}

/* What local and central header have in common. */
static void common_fields(struct bytes *to, const struct zip_file *file,
                          const struct packed *packed)
{
    number(to, 20, 2); /* version needed */
    number(to, 0, 2);  /* flags */
    number(to, file->is_stored ? 0 : 8, 2);
    number(to, 0x58215d00, 4); /* 2024-01-01 11:40 */
    number(to, packed->crc32, 4);
    number(to, packed->size, 4);
    number(to, file->size, 4);
    number(to, strlen(file->name), 2);
    number(to, 0, 2); /* extra field */
}

static void local(struct bytes *to, const struct zip_file *file, struct packed *packed)
{
    packed->at = to->size;
    number(to, 0x04034b50, 4);
    common_fields(to, file, packed);
    append(to, file->name, strlen(file->name));
    append(to, packed->data, packed->size);
}

static void central(struct bytes *to, const struct zip_file *file,
                    const struct packed *packed)
{
    bool is_folder = file->name[strlen(file->name) - 1] == '/';

    number(to, 0x02014b50, 4);
    number(to, 0x0314, 2); /* made by: Unix */
    common_fields(to, file, packed);
    number(to, 0, 2); /* comment */
    number(to, 0, 2); /* disk */
    number(to, 0, 2); /* internal attributes */
    number(to, is_folder ? 040755U << 16 | 0x10 : 0100644U << 16, 4);
    number(to, packed->at, 4);
    append(to, file->name, strlen(file->name));
}

void zip_write(const struct zip_file *files, size_t count, struct bytes *ret_archive)
{
    struct packed *packed = xcalloc(count + 1, sizeof(*packed));
    size_t directory;

    bytes_init(ret_archive, 256 * MIB);
    for (size_t i = 0; i < count; i++) {
        pack(&files[i], &packed[i]);
        local(ret_archive, &files[i], &packed[i]);
    }
    directory = ret_archive->size;
    for (size_t i = 0; i < count; i++) {
        central(ret_archive, &files[i], &packed[i]);
        free(packed[i].data);
    }
    directory = ret_archive->size - directory;
    number(ret_archive, 0x06054b50, 4);
    number(ret_archive, 0, 4); /* disks */
    number(ret_archive, count, 2);
    number(ret_archive, count, 2);
    number(ret_archive, directory, 4);
    number(ret_archive, ret_archive->size - 16 - directory, 4);
    number(ret_archive, 0, 2); /* comment */
    free(packed);
}
