/* many.h: a model of many small files, in a repository on a server or on a disk. */
#ifndef TESTS_MANY_H
#define TESTS_MANY_H

#include "tests/fakes/place.h"

#include <stdlib.h>

enum { FILES = 2000, TEXT = 600 };

/* Files of one model, side by side in its archive: noise, so that they pack to as much.
 */
struct many {
    unsigned char *noise;
    char names[FILES][16];
    struct zip_file files[FILES];
};

static inline struct many *many_new(void)
{
    struct many *many = calloc(1, sizeof *many);

    many->noise = fixture_noise(FILES + TEXT);
    for (int i = 0; i < FILES; i++) {
        snprintf(many->names[i], sizeof many->names[i], "%04d", i);
        many->files[i] = (struct zip_file){
            .name = many->names[i], .data = many->noise + i, .size = TEXT};
    }
    return many;
}

static inline void many_free(struct many *many)
{
    free(many->noise);
    free(many);
}

static inline struct archive *open_many(struct place *place, enum place_kind kind,
                                        const struct many *many)
{
    place_open(place, kind, &(struct cache_options){0});
    fixture_publish(&place->fixture, many->files, FILES);
    return fixture_archive(&place->fixture);
}

#endif
