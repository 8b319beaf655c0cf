/* test_lead.c: one thread reads, and no request waits for one that does not come back. */
#include "tests/test.h"

#include "common/sync.h"
#include "fs/kernel.h"
#include "fs/lead.h"

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

enum {
    LOOKUP = 1,       /* opcode */
    LITTLE = 4 << 10, /* bytes of a READ or WRITE */
    MUCH = 128 << 10,
    THREADS = 4,
    ROUNDS = 2000,
    FOR_EVER_MS = 1000000,
    MANY = 16,
};

struct other {
    struct lead *lead;
    sem_t leads; /* posted when it does */
    pthread_t thread;
};

static void *lead_once(void *arg)
{
    struct other *other = arg;

    lead_take(other->lead);
    sem_post(&other->leads);
    lead_pass(other->lead);
    return NULL;
}

static void start_other(struct other *other, struct lead *lead)
{
    other->lead = lead;
    sem_init(&other->leads, 0, 0);
    assert_int_equal(thread_start(&other->thread, "other", lead_once, other), 0);
}

static void end_other(struct other *other)
{
    pthread_join(other->thread, NULL);
    sem_destroy(&other->leads);
}

/* Where nobody gives up waiting, only who passes the lead lets another one read. */
static void who_keeps_the_lead_reads_on(void **state)
{
    static const struct {
        uint32_t opcode, size;
        size_t waiting; /* bytes in the device */
        int kept;       /* so many before one that is not, or MANY */
    } cases[] = {
        {LOOKUP,                  0,      0, MANY},
        {LOOKUP,                  0,      1, 4   },
        {LOOKUP,                  MUCH,   0, MANY},
        {KERNEL_FUSE_READ,        LITTLE, 0, MANY},
        {KERNEL_FUSE_READ,        LITTLE, 1, 4   },
        {KERNEL_FUSE_READ,        MUCH,   0, 0   },
        {KERNEL_FUSE_WRITE,       LITTLE, 0, MANY},
        {KERNEL_FUSE_WRITE,       MUCH,   0, 0   },
        {KERNEL_FUSE_READDIRPLUS, LITTLE, 0, 0   },
        {KERNEL_FUSE_INIT,        0,      0, 0   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct lead *lead = lead_new(FOR_EVER_MS);
        struct other other;
        int device[2], value;

        test_row(i, "opcode %u, %u bytes, %zu waiting", cases[i].opcode, cases[i].size,
                 cases[i].waiting);
        assert_int_equal(pipe(device), 0);
        assert_int_equal(write(device[1], "x", cases[i].waiting), cases[i].waiting);
        lead_take(lead);
        start_other(&other, lead);
        for (int n = 0; n < cases[i].kept; n++) {
            lead_handle(lead, device[0], cases[i].opcode, cases[i].size);
            lead_take(lead);
            sem_getvalue(&other.leads, &value);
            assert_int_equal(value, 0);
        }
        if (cases[i].kept < MANY)
            lead_handle(lead, device[0], cases[i].opcode, cases[i].size);
        else
            lead_pass(lead);
        while (sem_wait(&other.leads) < 0)
            ;
        end_other(&other);
        close(device[0]);
        close(device[1]);
        lead_free(lead);
    }
    lead_free(NULL);
}

static void who_does_not_come_back_is_replaced(void **state)
{
    struct lead *lead = lead_new(1);
    struct other other;
    int device[2];

    (void)state;
    assert_int_equal(pipe(device), 0);
    for (int i = 0; i < 3; i++) {
        lead_take(lead);
        lead_handle(lead, device[0], LOOKUP, 0);
        start_other(&other, lead);
        end_other(&other);
    }
    lead_take(lead);
    close(device[0]);
    close(device[1]);
    lead_free(lead);
}

/* The next one slept since nothing came; then a request is not finished. */
static void who_sleeps_is_woken_for_that(void **state)
{
    struct lead *lead = lead_new(1);
    struct other other;
    int device[2];

    (void)state;
    assert_int_equal(pipe(device), 0);
    lead_take(lead);
    start_other(&other, lead);
    clock_sleep_ms(30); /* or not yet: that is right as well */
    lead_handle(lead, device[0], LOOKUP, 0);
    end_other(&other);
    close(device[0]);
    close(device[1]);
    lead_free(lead);
}

static void *wait_in_vain(void *arg)
{
    lead_take(arg);
    return NULL;
}

/* libfuse cancels those who wait when the mount ends. */
static void who_waits_can_be_cancelled(void **state)
{
    struct lead *lead = lead_new(1);
    pthread_t threads[THREADS];
    void *result;

    (void)state;
    lead_take(lead);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], "waits", wait_in_vain, lead), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_cancel(threads[i]);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &result);
        assert_ptr_equal(result, PTHREAD_CANCELED);
    }
    lead_free(lead);
}

struct crowd {
    struct lead *lead;
    int device;
    atomic_int reading;
    atomic_int most;
};

static void *read_on(void *arg)
{
    struct crowd *crowd = arg;

    for (int i = 0; i < ROUNDS; i++) {
        lead_take(crowd->lead);
        if (atomic_fetch_add(&crowd->reading, 1) > 0)
            atomic_store(&crowd->most, 2);
        atomic_fetch_sub(&crowd->reading, 1);
        lead_handle(crowd->lead, crowd->device, i % 3 ? LOOKUP : KERNEL_FUSE_READ, MUCH);
    }
    lead_take(crowd->lead);
    lead_pass(crowd->lead);
    return NULL;
}

static void one_reads_at_a_time(void **state)
{
    struct crowd crowd = {.lead = lead_new(1)};
    pthread_t threads[THREADS];
    int device[2];

    (void)state;
    assert_int_equal(pipe(device), 0);
    crowd.device = device[0];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(thread_start(&threads[i], "reads", read_on, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(crowd.most, 0);
    close(device[0]);
    close(device[1]);
    lead_free(crowd.lead);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_keeps_the_lead_reads_on),
        cmocka_unit_test(who_does_not_come_back_is_replaced),
        cmocka_unit_test(who_sleeps_is_woken_for_that),
        cmocka_unit_test(who_waits_can_be_cancelled),
        cmocka_unit_test(one_reads_at_a_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
