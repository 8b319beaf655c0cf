/* zip_writer.h: archives in memory for tests, packed by zlib, laid out as audmodel's. */
#ifndef TESTS_FAKES_ZIP_WRITER_H
#define TESTS_FAKES_ZIP_WRITER_H

#include "common/bytes.h"

#include <stdbool.h>

/* One entry. A name that ends with "/" is a folder. */
struct zip_file {
    const char *name;
    const void *data;
    size_t size;
    bool is_stored;
    bool has_wrong_crc; /* in both headers, so that only the content tells */
};

/* The archive of count files; aborts where that fails. bytes_done the result. */
void zip_write(const struct zip_file *files, size_t count, struct bytes *ret_archive);

#endif
