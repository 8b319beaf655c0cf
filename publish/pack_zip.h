/* pack_zip.h: listed files into an archive by libzip, whose only user this is. For
 * publish/pack*.c alone. */
#ifndef PUBLISH_PACK_ZIP_H
#define PUBLISH_PACK_ZIP_H

#include "common/error.h"
#include "publish/pack.h"
#include "publish/pack_scan.h"

/* Write the files of list, at least one, in its order. Times and the flag for UTF-8 are
 * still to be set (pack_seal.h). */
int pack_zip(int folder_fd, int spool_fd, const struct pack_list *list,
             const struct pack_options *options, struct error *err);

#endif
