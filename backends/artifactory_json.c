/* artifactory_json.c: reads the replies of Artifactory's storage API. */
#include "backends/artifactory_json.h"

#include "backends/json_reader.h"
#include "common/memory.h"
#include "common/text.h"
#include "common/yaml_time.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SIZE = 1024 };

/* A child as far as it came. */
struct child {
    char name[NAME_SIZE]; /* "" until its "uri" came */
    bool has_kind;
    bool is_folder;
};

struct artifactory_json {
    struct json_reader *reader;
    backend_each *each;
    void *arg;
    struct artifactory_item item;
    bool has_size;
    bool has_children;
    struct child child;
    uint64_t count; /* children of this reply */
    uint64_t told;  /* of them that each has had */
    uint64_t hash;  /* of the children so far */
    uint64_t told_hash;
};

static int fail_reply(const char *what, const char *text, struct error *err)
{
    return fail(err, EIO, "the reply is none of Artifactory's: %s '%.80s'", what, text);
}

static int set_digest(char *digest, size_t size, const struct json_value *value,
                      struct error *err)
{
    if (digest[0] || value->kind != JSON_STRING || strlen(value->text) != size - 1 ||
        strspn(value->text, "0123456789abcdef") != size - 1)
        return fail_reply(value->path, value->text, err);
    memcpy(digest, value->text, size);
    return 0;
}

/* A text of digits; a number in some versions. */
static int set_size(struct artifactory_json *json, const struct json_value *value,
                    struct error *err)
{
    struct error not_a_size;

    if (json->has_size || (value->kind != JSON_STRING && value->kind != JSON_NUMBER) ||
        text_to_u64(value->text, &json->item.size, &not_a_size) < 0)
        return fail_reply("size", value->text, err);
    json->has_size = true;
    return 0;
}

static int set_modified(struct artifactory_json *json, const struct json_value *value,
                        struct error *err)
{
    struct error not_a_time;
    enum yaml_kind kind;
    struct yaml_time time;

    if (json->item.modified_s || value->kind != JSON_STRING ||
        !yaml_time_is_one(value->text, strlen(value->text)) ||
        yaml_time_parse(value->text, strlen(value->text), &kind, &time, &not_a_time) < 0)
        return fail_reply("lastModified", value->text, err);
    json->item.modified_s = yaml_time_to_unix(&time);
    return 0;
}

static bool is_name(const char *name)
{
    return *name && !strchr(name, '/') && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

static int set_name(struct child *child, const struct json_value *value,
                    struct error *err)
{
    if (child->name[0] || value->kind != JSON_STRING || value->text[0] != '/' ||
        !is_name(value->text + 1) || strlen(value->text) > NAME_SIZE)
        return fail_reply("uri", value->text, err);
    snprintf(child->name, sizeof child->name, "%s", value->text + 1);
    return 0;
}

static int set_kind(struct child *child, const struct json_value *value,
                    struct error *err)
{
    if (child->has_kind || (value->kind != JSON_TRUE && value->kind != JSON_FALSE))
        return fail_reply("folder", value->text, err);
    child->has_kind = true;
    child->is_folder = value->kind == JSON_TRUE;
    return 0;
}

/* FNV-1a: tells one order of names from another. */
static void hash_name(struct artifactory_json *json, const char *name)
{
    const char *at = name;

    do
        json->hash = (json->hash ^ (unsigned char)*at) * 1099511628211u;
    while (*at++);
}

static int end_child(struct artifactory_json *json, struct error *err)
{
    struct child child = json->child;
    bool is_known = json->count < json->told;

    json->child = (struct child){0};
    if (!child.name[0] || !child.has_kind)
        return fail_reply("a child without", child.name[0] ? "folder" : "uri", err);
    json->count++;
    hash_name(json, child.name);
    if (!is_known) {
        json->told = json->count;
        json->told_hash = json->hash;
        return json->each(
            json->arg,
            &(struct backend_entry){.name = child.name, .is_folder = child.is_folder},
            err);
    }
    if (json->count == json->told && json->hash != json->told_hash)
        return fail(err, EIO, "the listing broke off, and came again as another");
    return 0;
}

static int take_child(struct artifactory_json *json, const char *key,
                      const struct json_value *value, struct error *err)
{
    json->has_children = true;
    if (!json->each)
        return fail(err, EISDIR, "it is a folder");
    if (strcmp(key, "") == 0)
        return value->kind == JSON_END ? end_child(json, err)
                                       : fail_reply("a child that is", value->text, err);
    if (strcmp(key, ".uri") == 0)
        return set_name(&json->child, value, err);
    return strcmp(key, ".folder") == 0 ? set_kind(&json->child, value, err) : 0;
}

static int take(void *arg, const struct json_value *value, struct error *err)
{
    static const char child[] = "children[]";
    struct artifactory_json *json = arg;
    struct artifactory_item *item = &json->item;

    if (strncmp(value->path, child, strlen(child)) == 0)
        return take_child(json, value->path + strlen(child), value, err);
    if (strcmp(value->path, "children") == 0) {
        json->has_children = true;
        return value->kind == JSON_END ? 0 : fail_reply("children", value->text, err);
    }
    if (strcmp(value->path, "size") == 0)
        return set_size(json, value, err);
    if (strcmp(value->path, "lastModified") == 0)
        return set_modified(json, value, err);
    if (strcmp(value->path, "checksums.md5") == 0)
        return set_digest(item->md5, sizeof item->md5, value, err);
    if (strcmp(value->path, "checksums.sha1") == 0)
        return set_digest(item->sha1, sizeof item->sha1, value, err);
    if (strcmp(value->path, "checksums.sha256") == 0)
        return set_digest(item->sha256, sizeof item->sha256, value, err);
    return 0;
}

struct artifactory_json *artifactory_json_new(backend_each *each, void *arg)
{
    struct artifactory_json *json = XNEW(struct artifactory_json);

    json->each = each;
    json->arg = arg;
    json->reader = json_reader_new(take, json);
    return json;
}

void artifactory_json_free(struct artifactory_json *json)
{
    if (!json)
        return;
    json_reader_free(json->reader);
    free(json);
}

int artifactory_json_feed(struct artifactory_json *json, const void *data, size_t size,
                          struct error *err)
{
    return json_reader_feed(json->reader, data, size, err);
}

void artifactory_json_restart(struct artifactory_json *json)
{
    json_reader_free(json->reader);
    *json = (struct artifactory_json){
        .reader = json_reader_new(take, json),
        .each = json->each,
        .arg = json->arg,
        .told = json->told,
        .told_hash = json->told_hash,
    };
}

int artifactory_json_end(struct artifactory_json *json, struct artifactory_item *ret_item,
                         struct error *err)
{
    int rc = json_reader_end(json->reader, err);

    if (rc < 0)
        return rc;
    if (json->has_children && json->count < json->told)
        return fail(err, EIO, "the listing broke off, and came again shorter");
    if (json->has_children)
        return fail(err, EISDIR, "it is a folder");
    if (!json->has_size)
        return fail_reply("neither", "size nor children", err);
    *ret_item = json->item;
    return 0;
}

static int take_message(void *arg, const struct json_value *value, struct error *err)
{
    char *message = arg;

    (void)err; /* nothing fails */
    if (strcmp(value->path, "errors[].message") == 0 && value->kind == JSON_STRING &&
        !message[0])
        snprintf(message, ARTIFACTORY_MESSAGE_MAX, "%s", value->text);
    return 0;
}

void artifactory_json_message(const char *text, size_t size,
                              char ret_message[ARTIFACTORY_MESSAGE_MAX])
{
    CLEANUP_JSON_READER struct json_reader *reader =
        json_reader_new(take_message, ret_message);
    struct error ignored; /* a proxy's page */

    ret_message[0] = '\0';
    if (json_reader_feed(reader, text, size, &ignored) < 0 ||
        json_reader_end(reader, &ignored) < 0)
        ret_message[0] = '\0';
    for (char *at = ret_message; *at; at++)
        if ((unsigned char)*at < ' ' || *at == '\x7f')
            *at = ' ';
}
