/* test_s3_place.c: addresses of buckets, as minio-py 7 makes them. */
#include "tests/test.h"

#include "backends/s3_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void urls(void **state)
{
    static const struct {
        const char *host;
        const char *bucket;
        enum url_scheme scheme;
        const char *region;
        const char *key;
        const char *query;
        const char *url;
    } cases[] = {
        {"s3.example.com:9000",            "models",     URL_HTTPS, "us-east-1",
         "_uid/a b+\xc3\xa4.yaml",                                                       "",
         "https://s3.example.com:9000/models/_uid/a%20b%2B%C3%A4.yaml"                                                                       },
        {"s3.example.com:9000",            "models",     URL_HTTP,  "us-east-1",  "",
         "location=",                                                                           "http://s3.example.com:9000/models?location="},
        {"s3.example.com",                 "models",     URL_HTTP,  "r",          "a",   "",
         "http://s3.example.com/models/a"                                                                                                    },
        {"http://127.0.0.1:9814/",         "models",     URL_HTTPS, "r",          "a",   "",
         "http://127.0.0.1:9814/models/a"                                                                                                    },
        {"http://h",                       "models",     URL_HTTPS, "r",          "a",   "",    "http://h:80/models/a"                       },
        {"https://h:80",                   "models",     URL_HTTP,  "r",          "a",   "",    "https://h:80/models/a"                      },
        {"[::1]:9000",                     "m",          URL_HTTP,  "r",          "a",   "",    "http://[::1]:9000/m/a"                      },
        {"s3.amazonaws.com",               "models",     URL_HTTPS, "eu-west-1",  "a/b", "x=1",
         "https://models.s3.eu-west-1.amazonaws.com/a/b?x=1"                                                                                 },
        {"s3.amazonaws.com",               "models",     URL_HTTPS, "eu-west-1",  "",    "",
         "https://models.s3.eu-west-1.amazonaws.com/"                                                                                        },
        {"s3.eu-west-1.amazonaws.com",     "models",     URL_HTTPS, "us-east-1",  "a",   "",
         "https://models.s3.eu-west-1.amazonaws.com/a"                                                                                       },
        {"s3.amazonaws.com",               "my.models",  URL_HTTPS, "eu-west-1",  "a",   "",
         "https://s3.eu-west-1.amazonaws.com/my.models/a"                                                                                    },
        {"s3.cn-north-1.amazonaws.com.cn", "models",     URL_HTTPS, "cn-north-1", "a",   "",
         "https://models.s3.cn-north-1.amazonaws.com.cn/a"                                                                                   },
        {"oss-cn-hangzhou.aliyuncs.com",   "models",     URL_HTTPS, "r",          "a",   "",
         "https://models.oss-cn-hangzhou.aliyuncs.com/a"                                                                                     },
        {"amazonaws.com.example.org",      "models",     URL_HTTPS, "r",          "a",   "",
         "https://amazonaws.com.example.org/models/a"                                                                                        },
        {"storage.googleapis.com",         "Old_Models", URL_HTTPS, "r",          "a",   "",
         "https://storage.googleapis.com/Old_Models/a"                                                                                       },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_BYTES struct bytes url;
        struct s3_place place;
        struct error err = {0};

        test_row(i, "%s", cases[i].url);
        bytes_init(&url, 1024);
        assert_int_equal(s3_place_parse(cases[i].host, cases[i].bucket, &place, &err), 0);
        assert_int_equal(s3_place_url(&place, cases[i].scheme, cases[i].region,
                                      cases[i].key, cases[i].query, &url, &err),
                         0);
        assert_string_equal(url.data, cases[i].url);
    }
}

static void regions(void **state)
{
    static const char *const cases[][2] = {
        {"s3.amazonaws.com",                     ""          },
        {"s3.eu-west-1.amazonaws.com",           "eu-west-1" },
        {"s3-eu-west-1.amazonaws.com",           "eu-west-1" },
        {"s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1" },
        {"s3-fips.us-east-1.amazonaws.com",      "us-east-1" },
        {"s3-accelerate.amazonaws.com",          ""          },
        {"s3.cn-north-1.amazonaws.com.cn",       "cn-north-1"},
        {"s3.eu-west-1.example.com",             ""          },
        {"minio",                                ""          },
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_place place;
        struct error err = {0};

        test_row(i, "%s", cases[i][0]);
        assert_int_equal(s3_place_parse(cases[i][0], "models", &place, &err), 0);
        assert_string_equal(place.region, cases[i][1]);
    }
}

static void refused(void **state)
{
    static const char *const cases[][2] = {
        {"",           "models"   },
        {"h/prefix",   "models"   },
        {"h?x",        "models"   },
        {"ftp://h",    "models"   },
        {"u:secret@h", "models"   },
        {"h:99999",    "models"   },
        {"h",          ""         },
        {"h",          ".."       },
        {"h",          "a/b"      },
        {"h",          "a?b"      },
        {"h",          "m\xc3\xb6"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct s3_place place;
        struct error err = {0};

        test_row(i, "'%s' '%s'", cases[i][0], cases[i][1]);
        assert_int_equal(s3_place_parse(cases[i][0], cases[i][1], &place, &err), -EINVAL);
        assert_null(strstr(err.message, "secret"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls),
        cmocka_unit_test(regions),
        cmocka_unit_test(refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
