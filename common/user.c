/* user.c: what the password file says of a user. */
#include "common/user.h"

#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <pwd.h>

enum { LINE_BYTES_MAX = 16 << 10 };

/* entry points into buffer. */
static int find(uid_t user, char *buffer, struct passwd *entry, struct error *err)
{
    struct passwd *found = NULL;

    errno = getpwuid_r(user, entry, buffer, LINE_BYTES_MAX, &found);
    if (errno)
        return fail_errno(err, "look up user %u", (unsigned)user);
    return found ? 0 : fail(err, ENOENT, "there is no user %u", (unsigned)user);
}

int user_name(uid_t user, char **ret_name, struct error *err)
{
    CLEANUP_FREE char *buffer = xcalloc(1, LINE_BYTES_MAX);
    struct passwd entry;
    int rc = find(user, buffer, &entry, err);

    if (rc == 0)
        *ret_name = xstrdup(entry.pw_name);
    return rc;
}

int user_home(uid_t user, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *buffer = xcalloc(1, LINE_BYTES_MAX);
    struct passwd entry;
    int rc = find(user, buffer, &entry, err);

    if (rc == 0)
        *ret_path = xstrdup(entry.pw_dir);
    return rc;
}
