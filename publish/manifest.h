/* manifest.h: what somebody asks to publish, checked: the arguments of audmodel.publish.
 *
 *     rc = manifest_parse(text, size, &defaults, &manifest, &err);
 *     ... manifest->uid, manifest->name ...
 *     manifest_free(manifest);
 *
 * A manifest is a YAML mapping with the keys name, version, params, subgroup, author,
 * date, meta, alias and repository; name and version must be there. What audmodel refuses
 * is refused, and versions that it could never find again. Pure. */
#ifndef PUBLISH_MANIFEST_H
#define PUBLISH_MANIFEST_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/yaml.h"
#include "resolver/uid.h"

#include <stddef.h>

enum {
    MANIFEST_BYTES_MAX = YAML_BYTES_MAX,
    MANIFEST_TEXT_MAX = 64 << 10, /* bytes of a name, an author ...; as in headers */
    MANIFEST_UID_SIZE = MODEL_ID_SIZE + VERSION_SIZE,
};

/* Constant once made. */
struct manifest {
    const char *name;
    const char *subgroup; /* "" if none */
    const char *version;
    const char *author;
    struct yaml_time date;          /* year, month, day */
    const struct yaml_node *params; /* a mapping, in the order given */
    const struct yaml_node *meta;   /* a mapping; null if none was given */
    const char *alias;              /* NULL: none */
    const char *repository;         /* NULL: the first one of the configuration */
    char id[MODEL_ID_SIZE];         /* the short ID, computed */
    char uid[MANIFEST_UID_SIZE];    /* the full ID */
};

/* What stands for an author or a date that was not given; see defaults.h. */
struct manifest_defaults {
    const char *author;
    const char *date; /* "2024-02-29" */
};

/* -EINVAL with the reason, with line and column where text has them. Keys that stand
 * there twice are refused at any depth: somebody wrote this by hand. manifest_free the
 * result. */
int manifest_parse(const char *text, size_t size,
                   const struct manifest_defaults *defaults,
                   struct manifest **ret_manifest, struct error *err);

/* The same from texts that came apart, say as options; NULL: not given. params and meta
 * are YAML, read as Python reads them (of equal keys the last one counts). */
struct manifest_texts {
    const char *name, *version, *params, *subgroup, *author, *date, *meta, *alias,
        *repository;
};
int manifest_make(const struct manifest_texts *texts,
                  const struct manifest_defaults *defaults,
                  struct manifest **ret_manifest, struct error *err);

void manifest_free(struct manifest *manifest); /* accepts NULL */
#define CLEANUP_MANIFEST CLEANUP_WITH(manifest_cleanup)
static inline void manifest_cleanup(struct manifest **manifest)
{
    manifest_free(*manifest);
}

#endif
