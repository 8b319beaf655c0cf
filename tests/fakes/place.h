/* place.h: a cache and the repository that it reads, in memory or on this disk.
 *
 *     place_open(&place, PLACE_LOCAL, &(struct cache_options){0});
 *     fixture_publish(&place.fixture, files, ARRAY_SIZE(files));
 *     place_close(&place); */
#ifndef TESTS_FAKES_PLACE_H
#define TESTS_FAKES_PLACE_H

#include "tests/fakes/cache_fixture.h"
#include "tests/fakes/file_fixture.h"

enum place_kind {
    PLACE_REMOTE, /* in memory: without a descriptor, as what a server has */
    PLACE_LOCAL,
};

static const char *const place_kinds[] = {"remote", "local"};

struct place {
    struct file_fixture disk; /* of a local one */
    struct fixture fixture;
};

void place_open(struct place *place, enum place_kind kind,
                const struct cache_options *options);
void place_close(struct place *place);

/* The archive of a local one, open for reading and writing; the caller closes it. */
int place_open_archive(const struct place *place);

#endif
