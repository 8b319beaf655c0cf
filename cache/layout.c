/* layout.c: every name below the cache root. */
#include "cache/layout.h"

#include "common/memory.h"
#include "resolver/uid.h"

#include <errno.h>

static const char *const suffixes[] = {
    [LAYOUT_MODEL] = "",
    [LAYOUT_HEADER] = ".header.yaml",
    [LAYOUT_META] = ".meta.yaml",
};

int layout_check(const char *id, const char *version, struct error *err)
{
    if (!uid_is_id(id))
        return fail(err, EINVAL, "'%.80s' is not a model ID", id);
    if (!uid_version_is_valid(version))
        return fail(err, EINVAL, "'%.80s' is not a version of model %s", version, id);
    return 0;
}

static const char *folder_of(const char *version)
{
    if (strcmp(version, ".") == 0)
        return "@.";
    return strcmp(version, "..") == 0 ? "@.." : version;
}

const char *layout_version_of(const char *name)
{
    if (strcmp(name, "@.") == 0 || strcmp(name, "@..") == 0)
        return name + 1;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || !uid_version_is_valid(name))
        return NULL;
    return name;
}

char *layout_version_of_document(const char *name, enum layout_document document)
{
    const char *suffix = suffixes[document];
    size_t size = strlen(name), suffix_size = strlen(suffix);
    CLEANUP_FREE char *folder = NULL;
    const char *version;

    if (size <= suffix_size || strcmp(name + size - suffix_size, suffix) != 0)
        return NULL;
    folder = xasprintf("%.*s", (int)(size - suffix_size), name);
    version = layout_version_of(folder);
    return version ? xstrdup(version) : NULL;
}

char *layout_path(const char *id, const char *version, enum layout_document document)
{
    return xasprintf("%s/%s%s", id, folder_of(version), suffixes[document]);
}

char *layout_lock(const char *id, const char *version, enum layout_document document)
{
    return xasprintf("%s/.%s%s.lock", id, folder_of(version), suffixes[document]);
}

char *layout_trees(const char *id, const char *version)
{
    return xasprintf(LAYOUT_TREES "/%s/%s", id, folder_of(version));
}

char *layout_tree(const char *id, const char *version, const char *digest)
{
    return xasprintf(LAYOUT_TREES "/%s/%s/%s", id, folder_of(version), digest);
}
