/* test_checksum.c: CRC-32 as zlib's, XXH3 whole and in pieces. */
#include "tests/test.h"

#include "cache/checksum.h"

#include <string.h>

/* Python: zlib.crc32(text); xxhsum -H3 and -H2 of the same bytes. */
static const struct {
    const char *text;
    uint32_t crc32;
    uint64_t xxh3;
    const char *hex;
} cases[] = {
    {"",                                                                  0x00000000u, 0x2d06800538d394c2ull, "99aa06d3014798d86001c324468d497f"},
    {"a",                                                                 0xe8b7be43u, 0xe6c632b61e964e1full, "a96faf705af16834e6c632b61e964e1f"},
    {"123456789",                                                         0xcbf43926u, 0x72dcb18b67a17dffull, "33119477ede5dcd5e9716427681d5860"},
    {"The quick brown fox jumps over the lazy dog",                       0x414fa339u, 0xce7d19a5418fb365ull,
     "ddd650205ca3e7fa24a1cc2e3a8a7651"                                                                                                         },
    {"012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789012345678901234567890123456789"
     "012345678901234567890123456789012345678901234567890123456789", 0xc054b7f4u, 0x05681ea1b2e3086bull, "7ddadb70cbb43a6305681ea1b2e3086b"},
};

static void whole_texts_have_the_known_sums(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *text = cases[i].text;
        char hex[CHECKSUM_HEX_SIZE];

        test_row(i, "'%.40s'", text);
        assert_int_equal(checksum_crc32(0, text, strlen(text)), cases[i].crc32);
        assert_true(checksum_xxh3(text, strlen(text)) == cases[i].xxh3);
        checksum_xxh3_hex(text, strlen(text), hex);
        assert_string_equal(hex, cases[i].hex);
    }
}

static void pieces_have_the_sum_of_the_whole(void **state)
{
    unsigned char data[3000];

    (void)state;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (unsigned char)(i * i >> 3);
    for (size_t cut = 0; cut <= sizeof data; cut += 37) {
        struct checksum *sum = checksum_new();
        uint32_t whole = checksum_crc32(0, data, sizeof data);
        uint32_t front = checksum_crc32(0, data, cut);
        uint32_t back = checksum_crc32(0, data + cut, sizeof data - cut);

        assert_int_equal(checksum_crc32(front, data + cut, sizeof data - cut), whole);
        assert_int_equal(checksum_crc32_combine(front, back, sizeof data - cut), whole);
        checksum_add(sum, data, cut);
        checksum_add(sum, NULL, 0);
        assert_true(checksum_value(sum) == checksum_xxh3(data, cut));
        checksum_add(sum, data + cut, sizeof data - cut);
        assert_true(checksum_value(sum) == checksum_xxh3(data, sizeof data));
        checksum_free(sum);
    }
    checksum_free(NULL);
}

/* 5 GiB of zeros: Python, zlib.crc32 piece by piece. */
static void stretches_beyond_4_gib_combine(void **state)
{
    uint32_t gib = 0x5b64c2b0u, five = 0;

    (void)state;
    for (int i = 0; i < 5; i++)
        five = checksum_crc32_combine(five, gib, 1u << 30);
    assert_int_equal(five, 0x193838c3u);
    assert_int_equal(checksum_crc32_combine(gib, 0xd202ef8du, 4ull << 30), 0x193838c3u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_texts_have_the_known_sums),
        cmocka_unit_test(pieces_have_the_sum_of_the_whole),
        cmocka_unit_test(stretches_beyond_4_gib_combine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
