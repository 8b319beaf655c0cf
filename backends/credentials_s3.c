/* credentials_s3.c: the access key where audbackend looks for it. */
#include "backends/credentials_s3.h"

#include "backends/credentials_aws.h"
#include "backends/credentials_ini.h"
#include "common/memory.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* MINIO_ACCESS_KEY_S3_EXAMPLE_COM_9000, else MINIO_ACCESS_KEY; NULL if none is set. */
static const char *from_environment(const char *variable, const char *host)
{
    CLEANUP_FREE char *own =
        xasprintf("%s_%s", variable, credentials_search_bare_host(host));
    const char *value;

    for (char *at = own; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
    value = getenv(own);
    return value ? value : getenv(variable);
}

/* NULL for a value that is not there or empty. */
static int find_value(struct credentials_search *search, const char *variable,
                      const struct credentials_ini *file, const char *section,
                      const char *key, char **ret_value, struct error *err)
{
    const char *value = from_environment(variable, search->host);
    int rc = 0;

    if (value)
        *ret_value = xstrdup(value);
    else
        rc = credentials_ini_get(file, section, key, ret_value, err);
    if (rc >= 0 && *ret_value && !**ret_value)
        login_wipe(ret_value);
    return rc < 0 ? rc : 0;
}

/* audbackend asks whether `secure` is a non-empty text: "False" is one. */
static int find_plain(const struct credentials_ini *file, const char *section,
                      bool *ret_is_plain, struct error *err)
{
    CLEANUP_FREE char *value = NULL;
    int rc = credentials_ini_get(file, section, "secure", &value, err);

    *ret_is_plain = rc == 1 && (!value || !*value);
    return rc < 0 ? rc : 0;
}

static int find_minio(struct credentials_search *search, bool *ret_is_known,
                      struct error *err)
{
    CLEANUP_CREDENTIALS_INI struct credentials_ini file = {0};
    struct login *login = &search->login;
    const char *section;
    int rc = credentials_ini_read(search, "MINIO_CONFIG_FILE",
                                  "~/.config/audbackend/minio.cfg",
                                  INI_VALUELESS | INI_INTERPOLATE, &file, err);

    if (rc < 0)
        return rc;
    section = credentials_ini_section(&file, search->host);
    if (from_environment("MINIO_ACCESS_KEY", search->host))
        snprintf(login->source, sizeof login->source, "MINIO_ACCESS_KEY");
    else
        snprintf(login->source, sizeof login->source, "'%s'", file.path);
    *ret_is_known = section != NULL;
    rc = find_plain(&file, section, &login->is_plain, err);
    if (rc == 0)
        rc = find_value(search, "MINIO_ACCESS_KEY", &file, section, "access_key",
                        &login->user, err);
    if (rc == 0)
        rc = find_value(search, "MINIO_SECRET_KEY", &file, section, "secret_key",
                        &login->secret, err);
    return rc;
}

int credentials_s3_find(struct credentials_search *search, struct error *err)
{
    struct login *login = &search->login;
    bool is_known = false;
    int rc = find_minio(search, &is_known, err);

    if (rc < 0)
        return rc;
    if (login->user && login->secret) {
        login->region = credentials_aws_region();
        return 1;
    }
    if (login->user)
        return fail(err, EACCES,
                    "there is an access key for '%s' and no secret key: set "
                    "MINIO_SECRET_KEY, or secret_key in minio.cfg",
                    search->host);
    login_wipe(&login->secret); /* without a key it opens nothing */
    /* A section without keys says that the host is asked without any. */
    return is_known ? 0 : credentials_aws_find(search, err);
}
