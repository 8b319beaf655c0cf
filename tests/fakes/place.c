/* place.c: a cache and the repository that it reads, in memory or on this disk. */
#include "tests/fakes/place.h"

#include "common/cleanup.h"
#include "tests/test.h"

#include <fcntl.h>
#include <stdlib.h>

void place_open(struct place *place, enum place_kind kind,
                const struct cache_options *options)
{
    place->disk = (struct file_fixture){0};
    if (kind == PLACE_REMOTE) {
        fixture_open(&place->fixture, options);
        return;
    }
    file_fixture_open(&place->disk);
    /* The cache's fixture closes the backend. */
    fixture_open_on(&place->fixture, options, steal_ptr(&place->disk.backend));
}

void place_close(struct place *place)
{
    fixture_close(&place->fixture);
    if (place->disk.host)
        file_fixture_close(&place->disk);
}

int place_open_archive(const struct place *place)
{
    CLEANUP_FREE char *path = file_fixture_path(&place->disk, "models/" FIXTURE_ARCHIVE);
    int fd = open(path, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    return fd;
}
