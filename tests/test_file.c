/* test_file.c: a folder as repository: pinned objects, puts in one step, links. */
#include "tests/test.h"

#include "backends/backend.h"
#include "common/files.h"
#include "common/memory.h"
#include "tests/fakes/file_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct collected {
    struct sink sink;
    struct bytes bytes;
    void (*between)(
        struct file_fixture *fixture); /* called once, after the first bytes */
    struct file_fixture *fixture;
};

static void write_file(const struct file_fixture *fixture, const char *path,
                       const char *text)
{
    CLEANUP_FREE char *full = file_fixture_path(fixture, path);
    FILE *file = fopen(full, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make_folder(const struct file_fixture *fixture, const char *path)
{
    CLEANUP_FREE char *full = file_fixture_path(fixture, path);

    assert_int_equal(mkdir(full, 0755), 0);
}

static void make_link(const struct file_fixture *fixture, const char *target,
                      const char *path)
{
    CLEANUP_FREE char *full = file_fixture_path(fixture, path);

    assert_int_equal(symlink(target, full), 0);
}

static int collect(struct sink *sink, const void *data, size_t size, struct error *err)
{
    struct collected *collected = (struct collected *)sink;

    if (collected->between) {
        collected->between(collected->fixture);
        collected->between = NULL;
    }
    return bytes_append(&collected->bytes, data, size, err);
}

/* "name" of a file, "name/" of a folder, sorted, a blank between. */
static int append_name(void *arg, const struct backend_entry *entry, struct error *err)
{
    return bytes_printf(arg, err, "%s%s ", entry->name, entry->is_folder ? "/" : "");
}

static void assert_has_name(const struct bytes *names, const char *name, bool expected)
{
    CLEANUP_FREE char *all = xasprintf(" %s", names->data);
    CLEANUP_FREE char *one = xasprintf(" %s ", name);

    assert_int_equal(strstr(all, one) != NULL, expected);
}

static void ranges_are_read_exactly(void **state)
{
    static const struct {
        struct range range;
        int rc;
        const char *text;
    } cases[] = {
        {{0, 9},          0,    "0123456789"},
        {{0, 0},          0,    "0"         },
        {{9, 9},          0,    "9"         },
        {{3, 5},          0,    "345"       },
        {{3, 10},         -EIO, ""          },
        {{10, 10},        -EIO, ""          },
        {{0, UINT64_MAX}, -EIO, ""          },
    };
    struct file_fixture *fixture = *state;
    struct object *object;
    struct error err = {0};

    write_file(fixture, "models/a", "0123456789");
    assert_int_equal(backend_object_open(fixture->backend, "a", &object, &err), 0);
    assert_int_equal(object_stat(object)->size, 10);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct collected to = {.sink.write = collect};

        test_row(i, "%s", cases[i].text);
        bytes_init(&to.bytes, MIB);
        assert_int_equal(object_read(object, cases[i].range, &to.sink, &err),
                         cases[i].rc);
        assert_string_equal(to.bytes.data, cases[i].text);
        bytes_done(&to.bytes);
    }
    object_close(object);
}

enum { CHANGING_BYTES = 600 << 10 }; /* more than one piece */

static void put_again(struct file_fixture *fixture)
{
    struct backend_content content = {.data = "9876543210", .size = 10};
    struct error err = {0};

    assert_int_equal(backend_put(fixture->backend, "a", &content, 0, &err), 0);
}

static void overwrite_in_place(struct file_fixture *fixture)
{
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    CLEANUP_FREE char *path = file_fixture_path(fixture, "models/a");
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_int_equal(pwrite(fd, "?", 1, CHANGING_BYTES - 1), 1);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0); /* a coarse clock's help */
}

static void truncate_it(struct file_fixture *fixture)
{
    write_file(fixture, "models/a", "0");
}

static void remove_it(struct file_fixture *fixture)
{
    struct error err = {0};

    assert_int_equal(backend_remove(fixture->backend, "a", &err), 0);
}

/* As a link that is moved to another release of the repository. */
static void move_folder(struct file_fixture *fixture)
{
    CLEANUP_FREE char *from = file_fixture_path(fixture, "models");
    CLEANUP_FREE char *to = file_fixture_path(fixture, "models.old");

    assert_int_equal(rename(from, to), 0);
    make_folder(fixture, "models");
    write_file(fixture, "models/a", "0123456789");
}

static void changed_object_is_stale(void **state)
{
    static void (*const changes[])(struct file_fixture * fixture) = {
        put_again, overwrite_in_place, truncate_it, remove_it, move_folder};
    static const struct range whole = {0, CHANGING_BYTES - 1};
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *before = xcalloc(1, CHANGING_BYTES + 1);

    memset(before, 'a', CHANGING_BYTES);
    for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
        struct collected to = {
            .sink.write = collect, .between = changes[i], .fixture = fixture};
        struct object *object;
        struct error err = {0};

        test_row(i, "change");
        write_file(fixture, "models/a", before);
        bytes_init(&to.bytes, MIB);
        assert_int_equal(backend_object_open(fixture->backend, "a", &object, &err), 0);
        assert_int_equal(object_check(object, &err), 0);
        /* while it is read, and when it is read again */
        assert_int_equal(object_read(object, whole, &to.sink, &err), -ESTALE);
        assert_int_equal(object_read(object, whole, &to.sink, &err), -ESTALE);
        /* what was read before the change was handed out, and nothing later */
        assert_in_range(to.bytes.size, 1, CHANGING_BYTES - 1);
        assert_memory_equal(to.bytes.data, before, to.bytes.size);
        assert_int_equal(object_check(object, &err), -ESTALE);
        object_close(object);
        bytes_done(&to.bytes);
    }
}

static void missing_repository_is_not_a_missing_path(void **state)
{
    struct file_fixture *fixture = *state;
    struct backend_content content = {.data = "x", .size = 1};
    CLEANUP_FREE char *folder = file_fixture_path(fixture, "models");
    CLEANUP_FREE char *away = file_fixture_path(fixture, "away");
    CLEANUP_OBJECT struct object *object = NULL;
    CLEANUP_BYTES struct bytes bytes;
    struct backend_stat stat;
    struct error err = {0};

    bytes_init(&bytes, MIB);
    write_file(fixture, "models/c", "text");
    assert_int_equal(backend_object_open(fixture->backend, "c", &object, &err), 0);
    assert_int_equal(backend_check(fixture->backend, &err), 0);
    assert_int_equal(backend_stat(fixture->backend, "a/b", &stat, &err), -ENOENT);
    assert_int_equal(backend_list(fixture->backend, "a", append_name, &bytes, &err),
                     -ENOENT);
    assert_int_equal(rename(folder, away), 0);
    assert_int_equal(object_check(object, &err), -EHOSTUNREACH); /* who knows? */
    assert_int_equal(backend_check(fixture->backend, &err), -EHOSTUNREACH);
    assert_non_null(strstr(err.message, folder));
    assert_non_null(strstr(err.message, "create or mount it"));
    assert_int_equal(backend_stat(fixture->backend, "a/b", &stat, &err), -EHOSTUNREACH);
    assert_int_equal(backend_get(fixture->backend, "a/b", &bytes, &err), -EHOSTUNREACH);
    assert_int_equal(backend_put(fixture->backend, "a/b", &content, 0, &err),
                     -EHOSTUNREACH);
    assert_int_equal(access(folder, F_OK), -1); /* a put does not make it */
    write_file(fixture, "models", "not a folder");
    assert_int_equal(backend_check(fixture->backend, &err), -EHOSTUNREACH);
    assert_int_equal(backend_stat(fixture->backend, "a/b", &stat, &err), -EHOSTUNREACH);
}

static void listing_shows_files_and_folders(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_BYTES struct bytes names;
    struct error err = {0};

    make_folder(fixture, "models/folder");
    write_file(fixture, "models/file", "x");
    write_file(fixture, "models/.hidden", "x");
    write_file(fixture, "models/.modelfs-put-0123456789abcdef", "x");
    make_link(fixture, "folder", "models/link-to-folder");
    make_link(fixture, "file", "models/link-to-file");
    make_link(fixture, "nowhere", "models/dangling");
    bytes_init(&names, MIB);
    assert_int_equal(backend_list(fixture->backend, "", append_name, &names, &err), 0);
    assert_has_name(&names, "folder/", true);
    assert_has_name(&names, "file", true);
    assert_has_name(&names, ".hidden", true);
    assert_has_name(&names, "link-to-folder/", true);
    assert_has_name(&names, "link-to-file", true);
    assert_has_name(&names, "dangling", false);
    assert_has_name(&names, ".", false);
    assert_null(strstr(names.data, "modelfs-put"));
    assert_int_equal(backend_list(fixture->backend, "file", append_name, &names, &err),
                     -ENOENT);
}

static int stop(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)entry;
    ++*(int *)arg;
    return fail(err, EINTR, "enough");
}

static void listing_ends_when_told(void **state)
{
    struct file_fixture *fixture = *state;
    struct error err = {0};
    int count = 0;

    write_file(fixture, "models/a", "x");
    write_file(fixture, "models/b", "x");
    assert_int_equal(backend_list(fixture->backend, "", stop, &count, &err), -EINTR);
    assert_int_equal(count, 1);
}

static void links_are_followed(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *target = file_fixture_path(fixture, "elsewhere");
    struct backend *linked;
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    bytes_init(&bytes, MIB);
    make_folder(fixture, "elsewhere");
    write_file(fixture, "elsewhere/file", "text");
    make_link(fixture, target, "models/link");
    make_link(fixture, "models", "repository-link");
    assert_int_equal(
        backend_open("file-system",
                     &(struct backend_options){.host = fixture->host,
                                               .repository = "repository-link"},
                     &linked, &err),
        0);
    assert_int_equal(backend_get(linked, "link/file", &bytes, &err), 0);
    assert_string_equal(bytes.data, "text");
    backend_close(linked);
}

static void what_is_no_regular_file_does_not_exist(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *fifo = file_fixture_path(fixture, "models/fifo");
    CLEANUP_BYTES struct bytes names;
    struct backend_stat stat;
    struct object *object;
    struct error err = {0};

    assert_int_equal(mkfifo(fifo, 0644), 0);
    make_folder(fixture, "models/folder");
    assert_int_equal(backend_stat(fixture->backend, "fifo", &stat, &err), -ENOENT);
    assert_int_equal(backend_object_open(fixture->backend, "fifo", &object, &err),
                     -ENOENT);
    assert_int_equal(backend_stat(fixture->backend, "folder", &stat, &err), -ENOENT);
    assert_int_equal(backend_object_open(fixture->backend, "folder", &object, &err),
                     -ENOENT);
    assert_int_equal(backend_remove(fixture->backend, "folder", &err), -ENOENT);
    assert_int_equal(backend_stat(fixture->backend, "fifo/x", &stat, &err), -ENOENT);
    bytes_init(&names, 1000);
    assert_int_equal(backend_list(fixture->backend, "", append_name, &names, &err), 0);
    assert_string_equal(names.data, "folder/ ");
}

static void assert_content(struct file_fixture *fixture, const char *path,
                           const char *text)
{
    CLEANUP_BYTES struct bytes bytes;
    struct error err = {0};

    bytes_init(&bytes, MIB);
    assert_int_equal(backend_get(fixture->backend, path, &bytes, &err), 0);
    assert_string_equal(bytes.data, text);
}

static void put_makes_folders_and_replaces(void **state)
{
    struct file_fixture *fixture = *state;
    struct backend_content content = {.data = "one", .size = 3};
    CLEANUP_FREE char *path = file_fixture_path(fixture, "models/a/b/c");
    CLEANUP_CLOSE int fd = -1;
    struct error err = {0};
    struct stat found;
    mode_t mask = umask(027);

    assert_int_equal(backend_put(fixture->backend, "a/b/c", &content, 0, &err), 0);
    umask(mask);
    assert_content(fixture, "a/b/c", "one");
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 07777, 0640);
    write_file(fixture, "source", "from a file");
    free(path);
    path = file_fixture_path(fixture, "source");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    content = (struct backend_content){.fd = fd, .size = 11};
    assert_int_equal(backend_put(fixture->backend, "a/b/c", &content, 0, &err), 0);
    assert_content(fixture, "a/b/c", "from a file");
}

static void put_if_absent_changes_nothing_that_exists(void **state)
{
    struct file_fixture *fixture = *state;
    struct backend_content one = {.data = "one", .size = 3};
    struct backend_content two = {.data = "two", .size = 3};
    CLEANUP_BYTES struct bytes names;
    struct error err = {0};

    bytes_init(&names, MIB);
    assert_int_equal(
        backend_put(fixture->backend, "a/b", &one, BACKEND_PUT_IF_ABSENT, &err), 0);
    assert_int_equal(
        backend_put(fixture->backend, "a/b", &two, BACKEND_PUT_IF_ABSENT, &err), -EEXIST);
    assert_content(fixture, "a/b", "one");
    assert_int_equal(backend_list(fixture->backend, "a", append_name, &names, &err), 0);
    assert_string_equal(names.data, "b ");
}

/* All names in a folder, the hidden ones too, a blank after each. */
static void names_on_disk(struct file_fixture *fixture, const char *path,
                          struct bytes *names)
{
    CLEANUP_FREE char *full = file_fixture_path(fixture, path);
    CLEANUP_CLOSEDIR DIR *dir = opendir(full);
    const struct dirent *entry;
    struct error err = {0};

    assert_non_null(dir);
    while ((entry = readdir(dir)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            assert_int_equal(bytes_printf(names, &err, "%s ", entry->d_name), 0);
}

static void failed_put_leaves_no_trace(void **state)
{
    struct file_fixture *fixture = *state;
    CLEANUP_FREE char *path = file_fixture_path(fixture, "source");
    CLEANUP_BYTES struct bytes names;
    CLEANUP_CLOSE int fd = -1;
    struct error err = {0};

    make_folder(fixture, "models/a");
    write_file(fixture, "models/a/b", "before");
    write_file(fixture, "source", "short");
    fd = open(path, O_RDONLY | O_CLOEXEC);
    struct backend_content content = {.fd = fd, .size = 1000};

    assert_int_equal(backend_put(fixture->backend, "a/b", &content, 0, &err), -EIO);
    assert_content(fixture, "a/b", "before");
    bytes_init(&names, MIB);
    names_on_disk(fixture, "models", &names);
    names_on_disk(fixture, "models/a", &names);
    assert_string_equal(names.data, "a b ");
}

static void checksum_is_the_md5_of_the_bytes(void **state)
{
    static const struct {
        const char *text;
        const char *md5; /* of md5sum */
    } cases[] = {
        {"",           "d41d8cd98f00b204e9800998ecf8427e"},
        {"0123456789", "781e5e245d69b566979b86e28d23f2c7"},
    };
    struct file_fixture *fixture = *state;
    char md5[BACKEND_CHECKSUM_MAX];
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].text);
        write_file(fixture, "models/a", cases[i].text);
        assert_int_equal(backend_checksum(fixture->backend, "a", md5, &err), 0);
        assert_string_equal(md5, cases[i].md5);
    }
    assert_int_equal(backend_checksum(fixture->backend, "b", md5, &err), -ENOENT);
}

static void options_that_name_no_folder_are_refused(void **state)
{
    static const struct backend_options cases[] = {
        {.host = NULL,   .repository = "a" },
        {.host = "",     .repository = "a" },
        {.host = "/srv", .repository = NULL},
        {.host = "/srv", .repository = ""  },
        {.host = "/srv", .repository = "/a"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct backend *backend = NULL;
        struct error err = {0};

        test_row(i, "options");
        assert_int_equal(backend_open("file-system", &cases[i], &backend, &err), -EINVAL);
        assert_null(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name)                                                                       \
    cmocka_unit_test_setup_teardown(name, file_fixture_set_up, file_fixture_tear_down)
        TEST(ranges_are_read_exactly),
        TEST(changed_object_is_stale),
        TEST(missing_repository_is_not_a_missing_path),
        TEST(listing_shows_files_and_folders),
        TEST(listing_ends_when_told),
        TEST(links_are_followed),
        TEST(what_is_no_regular_file_does_not_exist),
        TEST(put_makes_folders_and_replaces),
        TEST(put_if_absent_changes_nothing_that_exists),
        TEST(failed_put_leaves_no_trace),
        TEST(checksum_is_the_md5_of_the_bytes),
        TEST(options_that_name_no_folder_are_refused),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
