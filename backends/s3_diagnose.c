/* s3_diagnose.c: what working with a bucket needs beyond its answer. */
#include "backends/s3_diagnose.h"

#include "backends/credentials.h"
#include "common/random.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    SKEW_WARNING_S = 60,
    SKEW_MAX_S = 15 * 60, /* what stores bear */
};

/* Who is told. */
struct listener {
    backend_finding *each;
    void *arg;
};

__attribute__((format(printf, 4, 5))) static void tell(const struct listener *listener,
                                                       enum backend_health health,
                                                       const char *topic,
                                                       const char *format, ...)
{
    char sentence[ERROR_MESSAGE_MAX];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(sentence, sizeof sentence, format, arguments);
    va_end(arguments);
    listener->each(listener->arg, health, topic, sentence);
}

static void diagnose_login(struct s3_client *client, const struct listener *listener)
{
    CLEANUP_LOGIN struct login login = {0};
    struct error err = {0};

    if (s3_client_login(client, &login, &err) < 0)
        tell(listener, BACKEND_BROKEN, "login", "%s", err.message);
    else if (login.is_anonymous)
        tell(listener, BACKEND_WARNING, "login",
             "no key for '%s' was found: only what is public can be read, and nothing "
             "published; set MINIO_ACCESS_KEY and MINIO_SECRET_KEY, or write them into "
             "the credentials file",
             s3_client_host(client));
    else
        tell(listener, BACKEND_FINE, "login", "access key '%.40s' from %s", login.user,
             login.source);
}

/* Whether the bucket answers us. */
static bool diagnose_clock(struct s3_client *client, const struct listener *listener)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct error ignored = {0}; /* even a refusal tells the time */
    long long ahead_s;
    int rc = s3_client_do(client, NULL, NULL, &(struct http_request){.method = HTTP_HEAD},
                          &reply, &ignored);

    if (!reply.date_s)
        return rc == 0;
    ahead_s = (long long)(time(NULL) - reply.date_s);
    if (llabs(ahead_s) <= SKEW_WARNING_S)
        tell(listener, BACKEND_FINE, "clock", "agrees with that of '%s'",
             s3_client_host(client));
    else
        tell(listener, llabs(ahead_s) > SKEW_MAX_S ? BACKEND_BROKEN : BACKEND_WARNING,
             "clock",
             "%lld s %s that of '%s', which refuses requests from %d s on; set this "
             "machine's clock",
             llabs(ahead_s), ahead_s > 0 ? "ahead of" : "behind", s3_client_host(client),
             SKEW_MAX_S);
    return rc == 0;
}

static int write_trial(struct s3_client *client, struct s3_conditional *conditional,
                       struct error *err)
{
    const struct backend_content content = {.data = "trial", .size = 5};
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    char name[RANDOM_NAME_SIZE], key[64];
    int rc = random_name(name, err);

    if (rc < 0)
        return rc;
    snprintf(key, sizeof key, "modelfs-doctor-%s", name);
    rc = s3_conditional_create(conditional, key, &content, err);
    if (rc < 0)
        return rc;
    return s3_client_do(client, key, NULL, &(struct http_request){.method = HTTP_DELETE},
                        &reply, err);
}

static void diagnose_writing(struct s3_client *client, struct s3_conditional *conditional,
                             const struct listener *listener)
{
    struct error err = {0};
    int rc = write_trial(client, conditional, &err);

    if (rc == 0)
        tell(listener, BACKEND_FINE, "writing",
             "allowed, and only where nothing is if so wanted");
    else if (rc == -ENOTSUP)
        tell(listener, BACKEND_FINE, "writing",
             "allowed; %s, so publishers agree by files of their own", err.message);
    else
        tell(listener, BACKEND_WARNING, "writing", "publishing will fail: %s",
             err.message);
}

void s3_diagnose(struct s3_client *client, struct s3_conditional *conditional,
                 backend_finding *each, void *arg)
{
    const struct listener listener = {.each = each, .arg = arg};

    diagnose_login(client, &listener);
    if (diagnose_clock(client, &listener))
        diagnose_writing(client, conditional, &listener);
}
