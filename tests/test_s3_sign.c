/* test_s3_sign.c: the examples of Amazon's S3 documentation, and the cases of its
 * signature version 4 test suite that hold for S3 (which signs paths as they are). */
#include "tests/test.h"

#include "backends/s3_sign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LETTERS "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static void date_is_utc(void **state)
{
    char date[S3_SIGN_DATE_SIZE];

    (void)state;
    s3_sign_date(1369353600, date);
    assert_string_equal(date, "20130524T000000Z");
    s3_sign_date(1440938160, date);
    assert_string_equal(date, "20150830T123600Z");
}

static const struct {
    const char *method;
    const char *target;
    const char *hash;
    struct http_field extra[2];
    const char *names;
    const char *signature;
} examples[] = {
    {"GET",
     "/test.txt",             S3_SIGN_EMPTY,
     {{"range", "bytes=0-9"}},
     "host;range;x-amz-content-sha256;x-amz-date",                    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test%24file.text",     "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
     {{"x-amz-storage-class", "REDUCED_REDUNDANCY"},
      {"date", "Fri, 24 May 2013 00:00:00 GMT"}},
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET",
     "/?lifecycle",           S3_SIGN_EMPTY,
     {{NULL, NULL}},
     "host;x-amz-content-sha256;x-amz-date",                          "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET",
     "/?max-keys=2&prefix=J", S3_SIGN_EMPTY,
     {{NULL, NULL}},
     "host;x-amz-content-sha256;x-amz-date",                          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
    {"GET",
     "/?prefix=J&max-keys=2", S3_SIGN_EMPTY,
     {{NULL, NULL}},
     "host;x-amz-content-sha256;x-amz-date",                          "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

/* https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html */
static void documented_examples(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
        struct http_field fields[4] = {
            {"x-amz-date",           "20130524T000000Z"},
            {"x-amz-content-sha256", examples[i].hash  }
        };
        size_t count = 2;
        CLEANUP_BYTES struct bytes signed_with, expected;
        char url[256];
        struct error err = {0};

        test_row(i, "%s %s", examples[i].method, examples[i].target);
        for (size_t j = 0; j < 2 && examples[i].extra[j].name; j++)
            fields[count++] = examples[i].extra[j];
        snprintf(url, sizeof url, "https://examplebucket.s3.amazonaws.com%s",
                 examples[i].target);
        bytes_init(&signed_with, 4096);
        bytes_init(&expected, 4096);
        assert_int_equal(s3_sign(
                             &(struct s3_sign_request){
                                 .method = examples[i].method,
                                 .url = url,
                                 .fields = fields,
                                 .field_count = count,
                                 .payload_hash = examples[i].hash,
                                 .date = "20130524T000000Z",
                                 .region = "us-east-1",
                                 .key = "AKIAIOSFODNN7EXAMPLE",
                                 .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                             },
                             &signed_with, &err),
                         0);
        assert_int_equal(
            bytes_printf(&expected, &err,
                         "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/"
                         "us-east-1/s3/aws4_request, SignedHeaders=%s, Signature=%s",
                         examples[i].names, examples[i].signature),
            0);
        assert_string_equal(signed_with.data, expected.data);
    }
}

static const char token[] =
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwA"
    "eMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8p"
    "hUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT"
    "38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabI"
    "Qwj2ICCR/oLxBA==";
/* SHA-256 of "Param1=value1". */
static const char form[] =
    "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e";

static const struct {
    const char *name;
    const char *method;
    const char *target;
    struct http_field extra[2];
    const char *hash; /* NULL: of no body */
    const char *signature;
} suite[] = {
    {"get-header-key-duplicate",
     "GET",  "/",
     {{"my-header1", "value2,value2,value1"}},
     NULL, "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-order",
     "GET",  "/",
     {{"my-header1", "value4,value1,value3,value2"}},
     NULL, "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim",
     "GET",  "/",
     {{"my-header1", "  value1"}, {"my-header2", "\"a   b   c\" "}},
     NULL, "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-unreserved",
     "GET",  "/" LETTERS,
     {{NULL, NULL}},
     NULL, "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8",
     "GET",  "/%E1%88%B4",
     {{NULL, NULL}},
     NULL, "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla",
     "GET",  "/",
     {{NULL, NULL}},
     NULL, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla without its slash",
     "GET",  "",
     {{NULL, NULL}},
     NULL, "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-empty-query-key",
     "GET",  "/?Param1=value1",
     {{NULL, NULL}},
     NULL, "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-key-case",
     "GET",  "/?Param2=value2&Param1=value1",
     {{NULL, NULL}},
     NULL, "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-unreserved",
     "GET",  "/?" LETTERS "=" LETTERS,
     {{NULL, NULL}},
     NULL, "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-utf8-query",
     "GET",  "/?%E1%88%B4=bar",
     {{NULL, NULL}},
     NULL, "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"post-header-key-sort",
     "POST", "/",
     {{"my-header1", "value1"}},
     NULL, "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case",
     "POST", "/",
     {{"my-header1", "VALUE1"}},
     NULL, "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-before",
     "POST", "/",
     {{"x-amz-security-token", token}},
     NULL, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-vanilla",
     "POST", "/",
     {{NULL, NULL}},
     NULL, "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-vanilla-query",
     "POST", "/?Param1=value1",
     {{NULL, NULL}},
     NULL, "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla-query-nonunreserved",
     "POST", "/?%40%23%24%25%5E=&%2B=%2F%2C%3F%3E%3C%60%22%3B%3A%5C%7C%5D%5B%7B%7D",
     {{NULL, NULL}},
     NULL, "66c82657c86e26fb25238d0e69f011edc4c6df5ae71119d7cb98ed9b87393c1e"},
    {"post-vanilla-query-space",
     "POST", "/?p=",
     {{NULL, NULL}},
     NULL, "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b"},
    {"the same without '='",
     "POST", "/?p",
     {{NULL, NULL}},
     NULL, "e71688addb58a26418614085fb730ba3faa623b461c17f48f2fbdb9361b94a9b"},
    {"post-x-www-form-urlencoded",
     "POST", "/",
     {{"content-type", "application/x-www-form-urlencoded"}},
     form, "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    {"post-x-www-form-urlencoded-parameters",
     "POST", "/",
     {{"content-type", "application/x-www-form-urlencoded; charset=utf8"}},
     form, "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
};

static void test_suite(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(suite); i++) {
        struct http_field fields[3] = {
            {"x-amz-date", "20150830T123600Z"}
        };
        CLEANUP_BYTES struct bytes authorization;
        size_t count = 1;
        char url[512];
        struct error err = {0};

        test_row(i, "%s", suite[i].name);
        for (size_t j = 0; j < 2 && suite[i].extra[j].name; j++)
            fields[count++] = suite[i].extra[j];
        snprintf(url, sizeof url, "https://example.amazonaws.com%s", suite[i].target);
        bytes_init(&authorization, 4096);
        assert_int_equal(
            s3_sign(
                &(struct s3_sign_request){
                    .method = suite[i].method,
                    .url = url,
                    .fields = fields,
                    .field_count = count,
                    .payload_hash = suite[i].hash ? suite[i].hash : S3_SIGN_EMPTY,
                    .date = "20150830T123600Z",
                    .region = "us-east-1",
                    .service = "service",
                    .key = "AKIDEXAMPLE",
                    .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
                },
                &authorization, &err),
            0);
        assert_string_equal(strstr(authorization.data, "Signature=") + 10,
                            suite[i].signature);
    }
}

/* Names sort before values: "a" stands before "a-b", though '-' stands before '='. And
 * the port is part of the host unless it is the scheme's own. */
static void same_signature(void **state)
{
    static const char *const pairs[][2] = {
        {"http://h:9000/b?a=1&a-b=2&a=0", "http://h:9000/b?a=0&a=1&a-b=2"},
        {"https://h:443/b",               "https://h/b"                  },
        {"http://H:80/b?",                "http://h/b"                   },
        {"http://h/b?&a=1&",              "http://h/b?a=1"               },
    };
    struct s3_sign_request request = {
        .method = "GET",
        .payload_hash = S3_SIGN_UNSIGNED,
        .date = "20150830T123600Z",
        .region = "r",
        .key = "k",
        .secret = "s",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        CLEANUP_BYTES struct bytes left, right;
        struct error err = {0};

        test_row(i, "%s", pairs[i][0]);
        bytes_init(&left, 1024);
        bytes_init(&right, 1024);
        request.url = pairs[i][0];
        assert_int_equal(s3_sign(&request, &left, &err), 0);
        request.url = pairs[i][1];
        assert_int_equal(s3_sign(&request, &right, &err), 0);
        assert_string_equal(left.data, right.data);
    }
}

static void refused(void **state)
{
    static char many[8 * S3_SIGN_PARAMETERS_MAX] = "http://h/?";
    static char secret[2000];
    const struct {
        const char *url;
        const char *secret;
        size_t field_count;
        int rc;
    } cases[] = {
        {"host/path", "s",    0,                      -EINVAL},
        {many,        "s",    0,                      -EFBIG },
        {"http://h/", secret, 0,                      -EFBIG },
        {"http://h/", "s",    S3_SIGN_FIELDS_MAX + 1, -EFBIG },
    };
    struct http_field fields[S3_SIGN_FIELDS_MAX + 1];

    (void)state;
    for (int i = 0; i <= S3_SIGN_PARAMETERS_MAX; i++)
        memcpy(many + 10 + 4 * i, "p=1&", 4);
    memset(secret, 's', sizeof secret - 1);
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
        fields[i] = (struct http_field){"x", "y"};
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes authorization;
        struct error err = {0};

        test_row(i, "%.20s", cases[i].url);
        bytes_init(&authorization, 4096);
        assert_int_equal(s3_sign(
                             &(struct s3_sign_request){
                                 .method = "GET",
                                 .url = cases[i].url,
                                 .fields = fields,
                                 .field_count = cases[i].field_count,
                                 .payload_hash = S3_SIGN_EMPTY,
                                 .date = "20150830T123600Z",
                                 .region = "r",
                                 .key = "k",
                                 .secret = cases[i].secret,
                             },
                             &authorization, &err),
                         cases[i].rc);
        assert_string_equal(authorization.data, "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(date_is_utc), cmocka_unit_test(documented_examples),
        cmocka_unit_test(test_suite),  cmocka_unit_test(same_signature),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
