/* user.h: what the password file says of a user. Thread-safe. */
#ifndef COMMON_USER_H
#define COMMON_USER_H

#include "common/error.h"

#include <sys/types.h>

/* -ENOENT for a user who is not there. The caller frees the result. */
int user_name(uid_t user, char **ret_name, struct error *err);
int user_home(uid_t user, char **ret_path, struct error *err);

#endif
