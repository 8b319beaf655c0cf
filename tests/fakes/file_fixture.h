/* file_fixture.h: a repository on this disk, "models" in a folder of its own.
 *
 *     cmocka_unit_test_setup_teardown(test, file_fixture_set_up, file_fixture_tear_down)
 *     struct file_fixture *fixture = *state;
 *     CLEANUP_FREE char *path = file_fixture_path(fixture, "models/a.zip"); */
#ifndef TESTS_FAKES_FILE_FIXTURE_H
#define TESTS_FAKES_FILE_FIXTURE_H

#include "backends/backend.h"

struct file_fixture {
    char *host; /* the folder */
    struct backend *backend;
};

void file_fixture_open(struct file_fixture *fixture);
void file_fixture_close(struct file_fixture *fixture); /* backend may be NULL by then */

/* The same for cmocka; *state is the fixture. */
int file_fixture_set_up(void **state);
int file_fixture_tear_down(void **state);

/* Where a path below the folder is; free the result. */
char *file_fixture_path(const struct file_fixture *fixture, const char *path);

#endif
