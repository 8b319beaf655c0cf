/* test_toc_sort.c: the order of the bytes, against a plain comparison. */
#include "tests/test.h"

#include "cache/toc_sort.h"

#include <stdlib.h>
#include <string.h>

enum { COUNT = 5000, SIZE_MAX_PATH = 60 };

static struct toc_entry entries[COUNT];
static char paths[COUNT * SIZE_MAX_PATH];

/* What toc_sort must do, said simply. */
static int compare(const struct toc_entry *a, const struct toc_entry *b)
{
    size_t size = a->name_size < b->name_size ? a->name_size : b->name_size;
    int order = memcmp(paths + a->name, paths + b->name, size);

    return order ? order : (a->name_size > b->name_size) - (a->name_size < b->name_size);
}

/* A path of parts from few letters, so that many are alike; NUL stands for "/". */
static void make_path(struct toc_entry *entry, size_t at, unsigned *number,
                      unsigned letters)
{
    size_t size = 0;

    do {
        *number = *number * 1103515245u + 12345u;
        for (unsigned i = 0; i <= (*number >> 28) && size < SIZE_MAX_PATH - 2; i++)
            paths[at + size++] =
                (char)(1 + (*number >> (16 + i % 8)) % letters * 200 / letters);
        paths[at + size++] = '\0';
    } while ((*number >> 13 & 3) && size < SIZE_MAX_PATH - 2);
    entry->name = (uint32_t)at;
    entry->name_size = (uint16_t)(size - 1);
}

static void paths_come_in_the_order_of_their_bytes(void **state)
{
    unsigned number = 1;

    (void)state;
    for (unsigned letters = 1; letters <= 64; letters *= 2) {
        bool is_seen[COUNT] = {false};
        uint32_t *order = NULL;
        struct error err = {0};

        test_row(letters, "%u letters", letters);
        for (size_t i = 0; i < COUNT; i++)
            make_path(&entries[i], i * SIZE_MAX_PATH, &number, letters);
        assert_int_equal(toc_sort(entries, COUNT, paths, &order, &err), 0);
        for (size_t i = 0; i < COUNT; i++) {
            assert_true(order[i] < COUNT && !is_seen[order[i]]);
            is_seen[order[i]] = true;
            assert_true(i == 0 ||
                        compare(&entries[order[i - 1]], &entries[order[i]]) <= 0);
        }
        free(order);
    }
}

static void nothing_and_one_are_sorted(void **state)
{
    (void)state;
    for (uint32_t count = 0; count < 2; count++) {
        struct error err = {0};
        uint32_t *order = NULL;

        assert_int_equal(toc_sort(entries, count, paths, &order, &err), 0);
        assert_int_equal(order[0], 0);
        free(order);
    }
}

/* The same 4,095 bytes in front of each: no key tells any two apart before the end. */
static void long_common_prefixes_end_soon(void **state)
{
    enum { LONG = 4095, MANY = 4000 };
    struct toc_entry *long_entries = calloc(MANY, sizeof *long_entries);
    char *long_paths = malloc((size_t)LONG * MANY);
    struct error err = {0};
    uint32_t *order = NULL;

    (void)state;
    memset(long_paths, 'x', (size_t)LONG * MANY);
    for (uint32_t i = 0; i < MANY; i++) {
        long_entries[i].name = i * LONG;
        long_entries[i].name_size = LONG;
        long_paths[(i + 1) * LONG - 2] = (char)(1 + i * 31 % MANY / 100);
        long_paths[(i + 1) * LONG - 1] = (char)(1 + i * 31 % MANY % 100);
    }
    assert_int_equal(toc_sort(long_entries, MANY, long_paths, &order, &err), 0);
    for (uint32_t i = 0; i < MANY; i++)
        assert_int_equal(order[i] * 31 % MANY, i);
    free(order);
    free(long_entries);
    free(long_paths);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_come_in_the_order_of_their_bytes),
        cmocka_unit_test(nothing_and_one_are_sorted),
        cmocka_unit_test(long_common_prefixes_end_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
