/* notify.h: tells the service manager how the service is, by sd_notify(3)'s protocol, and
 * has it keep what a mount is made of.
 *
 * Without $NOTIFY_SOCKET nothing happens, and a manager that does not listen is its own
 * problem: nothing is reported. Only systemd's main process may tell (the supervisor). */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

#include "fs/handover.h"

#include <stdbool.h>

bool notify_has_manager(void);

/* The mount answers; after notify_reloading: again. */
void notify_ready(void);
void notify_reloading(void);

/* It is being taken down. */
void notify_stopping(void);

/* The manager keeps the descriptors and gives them to the next supervisor (inherit.h)
 * after this one died or was stopped in order to be started; FileDescriptorStoreMax= lets
 * it. */
void notify_keep(const struct handover *handover);
void notify_forget(void);

#endif
