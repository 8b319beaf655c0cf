/* known_folder.h: the files of what is known (known_file.h): below the cache folder one
 * for each repository and kind, named by a hash of the repository's location, so that all
 * daemons that share a cache folder share it. They rewrite one at a time, in one step.
 * No file grows beyond its limit: what changed longest ago goes. */
#ifndef RESOLVER_KNOWN_FOLDER_H
#define RESOLVER_KNOWN_FOLDER_H

#include "common/bytes.h"
#include "common/error.h"
#include "resolver/catalog.h"
#include "resolver/known_change.h"

#include <stddef.h>

enum {
    KNOWN_FILE_MAX = 8 << 20,  /* bytes, of many answers */
    KNOWN_KEPT_MAX = 64 << 20, /* of the one answer of a kept kind */
};

struct known_folder {
    char *root;       /* the cache folder */
    char *path;       /* below it; made when needed */
    char **locations; /* of the repositories, by their numbers */
};

/* Bytes that the file of a kind may have. */
size_t known_folder_limit(const struct catalog_kind *kind);

/* Open a file for reading: a descriptor. -ENOENT: nothing is known. */
int known_folder_open(const struct known_folder *folder, unsigned repository,
                      const struct catalog_kind *kind, struct error *err);

/* Append the file of a repository that is open to to; its records lie there. -EBADMSG: it
 * makes no sense. */
int known_folder_read(const struct known_folder *folder, unsigned repository, int fd,
                      struct bytes *to, struct cursor *ret_records, struct error *err);

/* Bring changes into the files they are of, and free them. Waits for other daemons, for
 * about a second. Nobody hears of failures: what is not written is not known after a
 * restart. */
void known_folder_write(const struct known_folder *folder, struct known_changes *changes);

#endif
