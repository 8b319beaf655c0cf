/* credentials_aws.c: access key and region where the AWS tools look for them. */
#include "backends/credentials_aws.h"

#include "backends/credentials_endpoint.h"
#include "backends/credentials_ini.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* A profile lies in two files: "[name]" of credentials, "[profile name]" of config. */
struct profile {
    const char *name;
    bool is_named; /* by the environment */
    struct credentials_ini credentials;
    struct credentials_ini config;
    const char *credentials_section; /* NULL: there is none */
    const char *config_section;
};

/* "profile name", perhaps with quotes around the name; "default" may stand alone. */
static bool is_section_of(const char *section, const char *name)
{
    static const char prefix[] = "profile";
    size_t size = strlen(name);

    if (strcmp(name, "default") == 0 && strcmp(section, name) == 0)
        return true;
    if (strncmp(section, prefix, strlen(prefix)) != 0)
        return false;
    section += strlen(prefix);
    if (*section != ' ' && *section != '\t')
        return false;
    section += strspn(section, " \t");
    if ((*section == '"' || *section == '\'') && section[strlen(section) - 1] == *section)
        return strlen(section) == size + 2 && memcmp(section + 1, name, size) == 0;
    return strcmp(section, name) == 0;
}

static void find_sections(struct profile *profile)
{
    const char *section;

    for (size_t i = 0;
         profile->credentials.ini && (section = ini_section(profile->credentials.ini, i));
         i++)
        if (strcmp(section, profile->name) == 0)
            profile->credentials_section = section;
    for (size_t i = 0;
         profile->config.ini && (section = ini_section(profile->config.ini, i)); i++)
        if (is_section_of(section, profile->name))
            profile->config_section = section;
}

static int profile_read(struct credentials_search *search, struct profile *ret_profile,
                        struct error *err)
{
    struct profile *profile = ret_profile;
    int rc;

    profile->name = credentials_search_environment("AWS_PROFILE");
    if (!profile->name)
        profile->name = credentials_search_environment("AWS_DEFAULT_PROFILE");
    profile->is_named = profile->name != NULL;
    if (!profile->name)
        profile->name = "default";
    rc = credentials_ini_read(search, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials",
                              0, &profile->credentials, err);
    if (rc >= 0)
        rc = credentials_ini_read(search, "AWS_CONFIG_FILE", "~/.aws/config", 0,
                                  &profile->config, err);
    if (rc >= 0)
        find_sections(profile);
    return rc < 0 ? rc : 0;
}

static void profile_done(struct profile *profile)
{
    credentials_ini_done(&profile->credentials);
    credentials_ini_done(&profile->config);
}

/* 1 for a value that is there and not empty. */
static int get(const struct credentials_ini *file, const char *section, const char *key,
               char **ret_value, struct error *err)
{
    int rc = credentials_ini_get(file, section, key, ret_value, err);

    if (rc == 1 && !**ret_value) {
        login_wipe(ret_value);
        rc = 0;
    }
    return rc;
}

static int find_in_environment(struct login *login, struct error *err)
{
    const char *user = credentials_search_environment("AWS_ACCESS_KEY_ID");
    const char *secret = credentials_search_environment("AWS_SECRET_ACCESS_KEY");
    const char *token = credentials_search_environment("AWS_SESSION_TOKEN");

    if (!user)
        return 0;
    if (!secret)
        return fail(err, EACCES,
                    "AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY");
    login->user = xstrdup(user);
    login->secret = xstrdup(secret);
    login->token = token ? xstrdup(token) : NULL;
    snprintf(login->source, sizeof login->source, "AWS_ACCESS_KEY_ID");
    return 1;
}

static int find_in_file(struct login *login, const struct credentials_ini *file,
                        const char *section, struct error *err)
{
    int rc = get(file, section, "aws_access_key_id", &login->user, err);

    if (rc <= 0)
        return rc;
    rc = get(file, section, "aws_secret_access_key", &login->secret, err);
    if (rc == 0)
        return fail(err, EACCES,
                    "'%s': [%s] has aws_access_key_id without its "
                    "aws_secret_access_key",
                    file->path, section);
    if (rc == 1)
        rc = get(file, section, "aws_session_token", &login->token, err);
    snprintf(login->source, sizeof login->source, "'%s', [%s]", file->path, section);
    return rc < 0 ? rc : 1;
}

/* The AWS tools take these from either file. */
static int refuse_ways(const struct profile *profile, const struct credentials_ini *file,
                       const char *section, struct error *err)
{
    static const char *const keys[] = {"role_arn", "credential_process", "sso_session",
                                       "sso_start_url"};

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        CLEANUP_FREE char *value = NULL;
        int rc = get(file, section, keys[i], &value, err);

        if (rc == 1)
            return fail(err, EACCES,
                        "'%s': profile '%s' gets its keys by %s, which modelfs does not "
                        "do: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                        "AWS_SESSION_TOKEN",
                        file->path, profile->name, keys[i]);
        if (rc < 0)
            return rc;
    }
    return 0;
}

/* What the AWS tools can and we cannot must not end in anonymous requests. */
static int refuse_others(const struct profile *profile, struct error *err)
{
    int rc;

    if (credentials_search_environment("AWS_WEB_IDENTITY_TOKEN_FILE"))
        return fail(err, EACCES,
                    "AWS_WEB_IDENTITY_TOKEN_FILE is set, and modelfs does not exchange "
                    "such tokens: set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and "
                    "AWS_SESSION_TOKEN");
    if (profile->is_named && !profile->credentials_section && !profile->config_section)
        return fail(err, EACCES, "there is no profile '%s' in '%s' or '%s'",
                    profile->name, profile->credentials.path, profile->config.path);
    rc = refuse_ways(profile, &profile->config, profile->config_section, err);
    return rc == 0 ? refuse_ways(profile, &profile->credentials,
                                 profile->credentials_section, err)
                   : rc;
}

static int find_keys(struct credentials_search *search, const struct profile *profile,
                     struct error *err)
{
    int rc = find_in_environment(&search->login, err);

    if (rc == 0)
        rc = find_in_file(&search->login, &profile->credentials,
                          profile->credentials_section, err);
    if (rc == 0)
        rc = find_in_file(&search->login, &profile->config, profile->config_section, err);
    if (rc == 0)
        rc = refuse_others(profile, err);
    return rc == 0 ? credentials_endpoint_find(search, err) : rc;
}

char *credentials_aws_region(void)
{
    const char *region = credentials_search_environment("AWS_REGION");

    if (!region)
        region = credentials_search_environment("AWS_DEFAULT_REGION");
    return region ? xstrdup(region) : NULL;
}

static int find_region(const struct profile *profile, char **ret_region,
                       struct error *err)
{
    int rc;

    *ret_region = credentials_aws_region();
    if (*ret_region)
        return 0;
    rc = get(&profile->config, profile->config_section, "region", ret_region, err);
    if (rc == 0)
        rc = get(&profile->credentials, profile->credentials_section, "region",
                 ret_region, err);
    return rc < 0 ? rc : 0;
}

int credentials_aws_find(struct credentials_search *search, struct error *err)
{
    struct profile profile = {0};
    int rc = profile_read(search, &profile, err), found = 0;

    if (rc == 0)
        rc = found = find_keys(search, &profile, err);
    if (rc >= 0)
        rc = find_region(&profile, &search->login.region, err);
    profile_done(&profile);
    return rc < 0 ? rc : found;
}
