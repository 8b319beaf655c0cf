/* cache_verify.c: modelfs cache verify. */
#include "cli/cache_parts.h"

#include "cache/verify.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/query.h"
#include "cli/wire.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <stdlib.h>

/* What is to be verified: copied, since the cache changes under a listing. */
struct wanted {
    struct release_name {
        char id[MODEL_ID_SIZE];
        char version[VERSION_SIZE];
    } * list;
    size_t count, capacity;
};

/* One run of the command. */
struct run {
    struct wire *wire;
    struct json *json; /* NULL: text */
    const char *uid;   /* that is being verified */
    int status;        /* of the command */
};

static int add_name(struct wanted *wanted, const char *id, const char *version,
                    struct error *err)
{
    if (wanted->count == wanted->capacity) {
        size_t capacity = wanted->capacity ? 2 * wanted->capacity : 64;
        void *list = reallocarray(wanted->list, capacity, sizeof *wanted->list);

        if (!list)
            return fail(err, ENOMEM, "no memory for the names of cached models");
        wanted->list = list;
        wanted->capacity = capacity;
    }
    snprintf(wanted->list[wanted->count].id, MODEL_ID_SIZE, "%s", id);
    snprintf(wanted->list[wanted->count].version, VERSION_SIZE, "%s", version);
    wanted->count++;
    return 0;
}

static int add_row(void *arg, const struct cache_row *row, struct error *err)
{
    return add_name(arg, row->id, row->version, err);
}

static int collect(struct run *run, const struct arguments *arguments,
                   struct wanted *wanted, struct error *err)
{
    int rc = 0;

    if (arguments->operand_count == 1)
        return cache_list(run->wire->cache, add_row, wanted, err);
    for (int i = 1; rc == 0 && i < arguments->operand_count; i++) {
        struct release release;

        rc = resolver_resolve(run->wire->resolver, arguments->operands[i], RESOLVE_FETCH,
                              &release, err);
        if (rc == 0)
            rc = add_name(wanted, release.id, release.version, err);
    }
    return rc;
}

static void say_damaged(void *arg, const char *path, const char *why)
{
    const struct run *run = arg;

    command_complain("'%s' of model %s is damaged: %s", path, run->uid, why);
}

static void print_verdict(struct run *run, const struct verify_verdict *verdict)
{
    static const char *const states[] = {
        [VERIFY_OK] = "ok",
        [VERIFY_REMOVED] = "removed",
        [VERIFY_DAMAGED] = "damaged",
    };
    char bytes[32];

    if (run->json) {
        json_begin(run->json, NULL, JSON_MAP);
        json_text(run->json, "uid", run->uid);
        json_text(run->json, "state", states[verdict->state]);
        json_number(run->json, "files", verdict->files);
        json_number(run->json, "damaged", verdict->damaged);
        json_number(run->json, "bytes", verdict->bytes);
        json_end(run->json);
        return;
    }
    text_from_size(verdict->bytes, bytes, sizeof bytes);
    printf("%s: %s, %u file%s, %s", run->uid, states[verdict->state], verdict->files,
           verdict->files == 1 ? "" : "s", bytes);
    if (verdict->damaged)
        printf(", %u damaged", verdict->damaged);
    printf("\n");
}

static void verify(struct run *run, const struct release_name *name)
{
    char uid[QUERY_UID_SIZE];
    struct verify_verdict verdict;
    struct freshness fresh;
    struct release release;
    struct error err = {0};
    int rc = resolver_release(run->wire->resolver, name->id, name->version, RESOLVE_FETCH,
                              &release, &fresh, &err);

    query_print_uid(name->id, name->version, uid);
    run->uid = uid;
    if (rc == 0)
        rc = verify_release(run->wire->cache, run->wire->resolver, &release, say_damaged,
                            run, &verdict, &err);
    if (rc < 0) {
        command_complain("cannot verify model %s: %s", uid, err.message);
        run->status = COMMAND_FAILED;
        return;
    }
    print_verdict(run, &verdict);
    if (verdict.state != VERIFY_OK)
        run->status = COMMAND_FAILED;
    if (verdict.state == VERIFY_DAMAGED)
        command_complain("model %s stays as it is: it is in use, or audmodel put it "
                         "there; remove its folder in the cache to have it fetched anew",
                         uid);
}

int cache_verify(const struct arguments *arguments, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    struct wanted wanted = {0};
    struct json json;
    struct run run = {.status = COMMAND_DONE};
    int rc = wire_load(arguments->config, WIRE_CACHE, &wire, err);

    if (rc < 0)
        return rc;
    run.wire = wire;
    run.json = arguments->form == OUTPUT_JSON ? &json : NULL;
    rc = collect(&run, arguments, &wanted, err);
    json_init(&json, stdout);
    if (rc == 0 && run.json)
        json_begin(&json, NULL, JSON_LIST);
    for (size_t i = 0; rc == 0 && i < wanted.count; i++)
        verify(&run, &wanted.list[i]);
    if (rc == 0 && run.json)
        json_end(&json);
    free(wanted.list);
    if (rc == 0)
        rc = output_finish(err);
    return rc < 0 ? rc : run.status;
}
