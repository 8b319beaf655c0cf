/* test_pending_store.c: what the next worker finds in the shared memory. */
#include "tests/test.h"

#include "common/memory.h"
#include "fs/pending_store.h"

#include <stdlib.h>
#include <string.h>

enum { SEEN_MAX = HANDOVER_LINKS + 1 };

struct fixture {
    struct handover *handover;
    struct slots *slots;
    struct pending_store *store;
    struct pending_kept seen[SEEN_MAX];
    size_t count;
};

static const struct release release = {.id = "3e120e8d", .version = "1.0.0"};

static int fixture_open(void **state)
{
    struct fixture *fixture = XNEW(struct fixture);
    struct error err = {0};

    assert_int_equal(handover_new(&fixture->handover, &err), 0);
    assert_int_equal(slots_open(fixture->handover->slots_fd, &fixture->slots, &err), 0);
    assert_int_equal(slots_add_repository(fixture->slots, "/srv/models", &err), 0);
    fixture->store = pending_store_new(fixture->handover->block, fixture->slots);
    *state = fixture;
    return 0;
}

static int fixture_close(void **state)
{
    struct fixture *fixture = *state;

    pending_store_free(fixture->store);
    slots_close(fixture->slots);
    handover_free(fixture->handover);
    free(fixture);
    return 0;
}

static void see(void *arg, const struct pending_kept *kept)
{
    struct fixture *fixture = arg;

    assert_true(fixture->count < SEEN_MAX);
    fixture->seen[fixture->count++] = *kept;
}

/* As the worker after this one: another store on the same memory. */
static size_t look(struct fixture *fixture)
{
    struct pending_store *next =
        pending_store_new(fixture->handover->block, fixture->slots);

    fixture->count = 0;
    pending_store_each(next, see, fixture);
    pending_store_free(next);
    return fixture->count;
}

static void put_folder(struct fixture *fixture, const char *alias,
                       struct pending_view view, int64_t remove_at_ms)
{
    pending_store_put(fixture->store,
                      &(struct pending_kept){
                          .alias = alias, .view = view, .remove_at_ms = remove_at_ms});
}

static void put_link(struct fixture *fixture, const char *alias, const char *name,
                     uint32_t serial)
{
    pending_store_put(fixture->store,
                      &(struct pending_kept){
                          .alias = alias, .name = name, .made = {release, serial}
    });
}

static void a_folder_and_its_links(void **state)
{
    struct fixture *fixture = *state;

    put_folder(fixture, "new", (struct pending_view){.has_folder = true}, INT64_MAX);
    put_link(fixture, "new", "current", 7);
    assert_int_equal(look(fixture), 2);
    assert_string_equal(fixture->seen[0].alias, "new");
    assert_null(fixture->seen[0].name);
    assert_true(fixture->seen[0].view.has_folder);
    assert_false(fixture->seen[0].view.is_hidden);
    assert_true(fixture->seen[0].remove_at_ms == INT64_MAX);
    assert_string_equal(fixture->seen[1].name, "current");
    assert_string_equal(fixture->seen[1].made.release.id, "3e120e8d");
    assert_string_equal(fixture->seen[1].made.release.version, "1.0.0");
    assert_int_equal(fixture->seen[1].made.serial, 7);
}

/* The time to be removed at counts only where `current` was unlinked. */
static void a_view_is_replaced(void **state)
{
    struct fixture *fixture = *state;

    put_folder(fixture, "old",
               (struct pending_view){.no_current = true, .unlinked = release}, 5000);
    assert_int_equal(look(fixture), 1);
    assert_true(fixture->seen[0].view.no_current);
    assert_true(release_is_same(&fixture->seen[0].view.unlinked, &release));
    assert_true(fixture->seen[0].remove_at_ms == 5000);
    put_folder(fixture, "old", (struct pending_view){.is_hidden = true}, 5000);
    assert_int_equal(look(fixture), 1);
    assert_true(fixture->seen[0].view.is_hidden);
    assert_false(fixture->seen[0].view.no_current);
    assert_true(fixture->seen[0].remove_at_ms == INT64_MAX);
}

static void what_is_dropped_is_gone(void **state)
{
    struct fixture *fixture = *state;

    put_link(fixture, "a", "current", 1);
    put_link(fixture, "b", "current", 2);
    pending_store_drop(fixture->store, "a", "current");
    pending_store_drop(fixture->store, "a", "other");
    pending_store_drop(fixture->store, "c", NULL);
    assert_int_equal(look(fixture), 1);
    assert_string_equal(fixture->seen[0].alias, "b");
}

/* Past the limit nothing is kept, and what is dropped makes room. */
static void room_is_used_again(void **state)
{
    struct fixture *fixture = *state;
    char name[32];

    for (unsigned i = 0; i < HANDOVER_LINKS + 10; i++) {
        snprintf(name, sizeof name, "link-%u", i);
        put_link(fixture, "a", name, i + 1);
    }
    assert_int_equal(look(fixture), HANDOVER_LINKS);
    pending_store_drop(fixture->store, "a", "link-17");
    put_link(fixture, "b", "current", 9);
    assert_int_equal(look(fixture), HANDOVER_LINKS);
    assert_string_equal(fixture->seen[17].alias, "b");
}

/* A worker that was killed while it wrote leaves records that mean nothing. */
static void torn_records_are_passed_over(void **state)
{
    struct fixture *fixture = *state;
    struct handover_link *links = fixture->handover->block->links;

    put_link(fixture, "a", "current", 1);
    put_link(fixture, "b", "current", 2);
    put_link(fixture, "c", "current", 3);
    links[0].alias = 4000000000;
    links[1].node_id = 1;
    assert_int_equal(look(fixture), 1);
    assert_string_equal(fixture->seen[0].alias, "c");
    fixture->handover->block->links_end = UINT32_MAX;
    assert_int_equal(look(fixture), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_open, fixture_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_folder_and_its_links),       TEST(a_view_is_replaced),
        TEST(what_is_dropped_is_gone),      TEST(room_is_used_again),
        TEST(torn_records_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
