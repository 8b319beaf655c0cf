/* file_fixture.c: a repository on this disk. */
#include "tests/fakes/file_fixture.h"

#include "tests/test.h"

#include "common/files.h"
#include "common/memory.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

void file_fixture_open(struct file_fixture *fixture)
{
    const char *parent = getenv("TMPDIR");
    CLEANUP_FREE char *root = NULL;
    struct error err = {0};

    fixture->host = xasprintf("%s/modelfs-test-XXXXXX", parent ? parent : "/tmp");
    assert_non_null(mkdtemp(fixture->host));
    root = file_fixture_path(fixture, "models");
    assert_int_equal(mkdir(root, 0777), 0);
    assert_int_equal(backend_open("file-system",
                                  &(struct backend_options){.host = fixture->host,
                                                            .repository = "models"},
                                  &fixture->backend, &err),
                     0);
}

void file_fixture_close(struct file_fixture *fixture)
{
    struct error err = {0};

    backend_close(fixture->backend);
    assert_int_equal(files_remove_tree(AT_FDCWD, fixture->host, &err), 0);
    free(fixture->host);
}

int file_fixture_set_up(void **state)
{
    static struct file_fixture fixture;

    file_fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

int file_fixture_tear_down(void **state)
{
    file_fixture_close(*state);
    return 0;
}

char *file_fixture_path(const struct file_fixture *fixture, const char *path)
{
    return xasprintf("%s/%s", fixture->host, path);
}
