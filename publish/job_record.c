/* job_record.c: what is known of one publish job, as a value and as text. */
#include "publish/job_record.h"

#include "common/memory.h"
#include "common/text.h"
#include "common/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const state_names[] = {"waiting",   "queued",    "running",
                                          "finishing", "published", "failed"};

static const char *const removal_keys[JOB_REPORTS] = {
    [JOB_STATUS] = "status_removed", [JOB_RESULT] = "result_removed"};

enum { STATES = sizeof state_names / sizeof *state_names };

void job_record_drop_warnings(struct job_record *record)
{
    while (record->warning_count > 0)
        free(record->warnings[--record->warning_count]);
}

void job_record_done(struct job_record *record)
{
    job_record_drop_warnings(record);
}

void job_record_warn(struct job_record *record, const char *sentence)
{
    if (record->warning_count < JOB_WARNINGS_MAX)
        record->warnings[record->warning_count++] = xstrdup(sentence);
}

/* One line "key: value" with the value quoted as YAML needs it. */
static int print_text(const char *key, const char *value, struct bytes *to,
                      struct error *err)
{
    struct yaml_node key_node = yaml_node_of(key), value_node = yaml_node_of(value);
    struct yaml_pair pair = {.key = &key_node, .value = &value_node};
    struct yaml_node map = {
        .kind = YAML_MAP, .map = {.pairs = &pair, .count = 1}
    };

    return yaml_print(&map, to, err);
}

static int print_warnings(const struct job_record *record, struct bytes *to,
                          struct error *err)
{
    int rc = record->warning_count > 0 ? bytes_printf(to, err, "warnings:\n") : 0;

    for (size_t i = 0; rc == 0 && i < record->warning_count; i++) {
        rc = bytes_printf(to, err, "- ");
        if (rc == 0)
            rc = print_text("warning", record->warnings[i], to, err);
    }
    return rc;
}

int job_record_describe(const struct job_record *record, struct bytes *to,
                        struct error *err)
{
    char uid[RELEASE_UID_SIZE];
    int rc = print_text("state", state_names[record->state], to, err);

    release_print_uid(&record->release, uid);
    if (rc == 0 && record->state == JOB_PUBLISHED)
        rc = print_text("uid", uid, to, err);
    if (rc == 0 && record->state == JOB_FAILED)
        rc = print_text("error", record->failure, to, err);
    return rc == 0 ? print_warnings(record, to, err) : rc;
}

int job_record_print(const struct job_record *record, struct bytes *to, struct error *err)
{
    const struct release *release = &record->release;
    int rc = print_text("state", state_names[record->state], to, err);

    if (rc == 0 && release->id[0])
        rc = print_text("id", release->id, to, err);
    if (rc == 0 && release->id[0])
        rc = print_text("version", release->version, to, err);
    if (rc == 0 && release->id[0])
        rc = bytes_printf(to, err, "repository: %u\n", release->repository);
    if (rc == 0 && record->alias[0])
        rc = print_text("alias", record->alias, to, err);
    if (rc == 0)
        rc = bytes_printf(to, err, "attempted: %s\nended: %lld\n",
                          record->is_attempted ? "true" : "false",
                          (long long)record->ended_s);
    for (unsigned i = 0; rc == 0 && i < JOB_REPORTS; i++)
        if (record->is_removed[i])
            rc = bytes_printf(to, err, "%s: true\n", removal_keys[i]);
    if (rc == 0)
        rc = print_text("owner", record->owner, to, err);
    if (rc == 0 && record->date[0])
        rc = bytes_printf(to, err, "date: '%s'\n", record->date);
    if (rc == 0 && record->state == JOB_FAILED)
        rc = print_text("error", record->failure, to, err);
    return rc == 0 ? print_warnings(record, to, err) : rc;
}

/* The text of a key, "" if there is none; cut where it is too long. */
static void copy_text(const struct yaml_node *root, const char *key, char *to,
                      size_t size)
{
    const struct yaml_node *node = yaml_get(root, key);
    const char *text = node ? yaml_text(node) : NULL;

    snprintf(to, size, "%s", text ? text : "");
}

static uint64_t number_of(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *node = yaml_get(root, key);
    struct error unused; /* then it is 0 */
    uint64_t number = 0;

    if (node && node->kind == YAML_INT)
        (void)text_to_u64(node->text.data, &number, &unused);
    return number;
}

static bool is_true(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *node = yaml_get(root, key);

    return node && node->kind == YAML_BOOL && node->boolean;
}

/* What looks like none is none. */
static void drop_bad_date(char date[DEFAULTS_DATE_SIZE])
{
    if (strspn(date, "0123456789-") != DEFAULTS_DATE_SIZE - 1)
        date[0] = '\0';
}

static void drop_bad_alias(char alias[ALIAS_SIZE])
{
    if (!uid_alias_is_valid(alias))
        alias[0] = '\0';
}

static int parse_state(const struct yaml_node *root, enum job_state *ret_state,
                       struct error *err)
{
    char name[16];

    copy_text(root, "state", name, sizeof name);
    for (unsigned i = 0; i < STATES; i++) {
        if (strcmp(name, state_names[i]) == 0) {
            *ret_state = (enum job_state)i;
            return 0;
        }
    }
    return fail(err, EINVAL, "record of a publish job: no state");
}

/* Both become parts of paths later. */
static int parse_release(const struct yaml_node *root, struct release *release,
                         struct error *err)
{
    uint64_t repository = number_of(root, "repository");

    copy_text(root, "id", release->id, sizeof release->id);
    copy_text(root, "version", release->version, sizeof release->version);
    if (!release->id[0] && !release->version[0])
        return 0;
    if (!uid_is_short(release->id) || !uid_version_is_valid(release->version) ||
        repository > UINT16_MAX)
        return fail(err, EINVAL, "record of a publish job: no model");
    release->repository = (unsigned)repository;
    return 0;
}

static void parse_warnings(const struct yaml_node *root, struct job_record *record)
{
    const struct yaml_node *list = yaml_get(root, "warnings");

    for (size_t i = 0; list && list->kind == YAML_LIST && i < list->list.count; i++) {
        const struct yaml_node *node = yaml_get(list->list.items[i], "warning");
        const char *sentence = node ? yaml_text(node) : NULL;

        if (sentence && strlen(sentence) < ERROR_MESSAGE_MAX)
            job_record_warn(record, sentence);
    }
}

int job_record_parse(const char *text, size_t size, struct job_record *ret_record,
                     struct error *err)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    struct job_record record = {.state = JOB_WAITING};
    const struct yaml_node *root;
    int rc = size > JOB_RECORD_BYTES_MAX
                 ? fail(err, EINVAL, "record of a publish job: it is too long")
                 : yaml_parse(text, size, &yaml, err);

    if (rc < 0)
        return rc;
    root = yaml_root(yaml);
    rc = parse_state(root, &record.state, err);
    if (rc == 0)
        rc = parse_release(root, &record.release, err);
    if (rc == 0 && !record.release.id[0] &&
        (record.state == JOB_FINISHING || record.state == JOB_PUBLISHED))
        rc = fail(err, EINVAL, "record of a publish job: no model");
    if (rc < 0)
        return rc;
    record.is_attempted = is_true(root, "attempted") && record.release.id[0];
    for (unsigned i = 0; i < JOB_REPORTS; i++)
        record.is_removed[i] = is_true(root, removal_keys[i]);
    record.ended_s = (int64_t)(number_of(root, "ended") & INT64_MAX);
    copy_text(root, "owner", record.owner, sizeof record.owner);
    copy_text(root, "date", record.date, sizeof record.date);
    drop_bad_date(record.date);
    copy_text(root, "alias", record.alias, sizeof record.alias);
    drop_bad_alias(record.alias);
    copy_text(root, "error", record.failure, sizeof record.failure);
    parse_warnings(root, &record);
    *ret_record = record;
    return 0;
}
