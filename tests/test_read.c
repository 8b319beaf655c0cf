/* test_read.c: how members and special files are opened, and what is read of them. */
#include "tests/test.h"

#include "fs/read.h"
#include "fs/reply.h"
#include "fs/snapshots.h"
#include "fs/write.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

static int run(struct fs_fixture *fixture, call_handler *handler, const char *path,
               struct call call, struct answer *answer)
{
    struct place place = fs_fixture_place(fixture, path);
    struct error err = {0};

    call.node_id = fs_fixture_node(fixture, path);
    answer_init(answer);
    return handler(&fixture->fs, &call, &place, RESOLVE_FETCH, answer, &err);
}

static void opens(void **state)
{
    static const struct {
        const char *path;
        int flags, rc;
        bool is_direct;
        uint64_t wanted; /* bytes */
    } cases[] = {
        {"3e120e8d/1.0.0/model.yaml", O_RDONLY, CALL_WANT, false, ARCHIVE_WHOLE},
        {"3e120e8d/1.0.0/big.bin",    O_RDONLY, CALL_WANT, false, 1            },
        {"3e120e8d/1.0.0/model.yaml", O_WRONLY, -EROFS,    false, 0            },
        {"3e120e8d/1.0.0/model.yaml", O_RDWR,   -EROFS,    false, 0            },
        {"3e120e8d/1.0.0/log",        O_RDONLY, -EISDIR,   false, 0            },
        {"3e120e8d",                  O_RDONLY, -EISDIR,   false, 0            },
        {"@status",                   O_RDONLY, 0,         true,  0            },
        {"@metrics",                  O_RDONLY, 0,         true,  0            },
        {"@info/3e120e8d/1.0.0/uid",  O_RDONLY, 0,         true,  0            },
        {"@status",                   O_WRONLY, -EROFS,    false, 0            },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer answer;

        test_row(i, "%s, flags %d", cases[i].path, cases[i].flags);
        assert_int_equal(run(&fixture, read_open, cases[i].path,
                             (struct call){.fi = {.flags = cases[i].flags}}, &answer),
                         cases[i].rc);
        assert_int_equal(answer.kind == ANSWER_OPEN, cases[i].rc == 0);
        assert_int_equal(answer.fi.direct_io, cases[i].is_direct);
        assert_int_equal(answer.want.archive != NULL, cases[i].rc == CALL_WANT);
        assert_int_equal(answer.want.size, cases[i].wanted);
    }
    fs_fixture_close(&fixture);
}

static void texts_are_cut_as_asked(void **state)
{
    static const struct {
        uint64_t offset;
        size_t size;
        const char *text;
    } cases[] = {
        {0,          4096, "3e120e8d-1.0.0\n"},
        {0,          4,    "3e12"            },
        {9,          5,    "1.0.0"           },
        {9,          4096, "1.0.0\n"         },
        {15,         4096, ""                },
        {16,         4096, ""                },
        {UINT64_MAX, 1,    ""                },
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer answer;

        test_row(i, "%zu bytes at %ju", cases[i].size, (uintmax_t)cases[i].offset);
        assert_int_equal(
            run(&fixture, read_bytes, "@info/3e120e8d/1.0.0/uid",
                (struct call){.size = cases[i].size, .offset = cases[i].offset}, &answer),
            0);
        assert_int_equal(answer.kind, ANSWER_BYTES);
        assert_int_equal(answer.bytes.size, strlen(cases[i].text));
        assert_memory_equal(answer.bytes.data, cases[i].text, answer.bytes.size);
    }
    fs_fixture_close(&fixture);
}

/* Nobody is woken for bytes that are there. */
static void what_is_complete_is_opened_at_once(void **state)
{
    struct fs_fixture fixture;
    struct archive *archive;
    CLEANUP_ANSWER struct answer answer;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    archive = fixture_archive(&fixture.cache);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    assert_int_equal(
        run(&fixture, read_open, "3e120e8d/1.0.0/model.yaml", (struct call){0}, &answer),
        0);
    assert_int_equal(answer.kind, ANSWER_OPEN);
    assert_true(answer.fi.noflush);
    assert_null(answer.want.archive);
    read_release(&fixture.fs, fs_fixture_node(&fixture, "3e120e8d/1.0.0/model.yaml"),
                 answer.fi.fh);
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

/* Handles of a process before this one: the entry is made then. */
static void members_are_read_to_their_end(void **state)
{
    static const struct {
        uint64_t offset;
        size_t size, file_size;
    } cases[] = {
        {0,          4096, 5},
        {0,          2,    2},
        {3,          4096, 2},
        {5,          4096, 0},
        {UINT64_MAX, 4096, 0},
    };
    struct fs_fixture fixture;
    struct archive *archive;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    archive = fixture_archive(&fixture.cache);
    assert_true(fixture_has(archive, "model.yaml", "a: 1\n", 5));
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_ANSWER struct answer answer;

        test_row(i, "%zu bytes at %ju", cases[i].size, (uintmax_t)cases[i].offset);
        assert_int_equal(
            run(&fixture, read_bytes, "3e120e8d/1.0.0/model.yaml",
                (struct call){.size = cases[i].size, .offset = cases[i].offset}, &answer),
            0);
        assert_int_equal(answer.kind, cases[i].file_size ? ANSWER_FILE : ANSWER_BYTES);
        assert_int_equal(answer.file_size, cases[i].file_size);
        assert_int_equal(answer.bytes.size, 0);
    }
    archive_unref(archive);
    fs_fixture_close(&fixture);
}

/* Of what is open for writing, too, and of a read that was given up. */
static void no_text_is_kept_after_the_last_close(void **state)
{
    static const char path[] = "@info/3e120e8d/1.0.0/meta.yaml";
    struct call call = {.kind = CALL_READ, .size = 4096, .fi.flags = O_RDWR};
    CLEANUP_ANSWER struct answer opened, answer, again;
    struct fs_fixture fixture;
    struct error err = {0};
    struct bytes text;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fixture.fs.options.write_meta = true;
    bytes_init(&text, 4096);
    assert_int_equal(run(&fixture, read_open, path, call, &opened), 0);
    call.fi = opened.fi;
    assert_int_equal(run(&fixture, read_bytes, path, call, &answer), 0);
    assert_int_equal(snapshots_find(fixture.fs.snapshots, call.fi.fh, &text, &err), 0);
    write_release(&fixture.fs, &call.fi);
    assert_int_equal(snapshots_find(fixture.fs.snapshots, call.fi.fh, &text, &err),
                     -ENOENT);
    call.fi.fh = snapshots_handle(fixture.fs.snapshots);
    assert_int_equal(run(&fixture, read_bytes, path, call, &again), 0);
    reply_undo(&fixture.fs, &call, &again);
    assert_int_equal(snapshots_find(fixture.fs.snapshots, call.fi.fh, &text, &err),
                     -ENOENT);
    bytes_done(&text);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens),
        cmocka_unit_test(what_is_complete_is_opened_at_once),
        cmocka_unit_test(texts_are_cut_as_asked),
        cmocka_unit_test(members_are_read_to_their_end),
        cmocka_unit_test(no_text_is_kept_after_the_last_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
