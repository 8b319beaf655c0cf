/* claim_document.c: claims as YAML. */
#include "publish/claim_document.h"

#include "common/cleanup.h"
#include "common/random.h"
#include "common/text.h"
#include "common/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

enum { LIFETIME_S_MAX = 300 }; /* of another's claim, whatever it says */

int claim_document_print(const struct claim_document *document, struct bytes *to,
                         struct error *err)
{
    time_t expires = time(NULL) + document->lifetime_s;
    struct tm utc;
    char date[32];
    char serial[RANDOM_NAME_SIZE];
    int rc = random_name(serial, err);

    if (rc < 0)
        return rc;
    gmtime_r(&expires, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &utc);
    rc = bytes_printf(to, err,
                      "owner: '%s'\nprocess: '%s'\nnonce: '%s'\nlifetime: %lld\n"
                      "expires: %s\nserial: '%s'\n",
                      document->owner, document->process, document->nonce,
                      (long long)document->lifetime_s, date, serial);
    if (rc == 0 && document->since_s)
        rc = bytes_printf(to, err, "since: %lld\n", (long long)document->since_s);
    return rc;
}

static void copy_field(const struct yaml_node *root, const char *key, char *to,
                       size_t size)
{
    const char *text = NULL;
    const struct yaml_node *node = yaml_get(root, key);

    if (node)
        text = yaml_text(node);
    snprintf(to, size, "%s", text ? text : "");
}

/* 0 where there is no such number. */
static int64_t number_of(const struct yaml_node *root, const char *key)
{
    const struct yaml_node *node = yaml_get(root, key);
    struct error ignored; /* see claim_document_read */
    uint64_t value = 0;

    if (node && node->kind == YAML_INT &&
        text_to_u64(node->text.data, &value, &ignored) == 0 && value <= INT64_MAX)
        return (int64_t)value;
    return 0;
}

static void parse(const struct bytes *text, struct claim_document *document)
{
    CLEANUP_YAML struct yaml *yaml = NULL;
    const struct yaml_node *root;
    struct error ignored; /* see claim_document_read */
    int64_t lifetime_s;

    document->lifetime_s = CLAIM_LIFETIME_S;
    if (yaml_parse(text->data, text->size, &yaml, &ignored) < 0)
        return;
    root = yaml_root(yaml);
    copy_field(root, "nonce", document->nonce, sizeof document->nonce);
    copy_field(root, "process", document->process, sizeof document->process);
    copy_field(root, "owner", document->owner, sizeof document->owner);
    document->since_s = number_of(root, "since");
    lifetime_s = number_of(root, "lifetime");
    if (lifetime_s > 0)
        document->lifetime_s = lifetime_s < LIFETIME_S_MAX ? lifetime_s : LIFETIME_S_MAX;
}

int claim_document_read(struct backend *backend, const char *path,
                        struct claim_document *ret_document, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    struct error reason = {0};
    int rc;

    bytes_init(&text, CLAIM_BYTES_MAX);
    *ret_document = (struct claim_document){0};
    rc = backend_get_version(backend, path, &text, &ret_document->stat, &reason);
    if (rc == -EFBIG) /* none of ours; it has to be taken over all the same */
        rc = backend_stat(backend, path, &ret_document->stat, &reason);
    if (rc == 0)
        parse(&text, ret_document);
    else
        *err = reason;
    return rc;
}
