/* test_slots.c: slots are given once, and understood by the next process. */
#include "tests/test.h"

#include "fs/slots.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEXTS = 5000, THREADS = 4 };

static void name_text(char *text, size_t size, unsigned number)
{
    snprintf(text, size, "0/%08x/1.0.%u", number * 2654435761u, number);
}

static uint32_t intern(struct slots *slots, const char *text)
{
    struct error err = {0};
    uint32_t slot = 0;

    assert_int_equal(slots_intern(slots, text, &slot, &err), 0);
    assert_string_equal(slots_text(slots, slot), text);
    return slot;
}

static struct slots *open_slots(int fd)
{
    struct error err = {0};
    struct slots *slots = NULL;

    assert_int_equal(slots_open(fd, &slots, &err), 0);
    return slots;
}

static void test_same_text_same_slot(void **state)
{
    struct slots *slots = open_slots(-1);
    uint32_t given[TEXTS];
    char text[64];

    (void)state;
    assert_int_equal(slots_count(slots), 0);
    for (unsigned i = 0; i < TEXTS; i++) {
        name_text(text, sizeof text, i);
        given[i] = intern(slots, text);
    }
    for (unsigned i = 0; i < TEXTS; i++) {
        name_text(text, sizeof text, i);
        assert_int_equal(intern(slots, text), given[i]);
    }
    assert_int_equal(slots_count(slots), TEXTS);
    assert_int_equal(intern(slots, ""), intern(slots, ""));
    slots_close(slots);
}

static void test_numbers_that_are_no_slot(void **state)
{
    static const uint32_t numbers[] = {0, 1, 2, 1000000, UINT32_MAX};
    struct slots *slots = open_slots(-1);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        test_row(i, "%u", numbers[i]);
        assert_null(slots_text(slots, numbers[i]));
    }
    slots_close(slots);
}

static void test_handed_to_another_process(void **state)
{
    struct slots *slots = open_slots(-1);
    uint32_t slot = intern(slots, "emotion-small");
    int fd = dup(slots_fd(slots));
    int status;
    pid_t child = fork();

    (void)state;
    if (child == 0) { /* the next worker adds, and is killed at it */
        struct slots *next = open_slots(fd);
        char text[64];

        if (strcmp(slots_text(next, slot), "emotion-small") != 0)
            _exit(1);
        for (unsigned i = 0; i < TEXTS; i++) {
            name_text(text, sizeof text, i);
            intern(next, text);
        }
        raise(SIGKILL);
    }
    slots_close(slots);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    slots = open_slots(fd);
    assert_int_equal(slots_count(slots), TEXTS + 1);
    assert_int_equal(intern(slots, "emotion-small"), slot);
    slots_close(slots);
}

static void test_renewed(void **state)
{
    struct slots *slots = open_slots(-1);
    uint32_t before = intern(slots, "prod"), after;
    struct error err = {0};
    int fd = dup(slots_fd(slots));

    (void)state;
    assert_int_equal(slots_renew(slots, "stable", &err), 0);
    assert_int_equal(slots_count(slots), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(slots_renew(slots, "prod", &err), 0);
        after = intern(slots, "prod");
        assert_int_not_equal(after, before);
        assert_int_equal(intern(slots, "prod"), after);
        assert_string_equal(slots_text(slots, before), "prod");
        before = after;
    }
    assert_int_equal(slots_count(slots), 1);
    slots_close(slots);
    slots = open_slots(fd); /* as the next worker does */
    assert_int_equal(slots_count(slots), 1);
    assert_int_equal(intern(slots, "prod"), after);
    slots_close(slots);
}

static void test_foreign_block(void **state)
{
    struct error err = {0};
    struct slots *slots = NULL;
    int fd = memfd_create("foreign", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(ftruncate(fd, 1 << 20), 0);
    assert_int_equal(slots_open(fd, &slots, &err), -EPROTO);
    assert_null(slots);
}

static void *intern_all(void *arg)
{
    struct slots *slots = arg;
    struct error err = {0};
    uint32_t slot;
    char text[64];

    for (unsigned i = 0; i < TEXTS; i++) {
        name_text(text, sizeof text, i);
        if (slots_intern(slots, text, &slot, &err) < 0 ||
            strcmp(slots_text(slots, slot), text) != 0)
            return arg;
    }
    return NULL;
}

static void test_threads(void **state)
{
    struct slots *slots = open_slots(-1);
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, intern_all, slots), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *failed;

        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_int_equal(slots_count(slots), TEXTS);
    slots_close(slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_text_same_slot),
        cmocka_unit_test(test_numbers_that_are_no_slot),
        cmocka_unit_test(test_handed_to_another_process),
        cmocka_unit_test(test_renewed),
        cmocka_unit_test(test_foreign_block),
        cmocka_unit_test(test_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
