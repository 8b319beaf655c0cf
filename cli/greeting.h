/* greeting.h: tells who mounts which repositories cannot be used.
 *
 *     greeting = greeting_begin(resolver, daemon);     when the mount answers
 *     resolver_prefetch(resolver);
 *     greeting_end(greeting);                          before the resolver is closed
 *
 * A mount comes up whatever its repositories say. How the first question to each went is
 * told by a thread: to the process that `modelfs mount` waits in (daemon.h), which is not
 * kept for longer than a second, and, whenever the answers come, to the log. */
#ifndef CLI_GREETING_H
#define CLI_GREETING_H

#include "cli/daemon.h"
#include "resolver/resolver.h"

struct greeting;

/* daemon: to be dismissed when all is said; NULL: the log alone. */
struct greeting *greeting_begin(struct resolver *resolver, struct daemon *daemon);
void greeting_end(struct greeting *greeting); /* accepts NULL */

#endif
