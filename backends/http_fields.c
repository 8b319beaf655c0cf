/* http_fields.c: the header fields of one request. */
#include "backends/http_fields.h"

#include "common/memory.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { FIELDS_BYTES_MAX = 64 << 10 };

bool http_fields_is_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!name[i] ||
            (!isalnum((unsigned char)name[i]) && !strchr("!#$%&'*+-.^_`|~", name[i])))
            return false;
    return size > 0;
}

static bool is_value(const char *value)
{
    for (const char *c = value; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f)
            return false;
    return true;
}

/* Take the field of that name out, if there is one. */
static void drop_field(struct http_fields *fields, const char *name)
{
    size_t size = strlen(name);

    for (struct curl_slist **at = &fields->list; *at; at = &(*at)->next) {
        struct curl_slist *found = *at;

        if (strncasecmp(found->data, name, size) != 0 || !strchr(":;", found->data[size]))
            continue;
        *at = found->next;
        found->next = NULL;
        fields->size -= strlen(found->data);
        explicit_bzero(found->data, strlen(found->data));
        curl_slist_free_all(found);
        return;
    }
}

int http_fields_set(struct http_fields *fields, const char *name, const char *value,
                    struct error *err)
{
    struct curl_slist *list;
    char *line;

    if (!http_fields_is_name(name, strlen(name)) || !is_value(value))
        return fail(err, EINVAL, "the header field '%.40s' cannot have that value", name);
    drop_field(fields, name);
    if (strlen(value) > FIELDS_BYTES_MAX || strlen(name) > FIELDS_BYTES_MAX ||
        strlen(name) + strlen(value) + 2 > FIELDS_BYTES_MAX - fields->size)
        return fail(err, EINVAL, "the header fields have more than %d bytes",
                    FIELDS_BYTES_MAX);
    /* curl drops a field without a value, and sends it with this semicolon. */
    line = value[0] ? xasprintf("%s: %s", name, value) : xasprintf("%s;", name);
    list = curl_slist_append(fields->list, line);
    if (list) {
        fields->list = list;
        fields->size += strlen(line);
    }
    explicit_bzero(line, strlen(line));
    free(line);
    return list ? 0 : fail(err, ENOMEM, "no memory for a header field");
}

int http_fields_set_all(struct http_fields *fields, const struct http_field *set,
                        size_t count, struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < count && set[i].name; i++)
        rc = http_fields_set(fields, set[i].name, set[i].value, err);
    return rc;
}

int http_fields_omit(struct http_fields *fields, const char *name, struct error *err)
{
    CLEANUP_FREE char *line = xasprintf("%s:", name);
    struct curl_slist *list = curl_slist_append(fields->list, line);

    if (!list)
        return fail(err, ENOMEM, "no memory for a header field");
    fields->list = list;
    fields->size += strlen(line);
    return 0;
}

void http_fields_done(struct http_fields *fields)
{
    for (struct curl_slist *at = fields->list; at; at = at->next)
        explicit_bzero(at->data, strlen(at->data));
    curl_slist_free_all(fields->list);
    *fields = (struct http_fields){0};
}
