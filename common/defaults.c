/* defaults.c: who publishes and on which day, where the manifest does not say. */
#include "common/defaults.h"

#include "common/memory.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PASSWORD_SIZE = 16 << 10 }; /* of a line of the password file */

int defaults_author(char **ret_author, struct error *err)
{
    static const char *const names[] = {"LOGNAME", "USER", "LNAME", "USERNAME"};
    struct passwd entry, *found = NULL;
    char buffer[PASSWORD_SIZE];

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *value = getenv(names[i]);

        if (value && *value) {
            *ret_author = xstrdup(value);
            return 0;
        }
    }
    errno = getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found);
    if (errno)
        return fail_errno(err, "look up user %u", (unsigned)getuid());
    if (!found)
        return fail(err, ENOENT, "user %u has no name; give the author, or set LOGNAME",
                    (unsigned)getuid());
    *ret_author = xstrdup(entry.pw_name);
    return 0;
}

void defaults_date(char ret_date[DEFAULTS_DATE_SIZE])
{
    time_t now = time(NULL);
    struct tm day;

    localtime_r(&now, &day);
    strftime(ret_date, DEFAULTS_DATE_SIZE, "%Y-%m-%d", &day);
}
