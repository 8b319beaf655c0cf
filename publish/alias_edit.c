/* alias_edit.c: writes aliases and the lists of aliases that models have. */
#include "publish/alias_edit.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/fault.h"
#include "common/log.h"
#include "common/memory.h"
#include "publish/document.h"
#include "publish/texts.h"
#include "resolver/alias.h"
#include "resolver/repo_path.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ALIAS_BYTES_MAX = 64 << 10,
    LIST_BYTES_MAX = 8 << 20,
    HEAL_MAX = 1000, /* names in a list: longer ones are not looked through */
};

/* What an alias names in one repository. */
struct named {
    struct uid uid; /* id "" in a document that makes no sense */
    bool is_there;
};

static int read_alias(struct backend *backend, const char *alias, struct named *ret_named,
                      struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    CLEANUP_FREE char *uid = NULL;
    char path[REPO_PATH_SIZE];
    struct error ignored = {0}; /* what makes no sense is overwritten */
    int rc = repo_path_alias(alias, path, err);

    bytes_init(&text, ALIAS_BYTES_MAX);
    *ret_named = (struct named){.is_there = false};
    if (rc == 0)
        rc = backend_get(backend, path, &text, err);
    if (rc == -ENOENT)
        return 0;
    if (rc < 0 && rc != -EFBIG)
        return rc;
    ret_named->is_there = true;
    if (rc < 0 || alias_parse(text.data, text.size, &uid, &ignored) < 0 ||
        uid_parse_target(uid, &ret_named->uid, &ignored) < 0)
        ret_named->uid.id[0] = '\0';
    return 0;
}

/* What an alias names: the first repository that has it says so. */
static int find_alias(struct resolver *resolver, const char *alias,
                      struct named *ret_named, struct error *err)
{
    struct error reason = {0};

    *ret_named = (struct named){.is_there = false};
    for (unsigned i = 0; i < resolver_repository_count(resolver) && !ret_named->is_there;
         i++) {
        int rc = read_alias(resolver_backend(resolver, i), alias, ret_named, &reason);

        if (rc < 0) {
            *err = reason;
            return fail_context(err, rc, "alias '%s' in repository '%s'", alias,
                                resolver_repository_name(resolver, i));
        }
    }
    return 0;
}

enum leads {
    LEADS_THERE,
    LEADS_ELSEWHERE, /* or nowhere */
    LEADS_UNKNOWN,   /* it cannot be asked for */
};

/* Does the alias name the release by now? */
static enum leads leads_to(struct resolver *resolver, const char *alias,
                           const struct release *release)
{
    struct error ignored; /* then it is not known */
    struct named named;

    if (!uid_alias_is_valid(alias) || find_alias(resolver, alias, &named, &ignored) < 0)
        return LEADS_UNKNOWN;
    return named.is_there && release_is_named(release, named.uid.id, named.uid.version)
               ? LEADS_THERE
               : LEADS_ELSEWHERE;
}

enum change {
    CHANGE_ADD,
    CHANGE_DROP,
};

struct list_edit {
    struct resolver *resolver;
    const struct release *release;
    const char *alias;
    enum change change;
    bool believes_all;   /* names are not looked at */
    struct bytes *stale; /* names that the last try dropped, each with its NUL */
};

/* Does a name of a list of so many stay in it? 1, 0, -errno. */
static int judge_name(const struct list_edit *edit, const char *alias, size_t count,
                      struct error *err)
{
    int rc;

    if (strcmp(alias, edit->alias) == 0)
        return 0; /* it is added at the end */
    if (edit->believes_all || count > HEAL_MAX ||
        leads_to(edit->resolver, alias, edit->release) != LEADS_ELSEWHERE)
        return 1;
    rc = bytes_append(edit->stale, alias, strlen(alias) + 1, err);
    return rc < 0 ? rc : 0;
}

/* The list as it should be. A document that makes no sense is written afresh. */
static int print_list(void *arg, const struct bytes *before, struct bytes *to,
                      struct error *err)
{
    const struct list_edit *edit = arg;
    CLEANUP_ALIAS_LIST struct alias_list list = {0};
    CLEANUP_FREE const char **names = NULL;
    struct error ignored = {0}; /* then it has no names */
    size_t count = 0;

    bytes_cut(edit->stale, 0, 0);
    if (before->size == 0 && edit->change == CHANGE_DROP)
        return DOCUMENT_IS_RIGHT; /* a model that never had an alias has no list */
    if (before->size > 0)
        (void)alias_list_parse(before->data, before->size, &list, &ignored);
    names = calloc(list.count + 1, sizeof *names);
    if (!names)
        return fail(err, ENOMEM, "no memory for %zu aliases", list.count);
    for (size_t i = 0; i < list.count; i++) {
        int rc = judge_name(edit, list.aliases[i], list.count, err);

        if (rc < 0)
            return rc;
        if (rc > 0)
            names[count++] = list.aliases[i];
    }
    if (edit->change == CHANGE_ADD)
        names[count++] = edit->alias;
    return texts_alias_list(names, count, to, err);
}

static int edit_list_once(struct list_edit *edit, struct error *err)
{
    const struct release *release = edit->release;
    char path[REPO_PATH_SIZE];
    int rc = repo_path_alias_list(release->id, release->version, path, err);

    if (rc < 0)
        return rc;
    rc = document_edit(&(struct document_edit){.backend = resolver_backend(
                                                   edit->resolver, release->repository),
                                               .path = path,
                                               .bytes_max = LIST_BYTES_MAX,
                                               .change = print_list,
                                               .arg = edit},
                       err);
    return rc < 0 ? fail_context(err, rc, "list of the aliases of %s-%s", release->id,
                                 release->version)
                  : 0;
}

static int change_list(const struct list_edit *edit, const char *alias,
                       enum change change, struct error *err)
{
    CLEANUP_BYTES struct bytes unused;

    bytes_init(&unused, LIST_BYTES_MAX);
    return edit_list_once(&(struct list_edit){.resolver = edit->resolver,
                                              .release = edit->release,
                                              .alias = alias,
                                              .change = change,
                                              .believes_all = true,
                                              .stale = &unused},
                          err);
}

static int put_back_one(const struct list_edit *edit, const char *alias,
                        struct error *err)
{
    enum leads leads = leads_to(edit->resolver, alias, edit->release);
    struct error ignored; /* a name too much is dropped by the next edit of the list */
    int rc;

    if (leads == LEADS_UNKNOWN)
        return fail(err, EIO, "what it names cannot be asked for");
    if (leads == LEADS_ELSEWHERE)
        return 0;
    rc = change_list(edit, alias, CHANGE_ADD, err);
    /* Who took the alias away meanwhile may have looked before it was listed again. */
    if (rc == 0 && leads_to(edit->resolver, alias, edit->release) == LEADS_ELSEWHERE)
        (void)change_list(edit, alias, CHANGE_DROP, &ignored);
    return rc;
}

/* Who was just moving an alias to this model had it in the list already, and looked for
 * the last time before it was dropped. What an alias names is looked up once more, after
 * the write: one of us two sees the other's. The edit itself is done whatever comes of
 * this. */
static void put_back(const struct list_edit *edit)
{
    const char *name = edit->stale->data, *end = name + edit->stale->size;
    const struct release *release = edit->release;
    struct error err = {0};

    for (; name < end; name += strlen(name) + 1)
        if (put_back_one(edit, name, &err) < 0)
            log_warning(
                "alias '%s' may be missing in the list of %s-%s: %s; set it again", name,
                release->id, release->version, err.message);
}

static int edit_list(struct resolver *resolver, const struct release *release,
                     const char *alias, enum change change, struct error *err)
{
    CLEANUP_BYTES struct bytes stale;
    struct list_edit edit = {.resolver = resolver,
                             .release = release,
                             .alias = alias,
                             .change = change,
                             .stale = &stale};
    int rc;

    bytes_init(&stale, LIST_BYTES_MAX);
    rc = edit_list_once(&edit, err);
    if (rc == 0)
        put_back(&edit);
    return rc;
}

/* Take the alias off the list of the model that it named, if that can be told. */
static int leave_old(struct resolver *resolver, const char *alias,
                     const struct named *named, struct error *err)
{
    struct freshness fresh;
    struct release old;
    int rc;

    if (!named->is_there || !named->uid.id[0] || !named->uid.version[0])
        return 0;
    rc = resolver_release(resolver, named->uid.id, named->uid.version, RESOLVE_FETCH,
                          &old, &fresh, err);
    if (rc == 0)
        rc = edit_list(resolver, &old, alias, CHANGE_DROP, err);
    return rc == -ENOENT ? 0 : rc; /* the model is gone, and its list with it */
}

static int write_alias(struct resolver *resolver, const char *alias,
                       const struct release *target, struct error *err)
{
    struct backend *backend = resolver_backend(resolver, target->repository);
    CLEANUP_FREE char *uid = xasprintf("%s-%s", target->id, target->version);
    CLEANUP_BYTES struct bytes text;
    char path[REPO_PATH_SIZE];
    struct backend_content content;
    int rc = repo_path_alias(alias, path, err);

    bytes_init(&text, ALIAS_BYTES_MAX);
    if (rc == 0)
        rc = texts_alias(uid, &text, err);
    if (rc < 0)
        return rc;
    content = (struct backend_content){.data = text.data, .size = text.size};
    return backend_put(backend, path, &content, 0, err);
}

/* Remove it from all repositories but one, the last first: until the end the first says
 * what the alias names. The number of those that had it. */
static int remove_but(struct resolver *resolver, const char *alias, unsigned keep,
                      struct error *err)
{
    char path[REPO_PATH_SIZE];
    struct error reason = {0};
    int rc = repo_path_alias(alias, path, err);
    int removed = 0;

    if (rc < 0)
        return rc;
    for (unsigned i = (unsigned)resolver_repository_count(resolver); i-- > 0;) {
        if (i == keep)
            continue;
        rc = backend_remove(resolver_backend(resolver, i), path, &reason);
        if (rc < 0 && rc != -ENOENT) {
            *err = reason;
            return fail_context(err, rc, "alias '%s' in repository '%s'", alias,
                                resolver_repository_name(resolver, i));
        }
        removed += rc == 0;
        if (rc == 0) /* or its name goes on being listed */
            (void)backend_prune(resolver_backend(resolver, i), path, &reason);
    }
    return removed;
}

static bool names_target(const struct named *named, const struct release *target)
{
    return named->is_there && strcmp(named->uid.id, target->id) == 0 &&
           strcmp(named->uid.version, target->version) == 0;
}

static int set(struct resolver *resolver, const char *alias, const struct release *target,
               struct error *err)
{
    struct named named;
    int rc = find_alias(resolver, alias, &named, err);

    if (rc == 0 && !names_target(&named, target))
        rc = leave_old(resolver, alias, &named, err);
    FAULT("alias.old-list");
    if (rc == 0)
        rc = edit_list(resolver, target, alias, CHANGE_ADD, err);
    FAULT("alias.new-list");
    if (rc == 0)
        rc = write_alias(resolver, alias, target, err);
    FAULT("alias.written");
    if (rc == 0)
        rc = remove_but(resolver, alias, target->repository, err);
    if (rc < 0)
        return rc;
    /* Who changed the list at the same time may have found the alias elsewhere still. */
    return edit_list(resolver, target, alias, CHANGE_ADD, err);
}

int alias_edit_set(struct resolver *resolver, const char *alias,
                   const struct release *target, struct error *err)
{
    int rc = uid_check_alias(alias, err);

    if (rc < 0)
        return rc;
    rc = set(resolver, alias, target, err);
    resolver_forget_alias(resolver, alias);
    return rc < 0 ? fail_context(err, rc, "set alias '%s'", alias) : 0;
}

/* The list goes first: whoever is killed on the way leaves an alias that can be removed
 * again, not a name in a list that nobody looks at. */
static int remove_everywhere(struct resolver *resolver, const char *alias,
                             const struct release *target, struct error *err)
{
    struct named named;
    int rc = find_alias(resolver, alias, &named, err);

    if (rc == 0 && target && named.is_there &&
        !release_is_named(target, named.uid.id, named.uid.version))
        return fail(err, ESTALE, "alias '%s' names another model by now", alias);
    if (rc == 0)
        rc = leave_old(resolver, alias, &named, err);
    FAULT("alias.unlisted");
    if (rc == 0)
        rc = remove_but(resolver, alias, (unsigned)resolver_repository_count(resolver),
                        err);
    if (rc == 0)
        return fail(err, ENOENT, "no alias '%s'", alias);
    /* Who set it at the same time may have put it there again. */
    return rc < 0 ? rc : leave_old(resolver, alias, &named, err);
}

int alias_edit_remove(struct resolver *resolver, const char *alias,
                      const struct release *target, struct error *err)
{
    int rc;

    if (!uid_alias_is_valid(alias))
        return fail(err, ENOENT, "no alias '%.240s'", alias);
    rc = remove_everywhere(resolver, alias, target, err);
    resolver_forget_alias(resolver, alias);
    return rc;
}
