/* uid.c: reads and computes the texts that name models. */
#include "resolver/uid.h"

#include "backends/digest.h"
#include "common/bytes.h"
#include "resolver/pyrepr.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    SHORT_SIZE = 8,
    LEGACY_SIZE = 36,
};

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* Does text consist of letters, digits and the others only? The empty text does not. */
static bool is_made_of(const char *text, const char *others)
{
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!is_letter_or_digit(*text) && !strchr(others, *text))
            return false;
    }
    return true;
}

static bool starts_short(const char *text)
{
    for (size_t i = 0; i < SHORT_SIZE; i++) {
        if (!is_hex(text[i]))
            return false;
    }
    return true;
}

/* 8-4-4-4-12 hex digits. */
static bool starts_legacy(const char *text)
{
    for (size_t i = 0; i < LEGACY_SIZE; i++) {
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;

        if (is_dash ? text[i] != '-' : !is_hex(text[i]))
            return false;
    }
    return true;
}

bool uid_is_short(const char *text)
{
    return starts_short(text) && !text[SHORT_SIZE];
}

bool uid_is_legacy(const char *text)
{
    return starts_legacy(text) && !text[LEGACY_SIZE];
}

bool uid_is_id(const char *text)
{
    return uid_is_short(text) || uid_is_legacy(text);
}

int uid_check_alias(const char *text, struct error *err)
{
    return uid_alias_is_valid(text)
               ? 0
               : fail(err, EINVAL,
                      "'%.240s' is not an allowed alias name: it may hold letters, "
                      "numbers, underscores, hyphens and dots, and must not look like "
                      "the ID of a model",
                      text);
}

bool uid_version_is_accepted(const char *version)
{
    return is_digit(version[0]) && is_made_of(version, ".+-") &&
           strlen(version) < VERSION_SIZE;
}

bool uid_version_is_valid(const char *version)
{
    return is_made_of(version, "._-") && strlen(version) < VERSION_SIZE;
}

/* audmodel's rule 1, turned around. */
static bool is_confused_with_id(const char *text)
{
    return uid_is_id(text) || (starts_short(text) && text[SHORT_SIZE] == '-' &&
                               uid_version_is_accepted(text + SHORT_SIZE + 1));
}

bool uid_alias_is_valid(const char *text)
{
    return is_made_of(text, "._-") && strlen(text) < ALIAS_SIZE &&
           strcmp(text, ".") != 0 && strcmp(text, "..") != 0 &&
           !is_confused_with_id(text);
}

static void set_id(struct uid *uid, enum uid_kind kind, const char *text, size_t size)
{
    *uid = (struct uid){.kind = kind};
    memcpy(uid->id, text, size);
}

/* An ID of id_size characters, then a version if there is a dash. */
static void set_full(struct uid *uid, enum uid_kind kind, const char *text,
                     size_t id_size)
{
    set_id(uid, kind, text, id_size);
    snprintf(uid->version, sizeof uid->version, "%s", text + id_size + 1);
}

static bool has_version(const char *text, size_t id_size,
                        bool (*is_good)(const char *version))
{
    return text[id_size] == '-' && is_good(text + id_size + 1);
}

/* The IDs that user and document write alike; false if text is none of them. */
static bool read_id(const char *text, struct uid *ret_uid)
{
    if (uid_is_legacy(text))
        set_id(ret_uid, UID_LEGACY, text, LEGACY_SIZE);
    else if (uid_is_short(text))
        set_id(ret_uid, UID_SHORT, text, SHORT_SIZE);
    else if (starts_legacy(text) && has_version(text, LEGACY_SIZE, uid_version_is_valid))
        set_full(ret_uid, UID_LEGACY_FULL, text, LEGACY_SIZE);
    else if (starts_short(text) && has_version(text, SHORT_SIZE, uid_version_is_accepted))
        set_full(ret_uid, UID_FULL, text, SHORT_SIZE);
    else
        return false;
    return true;
}

int uid_parse(const char *text, struct uid *ret_uid, struct error *err)
{
    if (read_id(text, ret_uid))
        return 0;
    if (!uid_alias_is_valid(text))
        return fail(err, EINVAL, "'%.80s' is neither the ID of a model nor an alias",
                    text);
    *ret_uid = (struct uid){.kind = UID_ALIAS};
    snprintf(ret_uid->alias, sizeof ret_uid->alias, "%s", text);
    return 0;
}

int uid_fail_unknown(const char *text, struct error *err)
{
    struct error reason;
    struct uid uid;

    if (uid_parse(text, &uid, &reason) < 0)
        return fail(err, ENOENT, "%s", reason.message);
    return fail(err, ENOENT, "no model %s'%s'", uid.kind == UID_ALIAS ? "or alias " : "",
                text);
}

int uid_parse_target(const char *text, struct uid *ret_uid, struct error *err)
{
    if (read_id(text, ret_uid))
        return 0;
    if (!starts_short(text) || !has_version(text, SHORT_SIZE, uid_version_is_valid))
        return fail(err, EINVAL, "'%.80s' is not the ID of a model", text);
    set_full(ret_uid, UID_FULL, text, SHORT_SIZE);
    return 0;
}

static int hash(const struct bytes *text, char hex[DIGEST_MD5_SIZE], struct error *err)
{
    return digest_md5(text->data, text->size, hex, err);
}

int uid_short(const char *name, const char *subgroup, const struct yaml_node *params,
              char ret_id[MODEL_ID_SIZE], struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    char hex[DIGEST_MD5_SIZE];
    int rc;

    bytes_init(&text, PYREPR_SIZE_MAX);
    rc = bytes_printf(&text, err, "%s.%s", subgroup ? subgroup : "", name);
    if (rc == 0)
        rc = pyrepr_print_sorted(params, &text, err);
    if (rc == 0)
        rc = hash(&text, hex, err);
    if (rc < 0)
        return fail_context(err, rc, "cannot compute the ID of model '%.80s'", name);
    snprintf(ret_id, MODEL_ID_SIZE, "%s", hex + DIGEST_MD5_SIZE - 1 - SHORT_SIZE);
    return 0;
}

static int print_legacy(const char *name, const char *subgroup,
                        const struct yaml_node *params, const char *version,
                        enum uid_legacy_repository repository, struct bytes *to,
                        struct error *err)
{
    int rc;

    if (params->kind != YAML_NULL && params->kind != YAML_MAP)
        return fail(err, EINVAL, "the parameters are a %s, not a mapping",
                    yaml_kind_name(params->kind));
    rc = params->kind == YAML_NULL ? bytes_append(to, "{}", 2, err)
                                   : pyrepr_print(params, to, err);
    if (rc < 0)
        return rc;
    return bytes_printf(to, err, "com.audeering.models.%s%s%slookup%s%s",
                        subgroup ? subgroup : "", subgroup ? "." : "", name, version,
                        repository == UID_LEGACY_PRIVATE ? "models-private-local"
                                                         : "models-public-local");
}

int uid_legacy(const char *name, const char *subgroup, const struct yaml_node *params,
               const char *version, enum uid_legacy_repository repository,
               char ret_id[MODEL_ID_SIZE], struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    char hex[DIGEST_MD5_SIZE];
    int rc;

    bytes_init(&text, PYREPR_SIZE_MAX);
    rc = print_legacy(name, subgroup, params, version, repository, &text, err);
    if (rc == 0)
        rc = hash(&text, hex, err);
    if (rc < 0)
        return fail_context(err, rc, "cannot compute the legacy ID of model '%.80s'",
                            name);
    snprintf(ret_id, MODEL_ID_SIZE, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
             hex + 16, hex + 20);
    return 0;
}
