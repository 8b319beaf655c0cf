/* call.c: the life of an answer. */
#include "fs/call.h"

#include "fs/open_files.h"

#include <string.h>

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
