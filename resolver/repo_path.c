/* repo_path.c: where each document of a model lies in a repository. */
#include "resolver/repo_path.h"

#include "common/cleanup.h"
#include "common/memory.h"
#include "resolver/uid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CLAIM_EXTENSION_SIZE = 128 };

/* Builds a path part by part; the first failure sticks. */
struct builder {
    char path[REPO_PATH_SIZE];
    size_t size;
    int rc;
    struct error *err;
};

static bool is_allowed(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
}

static int check_part(const char *part, size_t size, struct error *err)
{
    bool ok = size > 0 && (size > 2 || strncmp(part, "..", size) != 0);

    for (size_t i = 0; ok && i < size; i++)
        ok = is_allowed(part[i]);
    if (!ok)
        return fail(err, EINVAL,
                    "'%.*s' cannot be part of a path in a repository: letters, digits, "
                    "'.', '_' and '-' can, but '.' and '..' alone cannot",
                    size < 80 ? (int)size : 80, part);
    return 0;
}

static void add_part(struct builder *builder, const char *part, size_t size)
{
    size_t slash = builder->size ? 1 : 0;

    if (builder->rc == 0)
        builder->rc = check_part(part, size, builder->err);
    if (builder->rc == 0 && builder->size + slash + size >= REPO_PATH_SIZE)
        builder->rc =
            fail(builder->err, ENAMETOOLONG, "'%.80s...' is longer than %d bytes",
                 builder->path, REPO_PATH_SIZE - 1);
    if (builder->rc < 0)
        return;
    if (slash)
        builder->path[builder->size++] = '/';
    memcpy(builder->path + builder->size, part, size);
    builder->size += size;
    builder->path[builder->size] = '\0';
}

__attribute__((format(printf, 2, 3))) static void add(struct builder *builder,
                                                      const char *format, ...)
{
    char part[REPO_PATH_SIZE];
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(part, sizeof part, format, args);
    va_end(args);
    if (builder->rc == 0 && (size < 0 || (size_t)size >= sizeof part))
        builder->rc =
            fail(builder->err, ENAMETOOLONG, "'%.80s...' is longer than %d bytes", part,
                 REPO_PATH_SIZE - 1);
    add_part(builder, part, (size_t)size);
}

/* The parts of text between separators, empty ones dropped. */
static void add_split(struct builder *builder, const char *text, const char *separators)
{
    while (*text && builder->rc == 0) {
        size_t size = strcspn(text, separators);

        if (size)
            add_part(builder, text, size);
        text += size + (text[size] != '\0');
    }
}

static void add_archives(struct builder *builder, const char *name, const char *subgroup)
{
    add_split(builder, subgroup ? subgroup : "", "./");
    add_split(builder, name, "/");
}

/* Maven's layout: <folder>/<base>/<version>/<base>-<version>.<extension> */
static void add_maven(struct builder *builder, const char *base, const char *version,
                      const char *extension)
{
    add(builder, "%s", base);
    add(builder, "%s", version);
    add(builder, "%s-%s.%s", base, version, extension);
}

static int finish(const struct builder *builder, char *ret_path)
{
    if (builder->rc == 0)
        memcpy(ret_path, builder->path, builder->size + 1);
    return builder->rc;
}

int repo_path_header(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                     struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_MODELS);
    add_maven(&builder, id, version, "header.yaml");
    return finish(&builder, ret_path);
}

int repo_path_meta(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                   struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_MODELS);
    add_maven(&builder, id, version, "meta.yaml");
    return finish(&builder, ret_path);
}

int repo_path_claim(const char *id, const char *version, char ret_path[REPO_PATH_SIZE],
                    struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_MODELS);
    add_maven(&builder, id, version, "claim.yaml");
    return finish(&builder, ret_path);
}

int repo_path_own_claim(const char *id, const char *version, const char *nonce,
                        char ret_path[REPO_PATH_SIZE], struct error *err)
{
    struct builder builder = {.err = err};
    char extension[CLAIM_EXTENSION_SIZE];

    snprintf(extension, sizeof extension, "claim-%s.yaml", nonce);
    add(&builder, REPO_PATH_MODELS);
    add_maven(&builder, id, version, extension);
    return finish(&builder, ret_path);
}

int repo_path_archive(const char *name, const char *subgroup, const char *id,
                      const char *version, char ret_path[REPO_PATH_SIZE],
                      struct error *err)
{
    struct builder builder = {.err = err};

    add_archives(&builder, name, subgroup);
    add_maven(&builder, id, version, "zip");
    return finish(&builder, ret_path);
}

int repo_path_archives(const char *name, const char *subgroup,
                       char ret_path[REPO_PATH_SIZE], struct error *err)
{
    struct builder builder = {.err = err};

    add_archives(&builder, name, subgroup);
    return finish(&builder, ret_path);
}

int repo_path_versions(const char *id, char ret_path[REPO_PATH_SIZE], struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_MODELS);
    add(&builder, "%s", id);
    return finish(&builder, ret_path);
}

/* "aliases.yaml" is no extension that audmodel knows, so "aliases" counts to the base. */
int repo_path_alias_list(const char *id, const char *version,
                         char ret_path[REPO_PATH_SIZE], struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_MODELS);
    add(&builder, "%s.aliases", id);
    add(&builder, "%s", version);
    add(&builder, "%s.aliases-%s.yaml", id, version);
    return finish(&builder, ret_path);
}

int repo_path_alias(const char *alias, char ret_path[REPO_PATH_SIZE], struct error *err)
{
    struct builder builder = {.err = err};

    add(&builder, REPO_PATH_ALIASES);
    add_maven(&builder, alias, "1.0.0", "alias.yaml");
    return finish(&builder, ret_path);
}

bool repo_path_is_of_model(const char *name)
{
    static const char suffix[] = ".aliases";
    CLEANUP_FREE char *id = xstrdup(name);
    size_t size = strlen(name);

    if (size >= sizeof suffix && strcmp(name + size + 1 - sizeof suffix, suffix) == 0)
        id[size + 1 - sizeof suffix] = '\0';
    return uid_is_id(id);
}
