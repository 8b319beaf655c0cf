/* s3_page.h: one page of a listing: asked for, and what it names.
 *
 *     struct s3_page page;
 *     s3_page_init(&page);
 *     rc = s3_page_get(&ask, &page, &err);
 *     for (size_t at = 0; s3_page_next(&page, &at, &entry);)
 *         ...
 *     s3_page_done(&page);
 *
 * A page belongs to one thread at a time. */
#ifndef BACKENDS_S3_PAGE_H
#define BACKENDS_S3_PAGE_H

#include "backends/s3_client.h"
#include "backends/s3_xml.h"
#include "common/bytes.h"

struct s3_page_ask {
    struct s3_client *client;
    const char *prefix; /* "" or "folder/" */
    bool is_flat;       /* folders instead of what is in them */
    const char *token;  /* of the page before; "": the first */
    const char *first;  /* without a token: names behind it, "" for all */
    size_t body_max;    /* bytes of the reply */
};

struct s3_page {
    struct bytes entries;         /* packed; s3_page_next unpacks them */
    char token[S3_XML_TOKEN_MAX]; /* of the next page; "": this was the last */
};

void s3_page_init(struct s3_page *page);
void s3_page_done(struct s3_page *page);

/* What was in page goes, also on failure. Names are those behind the prefix; -EIO where
 * one has another prefix, or the next page would be this one. */
int s3_page_get(const struct s3_page_ask *ask, struct s3_page *page, struct error *err);

/* The entry at a position, which begins at 0 and goes on; false at the end. Lent while
 * the page is as it is. */
bool s3_page_next(const struct s3_page *page, size_t *position,
                  struct s3_xml_entry *ret_entry);

#endif
