/* digest.c: MD5, SHA-256 and HMAC by OpenSSL. */
#include "backends/digest.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <openssl/evp.h>

enum { CHUNK_BYTES = 256 << 10 };

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

int digest_mac(const void *key, size_t key_size, const void *data, size_t size,
               unsigned char ret_mac[DIGEST_MAC_SIZE], struct error *err)
{
    size_t mac_size = 0;

    if (!EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, key_size, data, size, ret_mac,
                   DIGEST_MAC_SIZE, &mac_size) ||
        mac_size != DIGEST_MAC_SIZE)
        return fail_missing(err, "HMAC-SHA-256");
    return 0;
}

/* A context, or NULL without that digest. */
static EVP_MD_CTX *begin(const char *name)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_MD *type = fetch(name);
    int ok = type && context && EVP_DigestInit_ex(context, type, NULL);

    EVP_MD_free(type); /* the context keeps its own reference */
    if (ok)
        return context;
    EVP_MD_CTX_free(context);
    return NULL;
}

static int update_from_fd(EVP_MD_CTX *context, int fd, uint64_t offset, uint64_t size,
                          struct error *err)
{
    CLEANUP_FREE char *buffer = xcalloc(1, CHUNK_BYTES);

    while (size > 0) {
        size_t step = size > CHUNK_BYTES ? CHUNK_BYTES : (size_t)size;
        int rc = files_pread(fd, buffer, step, offset, err);

        if (rc < 0)
            return rc;
        if (!EVP_DigestUpdate(context, buffer, step))
            return fail(err, EIO, "OpenSSL failed to compute a digest");
        offset += step;
        size -= step;
    }
    return 0;
}

static int digest_fd(const char *name, int fd, uint64_t offset, uint64_t size,
                     char *ret_hex, struct error *err)
{
    unsigned char result[EVP_MAX_MD_SIZE];
    unsigned int result_size = 0;
    EVP_MD_CTX *context = begin(name);
    int rc;

    if (!context)
        return fail_missing(err, name);
    rc = update_from_fd(context, fd, offset, size, err);
    if (rc == 0 && !EVP_DigestFinal_ex(context, result, &result_size))
        rc = fail(err, EIO, "OpenSSL failed to compute %s", name);
    EVP_MD_CTX_free(context);
    if (rc == 0)
        text_from_hex(result, result_size, ret_hex);
    return rc;
}

int digest_md5_fd(int fd, uint64_t offset, uint64_t size, char ret_hex[DIGEST_MD5_SIZE],
                  struct error *err)
{
    return digest_fd("MD5", fd, offset, size, ret_hex, err);
}

int digest_sha256_fd(int fd, uint64_t offset, uint64_t size,
                     char ret_hex[DIGEST_SHA256_SIZE], struct error *err)
{
    return digest_fd("SHA256", fd, offset, size, ret_hex, err);
}

int digest_md5_init(struct digest_md5 *digest, struct error *err)
{
    digest->context = begin("MD5");
    digest->ok = digest->context != NULL;
    return digest->ok ? 0 : fail_missing(err, "MD5");
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
