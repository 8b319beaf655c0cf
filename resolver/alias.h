/* alias.h: the two documents that make an alias: the alias itself, which names a model,
 * and the list of aliases beside each model.
 *
 * Pure. Whether the texts make sense as IDs and names is for uid.h to say. */
#ifndef RESOLVER_ALIAS_H
#define RESOLVER_ALIAS_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/yaml.h"

#include <stddef.h>

/* The text behind "uid:". -EBADMSG with the reason. The caller frees *ret_uid. */
int alias_parse(const char *text, size_t size, char **ret_uid, struct error *err);

/* The texts of "aliases: [...]", in the order of the document. */
struct alias_list {
    const char **aliases; /* live as long as the list */
    size_t count;
    struct yaml *yaml;
};

/* -EBADMSG with the reason. alias_list_done the result. */
int alias_list_parse(const char *text, size_t size, struct alias_list *ret_list,
                     struct error *err);
void alias_list_done(struct alias_list *list); /* accepts a zeroed one */
#define CLEANUP_ALIAS_LIST CLEANUP_WITH(alias_list_done)

#endif
