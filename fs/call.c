/* call.c: what is known of a request, and the life of its answer. */
#include "fs/call.h"

#include "fs/kernel.h"
#include "fs/open_files.h"

#include <string.h>

bool call_is_repeated(const struct call *call)
{
    return call->unique & KERNEL_UNIQUE_RESEND;
}

void answer_init(struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    bytes_init(&answer->bytes, ANSWER_BYTES_MAX);
}

void answer_done(struct answer *answer)
{
    bytes_done(&answer->bytes);
    open_file_unref(answer->file);
    archive_unref(answer->want.archive);
}
