/* defaults.c: who publishes and on which day, where the manifest does not say. */
#include "common/defaults.h"

#include "common/memory.h"
#include "common/user.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int defaults_author(char **ret_author, struct error *err)
{
    static const char *const names[] = {"LOGNAME", "USER", "LNAME", "USERNAME"};
    int rc;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value) {
            *ret_author = xstrdup(value);
            return 0;
        }
    }
    rc = user_name(getuid(), ret_author, err);
    return rc == -ENOENT
               ? fail(err, ENOENT, "user %u has no name; give the author, or set LOGNAME",
                      (unsigned)getuid())
               : rc;
}

void defaults_date(char ret_date[DEFAULTS_DATE_SIZE])
{
    time_t now = time(NULL);
    struct tm day;

    localtime_r(&now, &day);
    strftime(ret_date, DEFAULTS_DATE_SIZE, "%Y-%m-%d", &day);
}
