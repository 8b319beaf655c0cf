/* test_documents.c: headers are parsed as seldom as can be. */
#include "tests/test.h"

#include "common/memory.h"
#include "tests/fakes/cache_fixture.h"

#include <errno.h>
#include <string.h>

enum { LARGE = 200 << 10 }; /* two of them are more than may be kept parsed */

static const char fields[] = "author: me\ndate: 2024-02-29\nname: onnx\n"
                             "subgroup: emotion\nversion: 1.0.0\n";

static void set_header(struct fixture *fixture, const char *version, const char *more)
{
    CLEANUP_FREE char *path = xasprintf(
        "_uid/" FIXTURE_ID "/%s/" FIXTURE_ID "-%s.header.yaml", version, version);
    CLEANUP_FREE char *text = xasprintf("%s%s\n", fields, more);

    memory_backend_set(fixture->memory, path, text);
}

static int get(struct fixture *fixture, const char *version, enum resolve_how how)
{
    struct release release = fixture->release;
    struct header *header = NULL;
    struct error err = {0};
    int rc;

    snprintf(release.version, sizeof release.version, "%s", version);
    rc = cache_header(fixture->cache, fixture->resolver, &release, how, &header, &err);
    header_unref(header);
    return rc;
}

static int get_date(struct fixture *fixture, const char *version, int64_t *ret_date_s)
{
    struct release release = fixture->release;
    struct error err = {0};

    snprintf(release.version, sizeof release.version, "%s", version);
    return cache_date(fixture->cache, fixture->resolver, &release, RESOLVE_KNOWN,
                      ret_date_s, &err);
}

static void what_makes_no_sense_is_known_for_a_while(void **state)
{
    struct fixture fixture;
    int64_t date_s;

    (void)state;
    fixture_open(&fixture, &(struct cache_options){0});
    set_header(&fixture, "1.0.0", "parameters: [");
    assert_int_equal(get(&fixture, "1.0.0", RESOLVE_KNOWN), -EINPROGRESS);
    assert_int_equal(get(&fixture, "1.0.0", RESOLVE_FETCH), -EBADMSG);
    counting_backend_reset(fixture.counting);
    assert_int_equal(get(&fixture, "1.0.0", RESOLVE_KNOWN), -EBADMSG);
    assert_int_equal(get(&fixture, "1.0.0", RESOLVE_FETCH), -EBADMSG);
    assert_int_equal(get_date(&fixture, "1.0.0", &date_s), -EBADMSG);
    assert_int_equal(counting_backend_total(fixture.counting), 0);
    fixture_close(&fixture);
}

static void dates_outlast_large_headers(void **state)
{
    CLEANUP_FREE char *large = xcalloc(1, LARGE + 1);
    static const char *const versions[] = {"1.0.0", "2.0.0"};
    struct fixture fixture;
    int64_t date_s = 0;

    (void)state;
    memset(large, '#', LARGE);
    fixture_open(&fixture, &(struct cache_options){0});
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        set_header(&fixture, versions[i], large);
        assert_int_equal(get(&fixture, versions[i], RESOLVE_FETCH), 0);
        assert_int_equal(get(&fixture, versions[i], RESOLVE_KNOWN), 0);
    }
    assert_int_equal(get(&fixture, "1.0.0", RESOLVE_KNOWN), -EINPROGRESS);
    assert_int_equal(get_date(&fixture, "1.0.0", &date_s), 0);
    assert_int_equal(date_s, 1709164800); /* date -u -d 2024-02-29 +%s */
    fixture_close(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_makes_no_sense_is_known_for_a_while),
        cmocka_unit_test(dates_outlast_large_headers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
