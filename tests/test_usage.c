/* test_usage.c: what several processes make of one number. */
#include "tests/test.h"

#include "cache/layout.h"
#include "cache/usage.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROCESSES = 2, LIMIT = 100 };

struct fixture {
    char root[32];
    struct store store;
    struct usage usages[PROCESSES];
};

static void open_fixture(struct fixture *fixture)
{
    struct error err = {0};

    snprintf(fixture->root, sizeof fixture->root, "/tmp/modelfs-usage-XXXXXX");
    assert_non_null(mkdtemp(fixture->root));
    assert_int_equal(store_open(fixture->root, &fixture->store, &err), 0);
    for (size_t i = 0; i < PROCESSES; i++)
        usage_init(&fixture->usages[i], &fixture->store);
}

static void close_fixture(struct fixture *fixture)
{
    struct error err = {0};

    for (size_t i = 0; i < PROCESSES; i++)
        usage_done(&fixture->usages[i]);
    store_close(&fixture->store);
    assert_int_equal(files_remove_tree(AT_FDCWD, fixture->root, &err), 0);
}

enum what {
    END,
    TAKE,
    ADD,
    LOOK, /* usage_added, for the next SET of that process */
    SET,
    REMOVE,  /* the file */
    SHORTEN, /* the same */
};

struct step {
    enum what what;
    size_t process;
    uint64_t bytes, coming;
    bool fits;
};

static bool run_step(struct fixture *fixture, const struct step *step,
                     uint64_t looked[PROCESSES])
{
    struct usage *usage = &fixture->usages[step->process];

    switch (step->what) {
    case TAKE:
        return usage_take(usage, step->bytes, LIMIT) == step->fits;
    case ADD:
        usage_add(usage, step->bytes);
        return true;
    case LOOK:
        looked[step->process] = usage_added(usage);
        return true;
    case SET:
        usage_set(usage, looked[step->process], step->bytes, step->coming);
        return true;
    case REMOVE:
        return unlinkat(fixture->store.root_fd, LAYOUT_USED, 0) == 0;
    default: {
        CLEANUP_CLOSE int fd = openat(fixture->store.root_fd, LAYOUT_USED, O_WRONLY);

        return ftruncate(fd, 10) == 0;
    }
    }
}

static const struct {
    const char *name;
    struct step steps[8];
} cases[] = {
    {"nobody looked",
     {{TAKE, 0, 1, 0, false}, {ADD, 0, 1, 0, false}, {TAKE, 0, 1, 0, false}}                 },
    {"up to the limit",
     {{SET, 0, 0, 0, false},
      {TAKE, 0, 60, 0, true},
      {TAKE, 1, 41, 0, false},
      {TAKE, 1, 40, 0, true},
      {TAKE, 0, 1, 0, false},
      {TAKE, 0, 0, 0, true}}                                                                 },
    {"what is there and what comes",
     {{SET, 0, 50, 30, false}, {TAKE, 1, 21, 0, false}, {TAKE, 1, 20, 0, true}}              },
    {"more than the limit",          {{SET, 0, LIMIT + 1, 0, false}, {TAKE, 0, 0, 0, false}} },
    {"far too much",                 {{SET, 0, 1, 0, false}, {TAKE, 0, UINT64_MAX, 0, false}}},
    {"without a limit",
     {{SET, 0, 0, 0, false}, {ADD, 1, 200, 0, false}, {TAKE, 0, 0, 0, false}}                },
    {"put right",
     {{SET, 0, 100, 0, false},
      {LOOK, 1, 0, 0, false},
      {SET, 1, 10, 0, false},
      {TAKE, 0, 90, 0, true}}                                                                },
    {"while somebody looks",
     {{SET, 0, 0, 0, false},
      {LOOK, 0, 0, 0, false},
      {TAKE, 1, 70, 0, true},
      {SET, 0, 10, 0, false},
      {TAKE, 1, 21, 0, false},
      {TAKE, 1, 20, 0, true}}                                                                },
    {"while both look",
     {{SET, 0, 50, 0, false},
      {LOOK, 0, 0, 0, false},
      {LOOK, 1, 0, 0, false},
      {SET, 0, 10, 20, false},
      {SET, 1, 10, 30, false},
      {TAKE, 0, 41, 0, false},
      {TAKE, 0, 40, 0, true}}                                                                },
    {"removed",
     {{SET, 0, 0, 0, false},
      {REMOVE, 0, 0, 0, false},
      {TAKE, 0, 1, 0, false},
      {SET, 1, 99, 0, false},
      {TAKE, 0, 2, 0, false},
      {TAKE, 0, 1, 0, true}}                                                                 },
    {"damaged",
     {{SET, 0, 0, 0, false},
      {SHORTEN, 0, 0, 0, false},
      {TAKE, 0, 1, 0, false},
      {SET, 0, 0, 0, false},
      {TAKE, 1, 1, 0, true}}                                                                 },
};

static void all_count_together(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t looked[PROCESSES] = {0};
        struct fixture fixture;

        open_fixture(&fixture);
        for (size_t j = 0; cases[i].steps[j].what != END; j++) {
            test_row(i, "%s, step %zu", cases[i].name, j);
            assert_true(run_step(&fixture, &cases[i].steps[j], looked));
        }
        close_fixture(&fixture);
    }
}

static void what_cannot_be_counted_fits_nowhere(void **state)
{
    struct fixture fixture;

    (void)state;
    open_fixture(&fixture);
    assert_int_equal(mkdirat(fixture.store.root_fd, LAYOUT_USED, 0777), 0);
    usage_set(&fixture.usages[0], 0, 0, 0);
    usage_add(&fixture.usages[0], 1);
    assert_int_equal(usage_added(&fixture.usages[0]), 0);
    assert_false(usage_take(&fixture.usages[0], 0, LIMIT));
    close_fixture(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_count_together),
        cmocka_unit_test(what_cannot_be_counted_fits_nowhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
