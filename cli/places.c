/* places.c: where things lie when nobody says otherwise. */
#include "cli/places.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "common/paths.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#define SYSTEM_CONFIG "/etc/modelfs/config.yaml"

/* NULL for a variable that is not set or empty. */
static const char *environment(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* The XDG specification: a path that is not absolute is to be ignored. */
static int xdg_folder(const char *variable, const char *fallback, char **ret_path,
                      struct error *err)
{
    const char *value = environment(variable);

    return paths_expand(value && *value == '/' ? value : fallback, NULL, ret_path, err);
}

int places_data(char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = NULL;
    int rc = xdg_folder("XDG_DATA_HOME", "~/.local/share", &folder, err);

    if (rc < 0)
        return rc;
    *ret_path = xasprintf("%s/modelfs", folder);
    return 0;
}

/* Anything but "there is none" is for the reader of the file to report. */
static bool is_there(const char *path)
{
    return access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int places_config(const char *asked, char **ret_path, struct error *err)
{
    CLEANUP_FREE char *folder = NULL;
    CLEANUP_FREE char *path = NULL;
    struct error no_home = {0};
    int rc;

    if (!asked)
        asked = environment("MODELFS_CONFIG");
    if (asked) {
        rc = paths_expand(asked, NULL, &path, err);
        if (rc < 0)
            return fail_context(err, rc, "configuration file");
        *ret_path = steal_ptr(&path);
        return 0;
    }
    /* A service may have no home folder: then the system's file is all there can be. */
    if (xdg_folder("XDG_CONFIG_HOME", "~/.config", &folder, &no_home) == 0) {
        path = xasprintf("%s/modelfs/config.yaml", folder);
        if (is_there(path)) {
            *ret_path = steal_ptr(&path);
            return 0;
        }
    }
    *ret_path = is_there(SYSTEM_CONFIG) ? xstrdup(SYSTEM_CONFIG) : NULL;
    return 0;
}
