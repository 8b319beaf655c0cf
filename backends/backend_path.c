/* backend_path.c: what may be a path in a repository. */
#include "backends/backend_path.h"

#include "backends/backend_types.h"

#include <errno.h>
#include <string.h>

static bool part_is_valid(const char *part, size_t size)
{
    return size > 0 && !(size == 1 && part[0] == '.') &&
           !(size == 2 && part[0] == '.' && part[1] == '.');
}

int backend_path_check(const char *path, struct error *err)
{
    if (strlen(path) >= BACKEND_PATH_MAX)
        return fail(err, EINVAL, "path '%.80s...' is longer than %d bytes", path,
                    BACKEND_PATH_MAX - 1);
    for (const char *part = path;;) {
        size_t size = strcspn(part, "/");

        if (!part_is_valid(part, size))
            return fail(err, EINVAL,
                        "'%s' is no path in a repository: empty, '.' or '..' part", path);
        if (part[size] == '\0')
            return 0;
        part += size + 1;
    }
}
