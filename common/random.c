/* random.c: bytes and names that nobody guesses. */
#include "common/random.h"

#include "common/text.h"

#include <sys/random.h>
#include <sys/types.h>

int random_bytes(void *to, size_t size, struct error *err)
{
    if (getrandom(to, size, 0) != (ssize_t)size)
        return fail_errno(err, "get random bytes");
    return 0;
}

int random_name(char ret_name[RANDOM_NAME_SIZE], struct error *err)
{
    unsigned char bytes[(RANDOM_NAME_SIZE - 1) / 2];
    int rc = random_bytes(bytes, sizeof bytes, err);

    if (rc == 0)
        text_from_hex(bytes, sizeof bytes, ret_name);
    return rc;
}
