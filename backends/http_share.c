/* http_share.c: what all curl handles share, with curl's locks. */
#include "backends/http_share.h"

#include "common/memory.h"
#include "common/sync.h"

#include <stdlib.h>

/* Connections are not among it: two threads must not use that cache at once. */
static const curl_lock_data shared[] = {
    CURL_LOCK_DATA_DNS,
    CURL_LOCK_DATA_SSL_SESSION,
};

struct http_share {
    CURLSH *handle;
    struct lock locks[CURL_LOCK_DATA_LAST]; /* curl's own: one for each kind of data */
};

#ifdef __clang__
#pragma clang diagnostic push
#pragma clang diagnostic ignored "-Wthread-safety-analysis" /* curl pairs the calls */
#endif
static void acquire(CURL *easy, curl_lock_data data, curl_lock_access access, void *arg)
{
    struct http_share *share = arg;

    (void)easy;
    (void)access; /* readers change the order of the entries too */
    lock_acquire(&share->locks[data]);
}

static void release(CURL *easy, curl_lock_data data, void *arg)
{
    struct http_share *share = arg;

    (void)easy;
    lock_release(&share->locks[data]);
}
#ifdef __clang__
#pragma clang diagnostic pop
#endif

struct http_share *http_share_open(void)
{
    struct http_share *share = XNEW(struct http_share);
    CURLSHcode code = CURLSHE_OK;

    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        lock_init(&share->locks[i]);
    share->handle = curl_share_init();
    if (!share->handle)
        code = CURLSHE_NOMEM;
    if (code == CURLSHE_OK)
        code = curl_share_setopt(share->handle, CURLSHOPT_LOCKFUNC, acquire);
    if (code == CURLSHE_OK)
        code = curl_share_setopt(share->handle, CURLSHOPT_UNLOCKFUNC, release);
    if (code == CURLSHE_OK)
        code = curl_share_setopt(share->handle, CURLSHOPT_USERDATA, share);
    for (size_t i = 0; code == CURLSHE_OK && i < sizeof shared / sizeof *shared; i++)
        code = curl_share_setopt(share->handle, CURLSHOPT_SHARE, shared[i]);
    if (code == CURLSHE_OK)
        return share;
    http_share_close(share);
    return NULL;
}

void http_share_close(struct http_share *share)
{
    if (!share)
        return;
    if (share->handle)
        curl_share_cleanup(share->handle);
    for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
        lock_done(&share->locks[i]);
    free(share);
}

CURLSH *http_share_handle(const struct http_share *share)
{
    return share->handle;
}
