/* lead.h: which of the threads reads the device.
 *
 *     lead_take(lead);                    until this thread leads; the others wait here
 *     got = read(fd, ...);
 *     lead_handle(lead, fd, opcode, size); or, if nothing was read, lead_pass(lead);
 *     ... handle it, and take the lead again ...
 *
 * Where many threads wait in the kernel it wakes another one for each request, on another
 * processor that may sleep as well: for a look-up or an open that takes longer than to
 * handle it. So one thread reads, and what is there alone it handles by itself before it
 * reads again; nobody else is woken. It passes the lead on first where more requests wait
 * or where this one takes long by its kind or size. If it does not come back (a slow
 * disk), who waits next takes the lead. That one looks at the clock only while requests
 * come.
 *
 * Thread-safe. */
#ifndef FS_LEAD_H
#define FS_LEAD_H

#include <stdint.h>

struct lead;

/* patience_ms: how long the leader may be away before another one reads, about. lead_free
 * the result. */
struct lead *lead_new(unsigned patience_ms);
void lead_free(struct lead *lead); /* accepts NULL; no thread is in it any more */

/* Blocks, and may be cancelled then, as libfuse ends its threads. */
void lead_take(struct lead *lead);

/* A request of that kind was read from fd; size: the bytes of a file that a READ asks for
 * or a WRITE brings, of no meaning in others. */
void lead_handle(struct lead *lead, int fd, uint32_t opcode, uint32_t size);

/* Somebody else is to lead. errno stays. */
void lead_pass(struct lead *lead);

#endif
