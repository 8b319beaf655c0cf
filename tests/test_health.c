/* test_health.c: when a repository counts as down, and who asks it then. */
#include "tests/test.h"

#include "resolver/health.h"

#include <errno.h>
#include <string.h>

enum { PAUSE_MS = 5000 };

enum event {
    LOOK, /* nothing happens */
    BEGIN,
    LIVE,
    END, /* with rc, of the request that was begun at begun_ms */
};

struct step {
    int64_t at_ms;
    enum event event;
    int rc;
    int64_t begun_ms;
    bool is_down, may_ask; /* afterwards */
    enum health_news news;
};

static void play(const struct step *steps, size_t count)
{
    struct error err = {.message = "because"};
    struct health health = {0};

    for (size_t i = 0; i < count; i++) {
        const struct step *step = &steps[i];

        test_row(i, "%lld ms", (long long)step->at_ms);
        if (step->event == BEGIN)
            health_begin(&health, step->at_ms);
        else if (step->event == LIVE)
            health_live(&health, step->at_ms);
        else if (step->event == END)
            health_end(&health, step->begun_ms, step->at_ms, step->rc, &err);
        assert_int_equal(health_is_down(&health, step->at_ms), step->is_down);
        assert_int_equal(health_may_ask(&health, step->at_ms, PAUSE_MS), step->may_ask);
        assert_int_equal(health_news(&health, step->at_ms), step->news);
    }
}

static void refused_it_is_tried_now_and_then(void **state)
{
    static const struct step steps[] = {
        {100000, LOOK,  0,             0,      false, true,  HEALTH_NO_NEWS},
        {100000, BEGIN, 0,             0,      false, true,  HEALTH_NO_NEWS},
        {100010, END,   -ECONNREFUSED, 100000, true,  false, HEALTH_DOWN   },
        {105009, LOOK,  0,             0,      true,  false, HEALTH_NO_NEWS},
        {105010, LOOK,  0,             0,      true,  true,  HEALTH_NO_NEWS},
        {105010, BEGIN, 0,             0,      true,  false, HEALTH_NO_NEWS},
        {105020, END,   -ECONNREFUSED, 105010, true,  false, HEALTH_NO_NEWS},
        {110010, BEGIN, 0,             0,      true,  false, HEALTH_NO_NEWS},
        {110020, END,   0,             110010, false, true,  HEALTH_BACK   },
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

static void silent_it_is_tried_although_requests_hang(void **state)
{
    static const struct step steps[] = {
        {100000, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {102499, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {102500, LOOK,  0,          0,      true,  false, HEALTH_DOWN   },
        {104999, LOOK,  0,          0,      true,  false, HEALTH_NO_NEWS},
        {105000, LOOK,  0,          0,      true,  true,  HEALTH_NO_NEWS},
        {105000, BEGIN, 0,          0,      true,  false, HEALTH_NO_NEWS},
        {110000, BEGIN, 0,          0,      true,  false, HEALTH_NO_NEWS},
        {110100, END,   0,          110000, false, true,  HEALTH_BACK   },
 /* what was begun before says nothing about now */
        {110200, END,   -ETIMEDOUT, 100000, false, true,  HEALTH_NO_NEWS},
        {110300, END,   -ETIMEDOUT, 105000, false, true,  HEALTH_NO_NEWS},
        {110400, END,   0,          102499, false, true,  HEALTH_NO_NEWS},
        {999999, LOOK,  0,          0,      false, true,  HEALTH_NO_NEWS},
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

static void a_long_answer_is_no_silence(void **state)
{
    static const struct step steps[] = {
        {100000, BEGIN, 0,       0,      false, true,  HEALTH_NO_NEWS},
        {102000, LIVE,  0,       0,      false, true,  HEALTH_NO_NEWS},
        {104000, LIVE,  0,       0,      false, true,  HEALTH_NO_NEWS},
        {106499, LOOK,  0,       0,      false, true,  HEALTH_NO_NEWS},
        {106500, LOOK,  0,       0,      true,  false, HEALTH_DOWN   },
        {107001, LIVE,  0,       0,      false, true,  HEALTH_BACK   },
        {107002, END,   -EACCES, 100000, false, true,  HEALTH_NO_NEWS},
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

/* After an outage old connections may hang long after new ones work. */
static void what_hung_before_an_answer_is_no_silence(void **state)
{
    static const struct step steps[] = {
        {100000, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {100001, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {100002, END,   -ENOENT,    100001, false, true,  HEALTH_NO_NEWS},
        {110000, LOOK,  0,          0,      false, true,  HEALTH_NO_NEWS},
        {110000, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {112500, LOOK,  0,          0,      true,  false, HEALTH_DOWN   },
        {112600, END,   -ETIMEDOUT, 100000, true,  false, HEALTH_NO_NEWS},
        {112700, END,   0,          110000, false, true,  HEALTH_BACK   },
 /* one that fell silent in the middle of its answer */
        {120000, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {120001, LIVE,  0,          0,      false, true,  HEALTH_NO_NEWS},
        {122501, LOOK,  0,          0,      true,  false, HEALTH_DOWN   },
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

/* At the end of a mount: no news. */
static void what_we_cancel_says_nothing(void **state)
{
    static const struct step steps[] = {
        {100000, BEGIN, 0,          0,      false, true,  HEALTH_NO_NEWS},
        {102500, LOOK,  0,          0,      true,  false, HEALTH_DOWN   },
        {102501, END,   -ECANCELED, 100000, true,  false, HEALTH_NO_NEWS},
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

/* One object may be broken; when all are, it is the repository. */
static void broken_replies_in_succession_mean_down(void **state)
{
    static const struct step steps[] = {
        {100000, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {100001, END,   -EIO, 100000, false, true,  HEALTH_NO_NEWS},
        {100002, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {100003, END,   0,    100002, false, true,  HEALTH_NO_NEWS},
        {100004, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {100005, END,   -EIO, 100004, false, true,  HEALTH_NO_NEWS},
        {100006, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {100007, END,   -EIO, 100006, false, true,  HEALTH_NO_NEWS},
        {100008, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {100009, END,   -EIO, 100008, true,  false, HEALTH_DOWN   },
        {105009, BEGIN, 0,    0,      true,  false, HEALTH_NO_NEWS},
        {105010, END,   -EIO, 105009, true,  false, HEALTH_NO_NEWS},
        {110009, BEGIN, 0,    0,      true,  false, HEALTH_NO_NEWS},
        {110010, END,   0,    110009, false, true,  HEALTH_BACK   },
 /* silent first, then broken: still down */
        {120000, BEGIN, 0,    0,      false, true,  HEALTH_NO_NEWS},
        {123000, LOOK,  0,    0,      true,  false, HEALTH_DOWN   },
        {124000, END,   -EIO, 120000, true,  true,  HEALTH_NO_NEWS},
    };

    (void)state;
    play(steps, ARRAY_SIZE(steps));
}

static void only_unreachable_means_down(void **state)
{
    static const struct {
        int code;
        bool is_down, is_failing;
    } cases[] = {
        {0,            false, false},
        {ENOENT,       false, false},
        {EBADMSG,      false, false},
        {EFBIG,        false, false},
        {EACCES,       false, true },
        {EIO,          false, true },
        {ETIMEDOUT,    true,  true },
        {ECONNREFUSED, true,  true },
        {EHOSTUNREACH, true,  true },
        {ENETUNREACH,  true,  true },
        {ECONNRESET,   true,  true },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error why = {0}, err = {.message = "because"};
        struct health health = {0};

        test_row(i, "%s", cases[i].code ? strerrorname_np(cases[i].code) : "none");
        health_begin(&health, 1000);
        health_end(&health, 1000, 1001, -cases[i].code, &err);
        assert_int_equal(health_is_down(&health, 1001), cases[i].is_down);
        assert_int_equal(health.is_failing, cases[i].is_failing);
        if (!cases[i].is_down)
            continue;
        assert_int_equal(health_fail(&health, &why), -cases[i].code);
        assert_string_equal(why.message, "because");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_it_is_tried_now_and_then),
        cmocka_unit_test(silent_it_is_tried_although_requests_hang),
        cmocka_unit_test(a_long_answer_is_no_silence),
        cmocka_unit_test(what_hung_before_an_answer_is_no_silence),
        cmocka_unit_test(what_we_cancel_says_nothing),
        cmocka_unit_test(broken_replies_in_succession_mean_down),
        cmocka_unit_test(only_unreachable_means_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
