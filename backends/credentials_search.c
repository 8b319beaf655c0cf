/* credentials_search.c: the files that were looked at, watched for changes. */
#include "backends/credentials_search.h"

#include <stdlib.h>
#include <string.h>

void credentials_search_done(struct credentials_search *search)
{
    login_done(&search->login);
    for (size_t i = 0; i < search->file_count; i++)
        free(search->files[i].path);
    search->file_count = 0;
}

static bool is_same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

bool credentials_search_is_stale(const struct credentials_search *search)
{
    for (size_t i = 0; i < search->file_count; i++) {
        const struct stat *then = &search->files[i].stat;
        struct stat now;

        if (stat(search->files[i].path, &now) < 0)
            now = (struct stat){0};
        if (now.st_dev != then->st_dev || now.st_ino != then->st_ino ||
            now.st_size != then->st_size || !is_same_time(now.st_mtim, then->st_mtim) ||
            !is_same_time(now.st_ctim, then->st_ctim))
            return true;
    }
    return false;
}

const char *credentials_search_bare_host(const char *host)
{
    if (strncasecmp(host, "https://", 8) == 0)
        return host + 8;
    return strncasecmp(host, "http://", 7) == 0 ? host + 7 : host;
}

const char *credentials_search_environment(const char *variable)
{
    const char *value = getenv(variable);

    return value && *value ? value : NULL;
}
