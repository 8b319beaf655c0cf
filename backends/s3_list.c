/* s3_list.c: lists what a bucket has below a folder. */
#include "backends/s3_list.h"

#include "backends/s3_ahead.h"
#include "backends/s3_page.h"
#include "backends/s3_share.h"
#include "common/cleanup.h"
#include "common/memory.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* Of each of several pages at once, in a folder of short names: all together may have
     * what one may. */
    SHARE_BYTES_MAX = S3_XML_BYTES_MAX / S3_SHARE_MAX,
    /* In succession. Stores make some where much was deleted. */
    EMPTY_PAGES_MAX = 1000,
};

struct listing {
    struct s3_client *client;
    const char *prefix; /* "" or "folder/" */
    int depth;
    backend_each *each;
    void *arg;
    bool is_seen;         /* the folder exists */
    unsigned empty_pages; /* in succession */
    /* Of each share: the folder that was told, which the next page may repeat. */
    char last[S3_SHARE_MAX][BACKEND_PATH_MAX];
};

/* "a/b" with no part that is empty, "." or "..". */
static bool is_path(const char *path)
{
    for (;;) {
        size_t size = strcspn(path, "/");

        if (size == 0 || (size == 1 && path[0] == '.') ||
            (size == 2 && path[0] == '.' && path[1] == '.'))
            return false;
        if (path[size] == '\0')
            return true;
        path += size + 1;
    }
}

static int depth_of(const char *path)
{
    int depth = 0;

    for (; *path; path++)
        depth += *path == '/';
    return depth;
}

static int tell(struct listing *listing, const struct s3_xml_entry *entry, char *last,
                struct error *err)
{
    size_t size = strlen(entry->key);
    char name[BACKEND_PATH_MAX];

    if (size == 0 || size >= sizeof name)
        return 0;
    memcpy(name, entry->key, size + 1);
    if (entry->is_prefix && name[size - 1] == '/')
        name[size - 1] = '\0';
    if (!is_path(name) || (listing->depth >= 0 && depth_of(name) > listing->depth) ||
        (entry->is_prefix && strcmp(name, last) == 0))
        return 0;
    if (entry->is_prefix)
        memcpy(last, name, size);
    return listing->each(listing->arg,
                         &(struct backend_entry){.name = name,
                                                 .is_folder = entry->is_prefix,
                                                 .size = entry->size,
                                                 .mtime_s = entry->time_s},
                         err);
}

/* The names of a page that are within a share. A page has objects, then folders. */
static int tell_page(struct listing *listing, const struct s3_page *page,
                     const struct s3_share *share, unsigned number, struct error *err)
{
    struct s3_xml_entry entry;
    int rc = 0;

    listing->empty_pages = page->entries.size == 0 ? listing->empty_pages + 1 : 0;
    if (listing->empty_pages > EMPTY_PAGES_MAX)
        return fail(err, EIO, "'%s' lists page after page without a name",
                    s3_client_host(listing->client));
    for (size_t at = 0; rc == 0 && s3_page_next(page, &at, &entry);) {
        listing->is_seen = true;
        if (!s3_share_is_before(share, entry.key) && !s3_share_is_past(share, entry.key))
            rc = tell(listing, &entry, listing->last[number], err);
    }
    return rc;
}

/* The page after page, which is the first when that is new. */
static int get_page(const struct listing *listing, struct s3_page *page,
                    struct error *err)
{
    char token[S3_XML_TOKEN_MAX];

    memcpy(token, page->token, sizeof token);
    return s3_page_get(&(struct s3_page_ask){.client = listing->client,
                                             .prefix = listing->prefix,
                                             .is_flat = listing->depth == S3_LIST_FLAT,
                                             .token = token,
                                             .first = "",
                                             .body_max = S3_XML_BYTES_MAX},
                       page, err);
}

/* Page by page: the names within the share. */
static int list_on(struct listing *listing, struct s3_page *page,
                   const struct s3_share *share, struct error *err)
{
    int rc = 0;

    while (rc == 0 && page->token[0]) {
        rc = get_page(listing, page, err);
        if (rc == 0)
            rc = tell_page(listing, page, share, 0, err);
    }
    return rc;
}

/* What comes after page, in shares. */
static int list_shares(struct listing *listing, struct s3_page *page,
                       const struct s3_share *shares, unsigned count, struct error *err)
{
    struct s3_page_ask ask = {.client = listing->client,
                              .prefix = listing->prefix,
                              .is_flat = true,
                              .token = page->token,
                              .body_max = SHARE_BYTES_MAX};
    struct s3_share rest = {.first = ""};
    struct s3_ahead *ahead = NULL;
    const char *token;
    unsigned share;
    int rc = s3_ahead_open(&ask, shares, count, &ahead, err);

    if (rc < 0)
        return rc;
    while ((rc = s3_ahead_next(ahead, page, &share, err)) > 0) {
        rc = tell_page(listing, page, &shares[share], share, err);
        if (rc < 0)
            break;
    }
    token = rc == 0 ? s3_ahead_rest(ahead) : NULL;
    snprintf(page->token, sizeof page->token, "%s", token ? token : "");
    s3_ahead_close(ahead);
    memcpy(rest.first, shares[0].end, sizeof rest.first);
    return rc < 0 ? rc : list_on(listing, page, &rest, err);
}

/* How many shares are worth it after the first page. */
static unsigned split(const struct listing *listing, const struct s3_page *page,
                      struct s3_share ret_shares[S3_SHARE_MAX])
{
    const char *last = "";
    struct s3_xml_entry entry;

    if (!page->token[0] || listing->depth != S3_LIST_FLAT ||
        page->entries.size > SHARE_BYTES_MAX / 8)
        return 0;
    for (size_t at = 0; s3_page_next(page, &at, &entry);) {
        if (strcmp(entry.key, last) > 0)
            last = entry.key;
    }
    return s3_share_split(last, ret_shares);
}

int s3_list(struct s3_client *client, const char *folder, int depth, backend_each *each,
            void *arg, struct error *err)
{
    static const struct s3_share all = {.first = ""};
    CLEANUP_FREE char *prefix = xasprintf("%s%s", folder, *folder ? "/" : "");
    CLEANUP_FREE struct listing *listing = XNEW(struct listing);
    struct s3_share shares[S3_SHARE_MAX];
    struct s3_page page;
    unsigned count;
    int rc;

    listing->client = client;
    listing->prefix = prefix;
    listing->depth = depth;
    listing->each = each;
    listing->arg = arg;
    s3_page_init(&page);
    rc = get_page(listing, &page, err);
    if (rc == 0)
        rc = tell_page(listing, &page, &all, 0, err);
    count = rc == 0 ? split(listing, &page, shares) : 0;
    if (rc == 0)
        rc = count > 0 ? list_shares(listing, &page, shares, count, err)
                       : list_on(listing, &page, &all, err);
    s3_page_done(&page);
    if (rc == 0 && *folder && !listing->is_seen)
        return fail(err, ENOENT, "'%s' does not exist in '%s' at '%s'", folder,
                    s3_client_bucket(client), s3_client_host(client));
    return rc;
}
