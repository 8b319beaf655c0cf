/* ini.h: the format of credential files, as Python's configparser reads it: sections,
 * `key = value` or `key: value`, comments on lines of their own, continuation lines, keys
 * without regard to case, the section DEFAULT behind all others, quotes kept.
 *
 *     rc = ini_parse(text.data, text.size, INI_INTERPOLATE, &ini, &err);
 *     rc = ini_get(ini, "s3.example.com:9000", "access_key", &value, &err);
 *     ini_free(ini);
 *
 * Pure. Values are secrets: they are never in an error, and wiped by ini_free. */
#ifndef BACKENDS_INI_H
#define BACKENDS_INI_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stddef.h>

enum { INI_BYTES_MAX = 1 << 20 };

enum ini_flags {
    INI_VALUELESS = 1,   /* keys may stand alone, without "=" */
    INI_INTERPOLATE = 2, /* "%(key)s" is the value of that key, "%%" is "%" */
};

struct ini;

/* -EINVAL with the line: neither section, key nor comment; a section or key for the
 * second time. -EFBIG past INI_BYTES_MAX. ini_free the result. */
int ini_parse(const char *text, size_t size, enum ini_flags flags, struct ini **ret_ini,
              struct error *err);
void ini_free(struct ini *ini); /* accepts NULL */
#define CLEANUP_INI CLEANUP_WITH(ini_cleanup)
static inline void ini_cleanup(struct ini **ini)
{
    ini_free(*ini);
}

/* Name of a section, in the order of the file; NULL past the last one. */
const char *ini_section(const struct ini *ini, size_t index);

/* key in lower case. 1: *ret_value is its value, NULL for a key that stands alone; wipe
 * and free it. 0: there is no such key. -EINVAL with the line: broken interpolation. */
int ini_get(const struct ini *ini, const char *section, const char *key, char **ret_value,
            struct error *err);

#endif
