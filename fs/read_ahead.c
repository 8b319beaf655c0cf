/* read_ahead.c: how far the kernel reads ahead of a reader on this mount. */
#include "fs/read_ahead.h"

#include "common/cleanup.h"
#include "common/log.h"
#include "common/text.h"
#include "fs/device.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { READ_AHEAD_KIB = 4096 };

/* Does the kernel read that far already? */
static bool is_enough(int fd)
{
    struct error err = {0};
    char now[32] = "";
    uint64_t kib = 0;

    if (read(fd, now, sizeof now - 1) <= 0)
        return true; /* then it is not ours to change either */
    now[strcspn(now, "\n")] = '\0';
    return text_to_u64(now, &kib, &err) == 0 && kib >= READ_AHEAD_KIB;
}

void read_ahead_raise(const char *mountpoint)
{
    CLEANUP_CLOSE int fd = -1;
    dev_t number = device_number(mountpoint);
    char path[64];

    snprintf(path, sizeof path, "/sys/class/bdi/%u:%u/read_ahead_kb", major(number),
             minor(number));
    fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || is_enough(fd))
        return;
    if (dprintf(fd, "%d", READ_AHEAD_KIB) < 0)
        log_debug("cannot set '%s'; reads stay as they are", path);
}
