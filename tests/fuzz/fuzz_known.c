/* fuzz_known.c: any bytes are a file of answers or are refused; what comes out is sound.
 */
#include "resolver/known_file.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void walk(const char *data, size_t size)
{
    struct known_record record;
    struct cursor records;
    struct error err = {0};
    size_t total = 0;

    if (known_file_open(data, size, "x", &records, &err) < 0)
        return;
    while (known_file_next(&records, &record)) {
        const char *end = record.names + record.names_size;
        uint32_t count = 0;

        assert(strlen(record.key) < record.size);
        for (const char *at = record.names; at < end; at += strlen(at) + 1)
            count++;
        assert(count == (record.count == KNOWN_FILE_NONE ? 0 : record.count));
        total += record.size;
    }
    assert(total <= size);
}

/* The head and the checksum are put right, or nothing would come behind them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "modelfs known answers 1\nx"; /* its NUL too */
    size_t whole = sizeof head + size + 8;
    char *file = malloc(whole);
    uint64_t sum;

    walk((const char *)data, size);
    memcpy(file, head, sizeof head);
    memcpy(file + sizeof head, data, size);
    sum = XXH3_64bits(file, whole - 8);
    for (size_t i = 0; i < 8; i++)
        file[whole - 8 + i] = (char)(sum >> (8 * i));
    walk(file, whole);
    free(file);
    return 0;
}
