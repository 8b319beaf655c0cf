/* test_tree_member.c: files of members arrive, go to their place, and are noted. */
#include "tests/test.h"

#include "cache/archive_state.h"
#include "cache/tree_member.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { SIZE = 5 };

static const struct zip_file model[] = {
    {.name = "a.txt",     .data = "hello", .size = SIZE},
    {.name = "log/b.txt", .data = "world", .size = SIZE},
};
static const struct tree_record absent = {.state = TREE_ABSENT};
static const struct tree_record complete = {.state = TREE_COMPLETE, .xxh3 = 7};

struct place {
    struct fixture fixture;
    struct archive *archive;
    struct tree *tree;
};

static void open_place(struct place *place)
{
    fixture_open(&place->fixture, &(struct cache_options){0});
    fixture_publish(&place->fixture, model, ARRAY_SIZE(model));
    place->archive = fixture_archive(&place->fixture);
    place->tree = place->archive->tree;
}

static void close_place(struct place *place)
{
    archive_unref(place->archive);
    fixture_close(&place->fixture);
}

static void put(int fd, const char *text)
{
    struct error err = {0};

    assert_true(fd >= 0);
    assert_int_equal(files_pwrite(fd, text, SIZE, 0, &err), 0);
    close(fd);
}

static bool has(int fd, const char *text)
{
    struct error err = {0};
    char bytes[SIZE + 1] = "";

    if (fd < 0)
        return false;
    assert_int_equal(files_pread(fd, bytes, SIZE, 0, &err), 0);
    close(fd);
    return strcmp(bytes, text) == 0;
}

static uint64_t noted_bytes(struct tree *tree, uint32_t index)
{
    struct tree_header header;
    struct tree_record record;
    struct error err = {0};

    assert_int_equal(tree_read_header(tree, &header, &err), 0);
    assert_int_equal(tree_read_record(tree, index, &record, &err), 0);
    assert_int_equal(record.state, header.bytes > 0 ? TREE_COMPLETE : TREE_ABSENT);
    assert_true(record.xxh3 == (header.bytes > 0 ? complete.xxh3 : 0));
    return header.bytes;
}

static void what_arrives_lands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(model); i++) {
        const char *path = model[i].name, *text = model[i].data;
        struct error err = {0};
        struct place place;
        uint32_t index;
        int fd, other_fd;

        test_row(i, "%s", path);
        open_place(&place);
        index = fixture_index(place.archive, path);
        assert_int_equal(tree_member_arriving(place.tree, index, &err), -ENOENT);
        other_fd = tree_member_create(place.tree, index, &err);
        fd = tree_member_create(place.tree, index, &err); /* in its place */
        put(dup(fd), text);
        assert_true(tree_member_is_arriving(place.tree, index, fd));
        assert_false(tree_member_is_arriving(place.tree, index, other_fd));
        assert_int_equal(
            tree_member_land(place.tree, index, other_fd, path, SIZE, &complete, &err),
            -ENOENT);
        assert_true(has(tree_member_arriving(place.tree, index, &err), text));
        assert_int_equal(tree_member_open(place.tree, path, &err), -ENOENT);
        assert_int_equal(noted_bytes(place.tree, index), 0);
        assert_int_equal(
            tree_member_land(place.tree, index, fd, path, SIZE, &complete, &err), 0);
        assert_int_equal(tree_member_arriving(place.tree, index, &err), -ENOENT);
        assert_true(has(tree_member_open(place.tree, path, &err), text));
        assert_int_equal(noted_bytes(place.tree, index), SIZE);
        close(fd);
        close(other_fd);
        close_place(&place);
    }
}

static void what_is_put_at_its_place_is_noted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(model); i++) {
        const char *path = model[i].name, *text = model[i].data;
        struct error err = {0};
        struct place place;
        uint32_t index;

        test_row(i, "%s", path);
        open_place(&place);
        index = fixture_index(place.archive, path);
        put(tree_member_place(place.tree, path, &err), "wrong");
        tree_member_unplace(place.tree, path);
        tree_member_unplace(place.tree, path); /* gone already */
        assert_int_equal(tree_member_open(place.tree, path, &err), -ENOENT);
        put(tree_member_place(place.tree, path, &err), "wrong"); /* by a dead process */
        put(tree_member_place(place.tree, path, &err), text);
        assert_int_equal(noted_bytes(place.tree, index), 0);
        assert_int_equal(tree_member_note(place.tree, index, SIZE, &complete, &err), 0);
        assert_true(has(tree_member_open(place.tree, path, &err), text));
        assert_int_equal(noted_bytes(place.tree, index), SIZE);
        assert_int_equal(tree_member_forget(place.tree, index, SIZE, &absent, &err), 0);
        assert_int_equal(noted_bytes(place.tree, index), 0);
        close_place(&place);
    }
}

static void what_is_dropped_can_arrive_again(void **state)
{
    struct error err = {0};
    struct place place;
    uint32_t index;
    int fd;

    (void)state;
    open_place(&place);
    index = fixture_index(place.archive, "a.txt");
    put(tree_member_create(place.tree, index, &err), "hello");
    fd = tree_member_arriving(place.tree, index, &err);
    tree_member_drop(place.tree, index);
    assert_int_equal(tree_member_arriving(place.tree, index, &err), -ENOENT);
    assert_true(has(fd, "hello")); /* who has it open keeps it */
    assert_int_equal(files_remove_tree(place.tree->folder_fd, "incoming", &err),
                     0); /* by somebody */
    put(tree_member_create(place.tree, index, &err), "again");
    assert_true(has(tree_member_arriving(place.tree, index, &err), "again"));
    close_place(&place);
}

static void files_of_the_disk_are_linked(void **state)
{
    struct error err = {0};
    struct place place;
    uint32_t index;
    int root_fd;

    (void)state;
    open_place(&place);
    index = fixture_index(place.archive, "a.txt");
    root_fd = place.tree->store->root_fd;
    assert_int_equal(files_replace(root_fd, "theirs", "hello", SIZE, 0644, &err), 0);
    put(tree_member_create(place.tree, index, &err), "wrong"); /* left over */
    assert_true(
        has(tree_member_link(place.tree, index, root_fd, "theirs", &err), "hello"));
    assert_true(has(tree_member_arriving(place.tree, index, &err), "hello"));
    assert_int_equal(tree_member_link(place.tree, index, root_fd, "missing", &err),
                     -ENOENT);
    close_place(&place);
}

static void mark(struct tree_header *header, void *arg)
{
    header->flags |= *(uint32_t *)arg;
}

/* What is noted after a flush was not flushed; nothing is noted of what was moved. */
static void the_header_is_kept_right(void **state)
{
    static const struct {
        uint32_t flags;
        int rc;
        uint32_t left;
    } cases[] = {
        {0,                             0,       0                            },
        {TREE_IS_CLEAN,                 0,       0                            },
        {TREE_IS_MOVED,                 -ENOENT, TREE_IS_MOVED                },
        {TREE_IS_MOVED | TREE_IS_CLEAN, -ENOENT, TREE_IS_MOVED | TREE_IS_CLEAN},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t flags = cases[i].flags, index;
        struct tree_header header;
        struct error err = {0};
        struct place place;

        test_row(i, "flags %u", flags);
        open_place(&place);
        index = fixture_index(place.archive, "a.txt");
        assert_int_equal(tree_change_header(place.tree, mark, &flags, &err), 0);
        put(tree_member_place(place.tree, "a.txt", &err), "hello");
        assert_int_equal(tree_member_note(place.tree, index, SIZE, &complete, &err),
                         cases[i].rc);
        assert_int_equal(tree_read_header(place.tree, &header, &err), 0);
        assert_int_equal(header.flags, cases[i].left);
        assert_int_equal(header.bytes, cases[i].rc == 0 ? SIZE : 0);
        close_place(&place);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_arrives_lands),
        cmocka_unit_test(what_is_put_at_its_place_is_noted),
        cmocka_unit_test(what_is_dropped_can_arrive_again),
        cmocka_unit_test(files_of_the_disk_are_linked),
        cmocka_unit_test(the_header_is_kept_right),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
