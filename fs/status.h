/* status.h: @status and @metrics: what the mount is doing. Thread-safe; never blocks. */
#ifndef FS_STATUS_H
#define FS_STATUS_H

#include "fs/fs.h"

#include "common/bytes.h"
#include "common/error.h"

/* YAML: repositories, cache, transfers, last errors. */
int status_print(struct fs *fs, struct bytes *to, struct error *err);

/* The counters in Prometheus text format 0.0.4. */
int status_print_metrics(struct fs *fs, struct bytes *to, struct error *err);

#endif
