/* texts.h: the documents of a published model, byte for byte as audmodel writes them.
 *
 * All append to to, whose limit should be YAML_BYTES_MAX, or readers refuse the text
 * (-EFBIG). -EINVAL for values that YAML cannot say. Pure. */
#ifndef PUBLISH_TEXTS_H
#define PUBLISH_TEXTS_H

#include "common/bytes.h"
#include "common/error.h"
#include "publish/manifest.h"

#include <stddef.h>

int texts_header(const struct manifest *manifest, struct bytes *to, struct error *err);
int texts_meta(const struct manifest *manifest, struct bytes *to, struct error *err);

/* The document of an alias: uid is a full ID. */
int texts_alias(const char *uid, struct bytes *to, struct error *err);

/* The list of a model's aliases, given in any order, each once. */
int texts_alias_list(const char *const *aliases, size_t count, struct bytes *to,
                     struct error *err);

#endif
