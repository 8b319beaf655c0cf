/* test_pack_seal.c: an archive that is not what was asked for is told from one that is.
 */
#include "tests/test.h"

#include "tests/folders.h"

#include "publish/pack_seal.h"
#include "publish/pack_zip.h"

#include <errno.h>
#include <unistd.h>

/* The archive of one stored file: "a", of 7 bytes. */
enum {
    DATA = 30 + 1,
    ENTRY = DATA + 7,
    END = ENTRY + 46 + 1,
    SIZE = END + 22,
};

static void make_archive(int dir_fd, struct pack_list *list, int spool_fd)
{
    static const struct pack_options no_options;
    int model_fd;
    struct error err = {0};

    folder_put(dir_fd, "model/a", "content", 7, 0644, 1000000000);
    model_fd = openat(dir_fd, "model", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(pack_scan(model_fd, 0, list, &err), 0);
    list->files[0].is_stored = true;
    assert_int_equal(pack_zip(model_fd, spool_fd, list, &no_options, &err), 0);
    close(model_fd);
}

static void what_was_not_asked_for_is_noticed(void **state)
{
    static const struct {
        off_t at; /* of the byte that is wrong */
        const char *what;
        int rc;
        bool is_healed;
    } cases[] = {
        {0,          "signature of the header", -EIO, false},
        {6,          "its flags",               -EIO, false},
        {7,          "its flag for UTF-8",      0,    true },
        {10,         "its time",                0,    true },
        {13,         "its date",                0,    true },
        {26,         "size of its name",        -EIO, false},
        {30,         "its name",                -EIO, false},
        {DATA,       "data",                    0,    false},
        {ENTRY,      "signature of the entry",  -EIO, false},
        {ENTRY + 9,  "its flag for UTF-8",      0,    true },
        {ENTRY + 12, "its time",                0,    true },
        {ENTRY + 28, "size of its name",        -EIO, false},
        {ENTRY + 30, "size of its extra field", -EIO, false},
        {ENTRY + 46, "its name",                -EIO, false},
        {SIZE - 1,   "size of the comment",     0,    false},
    };
    CLEANUP_PACK_LIST struct pack_list list = {0};
    int dir_fd = ((struct folder *)*state)->fd;
    int spool_fd = openat(dir_fd, "spool", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    char good[DIGEST_MD5_SIZE], data[SIZE];
    struct error err = {0};
    uint64_t size;

    make_archive(dir_fd, &list, spool_fd);
    assert_int_equal(pack_seal(spool_fd, &list, &size, good, &err), 0);
    assert_int_equal(size, SIZE);
    assert_int_equal(pread(spool_fd, data, SIZE, 0), SIZE);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char md5[DIGEST_MD5_SIZE], byte = (char)(data[cases[i].at] ^ 0xff);
        int rc;

        if (strstr(cases[i].what, "UTF-8"))
            byte = 8; /* that flag alone */
        test_row(i, "%s", cases[i].what);
        assert_int_equal(pwrite(spool_fd, &byte, 1, cases[i].at), 1);
        rc = pack_seal(spool_fd, &list, &size, md5, &err);
        assert_int_equal(rc, cases[i].rc);
        if (rc == 0)
            assert_int_equal(strcmp(md5, good) == 0, cases[i].is_healed);
        assert_int_equal(pwrite(spool_fd, data, SIZE, 0), SIZE);
    }
    close(spool_fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_not_asked_for_is_noticed, folder_open,
                                        folder_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
