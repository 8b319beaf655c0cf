/* test_place.c: places become node IDs and come back. */
#include "tests/test.h"

#include "fs/place.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* With repositories of these names, one letter each. */
static struct slots *open_slots(int fd, const char *repositories)
{
    struct error err = {0};
    struct slots *slots = NULL;

    assert_int_equal(slots_open(fd, &slots, &err), 0);
    for (; *repositories; repositories++)
        assert_int_equal(slots_add_repository(slots, (char[]){*repositories, '\0'}, &err),
                         0);
    return slots;
}

static void test_there_and_back(void **state)
{
    /* clang-format 14 crashes on such a table. */
    /* clang-format off */
    static const struct place places[] = {
        {.kind = NODE_ROOT},
        {.kind = NODE_STATUS},
        {.kind = NODE_MODEL, .name = "3e120e8d"},
        {.kind = NODE_ALIAS, .name = "emotion-small"},
        {.kind = NODE_GROUP, .name = ""},
        {.kind = NODE_GROUP, .name = "emotion/cnn"},
        {.kind = NODE_VERSION, .release = {"3e120e8d", "1.0.0", 0}},
        {.kind = NODE_LINK_ALIAS, .release = {"3e120e8d", "..", 3}},
        {.kind = NODE_INFO_FILE, .release = {"3e120e8d", "1.0.0", 0}, .index = 4},
        {.kind = NODE_MEMBER,
         .release = {"0d3b6d5e-1b0d-4b1c-9c1a-0123456789ab", "1.0.0-rc.1", 12},
         .digest = "0123456789abcdef0123456789abcdef",
         .index = 1000000,
         .is_arriving = true},
    };
    /* clang-format on */
    struct slots *slots = open_slots(-1, "abcdefghijklm");
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        struct place back;
        uint64_t id;

        test_row(i, "kind %d", places[i].kind);
        assert_int_equal(place_id(slots, &places[i], &id, &err), 0);
        assert_int_equal(place_of(slots, id, &back, &err), 0);
        assert_int_equal(back.kind, places[i].kind);
        assert_int_equal(back.index, places[i].index);
        assert_int_equal(back.is_arriving, places[i].is_arriving);
        assert_int_equal(back.release.repository, places[i].release.repository);
        assert_string_equal(back.release.id, places[i].release.id);
        assert_string_equal(back.release.version, places[i].release.version);
        assert_string_equal(back.digest, places[i].digest);
        if (places[i].name)
            assert_string_equal(back.name, places[i].name);
    }
    slots_close(slots);
}

static void test_ids_that_are_stale(void **state)
{
    struct slots *slots = open_slots(-1, "a");
    struct error err = {0};
    const uint64_t ids[] = {
        0,
        2,
        node_id_pack((struct node){.kind = NODE_MODEL, .slot = 99}),
        node_id_pack((struct node){.kind = NODE_MEMBER, .slot = 12345, .index = 1}),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
        struct place place;

        test_row(i, "%jx", (uintmax_t)ids[i]);
        assert_int_equal(place_of(slots, ids[i], &place, &err), -ESTALE);
    }
    slots_close(slots);
}

static void test_slot_of_another_kind(void **state)
{
    struct slots *slots = open_slots(-1, "a");
    struct error err = {0};
    struct place place = {.kind = NODE_ALIAS, .name = "emotion-small"};
    struct node node;
    uint64_t id;

    (void)state;
    assert_int_equal(place_id(slots, &place, &id, &err), 0);
    node = node_id_unpack(id);
    node.kind = NODE_VERSION; /* an alias is no release */
    assert_int_equal(place_of(slots, node_id_pack(node), &place, &err), -ESTALE);
    slots_close(slots);
}

/* The next worker reads another configuration, the one after that the first again. */
static void test_repositories_of_the_next_process(void **state)
{
    static const struct {
        const char *repositories;
        int number; /* of "b" by then */
    } rows[] = {
        {"ab", 1 },
        {"b",  0 },
        {"a",  -1},
        {"",   -1},
        {"cb", 1 },
    };
    const struct place place = {
        .kind = NODE_VERSION, .release = {"3e120e8d", "1.0.0", 1}
    };
    struct slots *slots = open_slots(-1, "ab");
    struct error err = {0};
    uint64_t id, again;

    (void)state;
    assert_int_equal(place_id(slots, &place, &id, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int fd = dup(slots_fd(slots));
        struct place back;

        test_row(i, "'%s'", rows[i].repositories);
        slots_close(slots);
        slots = open_slots(fd, rows[i].repositories);
        if (rows[i].number < 0) {
            assert_int_equal(place_of(slots, id, &back, &err), -ESTALE);
            assert_int_equal(place_id(slots, &place, &again, &err), -ESTALE);
            continue;
        }
        assert_int_equal(place_of(slots, id, &back, &err), 0);
        assert_int_equal(back.release.repository, rows[i].number);
        assert_int_equal(place_id(slots, &back, &again, &err), 0);
        assert_true(again == id);
    }
    slots_close(slots);
}

/* Values of `printf PATH | xxhsum -H3`. */
static void test_inode_numbers(void **state)
{
    static const struct {
        const char *path;
        uint64_t inode;
    } rows[] = {
        {"3e120e8d/1.0.0",               0xf555fd56a8a9b2b8},
        {"3e120e8d/1.0.0/log/eval.yaml", 0x04ffe69588676a71},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        test_row(i, "%s", rows[i].path);
        assert_true(place_inode(rows[i].path) == rows[i].inode);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_ids_that_are_stale),
        cmocka_unit_test(test_slot_of_another_kind),
        cmocka_unit_test(test_repositories_of_the_next_process),
        cmocka_unit_test(test_inode_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
