/* test_toc_read.c: two requests at most, opening included; no byte more than is needed.
 */
#include "tests/test.h"

#include "tests/archives.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"

#include "cache/checksum.h"
#include "cache/inflate.h"
#include "cache/toc_local.h"
#include "cache/toc_read.h"

#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

struct store {
    struct backend *memory, *fault, *counting;
};

static void store_open(struct store *store, const void *data, size_t size)
{
    store->memory = memory_backend_new();
    memory_backend_set_bytes(store->memory, "a.zip", data, size);
    store->fault = fault_backend_new(store->memory);
    store->counting = counting_backend_new(store->fault);
}

static void store_close(struct store *store)
{
    backend_close(store->counting);
}

/* Open the archive and read its table. */
static int read_table(struct store *store, bool with_tail, struct toc **ret_toc,
                      struct error *err)
{
    CLEANUP_OBJECT struct object *object = NULL;
    CLEANUP_BYTES struct bytes tail;
    int rc;

    bytes_init(&tail, TOC_READ_TAIL);
    rc = with_tail ? backend_object_open_tail(store->counting, "a.zip", TOC_READ_TAIL,
                                              &tail, &object, err)
                   : backend_object_open(store->counting, "a.zip", &object, err);
    return rc < 0 ? rc : toc_read(object, with_tail ? &tail : NULL, ret_toc, err);
}

static void put_u16(unsigned char *at, size_t value)
{
    at[0] = (unsigned char)value;
    at[1] = (unsigned char)(value >> 8);
}

static void put_u32(unsigned char *at, size_t value)
{
    put_u16(at, value);
    put_u16(at + 2, value >> 16);
}

/* An archive of empty stored members named by number, behind a first one of content_size
 * bytes. Freed by the caller. */
static unsigned char *make_archive(unsigned count, size_t content_size, size_t *ret_size)
{
    enum { NAME = 6, LOCAL = 30 + NAME, ENTRY = 46 + NAME };
    size_t first = content_size + (size_t)count * LOCAL;
    unsigned char *data = calloc(1, first + count * ENTRY + 22);
    unsigned char *end = data + first + (size_t)count * ENTRY;
    char name[NAME + 1];

    for (unsigned i = 0; i < count; i++) {
        size_t offset = i ? content_size + (size_t)i * LOCAL : 0;
        unsigned char *entry = data + first + (size_t)i * ENTRY;

        memcpy(entry, "PK\1\2", 4);
        put_u32(entry + 20, i ? 0 : content_size);
        put_u32(entry + 24, i ? 0 : content_size);
        put_u16(entry + 28, NAME);
        put_u32(entry + 42, offset);
        snprintf(name, sizeof name, "%06u", i % 1000000);
        memcpy(entry + 46, name, NAME);
    }
    memset(end, 0, 22);
    memcpy(end, "PK\5\6", 4);
    put_u16(end + 8, count);
    put_u16(end + 10, count);
    put_u32(end + 12, (size_t)count * ENTRY);
    put_u32(end + 16, first);
    *ret_size = (size_t)(end - data) + 22;
    return data;
}

static void the_directory_and_64_kib_are_all_that_is_read(void **state)
{
    static const struct {
        unsigned count;
        size_t content;
        uint64_t requests, bytes;
    } cases[] = {
        {1,    10,      1, 10 + 36 + 52 + 22}, /* smaller than the tail */
        {10,   1000000, 1, 65536            },
        {1259, 1000000, 1, 65536            }, /* the directory just fits in */
        {1260, 1000000, 2, 1260 * 52 + 22   },
        {5000, 1000000, 2, 5000 * 52 + 22   },
        {5000, 0,       2, 5000 * 52 + 22   },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        struct store store;
        struct toc *toc = NULL;
        size_t size;
        unsigned char *data = make_archive(cases[i].count, cases[i].content, &size);

        test_row(i, "%u members behind %zu bytes", cases[i].count, cases[i].content);
        store_open(&store, data, size);
        for (unsigned without = 0; without < 2; without++) {
            counting_backend_reset(store.counting);
            assert_int_equal(read_table(&store, !without, &toc, &err), 0);
            assert_int_equal(toc_file_count(toc), cases[i].count);
            assert_int_equal(counting_backend_total(store.counting),
                             cases[i].requests + without);
            assert_int_equal(counting_backend_calls(store.counting).bytes_read,
                             cases[i].bytes);
            toc_free(toc);
        }
        store_close(&store);
        free(data);
    }
}

static void failures_of_the_store_are_passed_on(void **state)
{
    size_t size;
    unsigned char *data = make_archive(5000, 0, &size);

    (void)state;
    for (unsigned is_replaced = 0; is_replaced < 2; is_replaced++) {
        CLEANUP_OBJECT struct object *object = NULL;
        CLEANUP_BYTES struct bytes tail;
        struct error err = {0};
        struct store store;
        struct toc *toc = NULL;

        test_row(is_replaced, "%u", is_replaced);
        store_open(&store, data, size);
        bytes_init(&tail, TOC_READ_TAIL);
        assert_int_equal(backend_object_open_tail(store.counting, "a.zip", TOC_READ_TAIL,
                                                  &tail, &object, &err),
                         0);
        if (is_replaced) /* the object that was opened is gone */
            memory_backend_set(store.memory, "a.zip", "another one");
        else
            fault_backend_fail(store.fault, FAULT_OBJECT_READ, NULL, ETIMEDOUT, 1);
        assert_int_equal(toc_read(object, &tail, &toc, &err),
                         is_replaced ? -ESTALE : -ETIMEDOUT);
        assert_null(toc);
        assert_true(strlen(err.message) > 0);
        object_close(steal_ptr(&object));
        store_close(&store);
    }
    free(data);
}

static void what_is_no_archive_is_refused(void **state)
{
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {
        {"",                             0 },
        {"x",                            1 },
        {"<html>Not found</html>\n",     23},
        {"PK\5\6\0\0\0\0\0\0\0\0\0\0\0", 15},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};
        struct store store;
        struct toc *toc = NULL;

        test_row(i, "%s", cases[i].text);
        store_open(&store, cases[i].text, cases[i].size);
        assert_int_equal(read_table(&store, true, &toc, &err), -EBADMSG);
        assert_non_null(strstr(err.message, "no zip archive"));
        store_close(&store);
    }
}

/* Unpack a member from the archive in memory and return its CRC-32. */
static uint32_t unpack(const struct toc *toc, uint32_t index, const struct bytes *archive)
{
    const struct toc_entry *entry = toc_entry(toc, index);
    CLEANUP_INFLATE struct inflate *inflate = NULL;
    CLEANUP_FREE char *content = malloc(entry->size + 1);
    const char *first = archive->data + entry->archive_first;
    size_t header_size, consumed, produced;
    struct error err = {0};
    bool is_end;

    assert_int_equal(toc_local_check(toc, index, first,
                                     entry->archive_last - entry->archive_first + 1,
                                     &header_size, &err),
                     0);
    assert_int_equal(entry->method, TOC_DEFLATED);
    assert_int_equal(inflate_open(INFLATE_FASTEST, &inflate, &err), 0);
    assert_int_equal(inflate_run(inflate, first + header_size, entry->packed_size,
                                 content, entry->size + 1, &consumed, &produced, &is_end,
                                 &err),
                     0);
    assert_true(is_end);
    assert_int_equal(produced, entry->size);
    assert_int_equal(inflate_packed_size(inflate), entry->packed_size);
    return checksum_crc32(0, content, produced);
}

static unsigned golden_members;

static int check_golden(const char *path, const struct stat *stat, int kind,
                        struct FTW *where)
{
    const char *name = path + where->base;
    const char *dot = strrchr(name, '.');
    struct error err = {0};
    struct bytes archive;
    struct toc *toc = NULL;

    if (kind != FTW_F || !dot || strcmp(dot, ".zip") != 0)
        return 0;
    printf("    %s\n", name);
    bytes_init(&archive, (size_t)stat->st_size + 1);
    assert_int_equal(files_read(AT_FDCWD, path, &archive, &err), 0);
    if (archives_parse(archive.data, archive.size, &toc, &err) < 0)
        fail_msg("%s", err.message);
    for (uint32_t i = 0; i < toc_count(toc); i++) {
        if (toc_entry(toc, i)->kind != TOC_FILE)
            continue;
        assert_int_equal(unpack(toc, i, &archive), toc_entry(toc, i)->crc32);
        golden_members++;
    }
    toc_free(toc);
    bytes_done(&archive);
    return 0;
}

/* What audmodel wrote: every member comes out with the CRC-32 that Python gave it. */
static void golden_members_unpack_to_their_checksums(void **state)
{
    (void)state;
    assert_int_equal(nftw("tests/data/golden/models", check_golden, 16, FTW_PHYS), 0);
    assert_true(golden_members > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_directory_and_64_kib_are_all_that_is_read),
        cmocka_unit_test(failures_of_the_store_are_passed_on),
        cmocka_unit_test(what_is_no_archive_is_refused),
        cmocka_unit_test(golden_members_unpack_to_their_checksums),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
