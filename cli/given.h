/* given.h: YAML that an argument holds, or with "@" in front the file that holds it. */
#ifndef CLI_GIVEN_H
#define CLI_GIVEN_H

#include "common/bytes.h"
#include "common/error.h"

/* Append the text. -EINVAL for an argument that is empty, which a shell makes of a
 * variable that is not set: it must not stand for an empty mapping. -EFBIG past the limit
 * of to. */
int given_read(const char *argument, struct bytes *to, struct error *err);

#endif
