/* digest.c: MD5 and SHA-256 by OpenSSL. */
#include "backends/digest.h"

#include "common/text.h"

#include <errno.h>
#include <openssl/evp.h>

/* A digest of a known name; "-fips": MD5 must not be missing because of a policy that is
 * about signatures. NULL without it. */
static EVP_MD *fetch(const char *name)
{
    return EVP_MD_fetch(NULL, name, "-fips");
}

static int fail_missing(struct error *err, const char *name)
{
    return fail(err, ENOTSUP, "OpenSSL of this system cannot compute %s", name);
}

static int digest_hex(const char *name, const void *data, size_t size, char *ret_hex,
                      struct error *err)
{
    unsigned char result[EVP_MAX_MD_SIZE];
    unsigned int result_size = 0;
    EVP_MD *type = fetch(name);
    int ok = type && EVP_Digest(data, size, result, &result_size, type, NULL);

    EVP_MD_free(type);
    if (!ok)
        return fail_missing(err, name);
    text_from_hex(result, result_size, ret_hex);
    return 0;
}

int digest_md5(const void *data, size_t size, char ret_hex[DIGEST_MD5_SIZE],
               struct error *err)
{
    return digest_hex("MD5", data, size, ret_hex, err);
}

int digest_sha256(const void *data, size_t size, char ret_hex[DIGEST_SHA256_SIZE],
                  struct error *err)
{
    return digest_hex("SHA256", data, size, ret_hex, err);
}

int digest_md5_init(struct digest_md5 *digest, struct error *err)
{
    EVP_MD *type = fetch("MD5");

    digest->context = EVP_MD_CTX_new();
    digest->ok =
        type && digest->context && EVP_DigestInit_ex(digest->context, type, NULL);
    EVP_MD_free(type); /* the context keeps its own reference */
    if (digest->ok)
        return 0;
    digest_md5_done(digest);
    return fail_missing(err, "MD5");
}

void digest_md5_update(struct digest_md5 *digest, const void *data, size_t size)
{
    digest->ok = digest->ok && EVP_DigestUpdate(digest->context, data, size);
}

int digest_md5_final(struct digest_md5 *digest, char ret_hex[DIGEST_MD5_SIZE],
                     struct error *err)
{
    unsigned char result[EVP_MAX_MD_SIZE];
    unsigned int size = 0;

    if (!digest->ok || !EVP_DigestFinal_ex(digest->context, result, &size))
        return fail(err, EIO, "OpenSSL failed to compute MD5");
    digest->ok = false;
    text_from_hex(result, size, ret_hex);
    return 0;
}

void digest_md5_done(struct digest_md5 *digest)
{
    EVP_MD_CTX_free(digest->context);
    *digest = (struct digest_md5){0};
}
