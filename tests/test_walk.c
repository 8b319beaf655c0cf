/* test_walk.c: what lies below a folder. */
#include "tests/test.h"

#include "common/walk.h"
#include "tests/folders.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = 32 };

struct seen {
    char texts[SEEN_MAX][64]; /* path, kind and size */
    size_t count;
    size_t stop_at; /* count; 0: never */
};

static int see(void *arg, const struct walk_entry *entry, struct error *err)
{
    struct seen *seen = arg;
    const char *last = strrchr(entry->path, '/');
    struct stat stat;

    assert_true(seen->count < SEEN_MAX);
    assert_int_equal(entry->path_size, strlen(entry->path));
    assert_string_equal(entry->name, last ? last + 1 : entry->path);
    assert_int_equal(fstatat(entry->folder_fd, entry->name, &stat, AT_SYMLINK_NOFOLLOW),
                     0);
    assert_int_equal(stat.st_ino, entry->stat.st_ino);
    snprintf(seen->texts[seen->count++], sizeof *seen->texts, "%s %c%d", entry->path,
             S_ISDIR(stat.st_mode)   ? 'd'
             : S_ISLNK(stat.st_mode) ? 'l'
                                     : 'f',
             S_ISREG(stat.st_mode) ? (int)entry->stat.st_size : 0);
    return seen->count == seen->stop_at ? fail(err, ECANCELED, "stopped") : 0;
}

static void make_tree(int dir_fd)
{
    struct error err = {0};

    assert_int_equal(files_make_folders(dir_fd, "a/b/empty", 0777, &err), 0);
    folder_put(dir_fd, "top", "1", 1, 0644, 0);
    folder_put(dir_fd, "a/in", "22", 2, 0644, 0);
    folder_put(dir_fd, "a/b/.deep", "333", 3, 0644, 0);
    assert_int_equal(symlinkat("a", dir_fd, "link-to-folder"), 0);
    assert_int_equal(symlinkat("nowhere", dir_fd, "a/dangling"), 0);
}

static size_t place_of(const struct seen *seen, const char *text)
{
    for (size_t i = 0; i < seen->count; i++) {
        if (strcmp(seen->texts[i], text) == 0)
            return i;
    }
    fail_msg("'%s' was not seen", text);
    return 0;
}

static void all_is_seen_once_and_folders_before_what_is_in_them(void **state)
{
    static const struct {
        const char *text, *folder;
    } cases[] = {
        {"top f1",            NULL    },
        {"link-to-folder l0", NULL    },
        {"a d0",              NULL    },
        {"a/in f2",           "a d0"  },
        {"a/dangling l0",     "a d0"  },
        {"a/b d0",            "a d0"  },
        {"a/b/empty d0",      "a/b d0"},
        {"a/b/.deep f3",      "a/b d0"},
    };
    int dir_fd = ((struct folder *)*state)->fd;
    struct seen seen = {.count = 0};
    struct error err = {0};

    make_tree(dir_fd);
    assert_int_equal(walk_folder(dir_fd, see, &seen, &err), 0);
    assert_int_equal(seen.count, ARRAY_SIZE(cases));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].text);
        if (cases[i].folder)
            assert_true(place_of(&seen, cases[i].folder) <
                        place_of(&seen, cases[i].text));
        else
            (void)place_of(&seen, cases[i].text);
    }
}

static void what_each_returns_ends_it(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    struct seen seen = {.stop_at = 5}; /* below the top */
    struct error err = {0};

    make_tree(dir_fd);
    assert_int_equal(walk_folder(dir_fd, see, &seen, &err), -ECANCELED);
    assert_int_equal(seen.count, 5);
}

/* Each folder is made in the one before; no path of the whole is given to the kernel. */
static void a_path_that_no_call_takes_is_an_error(void **state)
{
    char name[NAME_MAX + 1];
    int fds[PATH_MAX / NAME_MAX + 2] = {dup(((struct folder *)*state)->fd)};
    struct seen seen = {.count = 0};
    struct error err = {0};
    size_t depth = ARRAY_SIZE(fds);

    memset(name, 'x', NAME_MAX);
    name[NAME_MAX] = '\0';
    for (size_t i = 1; i < depth; i++) {
        assert_int_equal(mkdirat(fds[i - 1], name, 0777), 0);
        fds[i] = openat(fds[i - 1], name, O_RDONLY | O_DIRECTORY);
        assert_true(fds[i] >= 0);
    }
    assert_int_equal(walk_folder(fds[0], see, &seen, &err), -ENAMETOOLONG);
    for (size_t i = 0; i < depth; i++)
        close(fds[i]);
}

#define TEST(function)                                                                   \
    cmocka_unit_test_setup_teardown(function, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_seen_once_and_folders_before_what_is_in_them),
        TEST(what_each_returns_ends_it),
        TEST(a_path_that_no_call_takes_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
