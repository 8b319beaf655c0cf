/* staging_lookup.h: the handlers of LOOKUP, GETATTR and READLINK in @staging. For
 * fs/staging.c alone. */
#ifndef FS_STAGING_LOOKUP_H
#define FS_STAGING_LOOKUP_H

#include "fs/staging.h"

call_handler staging_lookup;
call_handler staging_getattr;
call_handler staging_readlink;

#endif
