/* test_directory.c: the entries of open folders, as the kernel reads them. */
#include "tests/test.h"

#include "fs/directory.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* As linux/fuse.h has them, which uses names that common/banned.h poisons. */
struct entry {
    uint64_t ino;
    uint64_t off;
    uint32_t namelen;
    uint32_t type;
    char name[];
};

struct entry_plus {
    uint64_t nodeid, generation;
    uint64_t entry_valid, attr_valid; /* seconds */
    uint32_t entry_valid_nsec, attr_valid_nsec;
    uint64_t attr_ino, attr_size, attr_blocks, attr_times[3];
    uint32_t attr_times_nsec[3];
    uint32_t attr_mode;
    uint32_t attr_others[6];
    struct entry entry;
};

static size_t padded(size_t size, uint32_t name_size)
{
    return (size + name_size + 7) / 8 * 8;
}

static uint64_t open_folder(struct fs_fixture *fixture, const char *path,
                            struct fuse_file_info *ret_fi)
{
    struct call call = {.kind = CALL_OPENDIR, .node_id = fs_fixture_node(fixture, path)};
    struct place place = fs_fixture_place(fixture, path);
    CLEANUP_ANSWER struct answer answer;
    struct error err = {0};

    answer_init(&answer);
    assert_int_equal(
        directory_open(&fixture->fs, &call, &place, RESOLVE_FETCH, &answer, &err), 0);
    assert_int_equal(answer.kind, ANSWER_OPEN);
    *ret_fi = answer.fi;
    return answer.fi.fh;
}

static int read_part(struct fs_fixture *fixture, const char *path, struct call call,
                     struct answer *answer)
{
    struct place place = fs_fixture_place(fixture, path);
    struct error err = {0};

    call.kind = CALL_READDIR;
    call.node_id = fs_fixture_node(fixture, path);
    answer_init(answer);
    return directory_read(&fixture->fs, &call, &place, RESOLVE_FETCH, answer, &err);
}

/* Append the names of an answer, and return how many there were; *offset is where the
 * kernel goes on. */
static size_t take_names(const struct answer *answer, char *names, size_t size,
                         uint64_t *offset)
{
    size_t at = 0, count = 0;

    while (at < answer->bytes.size) {
        const struct entry *entry = (const void *)(answer->bytes.data + at);

        snprintf(names + strlen(names), size - strlen(names), "%.*s ",
                 (int)entry->namelen, entry->name);
        *offset = entry->off;
        at += padded(sizeof *entry, entry->namelen);
        count++;
    }
    assert_int_equal(at, answer->bytes.size);
    return count;
}

static void parts_of_any_size_give_all_names_once(void **state)
{
    static const size_t sizes[] = {48, 64, 100, 4096, 1 << 20};
    struct fs_fixture fixture;
    struct fuse_file_info fi;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    open_folder(&fixture, "3e120e8d/1.0.0", &fi);
    assert_true(fi.cache_readdir && fi.keep_cache); /* it never changes */
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        char names[256] = "";
        uint64_t offset = 0;
        size_t count;

        test_row(i, "%zu bytes", sizes[i]);
        do {
            CLEANUP_ANSWER struct answer answer;

            assert_int_equal(
                read_part(&fixture, "3e120e8d/1.0.0",
                          (struct call){.fi = fi, .size = sizes[i], .offset = offset},
                          &answer),
                0);
            assert_int_equal(answer.kind, ANSWER_BYTES);
            assert_true(answer.bytes.size <= sizes[i]);
            assert_true(strlen(names) < sizeof names / 2); /* or it goes in circles */
            count = take_names(&answer, names, sizeof names, &offset);
        } while (count > 0);
        assert_string_equal(names, ". .. big.bin folder log model.yaml ");
    }
    directory_release(&fixture.fs, fi.fh);
    fs_fixture_close(&fixture);
}

static void members_come_with_all_attributes(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
        uint64_t size;
    } entries[] = {
        {"big.bin",    S_IFREG | 0444, FS_BIG},
        {"folder",     S_IFDIR | 0555, 0     },
        {"log",        S_IFDIR | 0555, 0     },
        {"model.yaml", S_IFREG | 0444, 5     },
    };
    CLEANUP_ANSWER struct answer answer;
    struct fs_fixture fixture;
    struct fuse_file_info fi;
    size_t at = 0;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    open_folder(&fixture, "3e120e8d/1.0.0", &fi);
    assert_int_equal(
        read_part(
            &fixture, "3e120e8d/1.0.0",
            (struct call){.fi = fi, .size = 4096, .offset = 2, .with_attributes = true},
            &answer),
        0);
    for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
        const struct entry_plus *entry = (const void *)(answer.bytes.data + at);
        char path[64];

        test_row(i, "%s", entries[i].name);
        assert_true(at < answer.bytes.size);
        assert_int_equal(entry->entry.namelen, strlen(entries[i].name));
        assert_memory_equal(entry->entry.name, entries[i].name, entry->entry.namelen);
        snprintf(path, sizeof path, "3e120e8d/1.0.0/%s", entries[i].name);
        assert_int_equal(entry->nodeid, fs_fixture_node(&fixture, path));
        assert_int_equal(entry->attr_mode, entries[i].mode);
        assert_int_equal(entry->attr_size, entries[i].size);
        assert_int_equal(entry->attr_ino, entry->entry.ino);
        assert_int_equal(entry->entry_valid, 1000000000);
        assert_int_equal(entry->attr_valid, 1000000000);
        at += padded(sizeof *entry, entry->entry.namelen);
    }
    assert_int_equal(at, answer.bytes.size);
    directory_release(&fixture.fs, fi.fh);
    fs_fixture_close(&fixture);
}

/* Names that are no members must be looked up: the kernel is given no node for them. */
static void the_top_is_listed_without_looking_up(void **state)
{
    CLEANUP_ANSWER struct answer answer;
    struct fs_fixture fixture;
    struct fuse_file_info fi;
    size_t at = 0, count = 0;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    open_folder(&fixture, "", &fi);
    assert_false(fi.cache_readdir || fi.keep_cache);
    assert_int_equal(
        read_part(&fixture, "",
                  (struct call){.fi = fi, .size = 4096, .with_attributes = true},
                  &answer),
        0);
    for (; at < answer.bytes.size; count++) {
        const struct entry_plus *entry = (const void *)(answer.bytes.data + at);

        assert_int_equal(entry->nodeid, 0);
        assert_int_equal(entry->entry.off, count + 1);
        assert_int_not_equal(entry->entry.ino, 0);
        at += padded(sizeof *entry, entry->entry.namelen);
    }
    assert_int_equal(count, 9);
    directory_release(&fixture.fs, fi.fh);
    fs_fixture_close(&fixture);
}

static void an_open_folder_stays_as_it_was(void **state)
{
    static const struct zip_file file = {.name = "x", .data = "", .is_stored = true};
    char before[256] = "", after[256] = "", anew[256] = "";
    struct fs_fixture fixture;
    struct fuse_file_info fi;
    uint64_t unused;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    open_folder(&fixture, "3e120e8d", &fi);
    for (int i = 0; i < 3; i++) {
        CLEANUP_ANSWER struct answer answer;
        char *names = i == 0 ? before : i == 1 ? after : anew;

        assert_int_equal(read_part(&fixture, "3e120e8d",
                                   (struct call){.fi = fi, .size = 4096}, &answer),
                         0);
        take_names(&answer, names, sizeof before, &unused);
        fixture_publish_as(&fixture.cache, "3.0.0", &file, 1);
        resolver_forget_model(fixture.fs.resolver, FIXTURE_ID, "3.0.0");
        if (i == 1) /* a handle of a process before this one: listed anew */
            directory_release(&fixture.fs, fi.fh);
    }
    assert_string_equal(before, ". .. 1.0.0 2.0.0 latest ");
    assert_string_equal(after, before);
    assert_string_equal(anew, ". .. 1.0.0 2.0.0 3.0.0 latest ");
    fs_fixture_close(&fixture);
}

static void refusals(void **state)
{
    struct call call = {.kind = CALL_OPENDIR};
    CLEANUP_ANSWER struct answer answer, huge;
    struct fs_fixture fixture;
    struct error err = {0};
    struct place place;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    answer_init(&answer);
    place = fs_fixture_place(&fixture, "3e120e8d/1.0.0/model.yaml");
    assert_int_equal(
        directory_open(&fixture.fs, &call, &place, RESOLVE_FETCH, &answer, &err),
        -ENOTDIR);
    assert_int_equal(answer.kind, ANSWER_NONE);
    assert_int_equal(read_part(&fixture, "", (struct call){.size = (1 << 20) + 1}, &huge),
                     -EINVAL);
    directory_release(&fixture.fs, 12345); /* no handle of ours: nothing happens */
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_of_any_size_give_all_names_once),
        cmocka_unit_test(members_come_with_all_attributes),
        cmocka_unit_test(the_top_is_listed_without_looking_up),
        cmocka_unit_test(an_open_folder_stays_as_it_was),
        cmocka_unit_test(refusals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
