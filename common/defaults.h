/* defaults.h: who publishes and on which day, where the manifest does not say. */
#ifndef COMMON_DEFAULTS_H
#define COMMON_DEFAULTS_H

#include "common/error.h"

enum { DEFAULTS_DATE_SIZE = 11 }; /* "2024-02-29" and a NUL */

/* The login name as Python's getpass.getuser() finds it: LOGNAME, USER, LNAME, USERNAME,
 * else the password file. -ENOENT if there is none. The caller frees it. */
int defaults_author(char **ret_author, struct error *err);

/* Today, local time, as Python's date.today(). */
void defaults_date(char ret_date[DEFAULTS_DATE_SIZE]);

#endif
