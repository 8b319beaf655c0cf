/* alias_edit.h: lets an alias name another model, or none: its document and the lists of
 * aliases that both models have.
 *
 * The order of the writes is audmodel's: the old model's list, the new one's, the alias;
 * each list in the repository of its model. A list that is written loses the names that
 * lead elsewhere by now. An alias lives in the repository of its model: one of that name
 * in another repository is removed. Lists are changed by conditional writes, so that two
 * that do it at once both get their way. */
#ifndef PUBLISH_ALIAS_EDIT_H
#define PUBLISH_ALIAS_EDIT_H

#include "common/error.h"
#include "resolver/resolver.h"

/* Blocks. -EINVAL as uid_check_alias; what the repositories said. */
int alias_edit_set(struct resolver *resolver, const char *alias,
                   const struct release *target, struct error *err);

/* The same; target is what it has to name still, NULL for whatever it names. -ENOENT: no
 * repository has it; -ESTALE: it names another model by now, and stays. */
int alias_edit_remove(struct resolver *resolver, const char *alias,
                      const struct release *target, struct error *err);

#endif
