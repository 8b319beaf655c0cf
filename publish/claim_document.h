/* claim_document.h: the text of a claim, ours and others'.
 *
 *     rc = claim_document_print(&document, &text, &err);
 *     rc = claim_document_read(backend, path, &document, &err);
 */
#ifndef PUBLISH_CLAIM_DOCUMENT_H
#define PUBLISH_CLAIM_DOCUMENT_H

#include "backends/backend.h"
#include "publish/process.h"

#include <stdint.h>

enum {
    CLAIM_NONCE_BYTES = 16,
    CLAIM_NONCE_SIZE = 2 * CLAIM_NONCE_BYTES + 1,
    CLAIM_BYTES_MAX = 4096,
    CLAIM_LIFETIME_S = 60,
};

struct claim_document {
    char nonce[CLAIM_NONCE_SIZE]; /* "" in a damaged document */
    char process[PROCESS_NAME_SIZE];
    char owner[PROCESS_OWNER_SIZE];
    int64_t lifetime_s;       /* that it holds without being renewed */
    int64_t since_s;          /* when it was first put, by the store; 0: stat tells */
    struct backend_stat stat; /* of what was read */
};

/* Append the text, another each time: stores may tell versions apart by content. */
int claim_document_print(const struct claim_document *document, struct bytes *to,
                         struct error *err);

/* A document that makes no sense has an empty nonce, and expires as any other. -ENOENT if
 * there is none. */
int claim_document_read(struct backend *backend, const char *path,
                        struct claim_document *ret_document, struct error *err);

#endif
