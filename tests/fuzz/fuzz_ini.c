/* fuzz_ini.c: no text breaks the reader, and each key of a text that it takes reads the
 * same in all parts: a value, none, or a clear refusal. */
#include "backends/ini.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_INI struct ini *ini = NULL;
    struct error err = {0};
    const char *section;

    if (size == 0)
        return 0;
    if (ini_parse((const char *)data + 1, size - 1, data[0] & 3, &ini, &err) < 0) {
        assert(err.code && err.message[0] && !ini);
        return 0;
    }
    for (size_t i = 0; (section = ini_section(ini, i)) && i < 100; i++) {
        CLEANUP_FREE char *value = NULL;
        int rc = ini_get(ini, section, "a", &value, &err);

        assert(*section && (rc == 0 || rc == 1 || rc == -EINVAL || rc == -EFBIG));
        assert(rc == 1 || !value);
    }
    return 0;
}
