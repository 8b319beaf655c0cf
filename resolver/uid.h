/* uid.h: the texts that name models: short, full and legacy IDs, aliases (AUDMODEL
 * section 1).
 *
 *     rc = uid_parse("3e120e8d-1.0.0", &uid, &err);    uid.id, uid.version
 *     rc = uid_short("onnx", "emotion.cnn", params, id, &err);
 *
 * Pure. */
#ifndef RESOLVER_UID_H
#define RESOLVER_UID_H

#include "common/error.h"
#include "common/yaml.h"

#include <stdbool.h>

enum {
    MODEL_ID_SIZE = 37, /* 8 or 36 characters and a NUL */
    VERSION_SIZE = 220, /* so that every file name made of it fits 255 bytes */
    ALIAS_SIZE = 220,
};

enum uid_kind {
    UID_ALIAS,
    UID_SHORT,       /* id: the last of its versions is meant */
    UID_FULL,        /* id and version */
    UID_LEGACY,      /* id, which has one version */
    UID_LEGACY_FULL, /* id and version; audmodel stores it but cannot read it (9.5) */
};

struct uid {
    enum uid_kind kind;
    char alias[ALIAS_SIZE]; /* "" unless UID_ALIAS */
    char id[MODEL_ID_SIZE]; /* "" for UID_ALIAS */
    char version[VERSION_SIZE];
};

/* What a user's text is, by audmodel's rules, but that "<legacy>-<version>" is what it
 * looks like. -EINVAL for what neither an ID nor an alias can be. Some full IDs count as
 * aliases (3e120e8d-v1.0.0): who finds no such alias may try uid_parse_target. */
int uid_parse(const char *text, struct uid *ret_uid, struct error *err);

/* Say that there is no such model: the one sentence for what uid_parse takes and what it
 * refuses. -ENOENT. */
int uid_fail_unknown(const char *text, struct error *err);

/* What the document of an alias says: never an alias itself, and versions need not be
 * those that audmodel accepts from a user. -EINVAL. */
int uid_parse_target(const char *text, struct uid *ret_uid, struct error *err);

/* Eight hex digits, or a legacy ID: the names of models' folders. */
bool uid_is_id(const char *text);
bool uid_is_short(const char *text);
bool uid_is_legacy(const char *text);

/* May an alias be called so? "." and "..", which audmodel lets pass and then stores
 * elsewhere, may not. */
bool uid_alias_is_valid(const char *text);

/* The same as an error: -EINVAL with what it may be. */
int uid_check_alias(const char *text, struct error *err);

/* Does audmodel find this version by its full ID? */
bool uid_version_is_accepted(const char *version);

/* Can this version be published? */
bool uid_version_is_valid(const char *version);

/* IDs by content. params is a mapping (or null: an empty one) as the user gave it; a
 * subgroup of NULL is none. -EINVAL as pyrepr_print_sorted. */
int uid_short(const char *name, const char *subgroup, const struct yaml_node *params,
              char ret_id[MODEL_ID_SIZE], struct error *err);

enum uid_legacy_repository {
    UID_LEGACY_PUBLIC,
    UID_LEGACY_PRIVATE,
};

/* Here the order of the parameters counts, and subgroup "" is another than NULL. */
int uid_legacy(const char *name, const char *subgroup, const struct yaml_node *params,
               const char *version, enum uid_legacy_repository repository,
               char ret_id[MODEL_ID_SIZE], struct error *err);

#endif
