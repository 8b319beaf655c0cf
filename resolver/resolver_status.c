/* resolver_status.c: the state of each repository, for @status. */
#include "resolver/questions.h"
#include "resolver/resolver.h"
#include "resolver/state.h"

#include <errno.h>

static int print_field(struct bytes *to, const char *field, const char *text,
                       struct error *err)
{
    int rc = bytes_printf(to, err, "%s: ", field);

    if (rc == 0)
        rc = bytes_append_quoted(to, text, err);
    return rc < 0 ? rc : bytes_append(to, "\n", 1, err);
}

/* How many names are in memory, fresh or not; nothing is asked. */
static int print_count(struct resolver *resolver, unsigned repository,
                       const struct catalog_kind *kind, struct bytes *to,
                       struct error *err)
{
    CLEANUP_LISTING struct listing *listing = NULL;
    struct catalog_answer answer = {0};
    struct error reason;
    int rc = catalog_get(resolver->catalog, repository, kind, "", RESOLVE_STALE, &answer,
                         &reason);

    listing = answer.listing;
    if (rc < 0 && rc != -ENOENT)
        return 0; /* never listed: no line */
    return bytes_printf(to, err, "    %s: %zu\n", kind->name,
                        listing ? listing->count : 0);
}

bool resolver_is_down(const struct resolver *resolver, unsigned repository)
{
    struct catalog_state state;

    catalog_state(resolver->catalog, repository, &state);
    return state.is_down;
}

bool resolver_await_answers(struct resolver *resolver, int64_t deadline_ms)
{
    return catalog_await_answers(resolver->catalog, deadline_ms);
}

int resolver_check(const struct resolver *resolver, unsigned repository,
                   struct error *err)
{
    struct catalog_state state;

    catalog_state(resolver->catalog, repository, &state);
    if (state.is_failing && *state.message)
        return fail(err, EIO, "%s", state.message);
    if (state.is_failing || state.success_age_ms < 0)
        return fail(err, EAGAIN, "no answer yet");
    return 0;
}

static const char *state_name(const struct catalog_state *state)
{
    if (state->is_failing)
        return state->has_answers ? "stale" : "failing";
    return state->success_age_ms < 0 ? "not asked yet" : "ok";
}

static int print_age(struct bytes *to, const char *field, int64_t age_ms,
                     struct error *err)
{
    return age_ms < 0 ? 0
                      : bytes_printf(to, err, "    %s: %lld\n", field,
                                     (long long)(age_ms / 1000));
}

static int print_repository(struct resolver *resolver, unsigned repository,
                            struct bytes *to, struct error *err)
{
    const struct resolver_repository *from = &resolver->repositories[repository];
    struct catalog_state state;
    int rc;

    catalog_state(resolver->catalog, repository, &state);
    rc = print_field(to, "  - name", from->name, err);
    if (rc == 0)
        rc = print_field(to, "    backend", backend_kind(from->backend), err);
    if (rc == 0)
        rc = print_field(to, "    location", backend_location(from->backend), err);
    if (rc == 0)
        rc = bytes_printf(to, err, "    state: %s\n", state_name(&state));
    if (rc == 0)
        rc = print_age(to, "last_success_s", state.success_age_ms, err);
    if (rc == 0)
        rc = print_age(to, "last_failure_s", state.failure_age_ms, err);
    if (rc == 0 && state.failures > 0)
        rc = print_field(to, "    last_error", state.message, err);
    if (rc == 0)
        rc = bytes_printf(to, err, "    requests: %llu\n    failures: %llu\n",
                          (unsigned long long)state.requests,
                          (unsigned long long)state.failures);
    if (rc == 0)
        rc = print_count(resolver, repository, &question_models, to, err);
    if (rc == 0)
        rc = print_count(resolver, repository, &question_aliases, to, err);
    return rc;
}

int resolver_print_status(struct resolver *resolver, struct bytes *to, struct error *err)
{
    for (unsigned i = 0; i < resolver->repository_count; i++) {
        int rc = print_repository(resolver, i, to, err);

        if (rc < 0)
            return rc;
    }
    return 0;
}
