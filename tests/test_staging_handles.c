/* Tests of staging_handles.c: what is open stays what it is, whatever its names do. */
#include "tests/test.h"

#include "common/cleanup.h"
#include "common/sync.h"
#include "fs/staging_handles.h"
#include "tests/fakes/fuse_fake.h"
#include "tests/staged.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum {
    UNIQUE = 2,
    PATIENCE_MS = 20000, /* so that tests end */
};

struct fixture {
    struct staged_fixture staged;
    struct channel *channel;
    struct passthrough *passthrough;
    struct staging_handles *handles;
};

static void open_handles(struct fixture *fixture)
{
    fixture->handles = staging_handles_new(fixture->staged.nodes, fixture->staged.disk);
    staging_handles_attach(fixture->handles, fixture->passthrough);
}

static struct fixture fixture_open(void **state)
{
    struct fixture fixture = {.staged = staged_open(*state)};

    fixture.channel =
        fuse_fake_channel(&(struct fuse_fake_kernel){KERNEL_PASSTHROUGH, false, true},
                          &(struct channel_options){0}, NULL);
    fixture.passthrough = passthrough_new(fixture.channel, fuse_fake_handover());
    open_handles(&fixture);
    return fixture;
}

static void fixture_close(struct fixture *fixture)
{
    staging_handles_free(fixture->handles);
    passthrough_free(fixture->passthrough);
    channel_close(fixture->channel);
    staged_close(&fixture->staged);
}

static void hold_made(struct fixture *fixture, uint64_t number, int flags, int take_fd)
{
    struct staging_wish wish = {
        .number = number, .node_id = number, .unique = UNIQUE, .flags = flags};
    struct error err = {0};
    uint32_t backing_id;
    uint64_t handle;

    if (staging_handles_hold(fixture->handles, &wish, take_fd, &handle, &backing_id,
                             &err) < 0)
        fail_msg("%s", err.message);
}

static void hold(struct fixture *fixture, uint64_t number, int flags)
{
    hold_made(fixture, number, flags, -1);
}

static bool release(struct fixture *fixture, uint64_t number, int flags)
{
    return staging_handles_release(fixture->handles, number, 0, flags);
}

/* Unlink at the top, as the handlers do. */
static void unlink_name(struct fixture *fixture, const char *name)
{
    int landing = staging_disk_fd(fixture->staged.disk);
    struct staging_loss loss;
    struct error err = {0};

    assert_int_equal(staging_handles_lose(fixture->handles, landing, name, &loss, &err),
                     0);
    assert_int_equal(unlinkat(landing, name, 0), 0);
    staging_handles_lost(fixture->handles, &loss, 0);
}

/* A process before this one unlinked it. */
static void note_unlinked(struct fixture *fixture, const char *name)
{
    struct staging_loss loss;

    staging_handles_lose_again(fixture->handles, staging_disk_fd(fixture->staged.disk), 0,
                               name, &loss);
    staging_handles_lost(fixture->handles, &loss, 0);
}

static void assert_content(struct fixture *fixture, uint64_t number, const char *expected)
{
    CLEANUP_CLOSE int fd = staging_handles_dup(fixture->handles, number);
    char content[64] = "";

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, content, sizeof content - 1, 0), strlen(expected));
    assert_string_equal(content, expected);
}

/* Does a number still mean a file, be it a dead one? */
static bool is_known(const struct fixture *fixture, uint64_t number)
{
    return staging_node_inode(fixture->staged.nodes, number) != 0;
}

static bool is_in_trash(struct fixture *fixture, uint64_t number)
{
    char name[NAME_MAX + 1];

    staging_disk_trash_name(number, name);
    return faccessat(staging_disk_trash_fd(fixture->staged.disk), name, F_OK, 0) == 0;
}

static void test_writers(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t job = staged_mkdir(&fixture.staged, 0, "job");
    uint64_t file = staged_put(&fixture.staged, job, "a");

    hold(&fixture, file, O_RDONLY);
    assert_false(staging_handles_has_writers(fixture.handles, file));
    hold(&fixture, file, O_RDWR);
    hold(&fixture, file, O_WRONLY);
    assert_true(staging_handles_has_writers_below(fixture.handles, "job"));
    assert_false(staging_handles_has_writers_below(fixture.handles, "jo"));
    assert_false(release(&fixture, file, O_WRONLY));
    assert_false(release(&fixture, file, O_RDONLY));
    assert_true(release(&fixture, file, O_RDWR));
    assert_false(staging_handles_has_writers_below(fixture.handles, "job"));
    assert_int_equal(staging_handles_dup(fixture.handles, file), -ENOENT);
    fixture_close(&fixture);
}

static void test_truncated_when_opened(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t file = staged_put(&fixture.staged, 0, "a");

    hold(&fixture, file, O_RDONLY);
    assert_content(&fixture, file, "a");
    hold(&fixture, file, O_WRONLY | O_TRUNC);
    assert_content(&fixture, file, "");
    fixture_close(&fixture);
}

static void test_open_and_unlinked(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t file = staged_put(&fixture.staged, 0, "a");
    uint64_t closed = staged_put(&fixture.staged, 0, "b");

    hold(&fixture, file, O_RDONLY);
    unlink_name(&fixture, "a");
    unlink_name(&fixture, "b");
    assert_true(is_in_trash(&fixture, file));
    assert_false(is_in_trash(&fixture, closed));
    staging_handles_forget(fixture.handles, file); /* of a look-up that came too late */
    staging_handles_forget(fixture.handles, closed);
    assert_true(is_known(&fixture, file));
    assert_false(is_known(&fixture, closed));
    hold(&fixture, file, O_RDWR); /* as /proc/self/fd/N */
    release(&fixture, file, O_RDONLY);
    assert_content(&fixture, file, "a");
    release(&fixture, file, O_RDWR);
    assert_false(is_in_trash(&fixture, file));
    assert_false(is_known(&fixture, file));
    fixture_close(&fixture);
}

static void test_failed_unlink(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t file = staged_put(&fixture.staged, 0, "a");
    int landing = staging_disk_fd(fixture.staged.disk);
    struct staging_loss loss;
    struct error err = {0};

    hold(&fixture, file, O_RDONLY);
    assert_int_equal(staging_handles_lose(fixture.handles, landing, "a", &loss, &err), 0);
    assert_true(loss.is_linked);
    staging_handles_lost(fixture.handles, &loss, -EIO);
    assert_false(is_in_trash(&fixture, file));
    assert_false(staging_node_is_dead(fixture.staged.nodes, file));
    fixture_close(&fixture);
}

/* A process has it as its working folder. */
static void test_removed_folder(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t job = staged_mkdir(&fixture.staged, 0, "job");
    int landing = staging_disk_fd(fixture.staged.disk), fd;
    struct staging_loss loss;
    struct error err = {0};
    struct stat st;

    assert_int_equal(staging_handles_lose(fixture.handles, landing, "job", &loss, &err),
                     0);
    assert_int_equal(unlinkat(landing, "job", AT_REMOVEDIR), 0);
    staging_handles_lost(fixture.handles, &loss, 0);
    fd = staging_handles_dup(fixture.handles, job);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_nlink, 0);
    close(fd);
    staging_handles_forget(fixture.handles, job);
    assert_int_equal(staging_handles_dup(fixture.handles, job), -ENOENT);
    assert_false(is_known(&fixture, job));
    fixture_close(&fixture);
}

/* It has a second name, so it is not lost with the first. */
static void test_hard_link(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t file = staged_put(&fixture.staged, 0, "a");
    int landing = staging_disk_fd(fixture.staged.disk);

    hold(&fixture, file, O_RDONLY);
    assert_int_equal(linkat(landing, "a", landing, "b", 0), 0);
    unlink_name(&fixture, "a");
    assert_false(staging_node_is_dead(fixture.staged.nodes, file));
    assert_true(is_in_trash(&fixture, file)); /* the second name may not be known */
    assert_true(staged_number(&fixture.staged, 0, "b") == file);
    unlink_name(&fixture, "b");
    assert_true(staging_node_is_dead(fixture.staged.nodes, file));
    release(&fixture, file, O_RDONLY);
    assert_false(is_in_trash(&fixture, file));
    fixture_close(&fixture);
}

/* The same of a file that keeps its second name, closed by the same process or the next.
 */
static void test_hard_link_stays(void **state)
{
    for (size_t i = 0; i < 2; i++) {
        const char *const names[] = {"a0", "a1"};
        struct fixture fixture = fixture_open(state);
        uint64_t file = staged_put(&fixture.staged, 0, names[i]);
        int landing = staging_disk_fd(fixture.staged.disk);
        struct stat st;

        test_row(i, "%s", i == 0 ? "the same process" : "the next process");
        hold(&fixture, file, O_RDONLY);
        assert_int_equal(linkat(landing, names[i], landing, "b", 0), 0);
        unlink_name(&fixture, names[i]);
        if (i == 1) {
            staging_handles_free(fixture.handles);
            open_handles(&fixture);
        }
        release(&fixture, file, O_RDONLY);
        assert_false(is_in_trash(&fixture, file));
        assert_int_equal(fstatat(landing, "b", &st, 0), 0);
        assert_int_equal(st.st_nlink, 1);
        assert_int_equal(unlinkat(landing, "b", 0), 0);
        fixture_close(&fixture);
    }
}

/* The next process knows that a file is open, though it has no descriptor of it. */
static void test_next_process(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t file = staged_put(&fixture.staged, 0, "a");
    uint64_t other = staged_put(&fixture.staged, 0, "b");

    hold(&fixture, file, O_RDWR);
    hold(&fixture, other, O_RDWR);
    staging_handles_free(fixture.handles);
    open_handles(&fixture);
    unlink_name(&fixture, "a");
    assert_true(is_in_trash(&fixture, file));
    assert_true(release(&fixture, file, O_RDWR));
    assert_false(is_in_trash(&fixture, file));
    /* Killed after the unlink: what it had not told the table is told now. */
    assert_int_equal(unlinkat(staging_disk_fd(fixture.staged.disk), "b", 0), 0);
    note_unlinked(&fixture, "b");
    assert_true(staging_node_is_dead(fixture.staged.nodes, other));
    release(&fixture, other, O_RDWR);
    assert_false(is_known(&fixture, file));
    assert_false(is_known(&fixture, other));
    fixture_close(&fixture);
}

/* A rename that a process before did: its target is what was moved, and is not lost. */
static void test_rename_was_done(void **state)
{
    struct fixture fixture = fixture_open(state);
    int landing = staging_disk_fd(fixture.staged.disk);
    uint64_t before = staged_put(&fixture.staged, 0, "a"), moved;

    assert_int_equal(unlinkat(landing, "a", 0), 0);
    moved = staged_put(&fixture.staged, 0, "new");
    assert_int_equal(renameat(landing, "new", landing, "a"), 0);
    if (moved == before) /* the disk gave its inode away again at once */
        moved = 0;
    note_unlinked(&fixture, "a");
    assert_true(moved == 0 || staging_node_inode(fixture.staged.nodes, before) == 0);
    assert_true(moved == 0 || staged_number(&fixture.staged, 0, "a") == moved);
    fixture_close(&fixture);
}

static void test_lose_top(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t job = staged_mkdir(&fixture.staged, 0, "job");
    uint64_t file = staged_put(&fixture.staged, job, "a");
    uint64_t closed = staged_put(&fixture.staged, job, "b");
    uint64_t manifest = staged_put(&fixture.staged, 0, "job.yaml");

    hold(&fixture, file, O_RDONLY);
    staging_handles_lose_top(fixture.handles, "job");
    assert_true(is_known(&fixture, file));
    assert_false(is_known(&fixture, closed));
    assert_false(is_known(&fixture, job));
    assert_content(&fixture, file, "a");
    release(&fixture, file, O_RDONLY);
    assert_false(is_known(&fixture, file));
    assert_true(is_known(&fixture, manifest));
    fixture_close(&fixture);
}

/* A connection whose close(2) waits until the other end has read what was sent. */
static void connect_slow(int *ret_fd, int *ret_other)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger linger = {.l_onoff = 1, .l_linger = 3 * PATIENCE_MS / 1000};
    CLEANUP_CLOSE int listener = socket(AF_INET, SOCK_STREAM, 0);
    socklen_t size = sizeof at;
    char bytes[65536] = "";

    assert_int_equal(bind(listener, (struct sockaddr *)&at, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&at, &size), 0);
    *ret_fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(*ret_fd, (struct sockaddr *)&at, size), 0);
    *ret_other = accept(listener, NULL, NULL);
    assert_true(*ret_other >= 0);
    assert_int_equal(setsockopt(*ret_fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger),
                     0);
    while (send(*ret_fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
        continue;
    assert_int_equal(errno, EAGAIN);
}

static void read_all(int fd)
{
    char bytes[65536];

    while (read(fd, bytes, sizeof bytes) > 0)
        continue;
}

/* What a thread does with a file, and whether it is done. */
struct errand {
    struct fixture *fixture;
    uint64_t number;
    struct lock lock;
    struct condition changed;
    bool is_done; /* guarded by lock */
};

static void *note_done(struct errand *errand)
{
    lock_acquire(&errand->lock);
    errand->is_done = true;
    condition_broadcast(&errand->changed);
    lock_release(&errand->lock);
    return NULL;
}

static void *release_in_thread(void *arg)
{
    struct errand *errand = arg;

    release(errand->fixture, errand->number, O_WRONLY);
    return note_done(errand);
}

static void *look_in_thread(void *arg)
{
    struct errand *errand = arg;

    (void)staging_handles_has_writers(errand->fixture->handles, errand->number);
    return note_done(errand);
}

static pthread_t start(struct errand *errand, void *(*run)(void *))
{
    pthread_t thread;

    lock_init(&errand->lock);
    condition_init(&errand->changed);
    assert_int_equal(thread_start(&thread, "errand", run, errand), 0);
    return thread;
}

static bool is_done(struct errand *errand, int64_t deadline_ms)
{
    bool is_done;
    int rc = 0;

    lock_acquire(&errand->lock);
    while (rc == 0 && !errand->is_done)
        rc = condition_wait_until(&errand->changed, &errand->lock, deadline_ms);
    is_done = errand->is_done;
    lock_release(&errand->lock);
    return is_done;
}

static void finish(struct errand *errand, pthread_t thread)
{
    pthread_join(thread, NULL);
    condition_done(&errand->changed);
    lock_done(&errand->lock);
}

static void test_a_slow_close_keeps_nobody_waiting(void **state)
{
    struct fixture fixture = fixture_open(state);
    uint64_t slow = staged_put(&fixture.staged, 0, "slow");
    uint64_t other = staged_put(&fixture.staged, 0, "other");
    struct errand closing = {.fixture = &fixture, .number = slow};
    struct errand looking = {.fixture = &fixture, .number = other};
    pthread_t closer, looker;
    int fd, other_end;

    connect_slow(&fd, &other_end);
    hold_made(&fixture, slow, O_WRONLY, fd);
    closer = start(&closing, release_in_thread);
    while (staging_node_is_open(fixture.staged.nodes, slow))
        sched_yield(); /* it holds the lock by now, or it is in close(2) */
    looker = start(&looking, look_in_thread);
    assert_true(is_done(&looking, clock_now_ms() + PATIENCE_MS));
    assert_false(is_done(&closing, 0));
    read_all(other_end);
    finish(&closing, closer);
    finish(&looking, looker);
    close(other_end);
    fixture_close(&fixture);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_slow_close_keeps_nobody_waiting),
        TEST(test_writers),
        TEST(test_truncated_when_opened),
        TEST(test_open_and_unlinked),
        TEST(test_failed_unlink),
        TEST(test_removed_folder),
        TEST(test_hard_link),
        TEST(test_next_process),
        TEST(test_rename_was_done),
        TEST(test_hard_link_stays),
        TEST(test_lose_top),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
