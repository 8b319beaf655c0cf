/* publish.h: the layer's face: publish a folder as a model, change aliases and metadata.
 *
 *     rc = manifest_parse(text, size, &defaults, &manifest, &err);
 *     rc = publish_folder(&(struct publish_options){.resolver = resolver}, manifest,
 *                         folder_fd, &(struct publish_watch){0}, &result, &err);
 *     rc = publish_set_alias(resolver, "emotion-small", "3e120e8d-1.0.0", &err);
 *
 * All block on disks and network, and drop from the resolver's memory what they made
 * stale. Thread-safe. */
#ifndef PUBLISH_PUBLISH_H
#define PUBLISH_PUBLISH_H

#include "backends/digest.h"
#include "common/error.h"
#include "publish/manifest.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct publish_options {
    struct resolver *resolver;
    /* A folder with room for the archive, where the repository has no disk of its own;
     * NULL: $TMPDIR or /tmp. */
    const char *spool;
    int64_t claim_lifetime_ms; /* 0: as claim.h */
    /* The ID of which an earlier attempt of the same caller may have written the header
     * before it ended; NULL: none. */
    const char *attempted;
    dev_t avoided; /* links of the folder may not lead to that device; 0: to any */
};

enum publish_step {
    PUBLISH_STEP_ARCHIVE, /* bytes of files packed */
    PUBLISH_STEP_UPLOAD,  /* bytes of the archive sent */
};

/* Who wants to hear how it goes; each function may be NULL and runs in the calling
 * thread. */
struct publish_watch {
    /* 0, or -errno with err filled, which ends the publish with that. */
    int (*progress)(void *arg, enum publish_step step, uint64_t done, uint64_t total,
                    struct error *err);
    void (*warn)(void *arg, const char *sentence);
    /* The model is about to appear: who remembers that can say `attempted` later. */
    void (*appears)(void *arg);
    void *arg; /* stays the caller's */
};

struct publish_result {
    bool is_published; /* also when only the alias failed after that */
    struct release release;
    uint64_t size; /* bytes of the archive */
    char md5[DIGEST_MD5_SIZE];
};

/* Publish the files below folder_fd as manifest->uid. Before it returns 0 nobody sees the
 * model; after a failure what this call wrote is removed again. -EEXIST: the ID exists in
 * one of the repositories, or another publisher is at work on it. When all is there but
 * the alias could not be set, it fails and ret_result->is_published tells.
 *
 * A publisher that died after the header was there left its claim, or its caller knows
 * (`attempted`): if the model is byte for byte what would be published now, that attempt
 * is finished instead, and it succeeds. */
int publish_folder(const struct publish_options *options, const struct manifest *manifest,
                   int folder_fd, const struct publish_watch *watch,
                   struct publish_result *ret_result, struct error *err);

/* Let an alias name the model that uid (also an alias or a short ID) names now. -EINVAL
 * for what cannot be an alias; -ENOENT without that model. */
int publish_set_alias(struct resolver *resolver, const char *alias, const char *uid,
                      struct error *err);

/* target: what it has to name still; NULL: whatever it names. -ENOENT: there is no such
 * alias; -ESTALE: it names another model by now, and stays. */
int publish_remove_alias(struct resolver *resolver, const char *alias,
                         const struct release *target, struct error *err);

enum publish_meta {
    PUBLISH_META_MERGE,   /* mappings into mappings, all else replaced */
    PUBLISH_META_REPLACE, /* the text is all there is */
};

/* Change the metadata of a model. -EINVAL, with line and column, for a text that is no
 * YAML mapping: then the backend is untouched. */
int publish_set_meta(struct resolver *resolver, const char *uid, const char *text,
                     size_t size, enum publish_meta how, struct error *err);

#endif
