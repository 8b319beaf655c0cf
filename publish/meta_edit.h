/* meta_edit.h: changes the metadata of a model as audmodel's update_meta does.
 *
 * A merge puts mappings into mappings, at any depth, and replaces all else; new keys come
 * last, the order of the others and every scalar's type stay. */
#ifndef PUBLISH_META_EDIT_H
#define PUBLISH_META_EDIT_H

#include "common/bytes.h"
#include "common/error.h"
#include "publish/publish.h"

#include <stddef.h>

/* Append the document that becomes of before when text is merged into it or replaces it.
 * -EINVAL for a text that is no mapping, -EBADMSG for such a document before, -EFBIG when
 * the result is more than readers take. Pure. */
int meta_edit_apply(const struct bytes *before, const char *text, size_t size,
                    enum publish_meta how, struct bytes *to, struct error *err);

/* Do it in the repository. Of two merges at once none is lost. */
int meta_edit_set(struct resolver *resolver, const struct release *release,
                  const char *text, size_t size, enum publish_meta how,
                  struct error *err);

#endif
