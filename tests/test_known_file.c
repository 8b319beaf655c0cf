/* test_known_file.c: answers come back from their file as they went in, and nothing else
 * does. */
#include "tests/test.h"

#include "common/files.h"
#include "resolver/known_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#define LOCATION "s3 https://host/bucket"

static const char *const two[] = {"3e120e8d", "1.0.0"};
static const char *const open_end[] = {"3e120e8d", ""};

/* The bytes of a file with some records; freed by the caller. */
static char *write_some(size_t *ret_size)
{
    int fd = memfd_create("known", MFD_CLOEXEC);
    struct known_writer writer;
    struct bytes bytes;
    struct error err = {0};

    assert_true(fd >= 0);
    known_file_begin(&writer, fd, LOCATION);
    known_file_write(&writer, "small", two, 2);
    known_file_write(&writer, "any", open_end, 2);
    known_file_write(&writer, "", NULL, 0);
    known_file_write(&writer, "gone", NULL, KNOWN_FILE_NONE);
    assert_int_equal(known_file_end(&writer, &err), 0);
    bytes_init(&bytes, MIB);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    assert_int_equal(files_read_fd(fd, &bytes, &err), 0);
    close(fd);
    *ret_size = bytes.size;
    return bytes_detach(&bytes);
}

/* Put the checksum right after a change. */
static void seal(char *data, size_t size)
{
    uint64_t sum = XXH3_64bits(data, size - 8);

    for (size_t i = 0; i < 8; i++)
        data[size - 8 + i] = (char)(sum >> (8 * i));
}

static void records_come_back_in_their_order(void **state)
{
    struct known_record record;
    struct cursor records;
    struct error err = {0};
    size_t size;
    char *data = write_some(&size);

    (void)state;
    assert_int_equal(known_file_open(data, size, LOCATION, &records, &err), 0);
    assert_true(known_file_next(&records, &record));
    assert_string_equal(record.key, "small");
    assert_int_equal(record.count, 2);
    assert_memory_equal(record.names, "3e120e8d\0001.0.0", record.names_size);
    assert_int_equal(record.size, known_file_size("small", two, 2));
    assert_true(known_file_next(&records, &record));
    assert_string_equal(record.key, "any");
    assert_memory_equal(record.names, "3e120e8d\0", record.names_size);
    assert_true(known_file_next(&records, &record));
    assert_string_equal(record.key, "");
    assert_int_equal(record.count, 0);
    assert_true(known_file_next(&records, &record));
    assert_string_equal(record.key, "gone");
    assert_int_equal(record.count, KNOWN_FILE_NONE);
    assert_false(known_file_next(&records, &record));
    free(data);
}

static void any_change_and_any_cut_is_noticed(void **state)
{
    struct cursor records;
    size_t size;
    char *data = write_some(&size);

    (void)state;
    for (size_t i = 0; i < size; i++) {
        struct error err = {0};

        data[i] ^= 4;
        assert_int_equal(known_file_open(data, size, LOCATION, &records, &err), -EBADMSG);
        data[i] ^= 4;
        assert_int_equal(known_file_open(data, i, LOCATION, &records, &err), -EBADMSG);
    }
    free(data);
}

static void another_repository_is_told_apart(void **state)
{
    static const char *const locations[] = {"", "s3 https://host/bucke",
                                            "s3 https://host/bucket2"};
    struct cursor records;
    size_t size;
    char *data = write_some(&size);

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(locations); i++) {
        struct error err = {0};

        test_row(i, "%s", locations[i]);
        assert_int_equal(known_file_open(data, size, locations[i], &records, &err),
                         -EBADMSG);
    }
    free(data);
}

/* Whoever writes to the folder can put a checksum under anything. */
static void hostile_records_end_the_file(void **state)
{
    struct error err = {0};
    struct cursor records;
    size_t size, first;
    char *data = write_some(&size);

    (void)state;
    assert_int_equal(known_file_open(data, size, LOCATION, &records, &err), 0);
    first = size - 8 - cursor_left(&records);
    for (size_t i = first; i < size - 8; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct known_record record;

            data[i] ^= (char)(1u << bit);
            seal(data, size);
            assert_int_equal(known_file_open(data, size, LOCATION, &records, &err), 0);
            while (known_file_next(&records, &record)) {
                const char *end = record.names + record.names_size;
                size_t count = 0;

                assert_true(strlen(record.key) < size);
                for (const char *at = record.names; at < end; at += strlen(at) + 1)
                    count++;
                assert_int_equal(count,
                                 record.count == KNOWN_FILE_NONE ? 0 : record.count);
                assert_true(end <= data + size - 8);
            }
            data[i] ^= (char)(1u << bit);
        }
    }
    free(data);
}

static void failures_of_the_disk_are_told(void **state)
{
    struct known_writer writer;
    struct error err = {0};

    (void)state;
    known_file_begin(&writer, -1, LOCATION);
    known_file_write(&writer, "small", two, 2);
    assert_int_equal(known_file_end(&writer, &err), -EBADF);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_come_back_in_their_order),
        cmocka_unit_test(any_change_and_any_cut_is_noticed),
        cmocka_unit_test(another_repository_is_told_apart),
        cmocka_unit_test(hostile_records_end_the_file),
        cmocka_unit_test(failures_of_the_disk_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
