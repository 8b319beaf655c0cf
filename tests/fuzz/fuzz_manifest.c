/* fuzz_manifest.c: a manifest that is taken gives documents that our own readers take,
 * and that say the same: name, version, author, and parameters of the same ID. */
#include "publish/manifest.h"
#include "publish/texts.h"
#include "resolver/header.h"
#include "resolver/meta.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_header(const struct manifest *manifest)
{
    CLEANUP_HEADER struct header *header = NULL;
    CLEANUP_BYTES struct bytes text;
    char id[MODEL_ID_SIZE];
    struct error err = {0};

    bytes_init(&text, YAML_BYTES_MAX);
    assert(texts_header(manifest, &text, &err) == 0);
    assert(header_parse(text.data, text.size, &header, &err) == 0);
    assert(strcmp(header->name, manifest->name) == 0);
    assert(strcmp(header->subgroup, manifest->subgroup) == 0);
    assert(strcmp(header->version, manifest->version) == 0);
    assert(strcmp(header->author, manifest->author) == 0);
    assert(uid_short(header->name, header->subgroup, header->parameters, id, &err) == 0);
    assert(strcmp(id, manifest->id) == 0);
}

static void check_meta(const struct manifest *manifest)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    bytes_init(&text, YAML_BYTES_MAX);
    assert(texts_meta(manifest, &text, &err) == 0);
    assert(meta_parse(text.data, text.size, &yaml, &err) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct manifest_defaults defaults = {"somebody", "2024-02-29"};
    CLEANUP_MANIFEST struct manifest *manifest = NULL;
    struct error err = {0};
    int rc = manifest_parse((const char *)data, size, &defaults, &manifest, &err);

    if (rc < 0) {
        assert(rc == -EINVAL && err.message[0] && !manifest);
        return 0;
    }
    check_header(manifest);
    check_meta(manifest);
    return 0;
}
