/* pack_seal.h: the one pass over an archive that libzip wrote: times in UTC are set, and
 * its checksum is taken. For publish/pack*.c alone.
 *
 * libzip 1.7 takes all times for local ones, and an hour a year does not exist in most
 * places; and it cannot say UTF-8 of a name with control characters. So both are set
 * here. The checksum cannot be taken while libzip writes: it writes each member's header
 * again, in front of its data, once it knows sizes and CRC. */
#ifndef PUBLISH_PACK_SEAL_H
#define PUBLISH_PACK_SEAL_H

#include "backends/digest.h"
#include "common/error.h"
#include "publish/pack_scan.h"

#include <stdint.h>

/* list: the members in the order of the archive. -EIO if the archive does not hold
 * exactly these. */
int pack_seal(int spool_fd, const struct pack_list *list, uint64_t *ret_size,
              char ret_md5[DIGEST_MD5_SIZE], struct error *err);

#endif
