/* tree.h: the handlers of LOOKUP, GETATTR, READLINK and STATFS, for every part of the
 * tree. */
#ifndef FS_TREE_H
#define FS_TREE_H

#include "fs/call.h"

call_handler tree_lookup;
call_handler tree_getattr;
call_handler tree_readlink;
call_handler tree_statfs;

#endif
