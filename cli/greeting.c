/* greeting.c: tells who mounts which repositories cannot be used. */
#include "cli/greeting.h"

#include "common/log.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>

/* The mount answers meanwhile; the command that made it does not return. */
enum { ANSWER_MS = 900 };

struct greeting {
    struct resolver *resolver;
    struct daemon *daemon;
    pthread_t thread;
};

static void tell_of(const struct greeting *greeting, unsigned repository)
{
    const char *name = resolver_repository_name(greeting->resolver, repository);
    char sentence[2 * ERROR_MESSAGE_MAX];
    struct error why;
    int rc = resolver_check(greeting->resolver, repository, &why);

    if (rc == 0)
        return;
    if (rc == -EAGAIN)
        snprintf(sentence, sizeof sentence,
                 "repository '%s' has not answered yet; going on with what is known",
                 name);
    else
        snprintf(sentence, sizeof sentence,
                 "repository '%s' cannot be used: %s; going on with what is known", name,
                 why.message);
    if (greeting->daemon)
        daemon_warn(greeting->daemon, sentence);
    if (!resolver_is_down(greeting->resolver, repository)) /* that is logged already */
        log_warning("%s", sentence);
}

static void *greet(void *arg)
{
    struct greeting *greeting = arg;

    resolver_await_answers(greeting->resolver, clock_now_ms() + ANSWER_MS);
    for (unsigned i = 0; i < resolver_repository_count(greeting->resolver); i++)
        tell_of(greeting, i);
    if (greeting->daemon)
        daemon_dismiss(greeting->daemon);
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
    pthread_join(greeting->thread, NULL);
    free(greeting);
}
