/* mount_options.h: the comma list behind -o, as mount(8) and fstab(5) pass it on.
 *
 * What says nothing to a read-only file system that is always nosuid and nodev (defaults,
 * rw, _netdev, x-systemd.automount ...) is passed over; anything else unknown is an
 * error. Pure. */
#ifndef CLI_MOUNT_OPTIONS_H
#define CLI_MOUNT_OPTIONS_H

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>

struct mount_options {
    bool allow_other;
    bool noexec;
    bool debug;
    bool no_passthrough; /* for tests: as on an older kernel */
    bool no_direct_mmap; /* the same */
    bool no_resend;      /* the same */
    char *config;        /* of config=FILE, or NULL */
    char *log;           /* of log=FILE, or NULL */
};

/* Add what text says; "\," is a comma in a value. -EINVAL names the option. Release with
 * mount_options_done even after a failure. */
int mount_options_parse(const char *text, struct mount_options *options,
                        struct error *err);

/* Append them as a list that mount_options_parse understands. */
int mount_options_print(const struct mount_options *options, struct bytes *to,
                        struct error *err);

void mount_options_done(struct mount_options *options);
#define CLEANUP_MOUNT_OPTIONS CLEANUP_WITH(mount_options_done)

#endif
