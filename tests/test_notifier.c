/* test_notifier.c: notifications that a kernel takes at once, or late. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/sync.h"
#include "fs/notifier.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 60000 };

/* A device that takes messages as long as there is room for them. */
struct device {
    int fds[2]; /* ours, and the notifier's */
    struct notifier *notifier;
};

static void device_open(struct device *device)
{
    struct error err = {0};

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, device->fds),
                     0);
    if (notifier_start(device->fds[1], &device->notifier, &err) < 0)
        fail_msg("%s", err.message);
}

static void device_close(struct device *device)
{
    notifier_stop(device->notifier);
    close(device->fds[0]);
    close(device->fds[1]);
}

static void send_text(struct device *device, const char *text)
{
    const struct iovec iov = {.iov_base = (char *)text, .iov_len = strlen(text)};

    assert_int_equal(notifier_send(device->notifier, &iov, 1), strlen(text));
}

static void what_was_sent_is_taken_in_order(void **state)
{
    static const char *const texts[] = {"one", "two", "three"};
    struct device device;
    char text[16];

    (void)state;
    device_open(&device);
    assert_true(notifier_wait(device.notifier, clock_now_ms())); /* there is nothing */
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
        send_text(&device, texts[i]);
    assert_true(notifier_wait(device.notifier, clock_now_ms() + PATIENCE_MS));
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        ssize_t size = recv(device.fds[0], text, sizeof text, MSG_DONTWAIT);

        assert_int_equal(size, strlen(texts[i]));
        assert_memory_equal(text, texts[i], strlen(texts[i]));
    }
    device_close(&device);
}

/* The device has no room: as a kernel that has the folder locked. */
static void what_the_kernel_keeps_waiting_is_not_taken(void **state)
{
    struct device device;
    char text[16];
    int full = 0;

    (void)state;
    device_open(&device);
    while (send(device.fds[1], "full", 4, MSG_DONTWAIT) == 4)
        full++;
    assert_int_equal(errno, EAGAIN);
    send_text(&device, "late");
    assert_false(notifier_wait(device.notifier, clock_now_ms()));
    assert_false(notifier_wait(device.notifier, clock_now_ms() + 20));
    for (int i = 0; i <= full; i++)
        assert_int_equal(recv(device.fds[0], text, sizeof text, 0), 4);
    assert_memory_equal(text, "late", 4);
    assert_true(notifier_wait(device.notifier, clock_now_ms() + PATIENCE_MS));
    device_close(&device);
}

/* The only child that we have. */
static pid_t find_child(void)
{
    CLEANUP_FCLOSE FILE *children = NULL;
    char path[64];
    int child = 0;

    snprintf(path, sizeof path, "/proc/self/task/%d/children", gettid());
    children = fopen(path, "re");
    assert_non_null(children);
    assert_int_equal(fscanf(children, "%d", &child), 1);
    return child;
}

static void nobody_waits_for_one_that_was_killed(void **state)
{
    const struct iovec iov = {.iov_base = (char *)"more", .iov_len = 4};
    struct device device;

    (void)state;
    device_open(&device);
    while (send(device.fds[1], "full", 4, MSG_DONTWAIT) == 4)
        continue;
    send_text(&device, "late");
    assert_int_equal(kill(find_child(), SIGKILL), 0);
    assert_false(notifier_wait(device.notifier, INT64_MAX));
    assert_int_equal(notifier_send(device.notifier, &iov, 1), -1);
    device_close(&device);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_taken_in_order),
        cmocka_unit_test(what_the_kernel_keeps_waiting_is_not_taken),
        cmocka_unit_test(nobody_waits_for_one_that_was_killed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
