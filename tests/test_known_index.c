/* test_known_index.c: answers are found where they lie, in files that may be replaced. */
#include "tests/test.h"

#include "common/files.h"
#include "common/memory.h"
#include "resolver/known_index.h"
#include "resolver/questions.h"
#include "tests/folders.h"

#include <errno.h>
#include <unistd.h>

enum { REPOSITORIES = 10 };

static char names[REPOSITORIES][16];
static char *locations[REPOSITORIES];

static struct known_folder folder_in(struct folder *top)
{
    static char path[] = "known";

    for (unsigned i = 0; i < REPOSITORIES; i++) {
        snprintf(names[i], sizeof names[i], "s3 host/%u", i);
        locations[i] = names[i];
    }
    return (struct known_folder){top->path, path, locations};
}

static void add(struct known_changes *changes, unsigned repository, const char *key,
                const char *name)
{
    struct known_change *change = xcalloc(1, sizeof *change + strlen(key) + 1);
    struct listing_builder builder;
    struct error err = {0};

    listing_builder_init(&builder);
    assert_int_equal(listing_add(&builder, name, &err), 0);
    assert_int_equal(listing_finish(&builder, strcmp, &change->listing, &err), 0);
    change->repository = repository;
    change->kind = &question_versions;
    memcpy(change->key, key, strlen(key) + 1);
    STAILQ_INSERT_TAIL(changes, change, link);
}

static void write_one(const struct known_folder *folder, unsigned repository,
                      const char *key, const char *name)
{
    struct known_changes changes = STAILQ_HEAD_INITIALIZER(changes);

    add(&changes, repository, key, name);
    known_folder_write(folder, &changes);
}

/* The answer's only name; NULL with *ret_rc otherwise. */
static const char *find(struct known_index *index, unsigned repository, const char *key,
                        struct bytes *to, int *ret_rc)
{
    struct known_record record;
    struct error err = {0};

    bytes_done(to);
    bytes_init(to, KNOWN_FILE_MAX);
    *ret_rc =
        known_index_find(index, repository, &question_versions, key, to, &record, &err);
    return *ret_rc == 0 ? record.names : NULL;
}

static void assert_found(struct known_index *index, unsigned repository, const char *key,
                         const char *expected)
{
    CLEANUP_BYTES struct bytes data;
    const char *found;
    int rc;

    bytes_init(&data, 0);
    found = find(index, repository, key, &data, &rc);
    assert_int_equal(rc, expected ? 0 : -ENOENT);
    if (expected)
        assert_string_equal(found, expected);
}

static void every_answer_of_many_is_found(void **state)
{
    const struct known_folder folder = folder_in(*state);
    struct known_changes changes = STAILQ_HEAD_INITIALIZER(changes);
    struct known_index *index = known_index_new(&folder);
    char key[16], name[16];

    assert_found(index, 0, "any", NULL); /* there is no file */
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "%08x", i * 7919);
        snprintf(name, sizeof name, "%u", i);
        add(&changes, 0, key, name);
    }
    known_folder_write(&folder, &changes);
    for (unsigned i = 0; i < 3000; i++) {
        snprintf(key, sizeof key, "%08x", i * 7919);
        snprintf(name, sizeof name, "%u", i);
        assert_found(index, 0, key, name);
        snprintf(key, sizeof key, "%08x", i * 7919 + 1);
        assert_found(index, 0, key, NULL);
    }
    known_index_free(index);
}

static void a_replaced_file_is_noticed(void **state)
{
    const struct known_folder folder = folder_in(*state);
    struct known_index *index = known_index_new(&folder);
    char name[16];

    for (unsigned i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "%u", i);
        write_one(&folder, 0, "key", name);
        assert_found(index, 0, "key", name);
        assert_found(index, 0, "other", NULL);
    }
    known_index_free(index);
}

static void more_files_than_are_remembered(void **state)
{
    const struct known_folder folder = folder_in(*state);
    struct known_index *index = known_index_new(&folder);

    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < REPOSITORIES; i++) {
            if (round == 0)
                write_one(&folder, i, "key", locations[i]);
            assert_found(index, i, "key", locations[i]);
        }
    }
    known_index_free(index);
}

static int keep_name(void *arg, int folder_fd, const char *name, struct error *err)
{
    (void)folder_fd;
    (void)err;
    snprintf(arg, NAME_MAX + 1, "known/%s", name);
    return 0;
}

/* The last byte of the only file, which belongs to its checksum, becomes another. */
static void damage(const struct folder *top)
{
    char name[NAME_MAX + 1];
    struct error err = {0};
    struct stat st;
    unsigned char last;
    int fd;

    assert_int_equal(files_list(top->fd, "known", keep_name, name, &err), 0);
    fd = openat(top->fd, name, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(pread(fd, &last, 1, st.st_size - 1), 1);
    last ^= 1;
    assert_int_equal(pwrite(fd, &last, 1, st.st_size - 1), 1);
    assert_int_equal(futimens(fd, (struct timespec[]){st.st_mtim, st.st_mtim}), 0);
    close(fd);
}

/* Only who reads all of it can see the damage. */
static void a_file_is_read_through_once(void **state)
{
    const struct known_folder folder = folder_in(*state);
    struct known_index *index = known_index_new(&folder), *another;
    CLEANUP_BYTES struct bytes data;
    int rc;

    bytes_init(&data, 0);
    write_one(&folder, 0, "a", "1.0.0");
    write_one(&folder, 0, "b", "2.0.0");
    assert_found(index, 0, "a", "1.0.0");
    damage(*state);
    assert_found(index, 0, "b", "2.0.0");
    another = known_index_new(&folder);
    assert_null(find(another, 0, "b", &data, &rc));
    assert_int_equal(rc, -EBADMSG);
    known_index_free(another);
    known_index_free(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, folder_open, folder_close)
        TEST(every_answer_of_many_is_found),
        TEST(a_replaced_file_is_noticed),
        TEST(more_files_than_are_remembered),
        TEST(a_file_is_read_through_once),
#undef TEST
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
