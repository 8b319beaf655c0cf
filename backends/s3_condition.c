/* s3_condition.c: which conditional writes a store honours. */
#include "backends/s3_condition.h"

#include "common/memory.h"
#include "common/sync.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define OTHER_TAG "\"00000000000000000000000000000000\""

enum { KEY_MAX = BACKEND_PATH_MAX + 64 };

struct s3_conditions {
    struct lock lock;
    bool is_known;             /* guarded by lock */
    struct s3_condition found; /* guarded by lock */
};

/* One trial object. */
struct trial {
    struct s3_client *client;
    char key[KEY_MAX];
    char tag[BACKEND_TAG_MAX]; /* that it has now */
};

void s3_conditions_open(struct s3_conditions **ret_conditions)
{
    struct s3_conditions *conditions = XNEW(struct s3_conditions);

    lock_init(&conditions->lock);
    *ret_conditions = conditions;
}

void s3_conditions_close(struct s3_conditions *conditions)
{
    if (!conditions)
        return;
    lock_done(&conditions->lock);
    free(conditions);
}

void s3_condition_value(enum s3_condition_match match, const char *tag,
                        char ret_value[BACKEND_TAG_MAX])
{
    size_t size = strlen(tag);
    bool is_quoted = size >= 2 && tag[0] == '"' && tag[size - 1] == '"';

    if (match == S3_MATCH_BARE && is_quoted)
        snprintf(ret_value, BACKEND_TAG_MAX, "%.*s", (int)size - 2, tag + 1);
    else
        snprintf(ret_value, BACKEND_TAG_MAX, "%s", tag);
}

/* 1: the store did it; 0: it held back, or takes no such condition; else what failed. */
static int send(struct trial *trial, enum http_method method, const char *content,
                const char *name, const char *value, bool *ret_held, struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct error refused = {0};
    int rc = s3_client_do(trial->client,
                          &(struct s3_call){
                              .method = method,
                              .key = trial->key,
                              .fields = {{name, value}           },
                              .body = { .data = content, .size = strlen(content)},
    },
                          &reply, &refused);

    *ret_held = rc == -ESTALE;
    if (rc == 0 && method == HTTP_PUT)
        memcpy(trial->tag, reply.etag, sizeof trial->tag);
    if (rc == 0)
        return 1;
    if (*ret_held || rc == -ENOTSUP || reply.status == 400)
        return 0;
    *err = refused;
    return rc;
}

/* 1: it holds back what it should. */
static int try_create(struct trial *trial, struct error *err)
{
    bool held;
    int rc = send(trial, HTTP_PUT, "first", "if-none-match", "*", &held, err);

    /* Held back: an earlier try of ours has arrived. Done by nobody: not known there. */
    if (rc == 0 && !held)
        rc = send(trial, HTTP_PUT, "first", NULL, NULL, &held, err);
    if (rc < 0)
        return rc;
    rc = send(trial, HTTP_PUT, "second", "if-none-match", "*", &held, err);
    return rc < 0 ? rc : held;
}

/* 1: the store overwrites where the tag is right, in this manner of writing it. */
static int try_match_as(struct trial *trial, enum s3_condition_match match,
                        const char *content, struct error *err)
{
    char value[BACKEND_TAG_MAX];
    bool held;

    s3_condition_value(match, trial->tag, value);
    return send(trial, HTTP_PUT, content, "if-match", value, &held, err);
}

static int try_match(struct trial *trial, enum s3_condition_match *ret_match,
                     struct error *err)
{
    bool held;
    int rc = send(trial, HTTP_PUT, "third", "if-match", OTHER_TAG, &held, err);

    *ret_match = S3_MATCH_NONE;
    if (rc < 0 || !held)
        return rc < 0 ? rc : 0;
    rc = try_match_as(trial, S3_MATCH_QUOTED, "fourth", err);
    if (rc != 0) {
        *ret_match = rc > 0 ? S3_MATCH_QUOTED : S3_MATCH_NONE;
        return rc < 0 ? rc : 0;
    }
    rc = try_match_as(trial, S3_MATCH_BARE, "fifth", err);
    if (rc > 0)
        *ret_match = S3_MATCH_BARE;
    return rc < 0 ? rc : 0;
}

static int try_all(struct trial *trial, struct s3_condition *found, struct error *err)
{
    struct error ignored = {0}; /* then the trial object stays, which no listing shows */
    bool held = false;
    int rc = try_create(trial, err);

    if (rc > 0) {
        found->can_create = true;
        rc = try_match(trial, &found->match, err);
    }
    if (rc == 0 && found->match != S3_MATCH_NONE) {
        rc = send(trial, HTTP_DELETE, "", "if-match", OTHER_TAG, &held, err);
        found->can_remove = held;
    }
    (void)send(trial, HTTP_DELETE, "", NULL, NULL, &held, &ignored);
    return rc < 0 ? rc : 0;
}

static int name_trial(const char *path, char key[KEY_MAX], struct error *err)
{
    const char *slash = strrchr(path, '/');
    int folder_size = slash ? (int)(slash - path) + 1 : 0;
    uint64_t number;

    if (getrandom(&number, sizeof number, 0) != sizeof number)
        return fail_errno(err, "get a random number");
    snprintf(key, KEY_MAX, "%.*s" S3_CONDITION_PREFIX "trial-%016llx", folder_size, path,
             (unsigned long long)number);
    return 0;
}

int s3_conditions_get(struct s3_conditions *conditions, struct s3_client *client,
                      const char *path, struct s3_condition *ret_condition,
                      struct error *err)
{
    struct trial trial = {.client = client};
    struct s3_condition found = {.match = S3_MATCH_NONE};
    bool is_known;
    int rc;

    lock_acquire(&conditions->lock);
    is_known = conditions->is_known;
    *ret_condition = conditions->found;
    lock_release(&conditions->lock);
    if (is_known)
        return 0;
    rc = name_trial(path, trial.key, err);
    if (rc == 0)
        rc = try_all(&trial, &found, err);
    if (rc < 0)
        return fail_context(err, rc,
                            "find out whether the store can write conditionally");
    lock_acquire(&conditions->lock);
    conditions->is_known = true;
    conditions->found = found;
    lock_release(&conditions->lock);
    *ret_condition = found;
    return 0;
}
