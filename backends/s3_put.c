/* s3_put.c: puts an object. */
#include "backends/s3_put.h"

#include "backends/digest.h"
#include "backends/s3_multipart.h"
#include "common/cleanup.h"
#include "common/defaults.h"

#include <string.h>

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* NULL where there is none, or none that can stand in a header. */
static char *find_owner(void)
{
    CLEANUP_FREE char *owner = NULL;
    struct error ignored = {0}; /* objects without an owner are as good */

    if (defaults_author(&owner, &ignored) < 0 || !is_printable(owner))
        return NULL;
    return steal_ptr(&owner);
}

static const char *type_of(const char *key)
{
    size_t size = strlen(key);

    return size > 4 && strcmp(key + size - 4, ".zip") == 0 ? "application/zip"
                                                           : "application/octet-stream";
}

static int put_in_one(const struct s3_put *put, const struct http_field *description,
                      struct error *err)
{
    const struct backend_content *content = put->content;
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct http_request request = {
        .method = HTTP_PUT,
        .body = {.data = content->data,
                 .fd = content->fd,
                 .size = content->size,
                 .progress = content->data ? NULL : content->progress,
                 .arg = content->arg},
    };
    size_t count = 0;

    for (size_t i = 0; i < S3_PUT_DESCRIPTION_MAX; i++)
        if (description[i].name)
            request.extra[count++] = description[i];
    request.extra[count] = put->condition;
    return s3_client_do(put->client, put->key, NULL, &request, &reply, err);
}

int s3_put(const struct s3_put *put, struct error *err)
{
    const struct backend_content *content = put->content;
    CLEANUP_FREE char *owner = find_owner();
    char checksum[DIGEST_MD5_SIZE];
    const struct http_field description[S3_PUT_DESCRIPTION_MAX] = {
        {"content-type",                    type_of(put->key)},
        {"x-amz-meta-checksum",             checksum         },
        {owner ? "x-amz-meta-owner" : NULL, owner            },
    };
    int rc = content->data
                 ? digest_md5(content->data, (size_t)content->size, checksum, err)
                 : digest_md5_fd(content->fd, 0, content->size, checksum, err);

    if (rc < 0)
        return rc;
    return content->size <= S3_PUT_ONE_MAX
               ? put_in_one(put, description, err)
               : s3_multipart_put(put, description, checksum, err);
}
