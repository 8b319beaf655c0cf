/* test_notify.c: what systemd hears, on sockets with and without a path. */
#include "tests/test.h"

#include "fs/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[] = "/tmp/test_notify.XXXXXX";

/* A bound socket; name as $NOTIFY_SOCKET has it. */
static int listen_at(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name));
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    memcpy(address.sun_path, name, strlen(name));
    if (*name == '@')
        address.sun_path[0] = '\0';
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    return fd;
}

static void states_arrive(void **state)
{
    char path[64];
    char abstract[64];
    const char *names[] = {path, abstract};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/notify", folder);
    snprintf(abstract, sizeof abstract, "@%s", folder);
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        char text[64] = "";
        int fd = listen_at(names[i]);

        test_row(i, "%s", names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_ready();
        assert_int_equal(recv(fd, text, sizeof text, 0), strlen("READY=1"));
        assert_memory_equal(text, "READY=1", strlen("READY=1"));
        notify_stopping();
        assert_int_equal(recv(fd, text, sizeof text, 0), strlen("STOPPING=1"));
        assert_memory_equal(text, "STOPPING=1", strlen("STOPPING=1"));
        close(fd);
    }
    unlink(path);
    rmdir(folder);
}

/* None of them may crash or block. */
static void other_names_are_left_alone(void **state)
{
    static const char *const names[] = {"", "relative", "vsock:2:1234",
                                        "/nonexistent/socket"};
    char endless[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        test_row(i, "%s", names[i]);
        setenv("NOTIFY_SOCKET", names[i], 1);
        notify_ready();
    }
    memset(endless, '/', sizeof endless - 1);
    endless[sizeof endless - 1] = '\0';
    setenv("NOTIFY_SOCKET", endless, 1);
    notify_ready();
    unsetenv("NOTIFY_SOCKET");
    notify_ready();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_arrive),
        cmocka_unit_test(other_names_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
