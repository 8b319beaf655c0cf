/* agreement.c: amends replies to INIT, and compares them. */
#include "fs/agreement.h"

#include <string.h>

static uint32_t offered_flags2(const struct kernel_init_in *offer)
{
    return offer->flags & KERNEL_INIT_EXT ? offer->flags2 : 0;
}

struct kernel_init_in agreement_offer(const unsigned char *request)
{
    struct kernel_init_in offer;

    memcpy(&offer, request + sizeof(struct kernel_in_header), sizeof offer);
    return offer;
}

bool agreement_can_resend(const struct kernel_init_in *offer)
{
    return offered_flags2(offer) & KERNEL_HAS_RESEND;
}

void agreement_amend(struct kernel_init_out *reply, const struct kernel_init_in *offer,
                     uint32_t accepted_flags2)
{
    reply->flags2 |= offered_flags2(offer) & accepted_flags2;
    if (reply->flags2 != 0)
        reply->flags |= KERNEL_INIT_EXT;
    if (reply->flags2 & KERNEL_PASSTHROUGH)
        reply->max_stack_depth = 1; /* 2 would switch passthrough off without a word */
    if (reply->flags & KERNEL_MAX_PAGES)
        reply->max_pages = AGREEMENT_PAGES_MAX;
}

/* It need not use all of it, but the kernel will: what is missing here is a request that
 * nobody understands. */
bool agreement_is_kept(const struct kernel_init_out *reply,
                       const struct kernel_init_out *agreed)
{
    /* Both kinds of reading folders are understood, whoever chooses. */
    static const uint32_t indifferent = KERNEL_INIT_EXT | KERNEL_READDIRPLUS_AUTO;

    return reply->major == agreed->major && reply->time_gran == agreed->time_gran &&
           reply->max_write >= agreed->max_write &&
           (agreed->flags & ~reply->flags & ~indifferent) == 0 &&
           (agreed->flags2 & ~reply->flags2) == 0;
}
