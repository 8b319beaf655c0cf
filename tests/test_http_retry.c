/* test_http_retry.c: whether and when a request is tried again. */
#include "tests/test.h"

#include "backends/http_retry.h"

enum { NONE = HTTP_RETRY_NO_DEADLINE };

static const struct http_retry_policy policy = {
    .tries_max = 6, .first_pause_ms = 100, .pause_max_ms = 1000, .give_up_ms = 60000};

static const struct {
    const char *what;
    struct http_retry_so_far so_far;   /* repeatable, tries, passed, left */
    struct http_retry_failure failure; /* status, may pass, Retry-After */
    uint32_t random;
    int64_t pause_ms;
} cases[] = {
    {"200 stands",                {true, 1, 0, NONE},     {200, true, -1},        UINT32_MAX, -1  },
    {"400 stands",                {true, 1, 0, NONE},     {400, true, -1},        UINT32_MAX, -1  },
    {"403 stands",                {true, 1, 0, NONE},     {403, true, -1},        UINT32_MAX, -1  },
    {"404 stands",                {true, 1, 0, NONE},     {404, true, 0},         UINT32_MAX, -1  },
    {"412 stands",                {true, 1, 0, NONE},     {412, true, -1},        UINT32_MAX, -1  },
    {"416 stands",                {true, 1, 0, NONE},     {416, true, -1},        UINT32_MAX, -1  },
    {"501 stands",                {true, 1, 0, NONE},     {501, true, -1},        UINT32_MAX, -1  },
    {"408 passes",                {true, 1, 0, NONE},     {408, false, -1},       UINT32_MAX, 100 },
    {"429 passes",                {true, 1, 0, NONE},     {429, false, -1},       UINT32_MAX, 100 },
    {"500 passes",                {true, 1, 0, NONE},     {500, false, -1},       UINT32_MAX, 100 },
    {"502 passes",                {true, 1, 0, NONE},     {502, false, -1},       UINT32_MAX, 100 },
    {"503 passes",                {true, 1, 0, NONE},     {503, false, -1},       UINT32_MAX, 100 },
    {"504 passes",                {true, 1, 0, NONE},     {504, false, -1},       UINT32_MAX, 100 },
    {"broken",                    {true, 1, 0, NONE},     {0, true, -1},          UINT32_MAX, 100 },
    {"refused certificate",       {true, 1, 0, NONE},     {0, false, -1},         UINT32_MAX, -1  },
    {"a POST",                    {false, 1, 0, NONE},    {503, true, 0},         UINT32_MAX, -1  },
    {"full jitter: none",         {true, 1, 0, NONE},     {503, true, -1},        0,          0   },
    {"full jitter: half",         {true, 1, 0, NONE},     {503, true, -1},        1u << 31,   50  },
    {"doubled",                   {true, 2, 0, NONE},     {503, true, -1},        UINT32_MAX, 200 },
    {"doubled again",             {true, 4, 0, NONE},     {503, true, -1},        UINT32_MAX, 800 },
    {"up to a bound",             {true, 5, 0, NONE},     {503, true, -1},        UINT32_MAX, 1000},
    {"enough tries",              {true, 6, 0, NONE},     {503, true, -1},        0,          -1  },
    {"more than enough",          {true, 7, 0, NONE},     {503, true, -1},        0,          -1  },
    {"enough time",               {true, 2, 60000, NONE}, {503, true, -1},        0,          -1  },
    {"the pause ends too late",   {true, 2, 59900, NONE}, {503, true, -1},        UINT32_MAX, -1  },
    {"a shorter one does not",    {true, 2, 59900, NONE}, {503, true, -1},        1u << 30,   50  },
    {"the caller's deadline",     {true, 1, 0, 100},      {503, true, -1},        UINT32_MAX, -1  },
    {"before it",                 {true, 1, 0, 101},      {503, true, -1},        UINT32_MAX, 100 },
    {"past it",                   {true, 1, 0, 0},        {503, true, -1},        0,          -1  },
    {"Retry-After",               {true, 1, 0, NONE},     {503, true, 7000},      0,          7000},
    {"Retry-After 0",             {true, 4, 0, NONE},     {429, true, 0},         0,          0   },
    {"Retry-After and jitter",    {true, 1, 0, NONE},     {503, true, 7000},      UINT32_MAX, 7100},
    {"Retry-After too long",      {true, 1, 0, NONE},     {503, true, 60000},     0,          -1  },
    {"Retry-After past deadline", {true, 1, 0, 5000},     {503, true, 5000},      0,          -1  },
    {"Retry-After of ages",       {true, 1, 0, NONE},     {503, true, INT64_MAX}, UINT32_MAX, -1  },
};

static void test_pause(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].what);
        assert_int_equal(http_retry_pause(&policy, &cases[i].so_far, &cases[i].failure,
                                          cases[i].random),
                         cases[i].pause_ms);
    }
}

/* All pauses together stay far below what a reader waits. */
static void test_sum(void **state)
{
    struct http_retry_so_far so_far = {true, 1, 0, NONE};
    const struct http_retry_failure failure = {0, true, -1};
    int64_t pause;

    (void)state;
    while ((pause = http_retry_pause(&policy, &so_far, &failure, UINT32_MAX)) >= 0) {
        so_far.passed_ms += pause;
        so_far.tries++;
    }
    assert_int_equal(so_far.tries, policy.tries_max);
    assert_int_equal(so_far.passed_ms, 100 + 200 + 400 + 800 + 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_sum),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
