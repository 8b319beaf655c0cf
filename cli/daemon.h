/* daemon.h: goes on in the background, and tells the caller how the start went.
 *
 *     rc = daemon_start(&options, &daemon, &err);    forks, so before any thread
 *     if (rc != DAEMON_CHILD)
 *         return rc;                                 the child is ready, or it failed
 *     ... daemon_ready(&daemon) or daemon_failed(&daemon, &err) ...
 *
 * Until it is ready the child writes to the caller's stderr, then to the log file, the
 * journal where there is one, or nowhere. What the caller should know all the same is
 * said by daemon_warn, for as long as a process has not called daemon_dismiss: the caller
 * waits for that, too, unless it takes very long. */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "common/error.h"

#include <stdbool.h>

enum { DAEMON_CHILD = 1 };

struct daemon {
    int report_fd; /* to the parent; -1 once it heard */
    int log_fd;
};

/* log: a file to append to; or NULL. In the parent: 0 when the child is ready, else what
 * the child said, or how it died. In the child: DAEMON_CHILD. */
int daemon_start(const char *log, struct daemon *ret_daemon, struct error *err);

/* Leave the caller's terminal and pipes; in each process that has the daemon. */
void daemon_detach(struct daemon *daemon);

/* daemon_detach, and the parent reports success. */
void daemon_ready(struct daemon *daemon);
bool daemon_is_ready(const struct daemon *daemon);

/* A sentence for the caller's stderr; in a process that was forked before it was ready.
 */
void daemon_warn(struct daemon *daemon, const char *sentence);

/* This process says no more to the caller, who waits for each that has the daemon. */
void daemon_dismiss(struct daemon *daemon);

/* In the foreground: stderr goes to that file from now on. */
int daemon_log_to(const char *log, struct error *err);

/* Before it was ready: the parent reports err. */
void daemon_failed(struct daemon *daemon, const struct error *err);

#endif
