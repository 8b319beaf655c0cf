/* known_file.h: how answers of a repository lie on disk: one file for each repository and
 * kind of question.
 *
 *     rc = known_file_open(data, size, location, &records, &err);
 *     while (known_file_next(&records, &record))
 *         ... record.key, record.names ...
 *
 *     known_file_begin(&writer, fd, location);
 *     known_file_write(&writer, "small", names, 2);
 *     rc = known_file_end(&writer, &err);
 *
 * Of two records with one key the later one holds. The first line is magic and layout;
 * the location follows, which keeps files of two repositories apart; then the records;
 * last a checksum of all before it, by which a torn file is told. Numbers are
 * little-endian. Reading is pure, and takes nothing for granted. */
#ifndef RESOLVER_KNOWN_FILE_H
#define RESOLVER_KNOWN_FILE_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes in place, in the data of the file. */
#define KNOWN_FILE_NONE UINT32_MAX /* as count: there is no such thing */
struct known_record {
    const char *key;
    const char *names; /* one after the other, each with its NUL */
    size_t names_size;
    uint32_t count; /* of names */
    size_t size;    /* bytes of the record */
};

/* -EBADMSG, with the reason: not such a file, of another layout or of another repository,
 * or torn. */
int known_file_open(const void *data, size_t size, const char *location,
                    struct cursor *ret_records, struct error *err);

/* false at the end, and at a record that makes no sense. */
bool known_file_next(struct cursor *records, struct known_record *ret_record);

/* Bytes that a record takes; count may be KNOWN_FILE_NONE, here and below. */
size_t known_file_size(const char *key, const char *const *names, size_t count);

struct known_writer {
    int fd;
    struct bytes buffer;
    void *checksum;
    int rc; /* the first failure; later writes do nothing */
    struct error err;
};

void known_file_begin(struct known_writer *writer, int fd, const char *location);
void known_file_write(struct known_writer *writer, const char *key,
                      const char *const *names, size_t count);
void known_file_copy(struct known_writer *writer, const struct known_record *record);

/* 0 when all is written. The writer is done with, in any case. */
int known_file_end(struct known_writer *writer, struct error *err);

#endif
