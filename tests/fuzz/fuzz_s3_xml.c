/* fuzz_s3_xml.c: any answer of a store is read or refused, with the same result in one
 * piece and in many; keys are never empty of their NUL, nor past their limit. */
#include "backends/s3_xml.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    size_t entries;
    uint64_t sum;
};

static int count(void *arg, const struct s3_xml_entry *entry, struct error *err)
{
    struct seen *seen = arg;

    (void)err; /* never fails */
    assert(strlen(entry->key) <= S3_XML_TEXT_MAX);
    assert(strlen(entry->upload_id) < S3_XML_TOKEN_MAX);
    seen->entries++;
    seen->sum = seen->sum * 31 + entry->size + strlen(entry->key) + entry->is_prefix;
    return 0;
}

static int read_all(const uint8_t *data, size_t size, size_t step, struct seen *seen,
                    struct s3_xml_reply *ret_reply)
{
    CLEANUP_S3_XML struct s3_xml *xml = NULL;
    struct error err = {0};
    int rc = s3_xml_open(count, seen, &xml, &err);

    for (size_t at = 0; rc == 0 && at < size; at += step)
        rc = s3_xml_feed(xml, data + at, size - at < step ? size - at : step, &err);
    if (rc == 0)
        rc = s3_xml_end(xml, ret_reply, &err);
    assert(rc == 0 || err.message[0]);
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct s3_xml_reply whole = {0}, pieces = {0};
    struct seen seen_whole = {0}, seen_pieces = {0};
    int rc = read_all(data, size, size + 1, &seen_whole, &whole);

    assert(read_all(data, size, 7, &seen_pieces, &pieces) == rc);
    if (rc < 0)
        return 0;
    assert(seen_whole.entries == seen_pieces.entries);
    assert(seen_whole.sum == seen_pieces.sum);
    assert(memcmp(&whole, &pieces, sizeof whole) == 0);
    return 0;
}
