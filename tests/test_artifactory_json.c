#include "tests/test.h"

#include "backends/artifactory_json.h"
#include "common/bytes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MD5 "5d41402abc4b2a76b9719d911017c592"
#define SHA1 "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
#define SHA256 "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static int note(void *arg, const struct backend_entry *entry, struct error *err)
{
    return bytes_printf(arg, err, "%s%s ", entry->name, entry->is_folder ? "/" : "");
}

static const struct {
    const char *text;
    bool is_listed;
    int rc;
    const char *told;
} replies[] = {
    {"{\"size\":\"5\"}",                                                 false, 0,       ""           },
    {"{\"size\":5}",                                                     false, 0,       ""           },
    {"{\"size\":\"5\",\"children\":[]}",                                 true,  -EISDIR, ""           },
    {"{\"children\":[]}",                                                true,  -EISDIR, ""           },
    {"{\"children\":[ ]}",                                               false, -EISDIR, ""           },
    {"{\"children\":[{\"uri\":\"/a\",\"folder\":true}]}",                false, -EISDIR, ""           },
    {"{\"children\":[{\"uri\":\"/a\",\"folder\":true},{\"folder\":false,\"uri\":\"/b "
     "c.zip\"}"
     "],\"uri\":\"http://x/y\",\"x\":{\"children\":[1]}}",          true,  -EISDIR, "a/ b c.zip "},
    {"{}",                                                               false, -EIO,    ""           },
    {"{\"size\":\"-5\"}",                                                false, -EIO,    ""           },
    {"{\"size\":\"5\",\"size\":\"6\"}",                                  false, -EIO,    ""           },
    {"{\"size\":true}",                                                  false, -EIO,    ""           },
    {"{\"size\":\"5\"",                                                  false, -EIO,    ""           },
    {"<html>",                                                           false, -EIO,    ""           },
    {"{\"size\":\"5\",\"checksums\":{\"md5\":\"5D\"}}",                  false, -EIO,    ""           },
    {"{\"size\":\"5\",\"lastModified\":\"yesterday\"}",                  false, -EIO,    ""           },
    {"{\"children\":{}}",                                                true,  -EISDIR, ""           },
    {"{\"children\":1}",                                                 true,  -EIO,    ""           },
    {"{\"children\":[\"a\"]}",                                           true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/a\"}]}",                                true,  -EIO,    ""           },
    {"{\"children\":[{\"folder\":true}]}",                               true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"a\",\"folder\":true}]}",                 true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/..\",\"folder\":true}]}",               true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/a/b\",\"folder\":true}]}",              true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/\",\"folder\":true}]}",                 true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/a\",\"uri\":\"/b\",\"folder\":true}]}", true,  -EIO,    ""           },
    {"{\"children\":[{\"uri\":\"/a\",\"folder\":\"true\"}]}",            true,  -EIO,    ""           },
};

static void test_replies(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        CLEANUP_BYTES struct bytes told;
        CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json = NULL;
        struct artifactory_item item;
        struct error err = {0};
        int rc;

        test_row(i, "%s", replies[i].text);
        bytes_init(&told, 4096);
        json = artifactory_json_new(replies[i].is_listed ? note : NULL, &told);
        rc = artifactory_json_feed(json, replies[i].text, strlen(replies[i].text), &err);
        if (rc == 0)
            rc = artifactory_json_end(json, &item, &err);
        assert_int_equal(rc, replies[i].rc);
        assert_int_equal(err.code, -rc);
        if (rc == 0)
            assert_int_equal(item.size, 5);
        assert_string_equal(told.data, replies[i].told);
    }
}

static void test_file(void **state)
{
    static const char text[] =
        "{ \"repo\" : \"models\", \"path\" : \"/a.zip\", \"created\" : \"ignored\",\n"
        "  \"lastModified\" : \"2014-05-30T15:41:46.123+02:00\", \"size\" : "
        "\"1048577\",\n"
        "  \"checksums\" : { \"sha1\" : \"" SHA1 "\", \"md5\" : \"" MD5
        "\", \"sha256\" :\n"
        "    \"" SHA256 "\" }, \"originalChecksums\" : { \"md5\" : \"other\" } }";
    CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json =
        artifactory_json_new(NULL, NULL);
    struct artifactory_item item;
    struct error err = {0};

    (void)state;
    assert_int_equal(artifactory_json_feed(json, text, strlen(text), &err), 0);
    assert_int_equal(artifactory_json_end(json, &item, &err), 0);
    assert_int_equal(item.size, 1048577);
    assert_int_equal(item.modified_s, 1401457306); /* date -d 2014-05-30T13:41:46Z +%s */
    assert_string_equal(item.md5, MD5);
    assert_string_equal(item.sha1, SHA1);
    assert_string_equal(item.sha256, SHA256);
}

#define CHILD(name) "{\"uri\":\"/" name "\",\"folder\":true}"

static const struct {
    const char *first;
    const char *second;
    int rc;
    const char *told;
} restarts[] = {
    {"{\"children\":[" CHILD("a") "," CHILD("b"),
     "{\"children\":[" CHILD("a") "," CHILD("b") "," CHILD("c") "]}",                -EISDIR,
     "a/ b/ c/ "                                                                                      },
    {"{\"chil",                                   "{\"children\":[" CHILD("a") "]}", -EISDIR, "a/ "   },
    {"{\"children\":[" CHILD("a") "," CHILD("b"),
     "{\"children\":[" CHILD("b") "," CHILD("a") "]}",                               -EIO,    "a/ b/ "},
    {"{\"children\":[" CHILD("a") "," CHILD("b"), "{\"children\":[" CHILD("a") "]}", -EIO,
     "a/ b/ "                                                                                         },
};

static void test_listing_that_broke_off_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(restarts); i++) {
        CLEANUP_BYTES struct bytes told;
        CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json = NULL;
        struct artifactory_item item;
        struct error err = {0};
        int rc;

        test_row(i, "%s", restarts[i].second);
        bytes_init(&told, 4096);
        json = artifactory_json_new(note, &told);
        assert_int_equal(artifactory_json_feed(json, restarts[i].first,
                                               strlen(restarts[i].first), &err),
                         0);
        artifactory_json_restart(json);
        rc = artifactory_json_feed(json, restarts[i].second, strlen(restarts[i].second),
                                   &err);
        if (rc == 0)
            rc = artifactory_json_end(json, &item, &err);
        assert_int_equal(rc, restarts[i].rc);
        assert_string_equal(told.data, restarts[i].told);
    }
}

static const struct {
    const char *text;
    const char *message;
} messages[] = {
    {"{\"errors\":[{\"status\":404,\"message\":\"Unable to find item\"}]}",
     "Unable to find item"                                                       },
    {"{\"errors\":[{\"message\":\"a\\nb\"},{\"message\":\"second\"}]}",     "a b"},
    {"{\"errors\":[]}",                                                     ""   },
    {"{\"message\":\"elsewhere\"}",                                         ""   },
    {"<html>Not Found</html>",                                              ""   },
    {"{\"errors\":[{\"message\":\"cut off\"}",                              ""   },
    {"",                                                                    ""   },
};

static void test_messages(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(messages); i++) {
        char message[ARTIFACTORY_MESSAGE_MAX];

        test_row(i, "%s", messages[i].text);
        artifactory_json_message(messages[i].text, strlen(messages[i].text), message);
        assert_string_equal(message, messages[i].message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replies),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_listing_that_broke_off_goes_on),
        cmocka_unit_test(test_messages),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
