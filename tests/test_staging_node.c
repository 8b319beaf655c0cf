/* Tests of staging_node.c. */
#include "fs/staging_node.h"

#include "common/cleanup.h"
#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static struct staging_nodes *open_table(void)
{
    struct staging_nodes *nodes = NULL;
    struct error err = {0};

    assert_int_equal(staging_nodes_open(-1, &nodes, &err), 0);
    return nodes;
}

/* What the next process sees. */
static struct staging_nodes *reopen(struct staging_nodes *nodes)
{
    int fd = fcntl(staging_nodes_fd(nodes), F_DUPFD_CLOEXEC, 0);
    struct staging_nodes *later = NULL;
    struct error err = {0};

    staging_nodes_close(nodes);
    assert_int_equal(staging_nodes_open(fd, &later, &err), 0);
    return later;
}

static uint64_t number_of(struct staging_nodes *nodes, uint64_t inode, uint64_t parent,
                          const char *name)
{
    struct error err = {0};
    uint64_t number = 0;

    assert_int_equal(staging_node_intern(nodes, inode, parent, name, &number, &err), 0);
    return number;
}

static int path_of(struct staging_nodes *nodes, uint64_t number, struct bytes *path)
{
    struct error err = {0};

    bytes_init(path, STAGING_PATH_MAX);
    return staging_node_path(nodes, number, path, &err);
}

static void assert_path(struct staging_nodes *nodes, uint64_t number,
                        const char *expected)
{
    CLEANUP_BYTES struct bytes path;

    assert_int_equal(path_of(nodes, number, &path), 0);
    assert_string_equal(path.data, expected);
}

static void assert_gone(struct staging_nodes *nodes, uint64_t number)
{
    CLEANUP_BYTES struct bytes path;

    assert_int_equal(path_of(nodes, number, &path), -ESTALE);
}

static void assert_top(struct staging_nodes *nodes, uint64_t number, size_t depth,
                       const char *expected)
{
    char top[NAME_MAX + 1];

    assert_int_equal(staging_node_top(nodes, number, top), depth);
    assert_string_equal(top, expected);
}

static void test_paths_follow_their_folder(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t job = number_of(nodes, 10, 0, "job");
    uint64_t log = number_of(nodes, 11, job, "log");
    uint64_t file = number_of(nodes, 12, log, "a.txt");

    (void)state;
    assert_path(nodes, 0, "");
    assert_path(nodes, file, "job/log/a.txt");
    assert_top(nodes, file, 3, "job");
    assert_true(number_of(nodes, 10, 0, "renamed") == job);
    assert_path(nodes, file, "renamed/log/a.txt");
    assert_top(nodes, job, 1, "renamed");
    assert_top(nodes, 0, 0, "");
    staging_nodes_close(nodes);
}

static void test_names_of_any_length(void **state)
{
    struct staging_nodes *nodes = open_table();
    char name[NAME_MAX + 1] = "";

    (void)state;
    for (size_t size = 1; size <= NAME_MAX; size++) {
        uint64_t found = 0;

        name[size - 1] = (char)('a' + size % 26);
        assert_path(nodes, number_of(nodes, 1000, 0, name), name);
        assert_path(nodes, number_of(nodes, 1000 + size, 0, name), name);
        assert_true(staging_node_find(nodes, 1000 + size, &found));
    }
    staging_nodes_close(nodes);
}

/* Deeper than any path that the kernel takes at once. */
static void test_deep(void **state)
{
    struct staging_nodes *nodes = open_table();
    CLEANUP_BYTES struct bytes path;
    uint64_t number = 0;

    (void)state;
    for (uint64_t i = 1; i <= 10000; i++)
        number = number_of(nodes, i, number, "d");
    assert_int_equal(path_of(nodes, number, &path), 0);
    assert_int_equal(path.size, 2 * 10000 - 1);
    assert_int_equal(strspn(path.data, "d/"), path.size);
    assert_top(nodes, number, 10000, "d");
    staging_nodes_close(nodes);
}

/* A folder cannot lie in itself, whatever the disk seemed to say. */
static void test_circle(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t one = number_of(nodes, 1, 0, "one");
    uint64_t two = number_of(nodes, 2, one, "two");

    (void)state;
    assert_true(number_of(nodes, 1, two, "one") == one);
    assert_gone(nodes, two);
    assert_top(nodes, one, 0, "");
    staging_nodes_close(nodes);
}

static void test_the_dead_are_never_another(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t file = number_of(nodes, 10, 0, "a"), next, found;

    (void)state;
    staging_node_kill(nodes, file);
    assert_true(staging_node_is_dead(nodes, file));
    assert_gone(nodes, file);
    assert_false(staging_node_find(nodes, 10, &found));
    next = number_of(nodes, 10, 0, "a");
    assert_true(next != file);
    assert_false(staging_node_is_dead(nodes, next));
    assert_int_equal(staging_node_inode(nodes, file), 10);
    staging_node_forget(nodes, next); /* it lives: nothing happens */
    assert_path(nodes, next, "a");
    staging_node_forget(nodes, file);
    assert_int_equal(staging_node_inode(nodes, file), 0);
    assert_gone(nodes, 999);
    staging_nodes_close(nodes);
}

/* A table that ran for weeks: many more files than fit in it at once. */
static void test_room_is_used_again(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t job = number_of(nodes, 1, 0, "job"), first, file = 0;

    (void)state;
    first = number_of(nodes, 2, job, "a name of more than one cell, for it is long");
    staging_node_kill(nodes, first);
    staging_node_forget(nodes, first);
    for (unsigned i = 0; i < 3000000; i++) {
        char name[64];

        snprintf(name, sizeof name, "objects/%040u.temporary", i);
        file = number_of(nodes, 2 + i % 7, job, name);
        staging_node_kill(nodes, file);
        staging_node_forget(nodes, file);
        assert_true(file != first);
    }
    assert_gone(nodes, file);
    assert_gone(nodes, first);
    /* All in the same few cells, but for the bits that tell generations apart. */
    assert_true((file & 0x7ffffff) < 16);
    staging_nodes_close(nodes);
}

static void test_kill_top(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t job = number_of(nodes, 10, 0, "job");
    uint64_t file = number_of(nodes, 11, job, "a");
    uint64_t other = number_of(nodes, 12, 0, "job.yaml");
    CLEANUP_FREE uint64_t *numbers = NULL;
    uint64_t unused;

    (void)state;
    assert_int_equal(staging_node_kill_top(nodes, "job", &numbers), 2);
    assert_true(numbers[0] == job && numbers[1] == file);
    assert_true(staging_node_is_dead(nodes, job));
    assert_true(staging_node_is_dead(nodes, file));
    assert_false(staging_node_is_dead(nodes, other));
    assert_false(staging_node_find(nodes, 11, &unused));
    staging_nodes_close(nodes);
}

static void test_find_name(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t job = number_of(nodes, 10, 0, "job");
    uint64_t file = number_of(nodes, 11, job, "a"), found = 0;

    (void)state;
    number_of(nodes, 12, 0, "a");
    assert_true(staging_node_find_name(nodes, job, "a", &found));
    assert_true(found == file);
    assert_false(staging_node_find_name(nodes, job, "b", &found));
    staging_node_kill(nodes, file);
    assert_false(staging_node_find_name(nodes, job, "a", &found));
    staging_nodes_close(nodes);
}

static void test_handles(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t file = number_of(nodes, 10, 0, "a");

    (void)state;
    assert_false(staging_node_is_open(nodes, file));
    assert_int_equal(staging_node_release(nodes, file), 0); /* a repeated one */
    assert_int_equal(staging_node_hold(nodes, file), 1);
    assert_int_equal(staging_node_hold(nodes, file), 2);
    nodes = reopen(nodes);
    assert_int_equal(staging_node_release(nodes, file), 1);
    assert_true(staging_node_is_open(nodes, file));
    assert_int_equal(staging_node_release(nodes, file), 0);
    assert_int_equal(staging_node_hold(nodes, 999), 0);
    staging_nodes_close(nodes);
}

static void test_a_later_process_understands(void **state)
{
    struct staging_nodes *nodes = open_table();
    uint64_t job = number_of(nodes, 10, 0, "job");
    uint64_t file = number_of(nodes, 11, job, "the model, under a name that is long");
    uint64_t dead = number_of(nodes, 12, job, "b"), found = 0;

    (void)state;
    staging_node_kill(nodes, dead);
    for (uint64_t i = 0; i < 1000; i++)
        number_of(nodes, 100 + i, job, "many");
    nodes = reopen(nodes);
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(staging_node_find(nodes, 100 + i, &found));
    assert_path(nodes, file, "job/the model, under a name that is long");
    assert_true(staging_node_find(nodes, 11, &found));
    assert_true(found == file);
    assert_true(staging_node_is_dead(nodes, dead));
    assert_false(staging_node_find(nodes, 12, &found));
    staging_node_forget(nodes, dead);
    assert_true(number_of(nodes, 12, job, "b") != dead);
    staging_nodes_close(nodes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_follow_their_folder),
        cmocka_unit_test(test_names_of_any_length),
        cmocka_unit_test(test_deep),
        cmocka_unit_test(test_circle),
        cmocka_unit_test(test_the_dead_are_never_another),
        cmocka_unit_test(test_room_is_used_again),
        cmocka_unit_test(test_kill_top),
        cmocka_unit_test(test_find_name),
        cmocka_unit_test(test_handles),
        cmocka_unit_test(test_a_later_process_understands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
