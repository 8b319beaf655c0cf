/* test_model_lock.c: audmodel's lock files, against Python's filelock as the peer. */
#include "tests/test.h"

#include "cache/model_lock.h"
#include "common/cleanup.h"
#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/modelfs-lock-XXXXXX";

/* A Python process that says "locked" and then holds the lock until its input ends. */
static const char holder[] =
    "import sys, filelock\n"
    "try:\n"
    "    with filelock.FileLock(sys.argv[1], timeout=float(sys.argv[2])):\n"
    "        print('locked', flush=True)\n"
    "        sys.stdin.read()\n"
    "except filelock.Timeout:\n"
    "    print('timeout', flush=True)\n";

struct peer {
    pid_t pid;
    int to, from;
};

/* As modelfs does: by a path below an open folder. */
static int take(const char *path, int timeout_ms, int *ret_fd, struct error *err)
{
    CLEANUP_CLOSE int top = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    assert_true(top >= 0);
    return model_lock_acquire(top, strrchr(path, '/') + 1, timeout_ms, ret_fd, err);
}

static bool has_peer(void)
{
    return system("/usr/bin/python3 -c 'import filelock' 2>/dev/null") == 0;
}

static struct peer peer_start(const char *path, const char *timeout_s)
{
    struct peer peer;
    int in[2], out[2];

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    peer.pid = fork();
    assert_true(peer.pid >= 0);
    if (peer.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl("/usr/bin/python3", "python3", "-c", holder, path, timeout_s, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    peer.to = in[1];
    peer.from = out[0];
    return peer;
}

static void peer_says(struct peer *peer, const char *word)
{
    char said[16] = "";

    assert_true(read(peer->from, said, sizeof(said) - 1) > 0);
    said[strcspn(said, "\n")] = '\0';
    assert_string_equal(said, word);
}

static void peer_end(struct peer *peer)
{
    close(peer->to);
    close(peer->from);
    assert_int_equal(waitpid(peer->pid, NULL, 0), peer->pid);
}

static void python_keeps_us_out(void **state)
{
    char path[64];
    struct error err = {0};
    struct peer peer;
    int fd = -1;

    (void)state;
    if (!has_peer())
        skip(); /* python3-filelock is not installed */
    snprintf(path, sizeof(path), "%s/.1.0.0.lock", folder);
    peer = peer_start(path, "5");
    peer_says(&peer, "locked");
    assert_int_equal(take(path, 60, &fd, &err), -ETIMEDOUT);
    assert_int_equal(fd, -1);
    peer_end(&peer);
    assert_int_equal(take(path, 5000, &fd, &err), 0);
    model_lock_release(fd);
}

static void we_keep_python_out(void **state)
{
    char path[64];
    struct error err = {0};
    struct peer peer;
    struct stat st;
    int fd = -1;

    (void)state;
    if (!has_peer())
        skip();
    snprintf(path, sizeof(path), "%s/.2.0.0.lock", folder);
    assert_int_equal(take(path, 0, &fd, &err), 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0664);
    peer = peer_start(path, "0.1");
    peer_says(&peer, "timeout");
    peer_end(&peer);
    model_lock_release(fd);
    peer = peer_start(path, "5");
    peer_says(&peer, "locked");
    peer_end(&peer);
}

static void a_dead_holder_gives_it_back(void **state)
{
    char path[64];
    struct error err = {0};
    int fd = -1, ready[2];
    char byte;
    pid_t pid;

    (void)state;
    snprintf(path, sizeof(path), "%s/.3.0.0.lock", folder);
    assert_int_equal(pipe(ready), 0);
    pid = fork();
    if (pid == 0) {
        if (take(path, 0, &fd, &err) == 0 && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(take(path, 0, &fd, &err), -ETIMEDOUT);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(take(path, 0, &fd, &err), 0);
    model_lock_release(fd);
    close(ready[0]);
    close(ready[1]);
}

static void links_are_not_followed(void **state)
{
    char path[64];
    struct error err = {0};
    int fd = -1;

    (void)state;
    snprintf(path, sizeof(path), "%s/.4.0.0.lock", folder);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(take(path, 0, &fd, &err), -ELOOP);
}

static int setup(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int teardown(void **state)
{
    struct error err = {0};

    (void)state;
    return files_remove_tree(AT_FDCWD, folder, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_keeps_us_out),
        cmocka_unit_test(we_keep_python_out),
        cmocka_unit_test(a_dead_holder_gives_it_back),
        cmocka_unit_test(links_are_not_followed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
