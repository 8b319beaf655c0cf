/* test_files.c: whole reads, replacing, folders, paths that cannot leave a folder. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int top = -1; /* a fresh folder for each test */
static char top_path[] = "/tmp/modelfs-test-files-XXXXXX";
static struct error err;

static int make_top(void **state)
{
    (void)state;
    memcpy(top_path + sizeof top_path - 7, "XXXXXX", 6);
    if (!mkdtemp(top_path))
        return -1;
    top = open(top_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return top < 0 ? -1 : 0;
}

static int remove_top(void **state)
{
    int rc = files_remove_tree(AT_FDCWD, top_path, &err);

    (void)state;
    close(top);
    return rc < 0 || access(top_path, F_OK) == 0 ? -1 : 0;
}

static void write_file(const char *path, const char *text)
{
    CLEANUP_CLOSE int fd = openat(top, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(files_write_fd(fd, text, strlen(text), &err), 0);
}

static size_t count_entries(void)
{
    CLEANUP_CLOSEDIR DIR *dir = opendir(top_path);
    size_t count = 0;

    assert_non_null(dir);
    while (readdir(dir))
        count++;
    return count - 2; /* . and .. */
}

static void reads_all_or_says_what_is_wrong(void **state)
{
    static const struct {
        size_t file_size;
        size_t limit;
        int rc;
    } cases[] = {
        {0,       0,       0     },
        {0,       10,      0     },
        {1,       0,       -EFBIG},
        {10,      10,      0     },
        {11,      10,      -EFBIG},
        {65535,   65535,   0     },
        {65536,   65536,   0     },
        {65537,   65536,   -EFBIG},
        {1000000, 1000000, 0     },
        {1000000, 2000000, 0     },
    };
    char *text = malloc(1000001);

    (void)state;
    assert_non_null(text);
    memset(text, 'x', 1000000);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes bytes;

        test_row(i, "%zu bytes, limit %zu", cases[i].file_size, cases[i].limit);
        text[cases[i].file_size] = '\0';
        unlinkat(top, "file", 0);
        write_file("file", text);
        bytes_init(&bytes, cases[i].limit);
        assert_int_equal(files_read(top, "file", &bytes, &err), cases[i].rc);
        assert_int_equal(bytes.size, cases[i].rc == 0 ? cases[i].file_size : 0);
        assert_string_equal(bytes.data, cases[i].rc == 0 ? text : "");
        text[cases[i].file_size] = 'x';
    }
    free(text);
}

static void reads_append(void **state)
{
    CLEANUP_BYTES struct bytes bytes;

    (void)state;
    bytes_init(&bytes, 8);
    write_file("file", "abcd");
    assert_int_equal(files_read(top, "file", &bytes, &err), 0);
    assert_int_equal(files_read(top, "file", &bytes, &err), 0);
    assert_int_equal(files_read(top, "file", &bytes, &err), -EFBIG);
    assert_string_equal(bytes.data, "abcdabcd");
    assert_int_equal(files_read(top, "none", &bytes, &err), -ENOENT);
    assert_string_equal(err.message, "open 'none': No such file or directory");
    assert_int_equal(files_read(top, ".", &bytes, &err), -EISDIR);
}

static void reads_what_has_no_size(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    int ends[2];

    (void)state;
    bytes_init(&bytes, 1 << 20);
    assert_int_equal(files_read(AT_FDCWD, "/proc/self/status", &bytes, &err), 0);
    assert_memory_equal(bytes.data, "Name:", 5);
    bytes.size = 0;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(files_write_fd(ends[1], "through a pipe", 14, &err), 0);
    close(ends[1]);
    assert_int_equal(files_read_fd(ends[0], &bytes, &err), 0);
    close(ends[0]);
    assert_string_equal(bytes.data, "through a pipe");
}

static void reads_and_writes_at_offsets(void **state)
{
    CLEANUP_CLOSE int fd = openat(top, "file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    char text[5] = "";

    (void)state;
    assert_int_equal(files_pwrite(fd, "abcd", 4, 2, &err), 0);
    assert_int_equal(files_pread(fd, text, 4, 2, &err), 0);
    assert_string_equal(text, "abcd");
    assert_int_equal(files_pread(fd, text, 0, 100, &err), 0);
    assert_int_equal(files_pread(fd, text, 4, 3, &err), -EIO);
    assert_string_equal(err.message, "the file ends at 6, wanted were 4 bytes at 3");
    assert_int_equal(files_pread(-1, text, 1, 0, &err), -EBADF);
    assert_int_equal(files_pwrite(-1, text, 1, 0, &err), -EBADF);
    assert_int_equal(files_write_fd(-1, text, 1, &err), -EBADF);
}

static void replaces_in_one_step(void **state)
{
    CLEANUP_BYTES struct bytes bytes;
    mode_t mask = umask(077);
    struct stat before, after;

    (void)state;
    bytes_init(&bytes, 100);
    write_file("file", "old");
    assert_int_equal(fstatat(top, "file", &before, 0), 0);
    assert_int_equal(files_replace(top, "file", "new", 3, 0664, &err), 0);
    umask(mask);
    assert_int_equal(fstatat(top, "file", &after, 0), 0);
    assert_int_equal(after.st_mode, S_IFREG | 0664);
    assert_true(before.st_ino != after.st_ino);
    assert_int_equal(files_read(top, "file", &bytes, &err), 0);
    assert_string_equal(bytes.data, "new");
    assert_int_equal(files_make_folders(top, "a/b", 0755, &err), 0);
    assert_int_equal(files_replace(top, "a/b/file", "", 0, 0644, &err), 0);
    assert_int_equal(fstatat(top, "a/b/file", &after, 0), 0);
    assert_int_equal(after.st_size, 0);
    assert_int_equal(count_entries(), 2);
}

static void a_failed_replace_leaves_no_trace(void **state)
{
    (void)state;
    assert_int_equal(files_make_folders(top, "folder", 0755, &err), 0);
    assert_int_equal(files_replace(top, "folder", "x", 1, 0644, &err), -EISDIR);
    assert_string_equal(err.message, "write 'folder': rename: Is a directory");
    assert_int_equal(count_entries(), 1);
    assert_int_equal(files_replace(top, "none/file", "x", 1, 0644, &err), -ENOENT);
    assert_int_equal(files_replace(top, "folder/", "x", 1, 0644, &err), -ENOENT);
    assert_int_equal(count_entries(), 1);
}

static void makes_folders(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {"a",         0       },
        {"a/b/c",     0       },
        {"a/b/c",     0       },
        {"a//d/./e/", 0       },
        {"link/f",    0       },
        {"file",      -ENOTDIR},
        {"file/g",    -ENOTDIR},
        {"dangling",  -ENOENT },
        {"",          -ENOENT },
    };
    struct stat st;

    (void)state;
    write_file("file", "");
    assert_int_equal(symlinkat("a", top, "link"), 0);
    assert_int_equal(symlinkat("nothing", top, "dangling"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(files_make_folders(top, cases[i].path, 0750, &err), cases[i].rc);
    }
    assert_int_equal(fstatat(top, "a/d/e", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFDIR | 0750);
    assert_int_equal(fstatat(top, "a/f", &st, 0), 0);
}

static void makes_folders_by_absolute_path(void **state)
{
    char path[64];
    struct stat st;

    (void)state;
    snprintf(path, sizeof path, "%s/x/y", top_path);
    assert_int_equal(files_make_folders(AT_FDCWD, path, 0755, &err), 0);
    assert_int_equal(fstatat(top, "x/y", &st, 0), 0);
    assert_int_equal(files_make_folders(AT_FDCWD, "/", 0755, &err), 0);
}

static void opens_beneath_only(void **state)
{
    static const struct {
        const char *path;
        int flags;
        int rc; /* 0: a descriptor */
    } cases[] = {
        {"a/file",         O_RDONLY,                    0       },
        {"a/../a/file",    O_RDONLY,                    0       },
        {"a",              O_RDONLY | O_DIRECTORY,      0       },
        {"a/new",          O_WRONLY | O_CREAT | O_EXCL, 0       },
        {"a/new",          O_WRONLY | O_CREAT | O_EXCL, -EEXIST },
        {"none",           O_RDONLY,                    -ENOENT },
        {"../a",           O_RDONLY,                    -EXDEV  },
        {"a/../../x",      O_RDONLY,                    -EXDEV  },
        {"/etc/passwd",    O_RDONLY,                    -EXDEV  },
        {"to-file",        O_RDONLY,                    -ELOOP  },
        {"to-a/file",      O_RDONLY,                    -ELOOP  },
        {"outside/passwd", O_RDONLY,                    -ELOOP  },
        {"dangling",       O_WRONLY | O_CREAT,          -ELOOP  },
        {"a/file/x",       O_RDONLY,                    -ENOTDIR},
        {"pipe",           O_RDONLY,                    0       }, /* does not wait */
        {"pipe",           O_WRONLY,                    -ENXIO  },
    };
    struct stat st;

    (void)state;
    assert_int_equal(files_make_folders(top, "a", 0755, &err), 0);
    write_file("a/file", "");
    assert_int_equal(mkfifoat(top, "pipe", 0600), 0);
    assert_int_equal(symlinkat("a/file", top, "to-file"), 0);
    assert_int_equal(symlinkat("a", top, "to-a"), 0);
    assert_int_equal(symlinkat("/etc", top, "outside"), 0);
    assert_int_equal(symlinkat("created-through-link", top, "dangling"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_CLOSE int fd =
            files_open_beneath(top, cases[i].path, cases[i].flags, 0640, &err);

        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(fd < 0 ? fd : 0, cases[i].rc);
        if (fd >= 0)
            assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    }
    assert_int_equal(fstatat(top, "a/new", &st, 0), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0640);
    assert_int_equal(faccessat(top, "created-through-link", F_OK, 0), -1);
}

static atomic_bool moves;

static void *move_out_and_in(void *arg)
{
    while (moves) {
        (void)renameat(top, "a/moves", top, "moves");
        (void)renameat(top, "moves", top, "a/moves");
    }
    return arg;
}

/* As a model that is complete, or evicted, while a member is opened. */
static void what_moves_out_is_there_or_not(void **state)
{
    pthread_t thread;
    CLEANUP_CLOSE int folder = -1;
    int rc = 0;

    (void)state;
    assert_int_equal(files_make_folders(top, "a/moves", 0755, &err), 0);
    write_file("a/moves/file", "");
    folder = openat(top, "a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    moves = true;
    assert_int_equal(thread_start(&thread, "mover", move_out_and_in, NULL), 0);
    for (int i = 0; i < 100000 && (rc >= 0 || rc == -ENOENT); i++) {
        rc = files_open_beneath(folder, "moves/file", O_RDONLY, 0, &err);
        if (rc >= 0)
            close(rc);
    }
    moves = false;
    pthread_join(thread, NULL);
    assert_true(rc >= 0 || rc == -ENOENT);
}

static void makes_folders_beneath_only(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {"a",        0       },
        {"a/b/c",    0       },
        {"link",     -ELOOP  },
        {"link/x",   -ELOOP  },
        {"dangling", -ELOOP  },
        {"file",     -ENOTDIR},
        {"file/x",   -ENOTDIR},
        {"../x",     -EXDEV  },
    };

    (void)state;
    write_file("file", "");
    assert_int_equal(symlinkat("a", top, "link"), 0);
    assert_int_equal(symlinkat("nothing", top, "dangling"), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].path);
        assert_int_equal(files_make_folders_beneath(top, cases[i].path, 0755, &err),
                         cases[i].rc);
    }
    assert_int_equal(faccessat(top, "a/b/c", F_OK, 0), 0);
    assert_int_equal(faccessat(top, "a/x", F_OK, 0), -1);
    assert_int_equal(faccessat(top, "nothing", F_OK, 0), -1);
    assert_int_equal(files_replace(top, "link/x", "x", 1, 0644, &err), -ELOOP);
    assert_int_equal(faccessat(top, "a/x", F_OK, 0), -1);
}

static void makes_and_opens_a_folder(void **state)
{
    struct stat made, named;
    int fd;

    (void)state;
    for (int i = 0; i < 2; i++) { /* made the first time, found the second */
        fd = files_make_and_open(top_path, "a/b", 0700, &err);
        assert_true(fd >= 0);
        assert_int_equal(fstat(fd, &made), 0);
        close(fd);
        assert_int_equal(fstatat(top, "a/b", &named, 0), 0);
        assert_int_equal(made.st_ino, named.st_ino);
    }
    assert_int_equal(made.st_mode, S_IFDIR | 0700);
    assert_int_equal(files_make_and_open(top_path, "../b", 0700, &err), -EXDEV);
    write_file("file", "");
    assert_int_equal(files_make_and_open(top_path, "file", 0700, &err), -ENOTDIR);
    assert_int_equal(files_make_and_open("/nowhere/at/all", "a", 0700, &err), -ENOENT);
}

static void *remove_too(void *arg)
{
    struct error mine = {0};

    return files_remove_tree(top, "tree", &mine) == 0 ? arg : NULL;
}

static void removes_trees_but_not_through_links(void **state)
{
    char path[128];
    pthread_t others[4];
    void *ok;

    (void)state;
    assert_int_equal(files_make_folders(top, "keep", 0755, &err), 0);
    write_file("keep/file", "");
    for (int i = 0; i < 50; i++) {
        snprintf(path, sizeof path, "tree/%d/x/y", i);
        assert_int_equal(files_make_folders(top, path, 0755, &err), 0);
        snprintf(path, sizeof path, "tree/%d/x/file", i);
        write_file(path, "x");
    }
    assert_int_equal(symlinkat("../keep", top, "tree/link"), 0);
    assert_int_equal(mkfifoat(top, "tree/fifo", 0644), 0);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_int_equal(thread_start(&others[i], "other", remove_too, top_path), 0);
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        pthread_join(others[i], &ok);
        assert_non_null(ok);
    }
    assert_int_equal(faccessat(top, "tree", F_OK, 0), -1);
    assert_int_equal(faccessat(top, "keep/file", F_OK, 0), 0);
    assert_int_equal(files_remove_tree(top, "tree", &err), 0); /* there is none */
    assert_int_equal(files_remove_tree(top, "tree/x", &err), 0);
    assert_int_equal(symlinkat("keep", top, "link"), 0);
    assert_int_equal(files_remove_tree(top, "link", &err), 0);
    assert_int_equal(files_remove_tree(top, "keep/file", &err), 0);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(files_remove_tree(top, "keep/../keep", &err), 0);
    assert_int_equal(count_entries(), 0);
}

/* A chain of folders, made without a path that would be too long for the kernel. */
static void make_chain(int depth)
{
    int fd = dup(top);

    for (int i = 0; i < depth; i++) {
        int next;

        assert_int_equal(mkdirat(fd, "d", 0755), 0);
        next = openat(fd, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(next >= 0);
        close(fd);
        fd = next;
    }
    close(fd);
}

static void deep_trees_are_removed_or_refused(void **state)
{
    (void)state;
    make_chain(500);
    assert_int_equal(files_remove_tree(top, "d", &err), 0);
    assert_int_equal(count_entries(), 0);
    make_chain(600);
    assert_int_equal(files_remove_tree(top, "d", &err), -ENAMETOOLONG);
    /* Cut it, so that the rest can go. */
    assert_int_equal(renameat(top,
                              "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
                              "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
                              "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/"
                              "d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d",
                              top, "rest"),
                     0);
}

struct seen {
    unsigned count;
    int rc; /* to be given for the second */
};

static int see(void *arg, int folder_fd, const char *name, struct error *failure)
{
    struct seen *seen = arg;

    assert_int_equal(faccessat(folder_fd, name, F_OK, AT_SYMLINK_NOFOLLOW), 0);
    assert_string_not_equal(name, ".");
    assert_string_not_equal(name, "..");
    return ++seen->count == 2 && seen->rc ? fail(failure, -seen->rc, "enough") : 0;
}

static void every_name_is_listed_until_one_fails(void **state)
{
    struct seen all = {0}, two = {.rc = -ECANCELED};

    (void)state;
    assert_int_equal(files_make_folders(top, "folder/.hidden", 0700, &err), 0);
    write_file("folder/a", "a");
    assert_int_equal(symlinkat("nowhere", top, "folder/link"), 0);
    assert_int_equal(files_list(top, "folder", see, &all, &err), 0);
    assert_int_equal(all.count, 3);
    assert_int_equal(files_list(top, "folder", see, &two, &err), -ECANCELED);
    assert_int_equal(two.count, 2);
    assert_int_equal(files_list(top, "folder/link", see, &all, &err), -ELOOP);
    assert_int_equal(files_list(top, "folder/a", see, &all, &err), -ENOTDIR);
    assert_int_equal(
        files_list_fd(openat(top, "folder/a", O_RDONLY), "folder/a", see, &all, &err),
        -ENOTDIR);
    assert_non_null(strstr(err.message, "'folder/a'"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_top, remove_top)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(every_name_is_listed_until_one_fails),
        TEST(reads_all_or_says_what_is_wrong),
        TEST(reads_append),
        TEST(reads_what_has_no_size),
        TEST(reads_and_writes_at_offsets),
        TEST(replaces_in_one_step),
        TEST(a_failed_replace_leaves_no_trace),
        TEST(makes_folders),
        TEST(makes_folders_by_absolute_path),
        TEST(opens_beneath_only),
        TEST(what_moves_out_is_there_or_not),
        TEST(makes_folders_beneath_only),
        TEST(makes_and_opens_a_folder),
        TEST(removes_trees_but_not_through_links),
        TEST(deep_trees_are_removed_or_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
