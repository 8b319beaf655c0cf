/* link.h: a line to a store: a round trip for each request, and rates.
 *
 *     link = link_new(20, 30 * MIB, 110 * MIB);
 *     memory_backend_link(backend, link);      each object_read passes over it
 *     ... when the backend is closed: link_free(link);
 *
 * Thread-safe. */
#ifndef TESTS_FAKES_LINK_H
#define TESTS_FAKES_LINK_H

#include "backends/backend.h"

#include <stdint.h>

struct link;

/* Rates in bytes a second; of one request at most, and of all together. */
struct link *link_new(int64_t round_trip_ms, uint64_t rate_each, uint64_t rate_all);
void link_free(struct link *link);

/* One request's reply: after the round trip, piece by piece as its bytes get through.
 * Without a link at once. */
int link_feed(struct link *link, const void *data, size_t size, struct sink *to,
              struct error *err);

/* Most requests at once so far. */
unsigned link_peak(struct link *link);

#endif
