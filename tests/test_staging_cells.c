/* Tests of staging_cells.c. */
#include "fs/staging_cells.h"

#include "tests/test.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct staging_cells *open_cells(int fd)
{
    struct staging_cells *cells = NULL;
    struct error err = {0};

    assert_int_equal(staging_cells_open(fd, &cells, &err), 0);
    return cells;
}

static uint32_t take(struct staging_cells *cells)
{
    struct error err = {0};
    uint32_t index = 0;

    assert_int_equal(staging_cells_take(cells, &index, &err), 0);
    return index;
}

static uint32_t put_name(struct staging_cells *cells, const char *name)
{
    struct error err = {0};
    uint32_t index = 0;

    assert_int_equal(staging_cells_put_name(cells, name, &index, &err), 0);
    return index;
}

static void assert_name(const struct staging_cells *cells, uint32_t index,
                        const char *expected)
{
    char name[NAME_MAX + 1];

    staging_cells_name(cells, index, name);
    assert_string_equal(name, expected);
}

static void test_taken_again(void **state)
{
    struct staging_cells *cells = open_cells(-1);
    uint32_t one = take(cells), two = take(cells);

    (void)state;
    assert_int_equal(one, 1);
    assert_int_equal(two, 2);
    staging_cells_at(cells, one)->inode = 7;
    staging_cells_give(cells, one);
    assert_int_equal(take(cells), one);
    assert_int_equal(staging_cells_at(cells, one)->inode, 0);
    assert_int_equal(take(cells), 3);
    staging_cells_close(cells);
}

static void test_names(void **state)
{
    static const char *const names[] = {
        "a",
        "exactly twenty-four byte",
        "one more than that: 25 by",
        "a name that takes three cells, for it is very long indeed",
    };
    struct staging_cells *cells = open_cells(-1);
    uint32_t count;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        uint32_t index = put_name(cells, names[i]);

        test_row(i, "%s", names[i]);
        assert_name(cells, index, names[i]);
        staging_cells_give_name(cells, index);
        assert_name(cells, index, "");
    }
    count = staging_cells_count(cells);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        staging_cells_give_name(cells, put_name(cells, names[i]));
    assert_int_equal(staging_cells_count(cells), count);
    staging_cells_close(cells);
}

static uint32_t name_of(const struct staging_cell *record)
{
    return (uint32_t)record->place;
}

/* A process that was killed in the middle: names that no record has yet, and a cell that
 * was taken for nothing. */
static void test_sweep(void **state)
{
    struct staging_cells *cells = open_cells(-1);
    uint32_t record = take(cells);
    uint32_t name = put_name(cells, "a name in more cells than just one");
    uint32_t count;
    int fd;

    (void)state;
    staging_cells_at(cells, record)->place = name;
    staging_cells_set(cells, record, CELL_ALIVE);
    put_name(cells, "a name that belongs to nobody");
    take(cells);
    count = staging_cells_count(cells);
    fd = fcntl(staging_cells_fd(cells), F_DUPFD_CLOEXEC, 0);
    staging_cells_close(cells);
    cells = open_cells(fd);
    staging_cells_sweep(cells, name_of);
    assert_name(cells, name, "a name in more cells than just one");
    assert_int_equal(staging_cells_at(cells, record)->kind, CELL_ALIVE);
    for (int i = 0; i < 3; i++)
        assert_true(take(cells) < count);
    assert_int_equal(take(cells), count);
    staging_cells_close(cells);
}

static void test_generations_differ(void **state)
{
    struct staging_cells *cells = open_cells(-1);
    uint32_t first = staging_cells_next_generation(cells);

    (void)state;
    assert_int_equal(staging_cells_next_generation(cells), first + 1);
    staging_cells_close(cells);
}

static void test_foreign_block(void **state)
{
    struct staging_cells *cells = open_cells(-1);
    int fd = fcntl(staging_cells_fd(cells), F_DUPFD_CLOEXEC, 0);
    struct error err = {0};

    (void)state;
    assert_int_equal(pwrite(fd, "\x63", 1, 8), 1); /* the layout's version */
    staging_cells_close(cells);
    assert_int_equal(staging_cells_open(fd, &cells, &err), -EPROTO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken_again),   cmocka_unit_test(test_names),
        cmocka_unit_test(test_sweep),         cmocka_unit_test(test_generations_differ),
        cmocka_unit_test(test_foreign_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
