/* test_notify.c: what systemd hears, on sockets with and without a path. */
#include "tests/test.h"

#include "fs/notify.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
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

/* One datagram with at most one descriptor. Its text; *ret_fd is -1 without one. */
static const char *receive(int fd, int *ret_fd)
{
    static char text[128];
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec part = {.iov_base = text, .iov_len = sizeof text - 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    ssize_t size = recvmsg(fd, &message, 0);
    struct cmsghdr *head = CMSG_FIRSTHDR(&message);

    assert_true(size > 0);
    text[size] = '\0';
    *ret_fd = -1;
    if (head && head->cmsg_type == SCM_RIGHTS)
        memcpy(ret_fd, CMSG_DATA(head), sizeof *ret_fd);
    return text;
}

static bool is_same_file(int a, int b)
{
    struct stat first, second;

    return fstat(a, &first) == 0 && fstat(b, &second) == 0 &&
           first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

static void a_mount_is_kept(void **state)
{
    static const char *const kept[] = {
        "FDSTORE=1\nFDNAME=modelfs-device", "FDSTORE=1\nFDNAME=modelfs-block",
        "FDSTORE=1\nFDNAME=modelfs-slots", "FDSTORE=1\nFDNAME=modelfs-staged"};
    struct handover *handover;
    struct error err = {0};
    int fds[HANDOVER_FDS];
    char name[64];
    int listener;

    (void)state;
    snprintf(name, sizeof name, "@modelfs-test-notify-%d", getpid());
    listener = listen_at(name);
    setenv("NOTIFY_SOCKET", name, 1);
    assert_true(notify_has_manager());
    assert_int_equal(handover_new(&handover, &err), 0);
    handover->device_fd = listener; /* any will do */
    handover_list(handover, fds);
    notify_keep(handover);
    for (int i = 0; i < HANDOVER_FDS; i++) {
        int fd;

        test_row((size_t)i, "%s", kept[i]);
        assert_string_equal(receive(listener, &fd), kept[i]);
        assert_true(is_same_file(fd, fds[i]));
        close(fd);
    }
    notify_forget();
    for (int i = 0; i < HANDOVER_FDS; i++) {
        int fd;
        const char *text = receive(listener, &fd);

        assert_memory_equal(text, "FDSTOREREMOVE=1\nFDNAME=modelfs-", 31);
        assert_int_equal(fd, -1);
    }
    handover_free(handover);
    close(listener);
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
        cmocka_unit_test(a_mount_is_kept),
        cmocka_unit_test(other_names_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
