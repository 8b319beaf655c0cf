/* test_pack.c: archives made of folders, read back by our reader, by Python's zipfile and
 * by unzip. */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/folders.h"

#include "publish/pack.h"
#include "tests/toc_find.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    NOISE_SIZE = 3000000,
    NOISE_TIME = 1616898601, /* 2021-03-28 02:30:01, an hour that Berlin does not have */
    SOME_TIME = 1234567890,
};

static const struct pack_options no_options;

/* Bytes that deflate cannot make smaller; the same in each run. */
static void put_noise(int dir_fd, const char *path, size_t size)
{
    unsigned char *noise = malloc(size);
    uint64_t state = 88172645463325252;

    assert_non_null(noise);
    for (size_t i = 0; i < size; i++) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise[i] = (unsigned char)(state >> 32);
    }
    folder_put(dir_fd, path, noise, size, 0644, NOISE_TIME);
    free(noise);
}

static void put_text(int dir_fd, const char *path, mode_t mode)
{
    char text[4000];

    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 23);
    folder_put(dir_fd, path, text, sizeof text, mode, SOME_TIME);
}

/* Its members in the order of the archive. */
static const char *const members[] = {
    "a-tiny",        "a/empty",   "a/z/noise",        ".hidden",
    "back\\slash",   "ctrl\001",  "ctrl\001\xc3\xbc", "link",
    "log/eval.yaml", "new\nline", "run.sh",           "\xc3\xbc.txt",
};

/* is_backwards: the same files, made in the opposite order. */
static void make_model(int dir_fd, bool is_backwards)
{
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const char *path = members[is_backwards ? ARRAY_SIZE(members) - 1 - i : i];

        if (strcmp(path, "link") == 0)
            assert_int_equal(symlinkat("log/eval.yaml", dir_fd, path), 0);
        else if (strcmp(path, "a/z/noise") == 0)
            put_noise(dir_fd, path, NOISE_SIZE);
        else if (strcmp(path, "a/empty") == 0)
            folder_put(dir_fd, path, "", 0, 0600, SOME_TIME);
        else if (strcmp(path, "a-tiny") == 0)
            folder_put(dir_fd, path, "xyz", 3, 0644, SOME_TIME);
        else
            put_text(dir_fd, path, strcmp(path, "run.sh") == 0 ? 04755 : 0640);
    }
    assert_int_equal(files_make_folders(dir_fd, "no/files/here", 0777, &err), 0);
}

static int open_spool(int dir_fd)
{
    int fd = openat(dir_fd, "spool.zip", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    return fd;
}

/* Pack folder "model" of dir_fd; the archive is "spool.zip" beside it. */
static int pack(int dir_fd, const struct pack_options *options,
                struct pack_result *result, struct error *err)
{
    int model_fd = openat(dir_fd, "model", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int spool_fd = open_spool(dir_fd);
    int rc = pack_make(model_fd, spool_fd, options, result, err);

    close(model_fd);
    close(spool_fd);
    return rc;
}

static void pack_good(int dir_fd, struct pack_result *result)
{
    struct error err = {0};

    if (pack(dir_fd, &no_options, result, &err) < 0)
        fail_msg("%s", err.message);
}

static int make_model_folder(int dir_fd, const char *name)
{
    struct error err = {0};
    int fd;

    assert_int_equal(files_make_folders(dir_fd, name, 0777, &err), 0);
    fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

/* Also checks what pack_make says of size and checksum. */
static struct toc *read_spool(int dir_fd, const struct pack_result *result)
{
    CLEANUP_BYTES struct bytes data;
    char md5[DIGEST_MD5_SIZE];
    struct toc *toc = NULL;
    struct error err = {0};

    bytes_init(&data, 64 * MIB);
    assert_int_equal(files_read(dir_fd, "spool.zip", &data, &err), 0);
    assert_int_equal(data.size, result->size);
    assert_int_equal(digest_md5(data.data, data.size, md5, &err), 0);
    assert_string_equal(result->md5, md5);
    if (archives_parse(data.data, data.size, &toc, &err) < 0)
        fail_msg("%s", err.message);
    return toc;
}

/* Runs a program and waits; -1 if there is none. */
static int run(const char *const *arguments)
{
    extern char **environ;
    posix_spawn_file_actions_t actions;
    int status;
    pid_t pid;
    int rc;

    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    rc = posix_spawnp(&pid, arguments[0], &actions, NULL, (char *const *)arguments,
                      environ);
    posix_spawn_file_actions_destroy(&actions);
    if (rc != 0)
        return -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void our_reader_finds_all(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");
    struct pack_result result;
    uint64_t previous = 0;
    struct toc *toc;

    make_model(model_fd, false);
    pack_good(dir_fd, &result);
    assert_int_equal(result.file_count, ARRAY_SIZE(members));
    assert_int_equal(result.warning_count, 0);
    toc = read_spool(dir_fd, &result);
    assert_int_equal(toc_file_count(toc), ARRAY_SIZE(members));
    assert_int_equal(toc_total_size(toc), result.content_size);
    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        const struct toc_entry *entry;
        uint32_t index;
        int64_t time = i == 2 ? NOISE_TIME : SOME_TIME;

        test_row(i, "%s", members[i]);
        assert_int_equal(toc_find(toc, members[i], &index), 0);
        entry = toc_entry(toc, index);
        assert_int_equal(entry->method, i < 3 ? TOC_STORED : TOC_DEFLATED);
        assert_int_equal(entry->mtime_s, time / 2 * 2);
        assert_int_equal(entry->execute_bits, i == 10 ? 0111 : 0);
        assert_true(i == 0 || entry->archive_first > previous);
        previous = entry->archive_first;
    }
    toc_free(toc);
    pack_result_done(&result);
    close(model_fd);
}

static void other_programs_find_all(void **state)
{
    const struct folder *folder = *state;
    int model_fd = make_model_folder(folder->fd, "model");
    char archive[128], model[128];
    const char *const python[] = {"python3", "tests/check_archive.py", archive, model,
                                  NULL};
    const char *const unzip[] = {"unzip", "-tqq", archive, NULL};
    struct pack_result result;

    snprintf(archive, sizeof archive, "%s/spool.zip", folder->path);
    snprintf(model, sizeof model, "%s/model", folder->path);
    make_model(model_fd, false);
    pack_good(folder->fd, &result);
    pack_result_done(&result);
    close(model_fd);
    assert_true(run(python) <= 0);
    assert_true(run(unzip) <= 0);
}

static void same_files_give_same_bytes(void **state)
{
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/St_Johns"};
    char expected[DIGEST_MD5_SIZE] = "";
    int dir_fd = ((struct folder *)*state)->fd;
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_SIZE(zones); i++) {
        int model_fd = make_model_folder(dir_fd, "model");
        struct pack_result result;

        test_row(i, "%s", zones[i]);
        setenv("TZ", zones[i], 1);
        tzset();
        make_model(model_fd, i % 2);
        pack_good(dir_fd, &result);
        if (i == 0)
            memcpy(expected, result.md5, sizeof expected);
        assert_string_equal(result.md5, expected);
        pack_result_done(&result);
        close(model_fd);
        assert_int_equal(files_remove_tree(dir_fd, "model", &err), 0);
    }
    unsetenv("TZ");
    tzset();
}

/* What Python's zipfile writes for no files at all. */
static void a_folder_without_files_gives_22_bytes(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model/empty");
    struct pack_result result;
    struct toc *toc;

    close(model_fd);
    pack_good(dir_fd, &result);
    assert_int_equal(result.size, 22);
    assert_int_equal(result.file_count, 0);
    assert_string_equal(result.md5, "76cdb2bad9582d23c1f6f4d868218d6c");
    assert_int_equal(result.warning_count, 1);
    assert_non_null(strstr(result.warnings[0], "empty"));
    toc = read_spool(dir_fd, &result);
    assert_int_equal(toc_count(toc), 1);
    toc_free(toc);
    pack_result_done(&result);
}

static void odd_times_are_clamped_with_a_warning(void **state)
{
    static const struct {
        int count;
        const char *rest;
    } many[] = {
        {19, "the same is true of 1 more file"  },
        {50, "the same is true of 32 more files"},
    };
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");
    struct pack_result result;
    struct toc *toc;
    uint32_t index;

    folder_put(model_fd, "old", "", 0, 0644, 86400);
    folder_put(model_fd, "new", "", 0, 0644, 4354819200);
    folder_put(model_fd, "last", "", 0, 0644, 4354819199);
    pack_good(dir_fd, &result);
    assert_int_equal(result.warning_count, 2);
    assert_non_null(strstr(result.warnings[0], "'new'"));
    assert_non_null(strstr(result.warnings[1], "'old'"));
    toc = read_spool(dir_fd, &result);
    assert_int_equal(toc_find(toc, "old", &index), 0);
    assert_int_equal(toc_entry(toc, index)->mtime_s, 315532800);
    assert_int_equal(toc_find(toc, "new", &index), 0);
    assert_int_equal(toc_entry(toc, index)->mtime_s, 4354819198);
    toc_free(toc);
    pack_result_done(&result);
    for (size_t row = 0; row < ARRAY_SIZE(many); row++) {
        test_row(row, "%d", many[row].count);
        for (int i = 0; i < many[row].count; i++) {
            char name[16];

            snprintf(name, sizeof name, "old%d", i);
            folder_put(model_fd, name, "", 0, 0644, 86400);
        }
        pack_good(dir_fd, &result);
        assert_int_equal(result.warning_count, 21);
        assert_string_equal(result.warnings[20], many[row].rest);
        pack_result_done(&result);
    }
    close(model_fd);
}

/* AUDMODEL 9.7 */
static void what_audmodel_loses_is_told(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");
    struct pack_result result;

    folder_put(model_fd, "below/model.zip", "", 0, 0644, SOME_TIME);
    pack_good(dir_fd, &result);
    assert_int_equal(result.warning_count, 0);
    pack_result_done(&result);
    folder_put(model_fd, "model.zip", "", 0, 0644, SOME_TIME);
    pack_good(dir_fd, &result);
    assert_int_equal(result.warning_count, 1);
    assert_non_null(strstr(result.warnings[0], "'model.zip'"));
    pack_result_done(&result);
    close(model_fd);
}

struct watch {
    uint64_t done, total;
    uint64_t stop_at; /* bytes done; 0: never */
    int grow_fd;      /* a file that grows then, instead */
};

static int watch(void *arg, uint64_t bytes_done, uint64_t bytes_total, struct error *err)
{
    struct watch *seen = arg;

    assert_true(bytes_done > seen->done && bytes_done <= bytes_total);
    seen->done = bytes_done;
    seen->total = bytes_total;
    if (seen->stop_at == 0 || bytes_done < seen->stop_at)
        return 0;
    if (seen->grow_fd < 0)
        return fail(err, ECANCELED, "enough");
    assert_int_equal(write(seen->grow_fd, "x", 1), 1);
    seen->stop_at = 0;
    return 0;
}

static void progress_is_told_and_can_cancel(void **state)
{
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");
    struct watch seen = {.grow_fd = -1};
    struct pack_options options = {.progress = watch, .arg = &seen};
    struct pack_result result;
    struct error err = {0};

    make_model(model_fd, false);
    assert_int_equal(pack(dir_fd, &options, &result, &err), 0);
    assert_int_equal(seen.done, result.content_size);
    assert_int_equal(seen.total, result.content_size);
    pack_result_done(&result);
    seen = (struct watch){.grow_fd = -1, .stop_at = NOISE_SIZE / 2};
    assert_int_equal(pack(dir_fd, &options, &result, &err), -ECANCELED);
    assert_string_equal(err.message, "enough");
    assert_true(seen.done < NOISE_SIZE);
    close(model_fd);
}

static void files_that_change_are_named(void **state)
{
    static const struct {
        const char *path;
        uint64_t at; /* bytes done when it grows */
    } cases[] = {
        {"a/z/noise",    NOISE_SIZE / 2}, /* while it is read */
        {"\xc3\xbc.txt", 1             }, /* before */
    };
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct watch seen = {.stop_at = cases[i].at};
        struct pack_options options = {.progress = watch, .arg = &seen};
        struct pack_result result;
        struct error err = {0};

        test_row(i, "%s", cases[i].path);
        assert_int_equal(files_remove_tree(dir_fd, "model", &err), 0);
        close(model_fd);
        model_fd = make_model_folder(dir_fd, "model");
        make_model(model_fd, false);
        seen.grow_fd = openat(model_fd, cases[i].path, O_WRONLY | O_APPEND | O_CLOEXEC);
        assert_int_equal(pack(dir_fd, &options, &result, &err), -ESTALE);
        assert_non_null(strstr(err.message, cases[i].path));
        close(seen.grow_fd);
    }
    close(model_fd);
}

static void a_full_disk_is_told(void **state)
{
    struct rlimit limit, small;
    int dir_fd = ((struct folder *)*state)->fd;
    int model_fd = make_model_folder(dir_fd, "model");
    struct pack_result result;
    struct error err = {0};
    int rc;

    make_model(model_fd, false);
    getrlimit(RLIMIT_FSIZE, &limit);
    small = limit;
    small.rlim_cur = NOISE_SIZE / 2;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    rc = pack(dir_fd, &no_options, &result, &err);
    setrlimit(RLIMIT_FSIZE, &limit);
    assert_int_equal(rc, -EFBIG);
    assert_non_null(strstr(err.message, "File too large"));
    close(model_fd);
}

#define pack_test(function)                                                              \
    cmocka_unit_test_setup_teardown(function, folder_open, folder_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        pack_test(our_reader_finds_all),
        pack_test(other_programs_find_all),
        pack_test(same_files_give_same_bytes),
        pack_test(a_folder_without_files_gives_22_bytes),
        pack_test(odd_times_are_clamped_with_a_warning),
        pack_test(what_audmodel_loses_is_told),
        pack_test(progress_is_told_and_can_cancel),
        pack_test(files_that_change_are_named),
        pack_test(a_full_disk_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
