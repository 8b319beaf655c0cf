/* test_url.c: URLs taken apart, joined, percent-encoded. */
#include "tests/test.h"

#include "backends/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct error err;

static const struct {
    const char *text;
    enum url_scheme fallback;
    int rc;
    enum url_scheme scheme;
    const char *host;
    unsigned port;
    const char *target;
    size_t path_size;
} parsed[] = {
    {"https://s3.example.com/b/k?x=1#f", URL_NONE,  0,       URL_HTTPS, "s3.example.com",   443,
     "/b/k?x=1",                                                                                                   4},
    {"HTTP://S3.Example.COM:9000",       URL_NONE,  0,       URL_HTTP,  "s3.example.com",   9000, "",              0},
    {"localhost:9000",                   URL_HTTPS, 0,       URL_HTTPS, "localhost",        9000, "",              0},
    {"s3.amazonaws.com",                 URL_HTTP,  0,       URL_HTTP,  "s3.amazonaws.com", 80,   "",              0},
    {"my_host/artifactory/",             URL_HTTPS, 0,       URL_HTTPS, "my_host",          443,  "/artifactory/",
     13                                                                                                             },
    {"http://host:/x",                   URL_NONE,  0,       URL_HTTP,  "host",             80,   "/x",            2},
    {"http://[::1]:8080/x",              URL_NONE,  0,       URL_HTTP,  "[::1]",            8080, "/x",            2},
    {"http://host?q",                    URL_NONE,  0,       URL_HTTP,  "host",             80,   "?q",            0},
    {"http://host/a@b",                  URL_NONE,  0,       URL_HTTP,  "host",             80,   "/a@b",          4},
    {"host/x?u=http://y",                URL_HTTPS, 0,       URL_HTTPS, "host",             443,  "/x?u=http://y", 2},
    {"host",                             URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"ftp://host/",                      URL_HTTPS, -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"httpx://host/",                    URL_HTTPS, -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"",                                 URL_HTTPS, -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://",                          URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http:///path",                     URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://:80/",                      URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://me:secret@host/",           URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"me:secret@host",                   URL_HTTPS, -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host:secret/",              URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host:0/",                   URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host:65536/",               URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host:123456/",              URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host:+80/",                 URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://ho\\st/",                   URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://h%6fst/",                   URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://[::1/",                     URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://[]/",                       URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://[::1]x/",                   URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host/a b",                  URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://host/\r\nX: y",             URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
    {"http://h\xc3\xb6st/",              URL_NONE,  -EINVAL, 0,         NULL,               0,    NULL,            0},
};

static void test_parse(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(parsed); i++) {
        struct url url = {.port = 1};

        test_row(i, "%s", parsed[i].text);
        err = (struct error){0};
        assert_int_equal(url_parse(parsed[i].text, parsed[i].fallback, &url, &err),
                         parsed[i].rc);
        if (parsed[i].rc < 0) {
            assert_true(err.message[0]);
            assert_null(strstr(err.message, "secret"));
            assert_int_equal(url.port, 1);
            continue;
        }
        assert_int_equal(url.scheme, parsed[i].scheme);
        assert_string_equal(url.host, parsed[i].host);
        assert_int_equal(url.port, parsed[i].port);
        assert_int_equal(url.target_size, strlen(parsed[i].target));
        assert_memory_equal(url.target, parsed[i].target, url.target_size);
        assert_int_equal(url.path_size, parsed[i].path_size);
    }
}

static void test_limits(void **state)
{
    char text[URL_MAX + 1];
    struct url url;

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "http://h/", 9);
    text[URL_MAX] = '\0';
    assert_int_equal(url_parse(text, URL_NONE, &url, &err), -EINVAL);
    text[URL_MAX - 1] = '\0';
    assert_int_equal(url_parse(text, URL_NONE, &url, &err), 0);
    text[8] = 'h';
    assert_int_equal(url_parse(text, URL_NONE, &url, &err), -EINVAL);
    text[7 + URL_HOST_MAX - 1] = '\0';
    assert_int_equal(url_parse(text, URL_NONE, &url, &err), 0);
    assert_int_equal(strlen(url.host), URL_HOST_MAX - 1);
}

static const struct {
    const char *a, *b;
    bool is_same;
} origins[] = {
    {"http://host/a",  "http://HOST:80/b",  true },
    {"https://host/a", "https://host:443/", true },
    {"http://host:80", "https://host:80",   false},
    {"http://host",    "http://host:81",    false},
    {"http://host",    "http://host.net",   false},
};

static void test_origin(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(origins); i++) {
        struct url a, b;

        test_row(i, "%s %s", origins[i].a, origins[i].b);
        assert_int_equal(url_parse(origins[i].a, URL_NONE, &a, &err), 0);
        assert_int_equal(url_parse(origins[i].b, URL_NONE, &b, &err), 0);
        assert_int_equal(url_is_same_origin(&a, &b), origins[i].is_same);
        assert_int_equal(url_is_same_origin(&b, &a), origins[i].is_same);
    }
}

static const struct {
    const char *url, *field;
} fields[] = {
    {"http://host",        "host"      },
    {"http://host:443",    "host:443"  },
    {"https://host:443",   "host"      },
    {"https://[::1]:9000", "[::1]:9000"},
};

static void test_host_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        char field[URL_FIELD_MAX];
        struct url url;

        test_row(i, "%s", fields[i].url);
        assert_int_equal(url_parse(fields[i].url, URL_NONE, &url, &err), 0);
        url_host_field(&url, field);
        assert_string_equal(field, fields[i].field);
    }
}

/* The first rows are RFC 3986, 5.4. */
static const struct {
    const char *base, *location;
    int rc;
    const char *joined;
} joins[] = {
    {"http://a/b/c/d;p?q", "g",             0,       "http://a/b/c/g"        },
    {"http://a/b/c/d;p?q", "./g",           0,       "http://a/b/c/g"        },
    {"http://a/b/c/d;p?q", "g/",            0,       "http://a/b/c/g/"       },
    {"http://a/b/c/d;p?q", "/g",            0,       "http://a/g"            },
    {"http://a/b/c/d;p?q", "//g",           0,       "http://g"              },
    {"http://a/b/c/d;p?q", "?y",            0,       "http://a/b/c/d;p?y"    },
    {"http://a/b/c/d;p?q", "g?y",           0,       "http://a/b/c/g?y"      },
    {"http://a/b/c/d;p?q", "#s",            0,       "http://a/b/c/d;p?q"    },
    {"http://a/b/c/d;p?q", "g#s",           0,       "http://a/b/c/g"        },
    {"http://a/b/c/d;p?q", ";x",            0,       "http://a/b/c/;x"       },
    {"http://a/b/c/d;p?q", "",              0,       "http://a/b/c/d;p?q"    },
    {"http://a/b/c/d;p?q", ".",             0,       "http://a/b/c/"         },
    {"http://a/b/c/d;p?q", "./",            0,       "http://a/b/c/"         },
    {"http://a/b/c/d;p?q", "..",            0,       "http://a/b/"           },
    {"http://a/b/c/d;p?q", "../",           0,       "http://a/b/"           },
    {"http://a/b/c/d;p?q", "../g",          0,       "http://a/b/g"          },
    {"http://a/b/c/d;p?q", "../..",         0,       "http://a/"             },
    {"http://a/b/c/d;p?q", "../../g",       0,       "http://a/g"            },
    {"http://a/b/c/d;p?q", "../../../../g", 0,       "http://a/g"            },
    {"http://a/b/c/d;p?q", "/./g",          0,       "http://a/g"            },
    {"http://a/b/c/d;p?q", "/../g",         0,       "http://a/g"            },
    {"http://a/b/c/d;p?q", "..g",           0,       "http://a/b/c/..g"      },
    {"http://a/b/c/d;p?q", "./g/.",         0,       "http://a/b/c/g/"       },
    {"http://a/b/c/d;p?q", "g/../h",        0,       "http://a/b/c/h"        },
    {"http://a/b/c/d;p?q", "g?y/../x",      0,       "http://a/b/c/g?y/../x" },
    {"https://a:8443/x",   "/y",            0,       "https://a:8443/y"      },
    {"https://a",          "y",             0,       "https://a/y"           },
    {"https://a/x",        "HTTP://B/c#d",  0,       "HTTP://B/c"            },
    {"https://a/x",        "ftp://b/c",     0,       "ftp://b/c"             },
    {"https://a/x",        "/a b/\xc3\xb6", 0,       "https://a/a%20b/%C3%B6"},
    {"https://a/x",        "/%2Fb",         0,       "https://a/%2Fb"        },
    {"https://a/x",        "/b\r\nX: y",    -EINVAL, NULL                    },
    {"nothing",            "/b",            -EINVAL, NULL                    },
};

static void test_join(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(joins); i++) {
        CLEANUP_BYTES struct bytes to;

        bytes_init(&to, URL_MAX);
        test_row(i, "%s", joins[i].location);
        assert_int_equal(url_join(joins[i].base, joins[i].location, &to, &err),
                         joins[i].rc);
        if (joins[i].rc == 0)
            assert_string_equal(to.data, joins[i].joined);
    }
}

static const struct {
    const char *text, *path, *query;
} encoded[] = {
    {"a/b.c-d_e~f",  "a/b.c-d_e~f",                          "a%2Fb.c-d_e~f"},
    {"a b+c",        "a%20b%2Bc",                            "a%20b%2Bc"    },
    {"\xc3\xa4%",    "%C3%A4%25",                            "%C3%A4%25"    },
    {"!*'();:@&=$,", "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C",
     "%21%2A%27%28%29%3B%3A%40%26%3D%24%2C"                                 },
    {"\x01\x7f\xff", "%01%7F%FF",                            "%01%7F%FF"    },
    {"",             "",                                     ""             },
};

static void test_encode(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(encoded); i++) {
        CLEANUP_BYTES struct bytes path, query;

        bytes_init(&path, URL_MAX);
        bytes_init(&query, URL_MAX);
        test_row(i, "%s", encoded[i].text);
        assert_int_equal(url_encode_path(&path, encoded[i].text, &err), 0);
        assert_string_equal(path.data, encoded[i].path);
        assert_int_equal(url_encode_query(&query, encoded[i].text, &err), 0);
        assert_string_equal(query.data, encoded[i].query);
    }
}

static void test_encode_limit(void **state)
{
    CLEANUP_BYTES struct bytes to;

    (void)state;
    bytes_init(&to, 5);
    assert_int_equal(url_encode_path(&to, "a b c", &err), -EFBIG);
}

static void test_shown_size(void **state)
{
    (void)state;
    assert_int_equal(url_shown_size("http://h/a?X-Amz-Signature=1"), 10);
    assert_int_equal(url_shown_size("http://h/a"), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_origin),       cmocka_unit_test(test_host_field),
        cmocka_unit_test(test_join),         cmocka_unit_test(test_encode),
        cmocka_unit_test(test_encode_limit), cmocka_unit_test(test_shown_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
