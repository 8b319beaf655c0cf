/* query.c: what several commands ask the resolver, and how they say it. */
#include "cli/query.h"

#include "cli/command.h"

#include <stdio.h>
#include <string.h>

int query_id(struct resolver *resolver, const char *text, char ret_id[MODEL_ID_SIZE],
             struct error *err)
{
    struct alias_target target;
    struct uid uid;
    int rc = uid_parse(text, &uid, err);

    if (rc < 0)
        return rc;
    if (uid.kind != UID_ALIAS) {
        memcpy(ret_id, uid.id, MODEL_ID_SIZE);
        return 0;
    }
    rc = resolver_alias(resolver, uid.alias, RESOLVE_FETCH, &target, err);
    if (rc == 0)
        memcpy(ret_id, target.id, MODEL_ID_SIZE);
    return rc;
}

void query_print_uid(const char *id, const char *version, char ret_uid[QUERY_UID_SIZE])
{
    if (uid_is_legacy(id))
        snprintf(ret_uid, QUERY_UID_SIZE, "%s", id);
    else
        snprintf(ret_uid, QUERY_UID_SIZE, "%s-%s", id, version);
}

int query_is_partial(void)
{
    command_complain("a repository could not be asked, so this may not be all; 'modelfs "
                     "doctor' says which");
    return COMMAND_FAILED;
}
