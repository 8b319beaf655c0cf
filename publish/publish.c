/* publish.c: the layer's face: from names to releases. */
#include "publish/publish.h"

#include "publish/alias_edit.h"
#include "publish/meta_edit.h"
#include "publish/transaction.h"
#include "resolver/repo_path.h"

#include <errno.h>

int publish_folder(const struct publish_options *options, const struct manifest *manifest,
                   int folder_fd, const struct publish_watch *watch,
                   struct publish_result *ret_result, struct error *err)
{
    int rc = manifest->alias ? uid_check_alias(manifest->alias, err) : 0;

    *ret_result = (struct publish_result){.is_published = false};
    return rc < 0 ? rc
                  : transaction_run(options, manifest, folder_fd, watch, ret_result, err);
}

/* The release that a text names, known to be there now. */
static int find_release(struct resolver *resolver, const char *uid,
                        struct release *ret_release, struct error *err)
{
    char path[REPO_PATH_SIZE];
    struct backend_stat stat;
    int rc = resolver_resolve(resolver, uid, RESOLVE_FETCH, ret_release, err);

    if (rc == 0)
        rc = repo_path_header(ret_release->id, ret_release->version, path, err);
    if (rc < 0)
        return rc;
    rc = backend_stat(resolver_backend(resolver, ret_release->repository), path, &stat,
                      err);
    if (rc == -ENOENT) {
        resolver_forget_model(resolver, ret_release->id, ret_release->version);
        return uid_fail_unknown(uid, err);
    }
    return rc;
}

int publish_set_alias(struct resolver *resolver, const char *alias, const char *uid,
                      struct error *err)
{
    struct release release;
    int rc = uid_check_alias(alias, err);

    if (rc == 0)
        rc = find_release(resolver, uid, &release, err);
    return rc < 0 ? rc : alias_edit_set(resolver, alias, &release, err);
}

int publish_remove_alias(struct resolver *resolver, const char *alias,
                         const struct release *target, struct error *err)
{
    return alias_edit_remove(resolver, alias, target, err);
}

int publish_set_meta(struct resolver *resolver, const char *uid, const char *text,
                     size_t size, enum publish_meta how, struct error *err)
{
    struct release release;
    int rc = find_release(resolver, uid, &release, err);

    return rc < 0 ? rc : meta_edit_set(resolver, &release, text, size, how, err);
}
