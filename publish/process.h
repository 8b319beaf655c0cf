/* process.h: a name for a process that tells it apart from all others, on all machines.
 *
 *     process_name(mine);
 *     ... another process, later ...
 *     if (process_is_dead(mine))
 *
 * Thread-safe. */
#ifndef PUBLISH_PROCESS_H
#define PUBLISH_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

enum {
    PROCESS_NAME_SIZE = 128,
    PROCESS_OWNER_SIZE = 256,
};

/* Of this process: boot ID, number of the PID namespace, PID, start time; "" where the
 * system does not tell. */
void process_name(char ret_name[PROCESS_NAME_SIZE]);

/* The same of another process of this machine. */
void process_name_of(pid_t pid, char ret_name[PROCESS_NAME_SIZE]);

/* Did the process end? True only if that is certain: it ran on this machine, since the
 * last boot, in our PID namespace. A zombie has ended. */
bool process_is_dead(const char *name);

/* Does it run? True only if that is certain. */
bool process_is_alive(const char *name);

/* Did it end, and had it this PID? The same with as much certainty; 0 is no PID. */
bool process_was(const char *name, pid_t pid);

/* For people: "sphinx on host, process 123"; printable ASCII without quotes. */
void process_owner(char ret_owner[PROCESS_OWNER_SIZE]);

#endif
