/* claims.c: claims of other publishers. */
#include "tests/fakes/claims.h"

#include "tests/test.h"

#include <string.h>

void claims_put(struct backend *backend, const char *path, const char *nonce,
                const char *process, int lifetime_s, long long since_s)
{
    char text[512];
    struct error err = {0};
    int size = snprintf(text, sizeof text,
                        "owner: 'x on y'\nprocess: '%s'\nnonce: '%s'\nlifetime: %d\n",
                        process, nonce, lifetime_s);

    if (since_s)
        snprintf(text + size, sizeof text - (size_t)size, "since: %lld\n", since_s);
    assert_int_equal(
        backend_put(backend, path,
                    &(struct backend_content){.data = text, .size = strlen(text)}, 0,
                    &err),
        0);
}
