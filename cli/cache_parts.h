/* cache_parts.h: the parts of `modelfs cache`, each in its cache_*.c. They return what a
 * command's run does (command.h). */
#ifndef CLI_CACHE_PARTS_H
#define CLI_CACHE_PARTS_H

#include "cli/command.h"

int cache_status(const struct arguments *arguments, struct error *err);

/* Operands after the first name models; without one all that the cache holds. */
int cache_verify(const struct arguments *arguments, struct error *err);

enum cache_clean_option { CACHE_CLEAN_ALL }; /* position of --all */
int cache_clean(const struct arguments *arguments, struct error *err);

#endif
