/* pack_sampler.h: is it worth the time to deflate a file? For publish/pack*.c alone.
 *
 *     sampler = pack_sampler_new();
 *     rc = pack_sampler_ask(sampler, &reader, &is_incompressible, &err);    for each
 *     pack_sampler_free(sampler);
 *
 * Weights deflate to 0.8 to 0.93 of their size, at 20 MiB a second, and are read 5 to 17
 * times slower afterwards, from their first byte on only. */
#ifndef PUBLISH_PACK_SAMPLER_H
#define PUBLISH_PACK_SAMPLER_H

#include "common/cleanup.h"
#include "common/error.h"
#include "publish/pack_reader.h"

#include <stdbool.h>

struct pack_sampler;

struct pack_sampler *pack_sampler_new(void);
void pack_sampler_free(struct pack_sampler *sampler); /* accepts NULL */
#define CLEANUP_PACK_SAMPLER CLEANUP_WITH(pack_sampler_cleanup)
static inline void pack_sampler_cleanup(struct pack_sampler **sampler)
{
    pack_sampler_free(*sampler);
}

/* Does a sample of 1 MiB keep more than 0.9 of its size at the lowest level? Taken in
 * equal parts from all over the file, for a header of text says nothing of what follows.
 */
int pack_sampler_ask(struct pack_sampler *sampler, const struct pack_reader *reader,
                     bool *ret_is_incompressible, struct error *err);

#endif
