/* test_digest.c: digests against the test suites of RFC 1321 and FIPS 180-2. */
#include "tests/test.h"

#include "backends/digest.h"

#include "common/text.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void known_digests(void **state)
{
    static const struct {
        const char *text;
        const char *md5;
        const char *sha256;
    } cases[] = {
        {"",                                                         "d41d8cd98f00b204e9800998ecf8427e",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"                                                                                                },
        {"abc",                                                      "900150983cd24fb0d6963f7d28e17f72",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"                                                                                                },
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "8215ef0796a20bcaaae116d3876c664a",                                                             "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    char md5[DIGEST_MD5_SIZE], sha256[DIGEST_SHA256_SIZE];
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(digest_md5(cases[i].text, strlen(cases[i].text), md5, &err), 0);
        assert_string_equal(md5, cases[i].md5);
        assert_int_equal(
            digest_sha256(cases[i].text, strlen(cases[i].text), sha256, &err), 0);
        assert_string_equal(sha256, cases[i].sha256);
    }
}

static void streamed_is_the_same(void **state)
{
    CLEANUP_DIGEST struct digest_md5 digest;
    char md5[DIGEST_MD5_SIZE];
    struct error err = {0};

    (void)state;
    assert_int_equal(digest_md5_init(&digest, &err), 0);
    digest_md5_update(&digest, "message", 7);
    digest_md5_update(&digest, "", 0);
    digest_md5_update(&digest, " digest", 7);
    assert_int_equal(digest_md5_final(&digest, md5, &err), 0);
    assert_string_equal(md5, "f96b697d7cb7938d525a2f31aaf161d0");
}

static void an_ended_digest_says_so(void **state)
{
    CLEANUP_DIGEST struct digest_md5 digest;
    char md5[DIGEST_MD5_SIZE] = "untouched";
    struct error err = {0};

    (void)state;
    assert_int_equal(digest_md5_init(&digest, &err), 0);
    assert_int_equal(digest_md5_final(&digest, md5, &err), 0);
    assert_string_equal(md5, "d41d8cd98f00b204e9800998ecf8427e");
    memcpy(md5, "untouched", 10);
    digest_md5_update(&digest, "x", 1);
    assert_int_equal(digest_md5_final(&digest, md5, &err), -EIO);
    assert_string_equal(md5, "untouched");
}

/* RFC 4231, test cases 1, 2 and 6. */
static void known_macs(void **state)
{
    static const char long_key[131] = {[0 ... 130] = '\xaa'};
    static const char short_key[20] = {[0 ... 19] = '\x0b'};
    static const struct {
        const char *key;
        size_t key_size;
        const char *text;
        const char *mac;
    } cases[] = {
        {short_key, 20,  "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe",    4,   "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {long_key,  131, "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
    };
    unsigned char mac[DIGEST_MAC_SIZE];
    char hex[2 * DIGEST_MAC_SIZE + 1];
    struct error err = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s'", cases[i].text);
        assert_int_equal(digest_mac(cases[i].key, cases[i].key_size, cases[i].text,
                                    strlen(cases[i].text), mac, &err),
                         0);
        text_from_hex(mac, sizeof mac, hex);
        assert_string_equal(hex, cases[i].mac);
    }
}

static void a_part_of_a_file(void **state)
{
    char md5[DIGEST_MD5_SIZE], sha256[DIGEST_SHA256_SIZE];
    struct error err = {0};
    int fd = memfd_create("digest", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(write(fd, "xxabcyy", 7), 7);
    assert_int_equal(digest_md5_fd(fd, 2, 3, md5, &err), 0);
    assert_string_equal(md5, "900150983cd24fb0d6963f7d28e17f72");
    assert_int_equal(digest_sha256_fd(fd, 2, 3, sha256, &err), 0);
    assert_string_equal(
        sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_int_equal(digest_md5_fd(fd, 7, 0, md5, &err), 0);
    assert_string_equal(md5, "d41d8cd98f00b204e9800998ecf8427e");
    assert_int_equal(digest_sha256_fd(fd, 2, 6, sha256, &err), -EIO);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests),
        cmocka_unit_test(streamed_is_the_same),
        cmocka_unit_test(known_macs),
        cmocka_unit_test(a_part_of_a_file),
        cmocka_unit_test(an_ended_digest_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
