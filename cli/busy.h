/* busy.h: who keeps a mount busy. */
#ifndef CLI_BUSY_H
#define CLI_BUSY_H

#include <stddef.h>

/* "python3 (1234), bash (77) and 3 more": the processes with a working folder, a program,
 * an open or a mapped file below path, as far as /proc shows them to us; "" if none. A
 * file opened on another mount than mount_id, as on the folder that is mounted on, is
 * none; mount_id -1: any. */
void busy_users(const char *path, long long mount_id, char *buffer, size_t size);

#endif
