/* fuzz_json_reader.c: a text is taken or refused, and told of, the same way in one piece
 * and in two. */
#include "backends/json_reader.h"
#include "common/bytes.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int note(void *arg, const struct json_value *value, struct error *err)
{
    return bytes_printf(arg, err, "%s|%d|%s\n", value->path, (int)value->kind,
                        value->text);
}

static int read_parts(const uint8_t *data, size_t size, size_t split, struct bytes *told)
{
    CLEANUP_JSON_READER struct json_reader *reader = json_reader_new(note, told);
    struct error err = {0};
    int rc;

    bytes_init(told, 64 * MIB);
    rc = json_reader_feed(reader, data, split, &err);
    if (rc == 0)
        rc = json_reader_feed(reader, data + split, size - split, &err);
    if (rc == 0)
        rc = json_reader_end(reader, &err);
    assert(rc == -err.code && (rc == 0 || (rc == -EIO && err.message[0])));
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BYTES struct bytes whole;
    CLEANUP_BYTES struct bytes parts;
    int rc;

    rc = read_parts(data, size, size, &whole);
    assert(read_parts(data, size, size ? data[0] % size : 0, &parts) == rc);
    assert(strcmp(whole.data, parts.data) == 0);
    return 0;
}
