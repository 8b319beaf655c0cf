/* paths.h: what "~" and relative paths mean. Reads the environment, so not while another
 * thread changes it. */
#ifndef COMMON_PATHS_H
#define COMMON_PATHS_H

#include "common/error.h"

/* The absolute path that text means: "~" and "~/..." below the home folder, a relative
 * one below base (NULL: the working folder). Links and ".." stay. -EINVAL with a sentence
 * for "" and "~name". free the result. */
int paths_expand(const char *text, const char *base, char **ret_path, struct error *err);

#endif
