/* test_s3_error.c: every failure of a store has its errno, and a sentence for a person.
 */
#include "tests/test.h"

#include "backends/s3_error.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1795327309 };

static const struct {
    int status;
    const char *code;
    const char *key;
    const char *user;
    int64_t its_time_s;
    int rc;
    const char *words[2];
    bool is_refusal;
} failures[] = {
    {404, "NoSuchKey",                  "a/b", "AK", 0,          -ENOENT,       {"'a/b'", "models"},        false},
    {404, "",                           "a/b", "AK", 0,          -ENOENT,       {"'a/b'", "models"},        false},
    {404, "NoSuchBucket",               "a/b", "AK", 0,          -EHOSTUNREACH, {"no bucket", "models"},    false},
    {404, "",                           "",    "AK", 0,          -EHOSTUNREACH, {"no bucket", "host"},      false},
    {403, "AccessDenied",               "a",   "AK", NOW,        -EACCES,       {"'AK'", "right"},          true },
    {403, "AccessDenied",               "a",   "",   NOW,        -EACCES,       {"MINIO_ACCESS_KEY", "a"},  true },
    {403, "",                           "a",   "AK", NOW,        -EACCES,       {"'AK'", "right"},          true },
    {403, "InvalidAccessKeyId",         "a",   "AK", NOW,        -EACCES,       {"does not know", "'AK'"},  true },
    {400, "ExpiredToken",               "a",   "AK", NOW,        -EACCES,       {"ExpiredToken", "'AK'"},   true },
    {403, "SignatureDoesNotMatch",      "a",   "AK", NOW,        -EACCES,       {"secret", "'AK'"},         true },
    {403,
     "RequestTimeTooSkewed",            "a",
     "AK",                                           NOW + 3600,
     -EACCES,
     {"2026-11-22 06:01:49", "2026-11-22 07:01:49"},
     false                                                                                                       },
    {403,
     "",                                "a",
     "AK",                                           NOW - 3600,
     -EACCES,
     {"2026-11-22 06:01:49", "2026-11-22 05:01:49"},
     false                                                                                                       },
    {301, "PermanentRedirect",          "a",   "AK", 0,          -EIO,          {"region", "us-east-1"},    false},
    {400,
     "AuthorizationHeaderMalformed",    "a",
     "AK",                                           0,
     -EACCES,
     {"region", "AWS_REGION"},
     false                                                                                                       },
    {412, "PreconditionFailed",         "a",   "AK", 0,          -ESTALE,       {"'a'", "another version"}, false},
    {412, "",                           "a",   "AK", 0,          -ESTALE,       {"'a'", "another version"}, false},
    {409, "ConditionalRequestConflict", "a",   "AK", 0,          -ESTALE,       {"'a'", "version"},         false},
    {501, "NotImplemented",             "a",   "AK", 0,          -ENOTSUP,      {"501", "NotImplemented"},  false},
    {503, "SlowDown",                   "a",   "AK", 0,          -ETIMEDOUT,    {"busy", "SlowDown"},       false},
    {429, "",                           "a",   "AK", 0,          -ETIMEDOUT,    {"busy", "429"},            false},
    {507, "",                           "a",   "AK", 0,          -ENOSPC,       {"507", "a"},               false},
    {400, "EntityTooLarge",             "a",   "AK", 0,          -EFBIG,        {"EntityTooLarge", "a"},    false},
    {500, "InternalError",              "a",   "AK", 0,          -EIO,          {"500", "InternalError"},   false},
    {418, "",                           "",    "AK", 0,          -EIO,          {"418", "models"},          false},
};

static void sentences(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        struct s3_xml_reply document = {.kind = S3_XML_ERROR};
        const struct s3_error_facts facts = {
            .status = failures[i].status,
            .document = &document,
            .moved_to = "",
            .bucket = "models",
            .host = "host",
            .key = failures[i].key,
            .region = "us-east-1",
            .user = failures[i].user,
            .our_time_s = NOW,
            .its_time_s = failures[i].its_time_s,
        };
        struct error err = {0};

        test_row(i, "%d %s", failures[i].status, failures[i].code);
        snprintf(document.code, sizeof document.code, "%s", failures[i].code);
        assert_int_equal(s3_error_fail(&facts, &err), failures[i].rc);
        assert_int_equal(err.code, -failures[i].rc);
        for (size_t j = 0; j < 2; j++)
            assert_non_null(strstr(err.message, failures[i].words[j]));
        assert_int_equal(s3_error_is_refusal(&facts), failures[i].is_refusal);
    }
}

/* A redirect leads to another server. */
static void elsewhere(void **state)
{
    static const int statuses[] = {301, 302, 307, 308};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
        struct s3_xml_reply document = {.kind = S3_XML_UNKNOWN};
        struct error err = {0};

        test_row(i, "%d", statuses[i]);
        assert_int_equal(s3_error_fail(
                             &(struct s3_error_facts){
                                 .status = statuses[i],
                                 .document = &document,
                                 .bucket = "models",
                                 .host = "host",
                                 .key = "a",
                                 .region = "us-east-1",
                                 .user = "AK",
                                 .moved_to = "https://there",
                             },
                             &err),
                         -EIO);
        assert_non_null(strstr(err.message, "on to 'https://there'"));
    }
}

static void regions(void **state)
{
    static const struct {
        int status;
        const char *named;
        const char *in_document;
        const char *region;
    } cases[] = {
        {301, "eu-west-1", "",          "eu-west-1"},
        {400, "",          "eu-west-1", "eu-west-1"},
        {400, "eu-west-1", "eu-west-2", "eu-west-1"},
        {307, "",          "",          NULL       },
        {400, "us-east-1", "",          NULL       }, /* it is something else then */
        {400, "eu.evil/",  "",          NULL       }, /* no part of a host name */
        {400, "",          "a\n b",     NULL       },
        {403, "eu-west-1", "",          NULL       },
        {404, "eu-west-1", "",          NULL       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_xml_reply document = {.kind = S3_XML_ERROR};
        const struct s3_error_facts facts = {
            .status = cases[i].status, .document = &document, .region = "us-east-1"};
        const char *region;

        test_row(i, "%d %s %s", cases[i].status, cases[i].named, cases[i].in_document);
        snprintf(document.region, sizeof document.region, "%s", cases[i].in_document);
        region = s3_error_region(&facts, cases[i].named);
        if (cases[i].region)
            assert_string_equal(region, cases[i].region);
        else
            assert_null(region);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences),
        cmocka_unit_test(elsewhere),
        cmocka_unit_test(regions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
