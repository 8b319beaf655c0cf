/* inherit.h: passes a mount from one process to another program's.
 *
 * The old program starts the new one with the descriptors of the mount and their numbers
 * in $MODELFS_HANDOVER, as the next worker or in place of the supervisor; a service
 * manager gives them back in $LISTEN_FDS after it kept them (notify.h):
 *
 *     rc = inherit_find(&inherited, &err);         at start, before anything is opened
 *     switch (inherited.role) ...
 *
 *     inherit_prepare(&successor, handover, command);
 *     pid = inherit_start_worker(&successor, &err);
 *     inherit_hear(&successor, why);               after it gave up, of inherit_tell
 *     rc = inherit_become(&successor, &err);       returns only on failure */
#ifndef FS_INHERIT_H
#define FS_INHERIT_H

#include "common/error.h"
#include "fs/handover.h"

#include <sys/types.h>

enum inherit_role {
    INHERIT_NOTHING,
    INHERIT_AS_WORKER,     /* wait for the worker before, then serve */
    INHERIT_AS_SUPERVISOR, /* of a worker that serves already */
    INHERIT_FROM_MANAGER,  /* as supervisor, after the one before died or was stopped */
};

struct inherited {
    enum inherit_role role;
    int fds[HANDOVER_FDS]; /* ours from now on; O_CLOEXEC */
    int report_fd;         /* for inherit_tell; -1: nobody listens */
};

/* Takes the variables out of the environment. A manager that has less than all of them
 * (the device goes with the mount) has nothing for us: what it gave is closed. -EPROTO
 * for a variable that makes no sense. */
int inherit_find(struct inherited *ret_inherited, struct error *err);

/* The program that takes over cannot: say why to the one that started it, if that one
 * listens. */
void inherit_tell(const struct inherited *inherited, const struct error *err);

/* "modelfs-device" and so on: what the manager calls them. */
const char *inherit_name(enum handover_fd which);

/* How to run the program anew; made before the supervisor runs, which allocates nothing
 * then. */
struct successor {
    char *const *command; /* lent; ends with NULL; command[0] is the program's path */
    char **environment;   /* for inherit_become */
    char as_supervisor[64];
    char as_worker[64];
    int fds[HANDOVER_FDS];
    int report_fd; /* where the child says why it gives up; -1: there is none */
};

void inherit_prepare(struct successor *successor, const struct handover *handover,
                     char *const *command);
void inherit_done(struct successor *successor);

/* A child that runs the program as the next worker. -errno if none could be made; a
 * program that cannot be run says so in the log, and the child exits. */
pid_t inherit_start_worker(struct successor *successor, struct error *err);

/* What the last such child said, "" if nothing. Once, after it has ended. */
void inherit_hear(struct successor *successor, char ret_text[ERROR_MESSAGE_MAX]);

/* This process becomes the program, as the supervisor. */
int inherit_become(const struct successor *successor, struct error *err);

#endif
