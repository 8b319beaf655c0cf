/* agreement.h: what is agreed with the kernel by INIT and the reply to it. Pure. */
#ifndef FS_AGREEMENT_H
#define FS_AGREEMENT_H

#include "fs/kernel.h"

#include <stdbool.h>

/* Of a read; libfuse would take it from max_write. A reply to it fits with its header
 * into a pipe of 1 MiB, the largest that everybody may have, as libfuse counts. */
enum { AGREEMENT_PAGES_MAX = 252 };

/* What the kernel offers: in the request, which begins with its header. */
struct kernel_init_in agreement_offer(const unsigned char *request);

/* Can the kernel send again what a dead worker left unanswered? */
bool agreement_can_resend(const struct kernel_init_in *offer);

/* Accept these of the flags beyond bit 31 that are offered, besides what libfuse did. */
void agreement_amend(struct kernel_init_out *reply, const struct kernel_init_in *offer,
                     uint32_t accepted_flags2);

/* May a worker that would reply so serve what was agreed before? */
bool agreement_is_kept(const struct kernel_init_out *reply,
                       const struct kernel_init_out *agreed);

#endif
