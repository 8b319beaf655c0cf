/* test_pack_sampler.c: which files are worth deflating. */
#include "tests/test.h"

#include "tests/folders.h"

#include "publish/pack_sampler.h"

#include <unistd.h>

/* A file of text with noise from first to last, in units of 64 KiB. */
struct content {
    const char *name;
    size_t units, noise_first, noise_count;
    size_t rest; /* bytes of text behind the units */
    bool is_incompressible;
};

enum { UNIT = 64 << 10 };

static void put(int fd, const struct content *content)
{
    size_t size = content->units * UNIT + content->rest;
    unsigned char *data = malloc(size + 1);
    uint64_t state = 88172645463325252;

    assert_non_null(data);
    memset(data, 'x', size);
    for (size_t i = content->noise_first * UNIT;
         i < (content->noise_first + content->noise_count) * UNIT; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        data[i] = (unsigned char)(state >> 32);
    }
    folder_put(fd, content->name, data, size, 0644, 1000000000);
    free(data);
}

static void noise_is_told_from_text(void **state)
{
    static const struct content cases[] = {
  /* deflate makes 2 bytes of none, 3 of one */
        {"empty",           0,   0, 0,   0,   true },
        {"one-byte",        0,   0, 0,   1,   true },
        {"text",            0,   0, 0,   500, false},
        {"noise",           1,   0, 1,   0,   true },
        {"a-mebibyte",      16,  0, 16,  0,   true },
        {"half",            16,  0, 8,   0,   false},
        {"large-noise",     100, 0, 100, 77,  true },
        {"large-text",      100, 0, 0,   77,  false},
        {"header-of-text",  400, 4, 396, 77,  true },
        {"header-of-noise", 100, 0, 20,  77,  false},
    };
    CLEANUP_PACK_SAMPLER struct pack_sampler *sampler = pack_sampler_new();
    int fd = ((struct folder *)*state)->fd;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_PACK_LIST struct pack_list list = {0};
        CLEANUP_PACK_READER struct pack_reader reader = {.fd = -1};
        struct error err = {0};
        bool is_incompressible;

        test_row(i, "%s", cases[i].name);
        put(fd, &cases[i]);
        assert_int_equal(pack_scan(fd, 0, &list, &err), 0);
        assert_int_equal(pack_reader_open(fd, &list, &list.files[0], &reader, &err), 0);
        assert_int_equal(pack_sampler_ask(sampler, &reader, &is_incompressible, &err), 0);
        assert_int_equal(is_incompressible, cases[i].is_incompressible);
        assert_int_equal(unlinkat(fd, cases[i].name, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(noise_is_told_from_text, folder_open,
                                        folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
