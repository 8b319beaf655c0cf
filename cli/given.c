/* given.c: reads YAML from an argument, or from the file that it names. */
#include "cli/given.h"

#include "common/files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int given_read(const char *argument, struct bytes *to, struct error *err)
{
    if (!*argument)
        return fail(err, EINVAL, "the argument is empty; an empty mapping is '{}'");
    if (strcmp(argument, "@") == 0)
        return fail(err, EINVAL, "the file is missing after '@'");
    if (*argument == '@')
        return files_read(AT_FDCWD, argument + 1, to, err);
    return bytes_append(to, argument, strlen(argument), err);
}
