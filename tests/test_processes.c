/* test_processes.c: several processes on one cache folder, and those that are killed. */
#include "tests/test.h"

#include "cache/layout.h"
#include "cache/load.h"
#include "cache/model_lock.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/sync.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 3 << 20, FILES = 12, PROCESSES = 4 };

static unsigned char *noise;
static struct zip_file files[FILES];
static char names[FILES][32];

/* Large and small, stored and deflated. */
static int setup(void **state)
{
    (void)state;
    noise = fixture_noise(SIZE);
    for (int i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof(names[i]), "folder-%d/file-%d", i % 3, i);
        files[i] = (struct zip_file){.name = names[i],
                                     .data = noise + i,
                                     .size = i < 2 ? SIZE - FILES : (size_t)i * 100,
                                     .is_stored = i % 2};
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(noise);
    return 0;
}

static char *new_root(void)
{
    static char root[32];

    snprintf(root, sizeof(root), "/tmp/modelfs-test-XXXXXX");
    assert_non_null(mkdtemp(root));
    return root;
}

/* A cache of its own on root, with the model in its repository. */
static void open_at(struct fixture *fixture, const char *root)
{
    fixture_open(fixture, &(struct cache_options){.root = root, .hold = 1 << 20});
    fixture_publish(fixture, files, FILES);
}

static bool is_file_good(const char *root, const struct zip_file *file)
{
    CLEANUP_FREE char *there = malloc(file->size + 1);
    char path[128];
    CLEANUP_CLOSE int fd = -1;

    snprintf(path, sizeof(path), "%s/%s/%s/%s", root, FIXTURE_ID, FIXTURE_VERSION,
             file->name);
    fd = open(path, O_RDONLY);
    return fd >= 0 && read(fd, there, file->size + 1) == (ssize_t)file->size &&
           memcmp(there, file->data, file->size) == 0;
}

/* The promise: what is at the final path is complete and verified, at any instant. */
static bool is_final_absent_or_good(const char *root)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%s/%s", root, FIXTURE_ID, FIXTURE_VERSION);
    if (access(path, F_OK) < 0)
        return true;
    for (int i = 0; i < FILES; i++) {
        if (!is_file_good(root, &files[i]))
            return false;
    }
    return true;
}

static bool load_all(struct fixture *fixture)
{
    struct archive *archive = fixture_archive(fixture);
    struct error err = {0};
    char *path = NULL;
    bool is_good = load_archive(archive, NULL, NULL, &path, &err) == 0;

    if (!is_good)
        printf("    %s\n", err.message);
    for (int i = 0; is_good && i < FILES; i++)
        is_good = fixture_has(archive, files[i].name, files[i].data, files[i].size);
    free(path);
    archive_unref(archive);
    return is_good;
}

/* What the next process finds after one that died. */
static void check_after(const char *root)
{
    struct fixture fixture;
    struct error err = {0};

    assert_true(is_final_absent_or_good(root));
    open_at(&fixture, root);
    assert_true(load_all(&fixture));
    fixture_leave(&fixture);
    for (int i = 0; i < FILES; i++)
        assert_true(is_file_good(root, &files[i]));
    assert_int_equal(files_remove_tree(AT_FDCWD, root, &err), 0);
}

static void processes_share_one_folder(void **state)
{
    char *root = new_root();
    pid_t pids[PROCESSES];

    (void)state;
    for (int i = 0; i < PROCESSES; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            struct fixture fixture;

            open_at(&fixture, root);
            _exit(load_all(&fixture) && is_final_absent_or_good(root) ? 0 : 1);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;

        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    check_after(root);
}

static void say_and_stop(void *arg, int rc, const struct error *err)
{
    (void)err;
    if (rc == 0 && write(*(int *)arg, "x", 1) == 1)
        for (;;)
            pause(); /* on the transfer's thread: the member stays half done */
}

static void killed_during_a_transfer(void **state)
{
    char *root = new_root();

    (void)state;
    for (int i = 0; i < 2; i++) {
        int ready[2];
        char byte;
        pid_t pid;

        test_row((size_t)i, "%s", i ? "stored" : "deflated");
        assert_int_equal(pipe(ready), 0);
        pid = fork();
        if (pid == 0) {
            uint32_t generation = ARCHIVE_GENERATION_NEW;
            struct error err = {0};
            struct fixture fixture;
            struct archive *archive;

            open_at(&fixture, root);
            archive = fixture_archive(&fixture);
            archive_want(archive, fixture_index(archive, names[i]), 0, 4096, &generation,
                         say_and_stop, &ready[1], &err);
            for (;;)
                pause();
        }
        assert_int_equal(read(ready[0], &byte, 1), 1);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close(ready[0]);
        close(ready[1]);
    }
    check_after(root);
}

#ifdef FAULTS
static void killed_at(const char *point, void (*run)(const char *root))
{
    char *root = new_root();
    char fault[128];
    int status;
    pid_t pid;

    printf("    killed at %s\n", point);
    fflush(stdout);
    snprintf(fault, sizeof(fault), "%s:kill", point);
    pid = fork();
    if (pid == 0) {
        setenv("MODELFS_FAULT", fault, 1);
        run(root);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    check_after(root);
}

static void run_load(const char *root)
{
    struct fixture fixture;

    open_at(&fixture, root);
    load_all(&fixture);
}

static void run_evict(const char *root)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    struct fixture fixture;
    struct archive *archive;

    open_at(&fixture, root);
    load_all(&fixture);
    fixture_leave(&fixture);
    fixture_open(&fixture, &(struct cache_options){.root = root, .size = SIZE});
    snprintf(fixture.release.version, sizeof(fixture.release.version), "2.0.0");
    fixture_publish_as(&fixture, "2.0.0", files, 1);
    archive = fixture_archive(&fixture);
    fixture_want(archive, names[0], 0, 0, &generation);
}

static void killed_at_each_point(void **state)
{
    static const struct {
        const char *point;
        void (*run)(const char *root);
    } cases[] = {
        {"cache.member.before-check",    run_load },
        {"cache.member.placed",          run_load },
        {"cache.member.before-rename",   run_load },
        {"cache.member.before-record",   run_load },
        {"cache.complete.before-lock",   run_load },
        {"cache.complete.before-move",   run_load },
        {"cache.complete.before-rename", run_load },
        {"cache.complete.after-rename",  run_load },
        {"cache.evict.before-rename",    run_evict},
        {"cache.evict.after-rename",     run_evict},
        {"cache.evict.before-remove",    run_evict},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        killed_at(cases[i].point, cases[i].run);
}
#else
static void killed_at_each_point(void **state)
{
    (void)state;
    skip(); /* built without FAULTS=1 */
}
#endif

struct loading {
    struct archive *archive;
    int rc;
};

static void *load(void *arg)
{
    struct loading *loading = arg;
    struct error err = {0};
    char *path = NULL;

    loading->rc = load_archive(loading->archive, NULL, NULL, &path, &err);
    free(path);
    return NULL;
}

static void audmodel_is_faster(void **state)
{
    struct zip_file file = {.name = "a.txt", .data = "hello", .size = 5};
    char *lock_path = layout_lock(FIXTURE_ID, FIXTURE_VERSION, LAYOUT_MODEL);
    struct loading loading = {0};
    struct fixture fixture;
    struct error err = {0};
    pthread_t thread;
    char full[128];
    int root_fd, lock_fd;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    fixture_publish(&fixture, &file, 1);
    loading.archive = fixture_archive(&fixture);
    assert_int_equal(
        files_make_folders(AT_FDCWD, fixture_path(&fixture, FIXTURE_ID), 0777, &err), 0);
    root_fd = open(fixture_path(&fixture, "."), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(model_lock_acquire(root_fd, lock_path, 0, &lock_fd, &err), 0);
    close(root_fd);
    assert_int_equal(thread_start(&thread, "load", load, &loading), 0);
    assert_true(fixture_has(loading.archive, "a.txt", "hello", 5));
    /* As audmodel does: into "1.0.0~", then a rename, all under the lock. */
    assert_int_equal(files_make_folders(
                         AT_FDCWD, fixture_path(&fixture, "3e120e8d/1.0.0~"), 0777, &err),
                     0);
    assert_int_equal(files_replace(AT_FDCWD,
                                   fixture_path(&fixture, "3e120e8d/1.0.0~/a.txt"),
                                   "HELLO", 5, 0644, &err),
                     0);
    snprintf(full, sizeof(full), "%s", fixture_path(&fixture, "3e120e8d/1.0.0~"));
    assert_int_equal(rename(full, fixture_path(&fixture, "3e120e8d/1.0.0")), 0);
    model_lock_release(lock_fd);
    pthread_join(thread, NULL);
    assert_int_equal(loading.rc, 0);
    assert_true(fixture_has(loading.archive, "a.txt", "HELLO", 5)); /* theirs */
    archive_unref(loading.archive);
    free(lock_path);
    fixture_close(&fixture);
}

static void a_full_disk_says_so(void **state)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    char *root = new_root();
    struct fixture fixture;
    struct archive *archive;

    (void)state;
    if (mount("tmpfs", root, "tmpfs", 0, "size=1m") < 0) {
        rmdir(root);
        skip(); /* only root may mount a small file system */
    }
    open_at(&fixture, root);
    archive = fixture_archive(&fixture);
    assert_int_equal(fixture_want(archive, names[0], 0, 0, &generation), -ENOSPC);
    assert_true(fixture_has(archive, names[2], files[2].data, files[2].size));
    archive_unref(archive);
    fixture_leave(&fixture);
    assert_int_equal(umount(root), 0);
    rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(processes_share_one_folder),
        cmocka_unit_test(killed_during_a_transfer),
        cmocka_unit_test(killed_at_each_point),
        cmocka_unit_test(audmodel_is_faster),
        cmocka_unit_test(a_full_disk_says_so),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
