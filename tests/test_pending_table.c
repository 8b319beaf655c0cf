/* test_pending_table.c: folders and links that no repository has, and who inherits them.
 */
#include "tests/test.h"

#include "fs/node_id.h"
#include "fs/pending_table.h"

#include <stdlib.h>
#include <string.h>

static const struct pending_link made = {
    .release = {"3e120e8d", "1.0.0", 0}
};

static void assert_names(struct pending_table *table, enum pending_names_of of,
                         const char *alias, const char *expected, size_t size)
{
    struct error err = {0};
    struct bytes names;

    bytes_init(&names, 1000);
    assert_int_equal(pending_table_names(table, of, alias, &names, &err), 0);
    assert_int_equal(names.size, size);
    assert_memory_equal(names.data, expected, size);
    bytes_done(&names);
}

static void folders_are_made_once(void **state)
{
    struct pending_table table;
    struct pending_folder *folder;

    (void)state;
    pending_table_init(&table, NULL);
    assert_null(pending_table_find(&table, "a"));
    folder = pending_table_make(&table, "a");
    assert_ptr_equal(pending_table_make(&table, "a"), folder);
    assert_ptr_equal(pending_table_find(&table, "a"), folder);
    assert_true(folder->remove_at_ms == INT64_MAX);
    assert_int_equal(table.count, 1);
    pending_table_done(&table);
}

static void links_have_serials_of_their_own(void **state)
{
    struct pending_link taken = made;
    struct pending_table table;
    struct pending_folder *folder;

    (void)state;
    pending_table_init(&table, NULL);
    folder = pending_table_make(&table, "a");
    pending_table_put(&table, folder, "x", &made);
    pending_table_put(&table, folder, "y", &made);
    assert_int_equal(pending_table_link(folder, "x")->made.serial, 1);
    assert_int_equal(pending_table_link(folder, "y")->made.serial, 2);
    pending_table_put(&table, folder, "x", &made); /* another target is another inode */
    assert_int_equal(pending_table_link(folder, "x")->made.serial, 3);
    taken.serial = 2;
    pending_table_put(&table, folder, "z", &taken); /* a rename keeps it */
    assert_int_equal(pending_table_link(folder, "z")->made.serial, 2);
    assert_int_equal(folder->count, 3);
    table.serial = NODE_INDEX_MAX;
    pending_table_put(&table, folder, "last", &made);
    assert_int_equal(pending_table_link(folder, "last")->made.serial, 1);
    pending_table_drop(&table, folder, pending_table_link(folder, "x"));
    assert_null(pending_table_link(folder, "x"));
    assert_names(&table, PENDING_LINKS, "a", "y\0z\0last", sizeof "y\0z\0last");
    pending_table_done(&table);
}

/* A folder stays as long as anything of it is to be remembered. */
static void tidy(void **state)
{
    static const struct {
        const char *why;
        bool has_folder, is_hidden, no_current, is_busy, has_link;
        size_t waiting;
        bool stays;
    } rows[] = {
        {"nothing",       false, false, false, false, false, 0, false},
        {"made here",     true,  false, false, false, false, 0, true },
        {"hidden",        false, true,  false, false, false, 0, true },
        {"no current",    false, false, true,  false, false, 0, true },
        {"being changed", false, false, false, true,  false, 0, true },
        {"waited for",    false, false, false, false, false, 1, true },
        {"a link",        false, false, false, false, true,  0, true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct pending_table table;
        struct pending_folder *folder;

        test_row(i, "%s", rows[i].why);
        pending_table_init(&table, NULL);
        folder = pending_table_make(&table, "a");
        folder->view = (struct pending_view){.has_folder = rows[i].has_folder,
                                             .is_hidden = rows[i].is_hidden,
                                             .no_current = rows[i].no_current};
        folder->is_busy = rows[i].is_busy;
        folder->waiting = rows[i].waiting;
        if (rows[i].has_link)
            pending_table_put(&table, folder, "current", &made);
        pending_table_tidy(&table, folder);
        assert_int_equal(pending_table_find(&table, "a") != NULL, rows[i].stays);
        assert_int_equal(table.count, rows[i].stays);
        pending_table_done(&table);
    }
}

static void names_of_a_kind(void **state)
{
    struct pending_table table;

    (void)state;
    pending_table_init(&table, NULL);
    pending_table_make(&table, "made")->view.has_folder = true;
    pending_table_make(&table, "gone")->view.is_hidden = true;
    pending_table_make(&table, "both")->view =
        (struct pending_view){.has_folder = true, .is_hidden = true};
    assert_names(&table, PENDING_FOLDERS, NULL, "made\0both", sizeof "made\0both");
    assert_names(&table, PENDING_HIDDEN, NULL, "gone\0both", sizeof "gone\0both");
    assert_names(&table, PENDING_LINKS, "unknown", "", 0);
    pending_table_done(&table);
}

/* The next worker has the same folders and links, gives no serial twice, and gives
 * whoever was about to make a new `current` the whole time again. */
static void the_next_worker_knows(void **state)
{
    struct handover *handover = NULL;
    struct slots *slots = NULL;
    struct pending_table table;
    struct pending_folder *folder;
    struct error err = {0};

    (void)state;
    assert_int_equal(handover_new(&handover, &err), 0);
    assert_int_equal(slots_open(handover->slots_fd, &slots, &err), 0);
    assert_int_equal(slots_add_repository(slots, "/srv/models", &err), 0);
    pending_table_init(&table, pending_store_new(handover->block, slots));
    folder = pending_table_make(&table, "new");
    folder->view.has_folder = true;
    pending_table_keep(&table, folder);
    pending_table_put(&table, folder, "a", &made);
    pending_table_put(&table, folder, "b", &made);
    pending_table_drop(&table, folder, pending_table_link(folder, "a"));
    folder = pending_table_make(&table, "unlinked");
    folder->view = (struct pending_view){.no_current = true};
    folder->remove_at_ms = 1;
    pending_table_keep(&table, folder);
    pending_table_make(&table, "idle");
    pending_table_done(&table);

    pending_table_init(&table, pending_store_new(handover->block, slots));
    assert_int_equal(table.count, 2);
    assert_null(pending_table_link(pending_table_find(&table, "new"), "a"));
    assert_int_equal(
        pending_table_link(pending_table_find(&table, "new"), "b")->made.serial, 2);
    assert_true(pending_table_find(&table, "unlinked")->remove_at_ms > 1);
    pending_table_put(&table, pending_table_find(&table, "new"), "c", &made);
    assert_int_equal(
        pending_table_link(pending_table_find(&table, "new"), "c")->made.serial, 3);
    pending_table_done(&table);
    slots_close(slots);
    handover_free(handover);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(folders_are_made_once),
        cmocka_unit_test(links_have_serials_of_their_own),
        cmocka_unit_test(tidy),
        cmocka_unit_test(names_of_a_kind),
        cmocka_unit_test(the_next_worker_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
