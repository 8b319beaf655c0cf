/* Tests of pending.c. */
#include "fs/pending.h"

#include "common/memory.h"
#include "common/sync.h"
#include "fs/pending_store.h"
#include "resolver/release.h"
#include "tests/test.h"

#include <errno.h>
#include <string.h>

static const struct release unlinked = {.id = "3e120e8d", .version = "1.0.0"};

/* What was removed, as a text of names; with "/" where the folder was removed before. */
struct removed {
    struct lock lock;
    struct condition changed;
    char names[256];
    unsigned count;
};

static void note_removed(void *arg, const char *alias, struct pending_view before)
{
    struct removed *removed = arg;

    lock_acquire(&removed->lock);
    assert_true(release_is_same(&before.unlinked, &unlinked));
    snprintf(removed->names + strlen(removed->names),
             sizeof removed->names - strlen(removed->names), "%s%s ", alias,
             before.is_hidden ? "/" : "");
    removed->count++;
    condition_broadcast(&removed->changed);
    lock_release(&removed->lock);
}

static struct pending *open_pending_with(struct removed *removed,
                                         struct pending_store *store)
{
    struct pending *pending = NULL;
    struct error err = {0};

    *removed = (struct removed){.count = 0};
    lock_init(&removed->lock);
    condition_init(&removed->changed);
    assert_int_equal(pending_open(note_removed, removed, store, &pending, &err), 0);
    return pending;
}

static struct pending *open_pending(struct removed *removed)
{
    return open_pending_with(removed, NULL);
}

static void close_pending(struct pending *pending, struct removed *removed)
{
    pending_close(pending);
    condition_done(&removed->changed);
    lock_done(&removed->lock);
}

static void wait_for_removal(struct removed *removed)
{
    lock_acquire(&removed->lock);
    while (removed->count == 0)
        condition_wait(&removed->changed, &removed->lock);
    lock_release(&removed->lock);
}

static void count_kept(void *arg, const struct pending_kept *kept)
{
    (void)kept;
    ++*(unsigned *)arg;
}

static void test_folders(void **state)
{
    struct removed removed;
    struct pending *pending = open_pending(&removed);
    struct error err = {0};

    (void)state;
    assert_int_equal(pending_add_folder(pending, "new", &err), 0);
    assert_int_equal(pending_add_folder(pending, "new", &err), -EEXIST);
    assert_true(pending_view(pending, "new").has_folder);
    assert_int_equal(pending_remove_folder(pending, "new", PENDING_OF_NO_ALIAS, &err), 0);
    assert_false(pending_view(pending, "new").has_folder);
    close_pending(pending, &removed);
    assert_int_equal(removed.count, 0);
}

static void test_links(void **state)
{
    struct pending_link first = {
        .release = {.id = "3e120e8d", .version = "1.0.0"}
    };
    struct pending_link found, again;
    struct removed removed;
    struct pending *pending = open_pending(&removed);
    struct error err = {0};
    struct bytes names;

    (void)state;
    bytes_init(&names, 1000);
    assert_int_equal(pending_find(pending, "prod", "tmp", &found), -ENOENT);
    assert_int_equal(pending_add(pending, "prod", "tmp", &first, &err), 0);
    assert_int_equal(pending_add(pending, "prod", "tmp2", &first, &err), 0);
    assert_int_equal(pending_find(pending, "prod", "tmp", &found), 0);
    assert_int_equal(pending_find(pending, "prod", "tmp2", &again), 0);
    assert_string_equal(found.release.version, "1.0.0");
    assert_int_not_equal(found.serial, again.serial);
    assert_int_equal(pending_names(pending, PENDING_LINKS, "prod", &names, &err), 0);
    assert_int_equal(names.size, sizeof "tmp" + sizeof "tmp2");
    assert_int_equal(pending_remove_folder(pending, "prod", PENDING_OF_NO_ALIAS, &err),
                     -ENOTEMPTY);
    assert_int_equal(pending_drop(pending, "prod", "tmp"), 0);
    assert_int_equal(pending_drop(pending, "prod", "tmp"), -ENOENT);
    bytes_done(&names);
    close_pending(pending, &removed);
}

static void test_removal_with_the_folder(void **state)
{
    struct removed removed;
    struct pending *pending = open_pending(&removed);
    struct error err = {0};

    (void)state;
    assert_int_equal(pending_remove_folder(pending, "prod", PENDING_OF_ALIAS, &err),
                     -ENOTEMPTY);
    pending_drop_current(pending, "prod", &unlinked);
    assert_true(pending_view(pending, "prod").no_current);
    assert_int_equal(pending_remove_folder(pending, "prod", PENDING_OF_ALIAS, &err), 0);
    wait_for_removal(&removed);
    close_pending(pending, &removed);
    assert_string_equal(removed.names, "prod/ ");
}

static void test_removal_at_the_end(void **state)
{
    struct removed removed;
    struct pending *pending = open_pending(&removed);

    (void)state;
    pending_drop_current(pending, "prod", &unlinked);
    close_pending(pending, &removed);
    assert_string_equal(removed.names, "prod ");
}

static void test_new_current_in_time(void **state)
{
    struct removed removed;
    struct pending *pending = open_pending(&removed);

    (void)state;
    pending_drop_current(pending, "prod", &unlinked);
    pending_postpone(pending, "prod");
    pending_begin(pending, "prod");
    pending_end(pending, "prod", 0);
    assert_false(pending_view(pending, "prod").no_current);
    close_pending(pending, &removed);
    assert_int_equal(removed.count, 0);
}

static void test_what_was_unlinked(void **state)
{
    static const struct {
        const char *id, *version;
        bool is_it;
    } cases[] = {
        {"3e120e8d", "1.0.0", true },
        {"3e120e8d", "",      true }, /* whichever is the latest */
        {"3e120e8d", "2.0.0", false},
        {"11111111", "1.0.0", false},
        {"11111111", "",      false},
    };
    struct pending_view view = {.no_current = true, .unlinked = unlinked};
    struct alias_target target;

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s-%s", cases[i].id, cases[i].version);
        snprintf(target.id, sizeof target.id, "%s", cases[i].id);
        snprintf(target.version, sizeof target.version, "%s", cases[i].version);
        assert_int_equal(pending_view_has_unlinked(&view, &target), cases[i].is_it);
    }
    view.no_current = false;
    assert_false(pending_view_has_unlinked(&view, &target));
}

/* What could not be set leaves `current` unlinked. */
static void test_new_current_that_failed(void **state)
{
    struct removed removed;
    struct pending *pending = open_pending(&removed);

    (void)state;
    pending_drop_current(pending, "prod", &unlinked);
    pending_begin(pending, "prod");
    pending_end(pending, "prod", -EIO);
    assert_true(pending_view(pending, "prod").no_current);
    close_pending(pending, &removed);
    assert_string_equal(removed.names, "prod ");
}

/* What each worker leaves is there for the next one. */
static void test_workers_in_turn(void **state)
{
    struct handover_block *block = xcalloc(1, sizeof *block);
    struct pending_link link = {
        .release = {.id = "3e120e8d", .version = "1.0.0", .repository = 0}
    };
    struct pending_link found, other;
    struct slots *slots = NULL;
    struct pending *pending;
    struct error err = {0};
    struct removed removed;

    (void)state;
    assert_int_equal(slots_open(-1, &slots, &err), 0);
    assert_int_equal(slots_add_repository(slots, "/srv/models", &err), 0);
    pending = open_pending_with(&removed, pending_store_new(block, slots));
    assert_int_equal(pending_add_folder(pending, "new", &err), 0);
    assert_int_equal(pending_add(pending, "new", "tmp", &link, &err), 0);
    assert_int_equal(pending_add(pending, "new", "gone", &link, &err), 0);
    assert_int_equal(pending_drop(pending, "new", "gone"), 0);
    assert_int_equal(pending_find(pending, "new", "tmp", &link), 0);
    close_pending(pending, &removed);

    pending = open_pending_with(&removed, pending_store_new(block, slots));
    assert_true(pending_view(pending, "new").has_folder);
    assert_int_equal(pending_find(pending, "new", "gone", &found), -ENOENT);
    assert_int_equal(pending_find(pending, "new", "tmp", &found), 0);
    assert_true(release_is_same(&found.release, &link.release));
    assert_int_equal(found.serial, link.serial);
    other = (struct pending_link){.release = link.release};
    assert_int_equal(pending_add(pending, "new", "other", &other, &err), 0);
    assert_int_equal(pending_find(pending, "new", "other", &other), 0);
    assert_int_not_equal(other.serial, link.serial);
    assert_int_equal(pending_drop(pending, "new", "tmp"), 0);
    assert_int_equal(pending_drop(pending, "new", "other"), 0);
    assert_int_equal(pending_remove_folder(pending, "new", PENDING_OF_NO_ALIAS, &err), 0);
    close_pending(pending, &removed);

    pending = open_pending_with(&removed, pending_store_new(block, slots));
    assert_false(pending_view(pending, "new").has_folder);
    close_pending(pending, &removed);
    assert_int_equal(removed.count, 0);
    slots_close(slots);
    free(block);
}

/* The worker was killed: nobody closed its table. */
static void test_removal_by_the_next_worker(void **state)
{
    struct handover_block *block = xcalloc(1, sizeof *block);
    struct pending_store *store;
    struct slots *slots = NULL;
    struct pending *pending;
    struct error err = {0};
    struct removed removed;

    (void)state;
    assert_int_equal(slots_open(-1, &slots, &err), 0);
    assert_int_equal(slots_add_repository(slots, "/srv/models", &err), 0);
    store = pending_store_new(block, slots);
    pending_store_put(store, &(struct pending_kept){
                                 .alias = "prod",
                                 .view = {.no_current = true, .unlinked = unlinked},
                                 .remove_at_ms = clock_now_ms()
    });
    pending_store_put(store, &(struct pending_kept){
                                 .alias = "set",
                                 .view = {.no_current = true, .unlinked = unlinked},
                                 .remove_at_ms = clock_now_ms()
    });
    pending = open_pending_with(&removed, store);
    assert_true(pending_view(pending, "prod").no_current);
    pending_begin(pending, "set"); /* sent again by the kernel */
    pending_end(pending, "set", 0);
    wait_for_removal(&removed);
    close_pending(pending, &removed);
    assert_string_equal(removed.names, "prod ");
    pending = open_pending_with(&removed, pending_store_new(block, slots));
    close_pending(pending, &removed);
    assert_int_equal(removed.count, 0);
    slots_close(slots);
    free(block);
}

/* Names beyond the room are local to the worker. */
static void test_no_room(void **state)
{
    struct handover_block *block = xcalloc(1, sizeof *block);
    struct pending_store *store;
    struct slots *slots = NULL;
    struct error err = {0};
    unsigned count = 0;

    (void)state;
    assert_int_equal(slots_open(-1, &slots, &err), 0);
    store = pending_store_new(block, slots);
    for (unsigned i = 0; i < HANDOVER_LINKS + 10; i++) {
        char name[16];

        snprintf(name, sizeof name, "a%u", i);
        pending_store_put(
            store, &(struct pending_kept){.alias = name, .view = {.has_folder = true}});
    }
    pending_store_each(store, count_kept, &count);
    assert_int_equal(count, HANDOVER_LINKS);
    pending_store_drop(store, "a7", NULL);
    pending_store_drop(store, "a7", NULL);
    count = 0;
    pending_store_each(store, count_kept, &count);
    assert_int_equal(count, HANDOVER_LINKS - 1);
    block->links[3].alias = 1 << 20; /* no slot */
    block->links_end = UINT32_MAX;
    count = 0;
    pending_store_each(store, count_kept, &count);
    assert_int_equal(count, HANDOVER_LINKS - 2);
    pending_store_free(store);
    slots_close(slots);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_workers_in_turn),
        cmocka_unit_test(test_removal_by_the_next_worker),
        cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_folders),
        cmocka_unit_test(test_links),
        cmocka_unit_test(test_removal_with_the_folder),
        cmocka_unit_test(test_removal_at_the_end),
        cmocka_unit_test(test_new_current_in_time),
        cmocka_unit_test(test_what_was_unlinked),
        cmocka_unit_test(test_new_current_that_failed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
