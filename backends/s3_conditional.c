/* s3_conditional.c: writes on condition. */
#include "backends/s3_conditional.h"

#include "backends/s3_put.h"
#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define OTHER_TAG "\"00000000000000000000000000000000\""

/* How a store takes "If-Match" with a PUT. */
enum match {
    MATCH_UNKNOWN,
    MATCH_IGNORED,
    MATCH_QUOTED, /* the ETag as it comes */
    MATCH_BARE,   /* ... without its quotes (Ceph 16) */
};

enum create {
    CREATE_UNKNOWN,
    CREATE_IGNORED,
    CREATE_HELD,
};

struct s3_conditional {
    struct s3_client *client; /* constant after open */
    struct lock lock;
    enum create create; /* guarded by lock, as match */
    enum match match;
};

void s3_conditional_open(struct s3_client *client,
                         struct s3_conditional **ret_conditional)
{
    struct s3_conditional *conditional = XNEW(struct s3_conditional);

    conditional->client = client;
    lock_init(&conditional->lock);
    *ret_conditional = conditional;
}

void s3_conditional_close(struct s3_conditional *conditional)
{
    if (!conditional)
        return;
    lock_done(&conditional->lock);
    free(conditional);
}

static void known(struct s3_conditional *conditional, enum create *ret_create,
                  enum match *ret_match)
{
    lock_acquire(&conditional->lock);
    *ret_create = conditional->create;
    *ret_match = conditional->match;
    lock_release(&conditional->lock);
}

static void note_create(struct s3_conditional *conditional, enum create create)
{
    lock_acquire(&conditional->lock);
    conditional->create = create;
    lock_release(&conditional->lock);
}

static void note_match(struct s3_conditional *conditional, enum match match)
{
    lock_acquire(&conditional->lock);
    conditional->match = match;
    lock_release(&conditional->lock);
}

static int fail_ignored(const struct s3_conditional *conditional, struct error *err)
{
    return fail(err, ENOTSUP, "'%s' ignores conditions on writes",
                s3_client_host(conditional->client));
}

/* What is there now. -ENOENT. */
static int look(const struct s3_conditional *conditional, const char *path,
                char ret_tag[BACKEND_TAG_MAX], struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    int rc = s3_client_do(conditional->client, path, NULL,
                          &(struct http_request){.method = HTTP_HEAD}, &reply, err);

    if (rc == 0)
        memcpy(ret_tag, reply.etag, sizeof reply.etag);
    return rc;
}

static int delete (const struct s3_conditional *conditional, const char *path,
                   const char *if_match, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};

    return s3_client_do(conditional->client, path, NULL,
                        &(struct http_request){
                            .method = HTTP_DELETE,
                            .extra = {{if_match ? "if-match" : NULL, if_match}},
                        },
                        &reply, err);
}

static int put_new(const struct s3_conditional *conditional, const char *path,
                   const struct backend_content *content, struct error *err)
{
    int rc = s3_put(
        &(struct s3_put){
            .client = conditional->client,
            .key = path,
            .content = content,
            .condition = {"if-none-match", "*"}
    },
        err);

    return rc == -ESTALE ? fail(err, EEXIST, "'%s' exists already", path) : rc;
}

/* Nobody relied on conditions here before. */
static int create_first(struct s3_conditional *conditional, const char *path,
                        const struct backend_content *content, struct error *err)
{
    struct error unused = {0};
    char tag[BACKEND_TAG_MAX];
    int rc = look(conditional, path, tag, &unused);

    if (rc == 0)
        return fail(err, EEXIST, "'%s' exists already", path);
    if (rc != -ENOENT) {
        *err = unused;
        return rc;
    }
    rc = put_new(conditional, path, content, err);
    if (rc == -EEXIST)
        note_create(conditional, CREATE_HELD);
    if (rc == -ENOTSUP)
        note_create(conditional, CREATE_IGNORED);
    if (rc < 0)
        return rc;
    rc = put_new(conditional, path, content, &unused);
    if (rc == -EEXIST) {
        note_create(conditional, CREATE_HELD);
        return 0;
    }
    if (rc == 0) {
        note_create(conditional, CREATE_IGNORED);
        (void)delete (conditional, path, NULL, &unused); /* the caller is told */
        return fail_ignored(conditional, err);
    }
    *err = unused;
    return rc;
}

int s3_conditional_create(struct s3_conditional *conditional, const char *path,
                          const struct backend_content *content, struct error *err)
{
    enum create create;
    enum match match;

    known(conditional, &create, &match);
    if (create == CREATE_IGNORED)
        return fail_ignored(conditional, err);
    /* An upload in parts looks by itself, which tells nothing of the store. */
    if (create == CREATE_HELD || content->size > S3_PUT_ONE_MAX)
        return put_new(conditional, path, content, err);
    return create_first(conditional, path, content, err);
}

static void print_match(enum match match, const char *tag, char value[BACKEND_TAG_MAX])
{
    size_t size = strlen(tag);
    bool is_quoted = size >= 2 && tag[0] == '"' && tag[size - 1] == '"';

    if (match == MATCH_BARE && is_quoted)
        snprintf(value, BACKEND_TAG_MAX, "%.*s", (int)size - 2, tag + 1);
    else
        snprintf(value, BACKEND_TAG_MAX, "%s", tag);
}

static int put_over(const struct s3_conditional *conditional, const char *path,
                    const struct backend_content *content, enum match match,
                    const char *tag, struct error *err)
{
    char value[BACKEND_TAG_MAX];

    print_match(match, tag, value);
    return s3_put(
        &(struct s3_put){
            .client = conditional->client,
            .key = path,
            .content = content,
            .condition = {"if-match", value},
            .expected_tag = tag
    },
        err);
}

/* -ESTALE unless the object is the one of tag. */
static int check_tag(const struct s3_conditional *conditional, const char *path,
                     const char *tag, struct error *err)
{
    char now[BACKEND_TAG_MAX];
    int rc = look(conditional, path, now, err);

    if (rc == -ENOENT)
        return fail(err, ESTALE, "'%s' was removed", path);
    if (rc == 0 && strcmp(now, tag) != 0)
        return fail(err, ESTALE, "'%s' was replaced", path);
    return rc;
}

/* The store's manner of taking tags is not known yet. */
static int replace_first(struct s3_conditional *conditional, const char *path,
                         const struct backend_content *content, const char *tag,
                         struct error *err)
{
    enum match match = MATCH_QUOTED;
    int rc = check_tag(conditional, path, tag, err);

    if (rc < 0)
        return rc;
    rc = put_over(conditional, path, content, match, tag, err);
    if (rc == -ESTALE) {
        match = MATCH_BARE;
        rc = put_over(conditional, path, content, match, tag, err);
    }
    /* Ceph holds none where the bucket keeps old versions. */
    if (rc == -ESTALE && (rc = check_tag(conditional, path, tag, err)) == 0)
        rc = fail_ignored(conditional, err);
    if (rc == -ENOTSUP)
        note_match(conditional, MATCH_IGNORED);
    if (rc < 0)
        return rc;
    rc = put_over(conditional, path, content, match, OTHER_TAG, err);
    if (rc == -ESTALE)
        note_match(conditional, match);
    if (rc == 0)
        note_match(conditional, MATCH_IGNORED);
    return rc == -ESTALE ? 0 : rc == 0 ? fail_ignored(conditional, err) : rc;
}

int s3_conditional_replace(struct s3_conditional *conditional, const char *path,
                           const struct backend_content *content, const char *tag,
                           struct error *err)
{
    enum create create;
    enum match match;
    int rc;

    known(conditional, &create, &match);
    if (create == CREATE_IGNORED || match == MATCH_IGNORED)
        return fail_ignored(conditional, err);
    if (content->size > S3_PUT_ONE_MAX)
        rc = put_over(conditional, path, content, match, tag, err);
    else if (match == MATCH_UNKNOWN)
        rc = replace_first(conditional, path, content, tag, err);
    else
        rc = put_over(conditional, path, content, match, tag, err);
    return rc == -ENOENT ? fail(err, ESTALE, "'%s' was removed", path) : rc;
}

int s3_conditional_remove(struct s3_conditional *conditional, const char *path,
                          const char *tag, struct error *err)
{
    char value[BACKEND_TAG_MAX];
    enum create create;
    enum match match;
    int rc = check_tag(conditional, path, tag, err);

    if (rc < 0)
        return rc;
    known(conditional, &create, &match);
    print_match(match, tag, value);
    rc = delete (conditional, path, value, err);
    return rc == -ENOENT ? fail(err, ESTALE, "'%s' was removed", path) : rc;
}
