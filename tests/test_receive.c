/* test_receive.c: the bytes of a member go into its file, if the disk has room. */
#include "tests/test.h"

#include "cache/archive_state.h"
#include "common/cleanup.h"
#include "common/memory.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

enum { LEAD = 1000, NEAR = 20000, OLD = 200000, LEFT = 12 << 10 };

/* A disk of its own; false: only root may mount one. */
static bool mount_disk(char *root)
{
    assert_non_null(mkdtemp(root));
    if (mount("tmpfs", root, "tmpfs", 0, "size=4m") == 0)
        return true;
    rmdir(root);
    return false;
}

static void unmount_disk(const char *root)
{
    assert_int_equal(umount(root), 0);
    rmdir(root);
}

/* A file of so many bytes fills the rest of a disk but for some. */
static void fill(const char *root, size_t left)
{
    CLEANUP_FREE char *path = xasprintf("%s/junk", root);
    CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    CLEANUP_FREE unsigned char *noise = fixture_noise(MIB);
    off_t size = 0;
    ssize_t done;

    while ((done = write(fd, noise, MIB)) > 0)
        size += done;
    assert_int_equal(errno, ENOSPC);
    assert_int_equal(ftruncate(fd, size - (off_t)left), 0);
}

static void await_member(struct archive *archive, uint32_t index)
{
    bool is_there;

    do {
        sched_yield();
        lock_acquire(&archive->lock);
        is_there = archive_state_member_locked(archive, index) != NULL;
        lock_release(&archive->lock);
    } while (!is_there);
}

struct answer {
    sem_t is_given;
    int rc;
};

static void take_answer(void *arg, int rc, const struct error *err)
{
    struct answer *answer = arg;

    (void)err;
    answer->rc = rc;
    sem_post(&answer->is_given);
}

static void ignore_answer(void *arg, int rc, const struct error *err)
{
    (void)arg;
    (void)rc;
    (void)err;
}

static void want(struct archive *archive, const char *path, archive_done *done, void *arg)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct error err = {0};

    assert_int_equal(archive_want(archive, fixture_index(archive, path), 0, ARCHIVE_WHOLE,
                                  &generation, done, arg, &err),
                     0);
}

/* The disk is full but for the lead; then somebody waits for what comes along, and a
 * model that nobody uses makes room. */
static void who_waits_for_what_comes_along_gets_room(void **state)
{
    CLEANUP_FREE unsigned char *noise = fixture_noise(OLD);
    struct zip_file old = {.name = "old.bin", .data = noise, .size = OLD};
    struct zip_file files[] = {
        {.name = "a.bin", .data = noise,     .size = LEAD},
        {.name = "b.bin", .data = noise + 1, .size = NEAR},
    };
    struct answer answer = {.rc = -1};
    char root[] = "/tmp/modelfs-full-XXXXXX";
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    if (!mount_disk(root))
        skip();
    sem_init(&answer.is_given, 0, 0);
    fixture_open(&fixture, &(struct cache_options){.root = root});
    fixture_publish(&fixture, &old, 1);
    archive = fixture_archive(&fixture);
    assert_true(fixture_has(archive, "old.bin", noise, OLD));
    archive_unref(archive);
    fixture_reopen(&fixture); /* it is at its place */
    fixture_publish_as(&fixture, "2.0.0", files, ARRAY_SIZE(files));
    snprintf(fixture.release.version, sizeof fixture.release.version, "2.0.0");
    archive = fixture_archive(&fixture);
    fill(root, LEFT);
    fault_backend_block(fixture.fault, FAULT_OBJECT_READ, ".zip");
    want(archive, "a.bin", ignore_answer, NULL);
    await_member(archive, fixture_index(archive, "b.bin"));
    want(archive, "b.bin", take_answer, &answer);
    fault_backend_release(fixture.fault);
    sem_wait(&answer.is_given);
    assert_int_equal(answer.rc, 0);
    assert_true(fixture_has(archive, "b.bin", noise + 1, NEAR));
    archive_unref(archive);
    fixture_leave(&fixture);
    unmount_disk(root);
    sem_destroy(&answer.is_given);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_waits_for_what_comes_along_gets_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
