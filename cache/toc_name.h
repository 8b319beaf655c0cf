/* toc_name.h: which names an archive may have, and what their bytes mean. Pure.
 *
 * What audmodel writes passes. Refused is whatever could leave the folder of the model,
 * mean two things to two programs, or not exist on a file system. "." and empty parts are
 * refused as ".." is: other programs drop them, so two such names could be one file.
 *
 * A backslash is a character like any other where the archive was made on Unix (a model
 * may have a file "back\slash"), unless a program that takes it for a separator would
 * leave the folder. From other systems it is a separator that no zip archive may have. */
#ifndef CACHE_TOC_NAME_H
#define CACHE_TOC_NAME_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    TOC_NAME_MAX = 255,      /* bytes of one part */
    TOC_NAME_RAW_MAX = 4096, /* bytes of a path in an archive, "/" at its end included */
    TOC_NAME_UTF8_FLAG = 1 << 11,
    TOC_NAME_BUFFER = 3 * TOC_NAME_RAW_MAX, /* a byte of CP437 becomes at most three */
};

/* One part of a path: not empty, "." or "..", no "/" or NUL, no climbing by backslashes,
 * at most 255 bytes. */
bool toc_name_is_safe(const char *name, size_t size);

/* Check a path of parts joined by "/", none in front or at the end. -EBADMSG. */
int toc_name_check_path(const char *path, size_t size, struct error *err);

/* The UTF-8 of a name as it stands in the archive: as it is where the flags say so, else
 * from CP437. buffer holds TOC_NAME_BUFFER bytes; no NUL is added. -EBADMSG. */
int toc_name_decode(const void *raw, size_t raw_size, uint16_t flags, char *buffer,
                    size_t *ret_size, struct error *err);

/* The same for messages: printable, cut to a sane length, ended by NUL. */
const char *toc_name_print(const void *raw, size_t raw_size, char buffer[static 128]);

#endif
