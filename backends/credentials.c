/* credentials.c: the login that holds now, read again when it may have changed. */
#include "backends/credentials.h"

#include "backends/credentials_artifactory.h"
#include "backends/credentials_s3.h"
#include "backends/credentials_search.h"
#include "common/memory.h"
#include "common/paths.h"
#include "common/sync.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum {
    LOOK_MS = 1000, /* files, and what failed, are looked at no more often */
    EXPIRY_MARGIN_S = 5 * 60,
    FETCH_MS = 30 * 1000, /* what is about to expire is fetched no more often */
};

struct credentials {
    enum credentials_kind kind; /* constant after open, as are host and http */
    char *host;
    struct http *http;
    struct lock lock;
    struct condition read;            /* the end of a reading */
    bool is_reading;                  /* guarded by lock */
    bool has_login;                   /* guarded by lock: search holds one */
    struct credentials_search search; /* guarded by lock */
    int64_t looked_ms;                /* guarded by lock; when it was last seen to hold */
    struct error failure;             /* guarded by lock; of the last reading; code 0 */
};

int credentials_keep_paths(struct error *err)
{
    static const char *const variables[] = {
        "MINIO_CONFIG_FILE",
        "ARTIFACTORY_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_CONFIG_FILE",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "SSL_CERT_FILE",
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
    };

    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++) {
        const char *value = getenv(variables[i]);
        CLEANUP_FREE char *path = NULL;
        int rc;

        if (!value || !*value || *value == '/' || *value == '~')
            continue;
        rc = paths_expand(value, NULL, &path, err);
        if (rc < 0)
            return fail_context(err, rc, "%s", variables[i]);
        if (setenv(variables[i], path, 1) < 0)
            return fail_errno(err, "set %s", variables[i]);
    }
    return 0;
}

int credentials_open(enum credentials_kind kind, const char *host, struct http *http,
                     struct credentials **ret_credentials, struct error *err)
{
    struct credentials *credentials;

    if (!*host)
        return fail(err, EINVAL, "the host is empty");
    credentials = XNEW(struct credentials);
    credentials->kind = kind;
    credentials->host = xstrdup(host);
    credentials->http = http;
    lock_init(&credentials->lock);
    condition_init(&credentials->read);
    *ret_credentials = credentials;
    return 0;
}

void credentials_close(struct credentials *credentials)
{
    if (!credentials)
        return;
    credentials_search_done(&credentials->search);
    condition_done(&credentials->read);
    lock_done(&credentials->lock);
    free(credentials->host);
    free(credentials);
}

/* No NULL where the header says so. */
static void settle(struct login *login, bool is_found)
{
    login->is_anonymous = !is_found;
    if (!is_found) {
        login_wipe(&login->user);
        login_wipe(&login->secret);
    }
    if (!login->user)
        login->user = xstrdup("");
    if (!login->secret)
        login->secret = xstrdup("");
}

/* Look through all places; without the lock, since files and endpoints take their time.
 */
static int search_all(const struct credentials *credentials,
                      struct credentials_search *search, struct error *err)
{
    static int (*const find[])(struct credentials_search *, struct error *) = {
        [CREDENTIALS_S3] = credentials_s3_find,
        [CREDENTIALS_ARTIFACTORY] = credentials_artifactory_find,
    };
    int rc;

    *search =
        (struct credentials_search){.host = credentials->host, .http = credentials->http};
    rc = find[credentials->kind](search, err);
    if (rc < 0)
        return rc;
    settle(&search->login, rc == 1);
    return 0;
}

static bool has_expired(const struct credentials_search *search, int64_t margin_s)
{
    return search->expires_s && time(NULL) >= search->expires_s - margin_s;
}

/* A login that expired is none; a reading that failed leaves an older one in place. */
static bool is_usable_locked(struct credentials *credentials) REQUIRES(credentials->lock)
{
    return credentials->has_login && !has_expired(&credentials->search, 0);
}

static bool is_due_locked(struct credentials *credentials) REQUIRES(credentials->lock)
{
    const struct credentials_search *search = &credentials->search;
    int64_t now_ms = clock_now_ms();

    if (credentials->looked_ms && now_ms - credentials->looked_ms < LOOK_MS)
        return false;
    credentials->looked_ms = now_ms;
    return credentials->failure.code || !is_usable_locked(credentials) ||
           credentials_search_is_stale(search) ||
           (has_expired(search, EXPIRY_MARGIN_S) &&
            now_ms - search->fetched_ms >= FETCH_MS);
}

static void read_locked(struct credentials *credentials) REQUIRES(credentials->lock)
{
    struct credentials_search search;
    struct error failure = {0};
    int rc;

    credentials->is_reading = true;
    lock_release(&credentials->lock);
    rc = search_all(credentials, &search, &failure);
    lock_acquire(&credentials->lock);
    credentials->failure = failure;
    if (rc == 0) {
        credentials_search_done(&credentials->search);
        credentials->search = search;
        credentials->has_login = true;
    } else {
        credentials_search_done(&search);
    }
    credentials->looked_ms = clock_now_ms();
    credentials->is_reading = false;
    condition_broadcast(&credentials->read);
}

/* While one thread reads, others use what holds, or wait where nothing does. */
static void look_locked(struct credentials *credentials) REQUIRES(credentials->lock)
{
    if (!credentials->is_reading && is_due_locked(credentials))
        read_locked(credentials);
    while (credentials->is_reading && !is_usable_locked(credentials))
        condition_wait(&credentials->read, &credentials->lock);
}

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static int get_locked(struct credentials *credentials, struct login *ret_login,
                      struct error *err) REQUIRES(credentials->lock)
{
    const struct login *login = &credentials->search.login;

    look_locked(credentials);
    if (!is_usable_locked(credentials)) {
        if (!credentials->failure.code)
            return fail(err, EACCES, "the credentials for '%s' have expired",
                        credentials->host);
        *err = credentials->failure;
        return -err->code;
    }
    *ret_login = (struct login){
        .user = copy(login->user),
        .secret = copy(login->secret),
        .token = copy(login->token),
        .region = copy(login->region),
        .is_anonymous = login->is_anonymous,
        .is_plain = login->is_plain,
    };
    memcpy(ret_login->source, login->source, sizeof login->source);
    return 0;
}

int credentials_get(struct credentials *credentials, struct login *ret_login,
                    struct error *err)
{
    int rc;

    lock_acquire(&credentials->lock);
    rc = get_locked(credentials, ret_login, err);
    lock_release(&credentials->lock);
    return rc;
}

static bool is_same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool holds_another_locked(struct credentials *credentials,
                                 const struct login *refused) REQUIRES(credentials->lock)
{
    const struct login *login = &credentials->search.login;

    return is_usable_locked(credentials) &&
           !(is_same_text(login->user, refused->user) &&
             is_same_text(login->secret, refused->secret) &&
             is_same_text(login->token, refused->token));
}

bool credentials_refresh(struct credentials *credentials, const struct login *refused)
{
    bool is_other;

    lock_acquire(&credentials->lock);
    while (credentials->is_reading)
        condition_wait(&credentials->read, &credentials->lock);
    if (!holds_another_locked(credentials, refused))
        read_locked(credentials);
    is_other = holds_another_locked(credentials, refused);
    lock_release(&credentials->lock);
    return is_other;
}
