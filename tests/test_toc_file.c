/* test_toc_file.c: tables come back from disk as they were, or not at all. */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/data/archives/cases.h"
#include "tests/folders.h"

#include "cache/checksum.h"
#include "cache/toc_block.h"
#include "cache/toc_file.h"
#include "common/files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void saved_tables_come_back(void **state)
{
    struct folder *folder = *state;

    for (size_t i = 0; i < ARRAY_SIZE(good_archives); i++) {
        struct toc *toc = archives_toc(good_archives[i].archive), *loaded = NULL;
        struct error err = {0};
        struct stat stat;

        test_row(i, "%s", good_archives[i].archive);
        assert_int_equal(toc_file_save(folder->fd, "toc", toc, &err), 0);
        assert_int_equal(toc_file_load(folder->fd, "toc", &loaded, &err), 0);
        assert_string_equal(toc_digest(loaded), toc_digest(toc));
        assert_int_equal(toc_count(loaded), toc_count(toc));
        assert_int_equal(toc_total_size(loaded), toc_total_size(toc));
        assert_int_equal(fstatat(folder->fd, "toc", &stat, 0), 0);
        assert_int_equal(stat.st_mode & 07777, 0444);
        for (uint32_t k = 0; k < toc_count(toc); k++) {
            assert_memory_equal(toc_entry(toc, k), toc_entry(loaded, k),
                                sizeof(struct toc_entry));
            assert_string_equal(toc_name(toc, k), toc_name(loaded, k));
        }
        toc_free(toc);
        toc_free(loaded);
    }
}

static void put(struct folder *folder, const void *data, size_t size)
{
    int fd = openat(folder->fd, "toc", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
}

static int load(struct folder *folder, struct error *err)
{
    struct toc *toc = NULL;
    int rc = toc_file_load(folder->fd, "toc", &toc, err);

    toc_free(toc);
    return rc;
}

static void every_flipped_byte_is_seen(void **state)
{
    struct folder *folder = *state;
    struct toc *toc = archives_toc("folders");
    char *copy = malloc(toc->size);

    for (size_t at = 0; at < toc->size; at++) {
        struct error err = {0};

        memcpy(copy, toc->block, toc->size);
        copy[at] ^= 0x10;
        put(folder, copy, toc->size);
        assert_int_equal(load(folder, &err), -EBADMSG);
    }
    free(copy);
    toc_free(toc);
}

static void every_cut_is_seen(void **state)
{
    struct folder *folder = *state;
    struct toc *toc = archives_toc("folders");

    for (size_t size = 0; size < toc->size; size++) {
        struct error err = {0};

        put(folder, toc->block, size);
        assert_int_equal(load(folder, &err), -EBADMSG);
    }
    toc_free(toc);
}

static void what_is_no_table_is_refused(void **state)
{
    struct folder *folder = *state;
    struct toc *toc = NULL;
    struct error err = {0};

    assert_int_equal(toc_file_load(folder->fd, "none", &toc, &err), -ENOENT);
    assert_int_equal(toc_file_load(folder->fd, ".", &toc, &err), -EBADMSG);
    assert_int_equal(symlinkat("toc", folder->fd, "link"), 0);
    assert_int_equal(toc_file_load(folder->fd, "link", &toc, &err), -ELOOP);
    assert_int_equal(mkfifoat(folder->fd, "fifo", 0600), 0);
    assert_int_equal(toc_file_load(folder->fd, "fifo", &toc, &err), -EBADMSG);
}

/* Tables that lie, with sums that fit: what each of them does to a good one. */
static void break_nothing(struct toc *toc)
{
    (void)toc;
}

static void break_parent(struct toc *toc)
{
    toc->entries[3].parent = 3;
}

static void break_parent_range(struct toc *toc)
{
    toc->entries[3].parent = UINT32_MAX;
}

static void break_parent_is_file(struct toc *toc)
{
    toc->entries[2].kind = TOC_FILE;
}

static void break_children(struct toc *toc)
{
    toc->entries[1].child_count = UINT32_MAX;
}

static void break_children_shared(struct toc *toc)
{
    toc->entries[2].first_child = toc->entries[1].first_child;
}

static void break_name_offset(struct toc *toc)
{
    toc->entries[4].name = UINT32_MAX;
}

static void break_name_size(struct toc *toc)
{
    toc->entries[4].name_size = UINT16_MAX;
}

static void break_name_slash(struct toc *toc)
{
    toc->names[toc->entries[4].name] = '/';
}

static void break_name_dots(struct toc *toc)
{
    toc->names[toc->entries[4].name] = '.';
}

static void break_name_nul(struct toc *toc)
{
    toc->names[toc->entries[4].name] = '\0';
}

static void break_order(struct toc *toc)
{
    toc->names[toc->entries[1].name] = 'z';
}

static void break_method(struct toc *toc)
{
    toc->entries[3].method = 7;
}

static void break_kind(struct toc *toc)
{
    toc->entries[3].kind = 9;
}

static void break_span(struct toc *toc)
{
    toc->entries[3].packed_size = 1 << 20;
}

static void break_size(struct toc *toc)
{
    toc->entries[3].method = TOC_UNSUPPORTED;
    toc->entries[3].size = UINT64_MAX;
}

static void break_total(struct toc *toc)
{
    toc->block->total_size++;
}

static void break_file_count(struct toc *toc)
{
    toc->block->file_count++;
}

static void break_layout(struct toc *toc)
{
    toc->block->layout++;
}

static void break_folder(struct toc *toc)
{
    toc->entries[0].kind = TOC_FILE;
}

static void lies_with_the_right_sums_are_refused(void **state)
{
    static const struct {
        const char *what;
        void (*lie)(struct toc *toc);
        const char *sentence; /* NULL: fine */
    } cases[] = {
        {"nothing",             break_nothing,         NULL                           },
        {"own parent",          break_parent,          "entry 3 makes no sense"       },
        {"parent past the end", break_parent_range,    "entry 3 makes no sense"       },
        {"parent a file",       break_parent_is_file,  "entry 2 makes no sense"       },
        {"children past end",   break_children,        "entry 1 makes no sense"       },
        {"children of two",     break_children_shared, "entry 2 makes no sense"       },
        {"name elsewhere",      break_name_offset,     "entry 4 makes no sense"       },
        {"name too long",       break_name_size,       "entry 4 makes no sense"       },
        {"slash in name",       break_name_slash,      "entry 4 makes no sense"       },
        {"dot as name",         break_name_dots,       "entry 4 makes no sense"       },
        {"NUL in name",         break_name_nul,        "entry 4 makes no sense"       },
        {"not sorted",          break_order,           "entry 2 makes no sense"       },
        {"method",              break_method,          "entry 3 makes no sense"       },
        {"kind",                break_kind,            "entry 3 makes no sense"       },
        {"too short a span",    break_span,            "entry 3 makes no sense"       },
        {"size",                break_size,            "entry 3 makes no sense"       },
        {"total",               break_total,           "its sums are wrong"           },
        {"count of files",      break_file_count,      "its sums are wrong"           },
        {"layout",              break_layout,          "the layout of another version"},
        {"top is a file",       break_folder,          "entry 0 makes no sense"       },
    };
    struct folder *folder = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* 0 "", 1 "x", 2 "y", 3 "x/a", 4 "y/z" (empty) */
        struct toc *toc = archives_toc("folders");
        struct error err = {0};
        int rc;

        test_row(i, "%s", cases[i].what);
        cases[i].lie(toc);
        checksum_xxh3_hex(toc->entries, toc->size - sizeof *toc->block,
                          toc->block->digest);
        toc->block->checksum = 0;
        toc->block->checksum = checksum_xxh3(toc->block, toc->size);
        put(folder, toc->block, toc->size);
        rc = load(folder, &err);
        assert_int_equal(rc, cases[i].sentence ? -EBADMSG : 0);
        if (cases[i].sentence)
            assert_non_null(strstr(err.message, cases[i].sentence));
        toc_free(toc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(saved_tables_come_back),
        cmocka_unit_test(every_flipped_byte_is_seen),
        cmocka_unit_test(every_cut_is_seen),
        cmocka_unit_test(what_is_no_table_is_refused),
        cmocka_unit_test(lies_with_the_right_sums_are_refused),
    };

    return cmocka_run_group_tests(tests, folder_open, folder_close);
}
