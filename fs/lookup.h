/* lookup.h: the handlers of LOOKUP, GETATTR, READLINK and STATFS, for every part of the
 * tree. */
#ifndef FS_LOOKUP_H
#define FS_LOOKUP_H

#include "fs/call.h"

call_handler lookup_entry;
call_handler lookup_attributes;
call_handler lookup_link;
call_handler lookup_space;

#endif
