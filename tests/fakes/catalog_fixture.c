/* catalog_fixture.c: a catalog over one repository in memory. */
#include "tests/fakes/catalog_fixture.h"

#include "common/memory.h"
#include "tests/fakes/counting_backend.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

_Atomic int64_t catalog_fixture_now_ms;

static int64_t read_clock(void)
{
    return catalog_fixture_now_ms;
}

int catalog_fixture_ask_document(struct catalog_request *request, const char *key,
                                 struct listing **ret_listing, struct error *err)
{
    CLEANUP_LISTING_BUILDER struct listing_builder builder;
    CLEANUP_BYTES struct bytes text;
    int rc;

    listing_builder_init(&builder);
    bytes_init(&text, MIB);
    rc = backend_get(request->backend, key, &text, err);
    if (rc == 0 && strcmp(text.data, "bad") == 0)
        rc = fail(err, EBADMSG, "'%s' makes no sense", key);
    if (rc == 0)
        rc = listing_add(&builder, text.data, err);
    return rc < 0 ? rc : listing_finish(&builder, NULL, ret_listing, err);
}

const struct catalog_kind catalog_fixture_kind = {
    .name = "document", .ttl = CATALOG_TTL_LISTING, .ask = catalog_fixture_ask_document};

int catalog_fixture_open(void **state)
{
    struct catalog_fixture *fixture = XNEW(struct catalog_fixture);
    struct error err = {0};

    fixture->memory = memory_backend_new();
    fixture->counting = counting_backend_new(fixture->memory);
    fixture->fault = fault_backend_new(fixture->counting);
    catalog_fixture_now_ms = 1000000;
    assert_int_equal(catalog_open(
                         &(struct catalog_options){
                             .backends = &fixture->fault,
                             .backend_count = 1,
                             .ttl_ms = {[CATALOG_TTL_ALIAS] = 0,
                                        [CATALOG_TTL_LISTING] = TTL_MS,
                                        [CATALOG_TTL_NEGATIVE] = NEGATIVE_MS},
                             .memory_max = 4096,
                             .now_ms = read_clock
    },
                         &fixture->catalog, &err),
                     0);
    *state = fixture;
    return 0;
}

int catalog_fixture_close(void **state)
{
    struct catalog_fixture *fixture = *state;

    catalog_close(fixture->catalog);
    backend_close(fixture->fault);
    free(fixture);
    return 0;
}

const char *catalog_fixture_ask(struct catalog_fixture *fixture,
                                const struct catalog_kind *of, const char *key,
                                enum resolve_how how, int64_t *ret_left_ms)
{
    static char text[256];
    struct catalog_answer answer = {0};
    struct error err = {0};
    int rc = catalog_get(fixture->catalog, 0, of, key, how, &answer, &err);

    if (rc == 0)
        snprintf(text, sizeof text, "%s", answer.listing->names[0]);
    else
        snprintf(text, sizeof text, "-%s", strerrorname_np(-rc));
    listing_unref(answer.listing);
    *ret_left_ms = answer.left_ms;
    return text;
}

void catalog_fixture_wait_until_up(struct catalog_fixture *fixture,
                                   struct catalog_state *ret_state)
{
    do
        catalog_state(fixture->catalog, 0, ret_state);
    while (ret_state->is_down);
}

const char *catalog_fixture_ask_back(struct catalog_fixture *fixture,
                                     const struct catalog_kind *of, const char *key,
                                     int64_t *ret_left_ms)
{
    struct catalog_state ignored;

    (void)catalog_fixture_ask(fixture, of, key, RESOLVE_FETCH, ret_left_ms);
    catalog_fixture_wait_until_up(fixture, &ignored);
    return catalog_fixture_ask(fixture, of, key, RESOLVE_FETCH, ret_left_ms);
}
