/* cmd_resolve.c: modelfs resolve. */
#include "cli/cmd.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"

/* What the document of an alias says, as for audmodel: the version of a legacy ID, too.
 */
static void print_target(const char *id, const char *version,
                         char ret_uid[QUERY_UID_SIZE])
{
    snprintf(ret_uid, QUERY_UID_SIZE, "%s-%s", id, version);
}

/* An alias is taken at its word, as by audmodel: what it names need not exist. */
static int resolve(struct resolver *resolver, const char *text,
                   char ret_uid[QUERY_UID_SIZE], struct error *err)
{
    struct release release;
    struct uid uid;
    int rc = uid_parse(text, &uid, err);

    if (rc < 0)
        return rc;
    if (uid.kind == UID_ALIAS) {
        struct alias_target target;
        struct error unknown = {0}; /* some full IDs look like aliases: ask on */

        rc = resolver_alias(resolver, uid.alias, RESOLVE_FETCH, &target, &unknown);
        if (rc == 0 && *target.version) {
            print_target(target.id, target.version, ret_uid);
            return 0;
        }
    }
    rc = resolver_resolve(resolver, text, RESOLVE_FETCH, &release, err);
    if (rc == 0)
        print_target(release.id, release.version, ret_uid);
    return rc;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    char uid[QUERY_UID_SIZE];
    int rc = wire_load(arguments->config, WIRE_RESOLVER, &wire, err);

    if (rc == 0)
        rc = resolve(wire->resolver, arguments->operands[0], uid, err);
    if (rc < 0)
        return rc;
    output_value(uid, arguments->form);
    return output_finish(err);
}

const struct command cmd_resolve = {
    .name = "resolve",
    .operands = "ALIAS",
    .operands_min = 1,
    .operands_max = 1,
    .has_json = true,
    .summary = "print the full ID that an alias names",
    .more = "A short ID stands for its latest version.\n",
    .run = run,
};
