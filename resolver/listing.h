/* listing.h: names in one block of memory; what a repository's folder or document said.
 *
 *     struct listing_builder builder;
 *     listing_builder_init(&builder);
 *     rc = listing_add(&builder, "emotion-small", &err);
 *     rc = listing_finish(&builder, strcmp, &listing, &err);
 *     listing_builder_done(&builder);
 *     listing_unref(listing);
 *
 * A listing is constant and shared by reference; those functions are thread-safe. A
 * million names of 16 bytes take 24 MiB. */
#ifndef RESOLVER_LISTING_H
#define RESOLVER_LISTING_H

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/error.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LISTING_NAMES_MAX = 4 << 20,
    LISTING_BYTES_MAX = 256 << 20, /* of all names */
};

struct listing {
    size_t count;
    size_t memory_bytes; /* of it all */
    atomic_uint refs;
    char *text;
    const char *names[];
};

struct listing_builder {
    struct bytes names;
    uint32_t *offsets;
    size_t count;
    size_t capacity;
};

typedef int listing_compare(const char *left, const char *right);

void listing_builder_init(struct listing_builder *builder);
void listing_builder_done(struct listing_builder *builder);
#define CLEANUP_LISTING_BUILDER CLEANUP_WITH(listing_builder_done)

/* 0; -EFBIG past a limit, -ENOMEM. */
int listing_add(struct listing_builder *builder, const char *name, struct error *err);

/* Sort, drop what is there twice, hand over; the builder is empty again. With compare
 * NULL all stays as it was added. listing_unref the result. */
int listing_finish(struct listing_builder *builder, listing_compare *compare,
                   struct listing **ret_listing, struct error *err);

struct listing *listing_ref(struct listing *listing);
void listing_unref(struct listing *listing); /* accepts NULL */
#define CLEANUP_LISTING CLEANUP_WITH(listing_cleanup)
static inline void listing_cleanup(struct listing **listing)
{
    listing_unref(*listing);
}

/* Is name in a listing that was sorted by compare? */
bool listing_has(const struct listing *listing, listing_compare *compare,
                 const char *name);

#endif
