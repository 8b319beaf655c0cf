/* pack_link.h: what a link leads to. For publish/pack*.c alone. */
#ifndef PUBLISH_PACK_LINK_H
#define PUBLISH_PACK_LINK_H

#include "common/error.h"

#include <sys/stat.h>

/* As fstatat(2) tells of a name in a folder, but one device is not asked: it may be
 * served by this process, and nobody ends one that waits for itself. -EXDEV: the way
 * leads there. avoided 0: there is none. */
int pack_link_stat(int folder_fd, const char *name, dev_t avoided, struct stat *ret_stat,
                   struct error *err);

#endif
