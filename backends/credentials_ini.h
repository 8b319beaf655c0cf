/* credentials_ini.h: INI files that hold credentials: found, read, and watched by the
 * search. For credentials*.c alone. */
#ifndef BACKENDS_CREDENTIALS_INI_H
#define BACKENDS_CREDENTIALS_INI_H

#include "backends/credentials_search.h"
#include "backends/ini.h"
#include "common/cleanup.h"
#include "common/error.h"

/* An INI file of the search, closed with it. */
struct credentials_ini {
    struct ini *ini; /* NULL: there is no such file */
    const char *path;
};
void credentials_ini_done(struct credentials_ini *file);
#define CLEANUP_CREDENTIALS_INI CLEANUP_WITH(credentials_ini_done)

/* Read the file that the variable names, else fallback. One that does not exist is like
 * an empty one. -EACCES with file and line. */
int credentials_ini_read(struct credentials_search *search, const char *variable,
                         const char *fallback, enum ini_flags flags,
                         struct credentials_ini *ret_file, struct error *err);

/* The section for the host of the search: its name, or equal to it but for http(s):// and
 * a last "/". NULL: there is none. */
const char *credentials_ini_section(const struct credentials_ini *file, const char *host);

/* As ini_get; section may be NULL. -EACCES with file and line. */
int credentials_ini_get(const struct credentials_ini *file, const char *section,
                        const char *key, char **ret_value, struct error *err);

#endif
