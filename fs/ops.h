/* ops.h: the operations of libfuse's low-level interface: requests become calls. */
#ifndef FS_OPS_H
#define FS_OPS_H

#include <fuse_lowlevel.h>

extern const struct fuse_lowlevel_ops ops;

#endif
