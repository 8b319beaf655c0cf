/* test_text.c: strict readings of numbers, sizes, times and UTF-8. */
#include "tests/test.h"

#include "common/text.h"

#include <errno.h>
#include <string.h>

#define U64_MAX_TEXT "18446744073709551615"

static void u64(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t value;
    } cases[] = {
        {"0",                    0,       0         },
        {"007",                  0,       7         },
        {"4096",                 0,       4096      },
        {U64_MAX_TEXT,           0,       UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0         },
        {"99999999999999999999", -ERANGE, 0         },
        {"",                     -EINVAL, 0         },
        {"-1",                   -EINVAL, 0         },
        {"+1",                   -EINVAL, 0         },
        {" 1",                   -EINVAL, 0         },
        {"1 ",                   -EINVAL, 0         },
        {"0x10",                 -EINVAL, 0         },
        {"1e3",                  -EINVAL, 0         },
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t value = 0;

        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(text_to_u64(cases[i].text, &value, &err), cases[i].rc);
        assert_true(value == cases[i].value);
    }
    assert_string_equal(err.message, "'1e3' is not a number");
}

static void sizes(void **state)
{
    static const struct {
        const char *text;
        int rc;
        uint64_t bytes;
    } cases[] = {
        {"0",              0,       0                },
        {"4096",           0,       4096             },
        {"4096B",          0,       4096             },
        {"1KiB",           0,       1024             },
        {"64 MiB",         0,       64ull << 20      },
        {"50GiB",          0,       50ull << 30      },
        {"1TiB",           0,       1ull << 40       },
        {"1kB",            0,       1000             },
        {"2MB",            0,       2000000          },
        {"3GB",            0,       3000000000ull    },
        {"4TB",            0,       4000000000000    },
        {"16777215TiB",    0,       16777215ull << 40},
        {"16777216TiB",    -ERANGE, 0                },
        {U64_MAX_TEXT "0", -ERANGE, 0                },
        {"",               -EINVAL, 0                },
        {"GiB",            -EINVAL, 0                },
        {"1.5GiB",         -EINVAL, 0                },
        {"-1GiB",          -EINVAL, 0                },
        {"1  GiB",         -EINVAL, 0                },
        {"1 ",             -EINVAL, 0                },
        {"1gib",           -EINVAL, 0                },
        {"1GiBs",          -EINVAL, 0                },
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes = 0;

        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(text_to_size(cases[i].text, &bytes, &err), cases[i].rc);
        assert_true(bytes == cases[i].bytes);
    }
    assert_string_equal(err.message, "'1GiBs' is not a size such as 50GiB");
}

static void times(void **state)
{
    static const struct {
        const char *text;
        int rc;
        int64_t ms;
    } cases[] = {
        {"0",                     0,       0        },
        {"500ms",                 0,       500      },
        {"5s",                    0,       5000     },
        {"5 s",                   0,       5000     },
        {"5",                     0,       5000     },
        {"10min",                 0,       600000   },
        {"1h",                    0,       3600000  },
        {"2d",                    0,       172800000},
        {"9223372036854775807ms", 0,       INT64_MAX},
        {"9223372036854775808ms", -ERANGE, 0        },
        {"99999999999999999d",    -ERANGE, 0        },
        {"5m",                    -EINVAL, 0        },
        {"",                      -EINVAL, 0        },
        {"-5s",                   -EINVAL, 0        },
        {"1h30min",               -EINVAL, 0        },
    };
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ms = 0;

        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(text_to_time(cases[i].text, &ms, &err), cases[i].rc);
        assert_true(ms == cases[i].ms);
    }
}

static void sizes_for_people(void **state)
{
    static const struct {
        uint64_t bytes;
        const char *text;
    } cases[] = {
        {0,           "0 B"      },
        {999,         "999 B"    },
        {1000,        "0.977 KiB"},
        {1024,        "1 KiB"    },
        {1536,        "1.5 KiB"  },
        {1023488,     "0.976 MiB"}, /* 999.5 KiB */
        {1023487,     "999 KiB"  },
        {50ull << 30, "50 GiB"   },
        {1234567890,  "1.15 GiB" },
        {UINT64_MAX,  "16 EiB"   },
    };
    char text[16];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].text);
        text_from_size(cases[i].bytes, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
    text_from_size(UINT64_MAX, text, 4);
    assert_string_equal(text, "16 ");
}

static void nearest(void **state)
{
    static const char *const keys[] = {"repositories", "cache", "ttl", "hold",
                                       "prefetch",     "log",   NULL};
    static const struct {
        const char *text;
        const char *nearest;
    } cases[] = {
        {"cahce",                                                                "cache"       },
        {"cach",                                                                 "cache"       },
        {"repositorys",                                                          "repositories"},
        {"tll",                                                                  "ttl"         },
        {"log",                                                                  "log"         },
        {"holds",                                                                "hold"        },
        {"zzzzzz",                                                               NULL          },
        {"",                                                                     NULL          },
        {"connections",                                                          NULL          },
        {"a-key-far-too-long-to-be-any-of-them-that-nobody-would-ever-misspell", NULL          },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *found = text_nearest(cases[i].text, keys);

        test_row(i, "'%s'", cases[i].text);
        if (cases[i].nearest)
            assert_string_equal(found, cases[i].nearest);
        else
            assert_null(found);
    }
}

static void hex(void **state)
{
    char text[9];

    (void)state;
    text_from_hex("\x00\x1f\xa0\xff", 4, text);
    assert_string_equal(text, "001fa0ff");
    text_from_hex("", 0, text);
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(u64),     cmocka_unit_test(sizes),
        cmocka_unit_test(times),   cmocka_unit_test(sizes_for_people),
        cmocka_unit_test(nearest), cmocka_unit_test(hex),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
