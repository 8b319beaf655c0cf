/* takeover.h: how a supervisor comes by its mount: it makes one, or is given one. */
#ifndef FS_TAKEOVER_H
#define FS_TAKEOVER_H

#include "common/error.h"
#include "fs/device.h"
#include "fs/handover.h"
#include "fs/inherit.h"

/* What the manager kept and cannot be gone on with (it was unmounted meanwhile, or its
 * memory has another layout) is mounted anew. handover_free and device_unmount the
 * results. */
int takeover_open(const struct device_options *options, const struct inherited *inherited,
                  struct device **ret_device, struct handover **ret_handover,
                  struct error *err);

#endif
