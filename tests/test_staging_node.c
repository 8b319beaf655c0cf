/* Tests of staging_node.c. */
#include "fs/staging_node.h"

#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>

struct table {
    struct slots *slots;
    struct staging_nodes *nodes;
};

static void open_table(struct table *table)
{
    struct error err = {0};

    assert_int_equal(slots_open(-1, &table->slots, &err), 0);
    assert_int_equal(staging_nodes_open(-1, table->slots, &table->nodes, &err), 0);
}

static void close_table(struct table *table)
{
    staging_nodes_close(table->nodes);
    slots_close(table->slots);
}

static uint32_t number_of(struct table *table, uint64_t inode, uint32_t parent,
                          const char *name)
{
    struct error err = {0};
    uint32_t number = 0;

    assert_int_equal(
        staging_node_intern(table->nodes, inode, parent, name, &number, &err), 0);
    return number;
}

static void assert_path(struct table *table, uint32_t number, const char *expected)
{
    struct error err = {0};
    char path[PATH_MAX];

    assert_int_equal(staging_node_path(table->nodes, number, path, &err), 0);
    assert_string_equal(path, expected);
}

static void test_paths_follow_their_folder(void **state)
{
    struct table table;
    uint32_t job, log, file;

    (void)state;
    open_table(&table);
    job = number_of(&table, 10, 0, "job");
    log = number_of(&table, 11, job, "log");
    file = number_of(&table, 12, log, "a.txt");
    assert_path(&table, 0, "");
    assert_path(&table, file, "job/log/a.txt");
    assert_string_equal(staging_node_top(table.nodes, file), "job");
    assert_int_equal(number_of(&table, 10, 0, "renamed"), job);
    assert_path(&table, file, "renamed/log/a.txt");
    assert_null(staging_node_top(table.nodes, 0));
    close_table(&table);
}

static void test_the_dead_are_never_another(void **state)
{
    struct table table;
    struct error err = {0};
    char path[PATH_MAX];
    uint32_t file, next;

    (void)state;
    open_table(&table);
    file = number_of(&table, 10, 0, "a");
    staging_node_kill(table.nodes, file);
    assert_true(staging_node_is_dead(table.nodes, file));
    assert_int_equal(staging_node_path(table.nodes, file, path, &err), -ESTALE);
    next = number_of(&table, 10, 0, "a");
    assert_int_not_equal(next, file);
    assert_false(staging_node_is_dead(table.nodes, next));
    assert_int_equal(staging_node_path(table.nodes, 999, path, &err), -ESTALE);
    close_table(&table);
}

static void test_kill_top(void **state)
{
    struct table table;
    uint32_t job, file, other, unused;

    (void)state;
    open_table(&table);
    job = number_of(&table, 10, 0, "job");
    file = number_of(&table, 11, job, "a");
    other = number_of(&table, 12, 0, "job.yaml");
    staging_node_kill_top(table.nodes, "job");
    assert_true(staging_node_is_dead(table.nodes, job));
    assert_true(staging_node_is_dead(table.nodes, file));
    assert_false(staging_node_is_dead(table.nodes, other));
    assert_false(staging_node_find(table.nodes, 11, &unused));
    close_table(&table);
}

static void test_a_later_process_understands(void **state)
{
    struct table table;
    struct staging_nodes *later;
    struct error err = {0};
    uint32_t job, file, dead, found;

    (void)state;
    open_table(&table);
    job = number_of(&table, 10, 0, "job");
    file = number_of(&table, 11, job, "a");
    dead = number_of(&table, 12, job, "b");
    staging_node_kill(table.nodes, dead);
    assert_int_equal(
        staging_nodes_open(fcntl(staging_nodes_fd(table.nodes), F_DUPFD_CLOEXEC, 0),
                           table.slots, &later, &err),
        0);
    staging_nodes_close(table.nodes);
    table.nodes = later;
    assert_path(&table, file, "job/a");
    assert_true(staging_node_find(later, 11, &found));
    assert_int_equal(found, file);
    assert_true(staging_node_is_dead(later, dead));
    assert_false(staging_node_find(later, 12, &found));
    close_table(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_paths_follow_their_folder),
        cmocka_unit_test(test_the_dead_are_never_another),
        cmocka_unit_test(test_kill_top),
        cmocka_unit_test(test_a_later_process_understands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
