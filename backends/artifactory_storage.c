/* artifactory_storage.c: stat and listing by Artifactory's storage API. */
#include "backends/artifactory_storage.h"

#include <errno.h>
#include <stdio.h>

struct reply_sink {
    struct sink base;
    struct artifactory_json *json;
};

static int feed(struct sink *sink, const void *data, size_t size, struct error *err)
{
    return artifactory_json_feed(((struct reply_sink *)sink)->json, data, size, err);
}

static int restart(void *arg, struct error *err)
{
    (void)err; /* cannot fail */
    artifactory_json_restart(arg);
    return 0;
}

/* 0 with the item of a file, -EISDIR at the end of a folder. */
static int ask(struct artifactory_client *client, const char *path,
               struct artifactory_json *json, struct artifactory_item *ret_item,
               struct error *err)
{
    CLEANUP_HTTP_REPLY struct http_reply reply = {0};
    struct reply_sink sink = {.base.write = feed, .json = json};
    int rc = artifactory_client_do(client, ARTIFACTORY_STORAGE, path,
                                   &(struct http_request){
                                       .method = HTTP_GET,
                                       .to = &sink.base,
                                       .restart = restart,
                                       .arg = json,
                                   },
                                   &reply, err);

    return rc < 0 ? rc : artifactory_json_end(json, ret_item, err);
}

int artifactory_storage_stat(struct artifactory_client *client, const char *path,
                             struct artifactory_item *ret_item, struct error *err)
{
    CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json =
        artifactory_json_new(NULL, NULL);
    int rc = ask(client, path, json, ret_item, err);

    return rc == -EISDIR ? fail(err, EISDIR, "'%s' is a folder", path) : rc;
}

int artifactory_storage_stat_file(struct artifactory_client *client, const char *path,
                                  struct artifactory_item *ret_item, struct error *err)
{
    int rc = artifactory_storage_stat(client, path, ret_item, err);

    return rc == -EISDIR ? fail(err, ENOENT, "'%s' is a folder", path) : rc;
}

struct listing {
    backend_each *each;
    void *arg;
    int rc; /* of each */
};

static int tell(void *arg, const struct backend_entry *entry, struct error *err)
{
    struct listing *listing = arg;

    listing->rc = listing->each(listing->arg, entry, err);
    return listing->rc;
}

int artifactory_storage_list(struct artifactory_client *client, const char *folder,
                             backend_each *each, void *arg, struct error *err)
{
    struct listing listing = {.each = each, .arg = arg};
    CLEANUP_ARTIFACTORY_JSON struct artifactory_json *json =
        artifactory_json_new(tell, &listing);
    struct error failure = {0};
    struct artifactory_item item;
    int rc = ask(client, folder, json, &item, &failure);

    if (rc == 0)
        return fail(err, ENOENT, "'%s' is not a folder", folder);
    if (rc == -EISDIR && listing.rc == 0)
        return 0;
    *err = failure;
    return rc;
}

void artifactory_storage_tag(const struct artifactory_item *item,
                             char ret_tag[BACKEND_TAG_MAX])
{
    if (item->sha256[0])
        snprintf(ret_tag, BACKEND_TAG_MAX, "sha256:%s", item->sha256);
    else if (item->sha1[0])
        snprintf(ret_tag, BACKEND_TAG_MAX, "sha1:%s", item->sha1);
    else if (item->md5[0])
        snprintf(ret_tag, BACKEND_TAG_MAX, "md5:%s", item->md5);
    else
        snprintf(ret_tag, BACKEND_TAG_MAX, "%llu@%lld", (unsigned long long)item->size,
                 (long long)item->modified_s);
}
