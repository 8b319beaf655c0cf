/* test_agreement.c: which replies to INIT a later worker may be bound to. */
#include "tests/test.h"

#include "fs/agreement.h"

enum { FLAG = 1 << 3, OTHER = 1 << 9, WRITE = 128 << 10 };

static const struct kernel_init_out agreed = {.major = 7,
                                              .minor = 38,
                                              .flags = FLAG | KERNEL_INIT_EXT |
                                                       KERNEL_READDIRPLUS_AUTO,
                                              .flags2 = KERNEL_PASSTHROUGH,
                                              .max_write = WRITE,
                                              .time_gran = 1};

static const struct {
    uint32_t major, minor, flags, flags2, max_write, time_gran;
    bool is_kept;
} replies[] = {
    {7, 38, FLAG | KERNEL_INIT_EXT,         KERNEL_PASSTHROUGH,         WRITE,     1,  true },
    {7, 40, FLAG | KERNEL_INIT_EXT,         KERNEL_PASSTHROUGH,         WRITE,     1,  true },
    {7, 38, FLAG | OTHER | KERNEL_INIT_EXT, KERNEL_PASSTHROUGH | OTHER, 2 * WRITE, 1,
     true                                                                                   },
    {7, 38, FLAG,                           KERNEL_PASSTHROUGH,         WRITE,     1,  true },
    {8, 38, FLAG | KERNEL_INIT_EXT,         KERNEL_PASSTHROUGH,         WRITE,     1,  false},
    {7, 38, OTHER | KERNEL_INIT_EXT,        KERNEL_PASSTHROUGH,         WRITE,     1,  false},
    {7, 38, FLAG | KERNEL_INIT_EXT,         OTHER,                      WRITE,     1,  false},
    {7, 38, FLAG | KERNEL_INIT_EXT,         KERNEL_PASSTHROUGH,         WRITE - 1, 1,  false},
    {7, 38, FLAG | KERNEL_INIT_EXT,         KERNEL_PASSTHROUGH,         WRITE,     10, false},
};

static void replies_are_compared(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        struct kernel_init_out reply = {.major = replies[i].major,
                                        .minor = replies[i].minor,
                                        .flags = replies[i].flags,
                                        .flags2 = replies[i].flags2,
                                        .max_write = replies[i].max_write,
                                        .time_gran = replies[i].time_gran};

        test_row(i, "flags %x and %x", reply.flags, reply.flags2);
        assert_int_equal(agreement_is_kept(&reply, &agreed), replies[i].is_kept);
    }
}

static const struct {
    uint32_t flags, flags2;
    bool can_resend;
} offers[] = {
    {KERNEL_INIT_EXT, KERNEL_HAS_RESEND,  true },
    {KERNEL_INIT_EXT, KERNEL_PASSTHROUGH, false},
    {0,               KERNEL_HAS_RESEND,  false}, /* rubbish: there is no flags2 */
};

static void resending_is_offered(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(offers); i++) {
        struct kernel_init_in offer = {.flags = offers[i].flags,
                                       .flags2 = offers[i].flags2};

        test_row(i, "flags %x and %x", offer.flags, offer.flags2);
        assert_int_equal(agreement_can_resend(&offer), offers[i].can_resend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replies_are_compared),
        cmocka_unit_test(resending_is_offered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
