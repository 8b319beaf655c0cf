/* digest.h: MD5 and SHA-256, as lower-case hex, and HMAC-SHA-256.
 *
 *     rc = digest_md5(text, size, hex, &err);
 *
 *     CLEANUP_DIGEST struct digest_md5 digest;
 *     rc = digest_md5_init(&digest, &err);
 *     digest_md5_update(&digest, data, size);
 *     rc = digest_md5_final(&digest, hex, &err);
 *
 * MD5 names things here and finds accidents; nothing relies on it against forgery. A
 * digest belongs to one thread at a time. */
#ifndef BACKENDS_DIGEST_H
#define BACKENDS_DIGEST_H

#include "common/cleanup.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIGEST_MD5_SIZE = 33,    /* hex digits and a NUL */
    DIGEST_SHA256_SIZE = 65, /* the same */
    DIGEST_MAC_SIZE = 32,    /* bytes */
};

/* -ENOTSUP where the system's OpenSSL has no MD5. */
int digest_md5(const void *data, size_t size, char ret_hex[DIGEST_MD5_SIZE],
               struct error *err);
int digest_sha256(const void *data, size_t size, char ret_hex[DIGEST_SHA256_SIZE],
                  struct error *err);

/* Of size bytes of a file from offset on; -EIO if it ends before. */
int digest_md5_fd(int fd, uint64_t offset, uint64_t size, char ret_hex[DIGEST_MD5_SIZE],
                  struct error *err);
int digest_sha256_fd(int fd, uint64_t offset, uint64_t size,
                     char ret_hex[DIGEST_SHA256_SIZE], struct error *err);

/* HMAC-SHA-256 as bytes. */
int digest_mac(const void *key, size_t key_size, const void *data, size_t size,
               unsigned char ret_mac[DIGEST_MAC_SIZE], struct error *err);

struct digest_md5 {
    void *context;
    bool ok; /* false for good once a step failed; final says so */
};

/* On failure the digest is empty and may be given to digest_md5_done. */
int digest_md5_init(struct digest_md5 *digest, struct error *err);
void digest_md5_update(struct digest_md5 *digest, const void *data, size_t size);

/* Ends the digest: after it only digest_md5_done. */
int digest_md5_final(struct digest_md5 *digest, char ret_hex[DIGEST_MD5_SIZE],
                     struct error *err);
void digest_md5_done(struct digest_md5 *digest);
#define CLEANUP_DIGEST CLEANUP_WITH(digest_md5_done)

#endif
