/* fuzz_artifactory_json.c: a reply is a file, a folder with good names, or refused; and a
 * message holds nothing that could forge a line. */
#include "backends/artifactory_json.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int check_name(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)err;
    ++*(unsigned *)arg;
    assert(*entry->name && !strchr(entry->name, '/') && strcmp(entry->name, "..") != 0);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = 0;
    CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json =
        artifactory_json_new(check_name, &count);
    char message[ARTIFACTORY_MESSAGE_MAX];
    struct artifactory_item item;
    struct error err = {0};
    unsigned told;
    int rc = artifactory_json_feed(json, data, size, &err);

    if (rc == 0)
        rc = artifactory_json_end(json, &item, &err);
    assert(rc == 0 || rc == -EISDIR || rc == -EIO);
    told = count;
    artifactory_json_restart(json);
    if (rc != -EIO) {
        assert(artifactory_json_feed(json, data, size, &err) == 0);
        assert(artifactory_json_end(json, &item, &err) == rc && count == told);
    }
    artifactory_json_message((const char *)data, size, message);
    assert(!strchr(message, '\n'));
    return 0;
}
