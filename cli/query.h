/* query.h: what several commands ask the resolver, and how they say it. */
#ifndef CLI_QUERY_H
#define CLI_QUERY_H

#include "common/error.h"
#include "resolver/resolver.h"
#include "resolver/uid.h"

enum { QUERY_UID_SIZE = MODEL_ID_SIZE + VERSION_SIZE };

/* The ID in any text that names a model, whether or not that version exists: as audmodel
 * for versions() and latest_version(). */
int query_id(struct resolver *resolver, const char *text, char ret_id[MODEL_ID_SIZE],
             struct error *err);

/* The full ID; a legacy ID alone, since it has one version and audmodel reads no other
 * form. */
void query_print_uid(const char *id, const char *version, char ret_uid[QUERY_UID_SIZE]);

/* Ends a command whose answer may lack what one repository has: the result was printed,
 * and is a failure. COMMAND_FAILED. */
int query_is_partial(void);

#endif
