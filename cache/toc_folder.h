/* toc_folder.h: a table made from the folder of a model that audmodel unpacked, for when
 * the archive cannot be asked. */
#ifndef CACHE_TOC_FOLDER_H
#define CACHE_TOC_FOLDER_H

#include "cache/toc.h"

/* The regular files below dir_fd with their sizes and times. Nothing is known of an
 * archive: archive_last and crc32 are 0, the method is stored. Links and special files
 * are left out, as are empty folders, which no archive of audmodel has. Blocks on the
 * local disk. -EBADMSG for a name that no archive may have. toc_free the result. */
int toc_folder_read(int dir_fd, struct toc **ret_toc, struct error *err);

#endif
