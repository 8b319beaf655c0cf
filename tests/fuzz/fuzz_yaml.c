/* fuzz_yaml.c: any bytes end in a tree or an error, and what is printed of a tree reads
 * back as a tree that prints alike. */
#include "common/bytes.h"
#include "common/yaml.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* false if the tree holds what cannot be printed */
static bool print(const char *text, size_t size, bool must_parse, struct bytes *to)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    struct error err = {0};

    if (yaml_parse(text, size, &yaml, &err) < 0) {
        if (must_parse)
            abort();
        return false;
    }
    return yaml_print(yaml_root(yaml), to, &err) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_BYTES struct bytes first, second;

    bytes_init(&first, 64 * MIB);
    bytes_init(&second, 64 * MIB);
    if (print((const char *)data, size, false, &first) &&
        (!print(first.data, first.size, true, &second) || first.size != second.size ||
         memcmp(first.data, second.data, first.size) != 0))
        abort();
    return 0;
}
