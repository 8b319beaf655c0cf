/* notify.h: tells systemd how the service is, by sd_notify(3)'s protocol.
 *
 * Without $NOTIFY_SOCKET nothing happens, and a manager that does not listen is its own
 * problem: nothing is reported. */
#ifndef FS_NOTIFY_H
#define FS_NOTIFY_H

/* The mount answers. */
void notify_ready(void);

/* It is being taken down. */
void notify_stopping(void);

#endif
