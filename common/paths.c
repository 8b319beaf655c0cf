/* paths.c: makes paths absolute. */
#include "common/paths.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/user.h"

#include <errno.h>
#include <unistd.h>

static int home(char **ret_path, struct error *err)
{
    CLEANUP_FREE char *listed = NULL;
    const char *value = getenv("HOME");
    struct error ignored; /* the sentence below says what to do */

    if ((!value || !*value) && user_home(geteuid(), &listed, &ignored) == 0)
        value = listed;
    if (!value || *value != '/')
        return fail(err, EINVAL, "no home folder is known: set HOME to an absolute path");
    *ret_path = xstrdup(value);
    return 0;
}

static int below_working_folder(const char *text, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = getcwd(NULL, 0);

    if (!folder)
        return fail_errno(err, "find the working folder for '%s'", text);
    *ret_path = xasprintf("%s/%s", folder, text);
    return 0;
}

int paths_expand(const char *text, const char *base, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = NULL;
    int rc;

    if (!*text)
        return fail(err, EINVAL, "a path is empty");
    if (*text == '/') {
        *ret_path = xstrdup(text);
        return 0;
    }
    if (*text == '~') {
        if (text[1] && text[1] != '/')
            return fail(err, EINVAL,
                        "'%.200s': of '~' only '~/' is understood: write the folder out",
                        text);
        rc = home(&folder, err);
        if (rc < 0)
            return rc;
        *ret_path = xasprintf("%s%s", folder, text + 1);
        return 0;
    }
    if (!base)
        return below_working_folder(text, ret_path, err);
    *ret_path = xasprintf("%s/%s", base, text);
    return 0;
}
