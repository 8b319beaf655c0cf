/* test_node_id.c: node IDs are arithmetic, there and back. */
#include "tests/test.h"

#include "fs/node_id.h"

static void test_pack_and_unpack(void **state)
{
    static const struct node nodes[] = {
        {NODE_STATUS,  0,             0,              false},
        {NODE_MODEL,   7,             0,              false},
        {NODE_MEMBER,  1,             0,              false},
        {NODE_MEMBER,  1,             1,              true },
        {NODE_MEMBER,  NODE_SLOT_MAX, NODE_INDEX_MAX, true },
        {NODE_MEMBER,  NODE_SLOT_MAX, NODE_INDEX_MAX, false},
        {NODE_VERSION, NODE_SLOT_MAX, 0,              false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
        uint64_t id = node_id_pack(nodes[i]);
        struct node back = node_id_unpack(id);

        test_row(i, "kind %d slot %u index %u", nodes[i].kind, nodes[i].slot,
                 nodes[i].index);
        assert_true(id > 1);
        assert_int_equal(back.kind, nodes[i].kind);
        assert_int_equal(back.slot, nodes[i].slot);
        assert_int_equal(back.index, nodes[i].index);
        assert_int_equal(back.is_arriving, nodes[i].is_arriving);
    }
}

static void test_root_is_one(void **state)
{
    (void)state;
    assert_int_equal(node_id_pack((struct node){.kind = NODE_ROOT}), 1);
    assert_int_equal(node_id_unpack(1).kind, NODE_ROOT);
}

static void test_arriving_is_one_bit(void **state)
{
    struct node node = {.kind = NODE_MEMBER, .slot = 12345, .index = 678};
    uint64_t complete = node_id_pack(node);
    uint64_t arriving;

    (void)state;
    node.is_arriving = true;
    arriving = node_id_pack(node);
    assert_int_equal(__builtin_popcountll(complete ^ arriving), 1);
}

static void test_foreign_numbers(void **state)
{
    static const uint64_t numbers[] = {0, 2, 12345, UINT64_MAX,
                                       (uint64_t)NODE_KINDS << 58};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        test_row(i, "%jx", (uintmax_t)numbers[i]);
        assert_int_equal(node_id_unpack(numbers[i]).kind, NODE_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pack_and_unpack),
        cmocka_unit_test(test_root_is_one),
        cmocka_unit_test(test_arriving_is_one_bit),
        cmocka_unit_test(test_foreign_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
