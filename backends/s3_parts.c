/* s3_parts.c: sends the parts of a multipart upload. */
#include "backends/s3_parts.h"

#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    THREADS = 4,
    QUERY_MAX = 8 << 10,
};

struct part_tag {
    char text[BACKEND_TAG_MAX];
};

struct s3_parts {
    struct s3_client *client; /* constant after open, up to lock */
    const char *key;
    const struct backend_content *content;
    uint64_t part_bytes;
    size_t count;
    struct part_tag *tags; /* each written by the thread that sends the part */
    const char *upload;
    struct lock lock;
    struct condition changed;
    size_t next;      /* guarded by lock, as all below: the part to be sent next */
    unsigned running; /* threads */
    uint64_t sent;    /* bytes, of parts under way too */
    int rc;           /* why it ends early */
    struct error err; /* the same */
};

/* One part on its way. */
struct sending {
    struct s3_parts *parts;
    uint64_t counted; /* of its bytes in parts->sent */
};

int s3_parts_open(struct s3_client *client, const char *key,
                  const struct backend_content *content, uint64_t part_bytes,
                  struct s3_parts **ret_parts, struct error *err)
{
    struct s3_parts *parts = XNEW(struct s3_parts);

    parts->client = client;
    parts->key = key;
    parts->content = content;
    parts->part_bytes = part_bytes;
    parts->count = (size_t)((content->size + part_bytes - 1) / part_bytes);
    parts->tags = calloc(parts->count, sizeof *parts->tags);
    if (!parts->tags) {
        free(parts);
        return fail(err, ENOMEM, "no memory for the parts of '%s'", key);
    }
    lock_init(&parts->lock);
    condition_init(&parts->changed);
    *ret_parts = parts;
    return 0;
}

void s3_parts_close(struct s3_parts *parts)
{
    if (!parts)
        return;
    condition_done(&parts->changed);
    lock_done(&parts->lock);
    free(parts->tags);
    free(parts);
}

size_t s3_parts_count(const struct s3_parts *parts)
{
    return parts->count;
}

const char *s3_parts_tag(const struct s3_parts *parts, size_t index)
{
    return parts->tags[index].text;
}

/* Only the first reason counts: the others are its consequences. */
static void end_early(struct s3_parts *parts, int rc, const struct error *err)
{
    lock_acquire(&parts->lock);
    if (parts->rc == 0) {
        parts->rc = rc;
        parts->err = *err;
    }
    condition_signal(&parts->changed);
    lock_release(&parts->lock);
}

/* A repeated part starts again: then sent shrinks. */
static int note_progress(void *arg, uint64_t bytes_done, struct error *err)
{
    struct sending *sending = arg;
    struct s3_parts *parts = sending->parts;
    int rc;

    lock_acquire(&parts->lock);
    parts->sent += bytes_done - sending->counted;
    sending->counted = bytes_done;
    rc = parts->rc;
    condition_signal(&parts->changed);
    lock_release(&parts->lock);
    return rc < 0 ? fail(err, ECANCELED, "another part failed") : 0;
}

static int send_part(struct s3_parts *parts, size_t index, struct error *err)
{
    const struct backend_content *content = parts->content;
    uint64_t offset = index * parts->part_bytes;
    uint64_t left = content->size - offset;
    uint64_t size = left < parts->part_bytes ? left : parts->part_bytes;
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct sending sending = {.parts = parts};
    CLEANUP_BYTES struct bytes query;
    int rc;

    bytes_init(&query, QUERY_MAX);
    rc = bytes_printf(&query, err, "partNumber=%zu&%s", index + 1, parts->upload);
    if (rc == 0)
        rc = s3_client_do(
            parts->client, parts->key, query.data,
            &(struct http_request){
                .method = HTTP_PUT,
                .body = {.data =
                             content->data ? (const char *)content->data + offset : NULL,
                         .fd = content->fd,
                         .offset = offset,
                         .size = size,
                         .progress = note_progress,
                         .arg = &sending},
        },
            &reply, err);
    if (rc == 0 && !reply.etag[0])
        rc = fail(err, EIO, "'%s' took part %zu of '%s' without naming an ETag",
                  s3_client_host(parts->client), index + 1, parts->key);
    if (rc == 0)
        rc = note_progress(&sending, size, err);
    if (rc == 0)
        memcpy(parts->tags[index].text, reply.etag, sizeof parts->tags[index].text);
    return rc;
}

/* The index of the next part, or -1. */
static ssize_t take_next(struct s3_parts *parts)
{
    ssize_t index = -1;

    lock_acquire(&parts->lock);
    if (parts->rc == 0 && parts->next < parts->count)
        index = (ssize_t)parts->next++;
    lock_release(&parts->lock);
    return index;
}

static void *send_parts(void *arg)
{
    struct s3_parts *parts = arg;
    ssize_t index;

    while ((index = take_next(parts)) >= 0) {
        struct error err = {0};
        int rc = send_part(parts, (size_t)index, &err);

        if (rc < 0)
            end_early(parts, rc, &err);
    }
    lock_acquire(&parts->lock);
    parts->running--;
    condition_signal(&parts->changed);
    lock_release(&parts->lock);
    return NULL;
}

/* The next count of bytes to tell, all of them at the end; -1: no thread runs any more.
 */
static int64_t wait_for_more(struct s3_parts *parts, uint64_t told)
{
    int64_t sent = -1;

    lock_acquire(&parts->lock);
    while (parts->running > 0 && (parts->sent <= told || parts->rc < 0))
        condition_wait(&parts->changed, &parts->lock);
    if (parts->rc == 0 && parts->sent > told)
        sent = (int64_t)parts->sent;
    lock_release(&parts->lock);
    return sent;
}

static void tell_progress(struct s3_parts *parts)
{
    const struct backend_content *content = parts->content;
    uint64_t told = 0;
    int64_t sent;

    while ((sent = wait_for_more(parts, told)) >= 0) {
        struct error err = {0};
        int rc = content->progress && !content->data
                     ? content->progress(content->arg, (uint64_t)sent, &err)
                     : 0;

        told = (uint64_t)sent;
        if (rc < 0)
            end_early(parts, rc, &err);
    }
}

int s3_parts_send(struct s3_parts *parts, const char *upload, struct error *err)
{
    pthread_t threads[THREADS];
    unsigned count = 0;
    int rc;

    parts->upload = upload;
    parts->running = THREADS;
    while (count < THREADS && count < parts->count &&
           thread_start(&threads[count], "s3-part", send_parts, parts) == 0)
        count++;
    lock_acquire(&parts->lock);
    parts->running -= THREADS - count; /* those that did not start */
    lock_release(&parts->lock);
    if (count > 0)
        tell_progress(parts);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    lock_acquire(&parts->lock);
    rc = count == 0 ? fail(&parts->err, EAGAIN, "no thread to send '%s'", parts->key)
                    : parts->rc;
    if (rc < 0)
        *err = parts->err;
    lock_release(&parts->lock);
    return rc;
}
