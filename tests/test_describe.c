/* test_describe.c: what stat shows of each kind of place. */
#include "tests/test.h"

#include "fs/describe.h"
#include "fs/place_archive.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

enum { NOT_DATED = FS_START_S, DATED = FS_DATE_S };

static const struct {
    const char *path;
    mode_t mode;
    off_t size;
    int64_t mtime_s; /* 0: the archive's */
    double timeout_s;
} attributes[] = {
    {"",                                  S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@status",                           S_IFREG | 0444, 0,      NOT_DATED, 0   },
    {"@metrics",                          S_IFREG | 0444, 0,      NOT_DATED, 0   },
    {"@info",                             S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@info/3e120e8d",                    S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@info/small",                       S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@info/3e120e8d/1.0.0",              S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@info/3e120e8d/1.0.0/uid",          S_IFREG | 0444, 15,     NOT_DATED, 1e9 },
    {"@info/3e120e8d/1.0.0/meta.yaml",    S_IFREG | 0444, 5,      NOT_DATED, 3600},
    {"@info/3e120e8d/1.0.0/cached_bytes", S_IFREG | 0444, 2,      NOT_DATED, 0   },
    {"@tree",                             S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@tree/emotion/onnx",                S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"@tree/emotion/onnx/3e120e8d",       S_IFLNK | 0777, 17,     NOT_DATED, 1e9 },
    {"3e120e8d",                          S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"3e120e8d/latest",                   S_IFLNK | 0777, 5,      NOT_DATED, 1e9 },
    {"3e120e8d-1.0.0",                    S_IFLNK | 0777, 14,     NOT_DATED, 1e9 },
    {"small",                             S_IFDIR | 0755, 0,      NOT_DATED, 1e9 },
    {"small/current",                     S_IFLNK | 0777, 17,     NOT_DATED, 1e9 },
    {"3e120e8d/1.0.0",                    S_IFDIR | 0555, 0,      DATED,     1e9 },
    {"3e120e8d/1.0.0/log",                S_IFDIR | 0555, 0,      DATED,     1e9 },
    {"3e120e8d/1.0.0/folder",             S_IFDIR | 0555, 0,      DATED,     1e9 },
    {"3e120e8d/1.0.0/model.yaml",         S_IFREG | 0444, 5,      0,         1e9 },
    {"3e120e8d/1.0.0/big.bin",            S_IFREG | 0444, FS_BIG, 0,         1e9 },
};

static void every_place_has_attributes(void **state)
{
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
        struct place place = fs_fixture_place(&fixture, attributes[i].path);
        struct fuse_entry_param entry = {.entry_timeout = 7};
        struct error err = {0};
        struct stat brief;

        test_row(i, "'%s'", attributes[i].path);
        assert_int_equal(describe(&fixture.fs, &place, RESOLVE_FETCH, &entry, &err), 0);
        assert_int_equal(entry.ino, fs_fixture_node(&fixture, attributes[i].path));
        assert_int_equal(entry.attr.st_mode, attributes[i].mode);
        assert_int_equal(entry.attr.st_size, attributes[i].size);
        assert_int_equal(entry.attr.st_blocks, (attributes[i].size + 511) / 512);
        if (attributes[i].mtime_s)
            assert_int_equal(entry.attr.st_mtim.tv_sec, attributes[i].mtime_s);
        assert_int_equal(entry.attr.st_ctim.tv_sec, entry.attr.st_mtim.tv_sec);
        assert_int_equal(entry.attr.st_uid, 1234);
        assert_int_equal(entry.attr.st_gid, 5678);
        assert_int_equal(entry.attr.st_nlink, 1);
        assert_true(entry.attr_timeout == attributes[i].timeout_s);
        if (place.kind == NODE_MEMBER)
            continue;
        describe_briefly(&place, &brief);
        assert_int_equal(brief.st_ino, entry.attr.st_ino);
        assert_int_equal(brief.st_mode, entry.attr.st_mode);
    }
    fs_fixture_close(&fixture);
}

static void links_lead_to_the_canonical_path(void **state)
{
    static const struct {
        const char *path, *target;
    } cases[] = {
        {"3e120e8d-1.0.0",              "3e120e8d/1.0.0"   },
        {"3e120e8d/latest",             "2.0.0"            },
        {"small/current",               "../3e120e8d/1.0.0"},
        {"small/latest",                "../3e120e8d/2.0.0"},
        {"small/2.0.0",                 "../3e120e8d/2.0.0"},
        {"newest/current",              "../3e120e8d/2.0.0"},
        {"@info/3e120e8d/latest",       "2.0.0"            },
        {"@info/small/current",         "../3e120e8d/1.0.0"},
        {"@tree/emotion/onnx/3e120e8d", "../../../3e120e8d"},
    };
    struct fs_fixture fixture;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct place place = fs_fixture_place(&fixture, cases[i].path);
        char target[DESCRIBE_LINK_MAX];

        test_row(i, "%s", cases[i].path);
        assert_true(describe_is_link(place.kind));
        describe_link(&place, target);
        assert_string_equal(target, cases[i].target);
    }
    assert_false(describe_is_link(NODE_VERSION));
    fs_fixture_close(&fixture);
}

static ino_t inode(struct fs_fixture *fixture, const char *path)
{
    struct place place = fs_fixture_place(fixture, path);
    struct fuse_entry_param entry;
    struct error err = {0};

    assert_int_equal(describe(&fixture->fs, &place, RESOLVE_FETCH, &entry, &err), 0);
    return entry.attr.st_ino;
}

/* On each mount, and whether the member has arrived or not. */
static void a_place_keeps_its_inode(void **state)
{
    static const char *const paths[] = {
        "3e120e8d",       "3e120e8d/1.0.0", "3e120e8d/1.0.0/big.bin", "3e120e8d/latest",
        "small",          "small/current",  "3e120e8d/1.0.0/log",     "@info/3e120e8d",
        "3e120e8d/2.0.0", "@tree/emotion",  "3e120e8d-1.0.0",         "@status",
    };
    struct fs_fixture first, second;
    struct archive *archive;
    ino_t inodes[ARRAY_SIZE(paths)];

    (void)state;
    fs_fixture_open(&first, &(struct fs_fixture_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
        inodes[i] = inode(&first, paths[i]);
        for (size_t other = 0; other < i; other++)
            assert_int_not_equal(inodes[i], inodes[other]);
    }
    fs_fixture_close(&first);
    fs_fixture_open(&second, &(struct fs_fixture_options){0});
    archive = fixture_archive(&second.cache);
    assert_true(fixture_has(archive, "big.bin", second.big, FS_BIG));
    archive_unref(archive);
    for (size_t i = ARRAY_SIZE(paths); i-- > 0;) {
        test_row(i, "%s", paths[i]);
        assert_int_equal(inode(&second, paths[i]), inodes[i]);
    }
    fs_fixture_close(&second);
}

static void an_archive_is_not_asked_for_by_a_fuse_thread(void **state)
{
    struct place version = {
        .kind = NODE_VERSION, .release = {FIXTURE_ID, FIXTURE_VERSION, 0}
    };
    struct fs_fixture fixture;
    struct archive *archive = NULL;
    struct error err = {0};
    struct place member;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    assert_int_equal(place_archive(&fixture.fs, &version, RESOLVE_KNOWN, &archive, &err),
                     -EINPROGRESS);
    assert_int_equal(place_archive(&fixture.fs, &version, RESOLVE_STALE, &archive, &err),
                     -EINPROGRESS);
    assert_int_equal(counting_backend_total(fixture.cache.counting), 0);
    assert_int_equal(place_archive(&fixture.fs, &version, RESOLVE_FETCH, &archive, &err),
                     0);
    archive_unref(archive);
    member = fs_fixture_place(&fixture, "3e120e8d/1.0.0/model.yaml");
    member.index = 99;
    assert_int_equal(describe(&fixture.fs, &member, RESOLVE_FETCH,
                              &(struct fuse_entry_param){.ino = 0}, &err),
                     -ESTALE);
    memset(member.digest, '0', sizeof member.digest - 1);
    archive = NULL;
    assert_int_equal(place_archive(&fixture.fs, &member, RESOLVE_FETCH, &archive, &err),
                     -ESTALE);
    assert_null(archive);
    fs_fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_place_has_attributes),
        cmocka_unit_test(links_lead_to_the_canonical_path),
        cmocka_unit_test(a_place_keeps_its_inode),
        cmocka_unit_test(an_archive_is_not_asked_for_by_a_fuse_thread),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
