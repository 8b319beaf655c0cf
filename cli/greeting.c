/* greeting.c: tells who mounts which repositories cannot be used. */
#include "cli/greeting.h"

#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>

enum {
    CALLER_MS = 900, /* the mount answers meanwhile; the command does not return */
    LOOK_MS = 500,   /* how late the end may be noticed */
};

struct greeting {
    struct resolver *resolver;
    struct daemon *daemon;
    pthread_t thread;
    bool is_ending; /* written once */
};

static void describe(const char *name, int rc, const struct error *why,
                     char sentence[2 * ERROR_MESSAGE_MAX])
{
    if (rc == -EAGAIN)
        snprintf(
            sentence, 2 * ERROR_MESSAGE_MAX,
            "repository '%s' has not answered yet, 'modelfs doctor' may say why; going "
            "on with what is known",
            name);
    else
        snprintf(sentence, 2 * ERROR_MESSAGE_MAX,
                 "repository '%s' cannot be used: %s; going on with what is known", name,
                 why->message);
}

typedef void teller(const struct greeting *greeting, unsigned repository, int rc,
                    const char *sentence);

static void tell_caller(const struct greeting *greeting, unsigned repository, int rc,
                        const char *sentence)
{
    (void)repository, (void)rc;
    daemon_warn(greeting->daemon, sentence);
}

/* Outages are logged already. */
static void tell_log(const struct greeting *greeting, unsigned repository, int rc,
                     const char *sentence)
{
    if (rc != -EAGAIN && !resolver_is_down(greeting->resolver, repository))
        log_warning("%s", sentence);
}

static void tell(const struct greeting *greeting, teller *say)
{
    for (unsigned i = 0; i < resolver_repository_count(greeting->resolver); i++) {
        char sentence[2 * ERROR_MESSAGE_MAX];
        struct error why;
        int rc = resolver_check(greeting->resolver, i, &why);

        if (rc == 0)
            continue;
        describe(resolver_repository_name(greeting->resolver, i), rc, &why, sentence);
        say(greeting, i, rc, sentence);
    }
}

static void *greet(void *arg)
{
    struct greeting *greeting = arg;

    if (greeting->daemon) {
        (void)resolver_await_answers(greeting->resolver, clock_now_ms() + CALLER_MS);
        tell(greeting, tell_caller);
        daemon_dismiss(greeting->daemon);
    }
    while (!resolver_await_answers(greeting->resolver, clock_now_ms() + LOOK_MS)) {
        if (__atomic_load_n(&greeting->is_ending, __ATOMIC_RELAXED))
            return NULL;
    }
    tell(greeting, tell_log);
    return NULL;
}

struct greeting *greeting_begin(struct resolver *resolver, struct daemon *daemon)
{
    struct greeting *greeting = XNEW(struct greeting);

    *greeting = (struct greeting){.resolver = resolver, .daemon = daemon};
    if (thread_start(&greeting->thread, "greeting", greet, greeting) == 0)
        return greeting;
    if (daemon)
        daemon_dismiss(daemon);
    free(greeting);
    return NULL;
}

void greeting_end(struct greeting *greeting)
{
    if (!greeting)
        return;
    __atomic_store_n(&greeting->is_ending, true, __ATOMIC_RELAXED);
    pthread_join(greeting->thread, NULL);
    free(greeting);
}
