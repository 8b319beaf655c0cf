/* credentials_artifactory.c: user name and password where audbackend looks for them. */
#include "backends/credentials_artifactory.h"

#include "backends/credentials_ini.h"
#include "common/memory.h"

#include <string.h>

/* NULL for a value that is not there. */
static int find_value(const char *variable, const struct credentials_ini *file,
                      const char *section, const char *key, char **ret_value,
                      struct error *err)
{
    const char *value = getenv(variable);
    int rc;

    if (value) {
        *ret_value = xstrdup(value);
        return 0;
    }
    rc = credentials_ini_get(file, section, key, ret_value, err);
    return rc < 0 ? rc : 0;
}

static bool is_empty(const char *text)
{
    return !text || !*text;
}

int credentials_artifactory_find(struct credentials_search *search, struct error *err)
{
    CLEANUP_CREDENTIALS_INI struct credentials_ini file = {0};
    struct login *login = &search->login;
    const char *section = NULL;
    int rc = 0;

    if (!getenv("ARTIFACTORY_USERNAME") || !getenv("ARTIFACTORY_API_KEY")) {
        rc = credentials_ini_read(search, "ARTIFACTORY_CONFIG_FILE",
                                  "~/.artifactory_python.cfg", INI_INTERPOLATE, &file,
                                  err);
        if (rc < 0)
            return rc;
        section = credentials_ini_section(&file, search->host);
    }
    rc =
        find_value("ARTIFACTORY_USERNAME", &file, section, "username", &login->user, err);
    if (rc == 0)
        rc = find_value("ARTIFACTORY_API_KEY", &file, section, "password", &login->secret,
                        err);
    if (rc < 0)
        return rc;
    if (is_empty(login->user) && is_empty(login->secret))
        return 0;
    if (is_empty(login->user)) /* it says by itself whose it is */
        login->token = steal_ptr(&login->secret);
    return login->token || !is_empty(login->secret) ||
           strcmp(login->user, "anonymous") != 0;
}
