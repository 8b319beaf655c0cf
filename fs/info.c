/* info.c: everything known about a version, one value per file. */
#include "fs/info.h"

#include "common/yaml.h"
#include "fs/drafts.h"
#include "fs/place_archive.h"

#include <errno.h>
#include <string.h>

/* What a file's content depends on. */
enum source {
    FROM_NAME,    /* the ID and the version alone */
    FROM_HEADER,  /* never changes */
    FROM_BACKEND, /* changes by others */
    FROM_CACHE,   /* changes with every read */
};

struct subject {
    struct fs *fs;
    const struct place *place;
    const struct header *header; /* FROM_HEADER */
};

typedef int print_function(const struct subject *subject, struct bytes *to,
                           struct error *err);

static int print_uid(const struct subject *subject, struct bytes *to, struct error *err)
{
    const struct release *release = &subject->place->release;

    if (strlen(release->id) == MODEL_ID_SIZE - 1) /* a legacy ID has just one version */
        return bytes_printf(to, err, "%s\n", release->id);
    return bytes_printf(to, err, "%s-%s\n", release->id, release->version);
}

static int print_name(const struct subject *subject, struct bytes *to, struct error *err)
{
    return bytes_printf(to, err, "%s\n", subject->header->name);
}

static int print_subgroup(const struct subject *subject, struct bytes *to,
                          struct error *err)
{
    return bytes_printf(to, err, "%s\n", subject->header->subgroup);
}

static int print_author(const struct subject *subject, struct bytes *to,
                        struct error *err)
{
    return bytes_printf(to, err, "%s\n", subject->header->author);
}

static int print_date(const struct subject *subject, struct bytes *to, struct error *err)
{
    return bytes_printf(to, err, "%s\n", subject->header->date);
}

static int print_version(const struct subject *subject, struct bytes *to,
                         struct error *err)
{
    return bytes_printf(to, err, "%s\n", subject->place->release.version);
}

static int print_parameters(const struct subject *subject, struct bytes *to,
                            struct error *err)
{
    return yaml_print(subject->header->parameters, to, err);
}

static int print_header(const struct subject *subject, struct bytes *to,
                        struct error *err)
{
    return bytes_append(to, subject->header->text, subject->header->text_size, err);
}

static int print_meta(const struct subject *subject, struct bytes *to, struct error *err)
{
    drafts_settle(subject->fs->drafts, &subject->place->release);
    return cache_meta(subject->fs->cache, subject->fs->resolver, &subject->place->release,
                      to, err);
}

static int print_aliases(const struct subject *subject, struct bytes *to,
                         struct error *err)
{
    struct names *names = NULL;
    int rc =
        resolver_aliases_of(subject->fs->resolver, &subject->place->release, &names, err);

    for (size_t i = 0; rc == 0 && i < names->count; i++)
        rc = bytes_printf(to, err, "%s\n", names->names[i]);
    names_unref(names);
    return rc;
}

static int print_url(const struct subject *subject, struct bytes *to, struct error *err)
{
    int rc = resolver_url(subject->fs->resolver, &subject->place->release,
                          subject->header, to, err);

    return rc < 0 ? rc : bytes_printf(to, err, "\n");
}

/* The archive, opened if need be: these run on pool threads. */
static int open_archive(const struct subject *subject, struct archive **ret_archive,
                        struct error *err)
{
    return place_archive(subject->fs, subject->place, RESOLVE_FETCH, ret_archive, err);
}

static int print_cached_bytes(const struct subject *subject, struct bytes *to,
                              struct error *err)
{
    struct archive *archive = NULL;
    int rc = open_archive(subject, &archive, err);

    if (rc == 0)
        rc = bytes_printf(to, err, "%ju\n", (uintmax_t)archive_cached_bytes(archive));
    archive_unref(archive);
    return rc;
}

static int print_total_bytes(const struct subject *subject, struct bytes *to,
                             struct error *err)
{
    struct archive *archive = NULL;
    int rc = open_archive(subject, &archive, err);

    if (rc == 0)
        rc = bytes_printf(to, err, "%ju\n",
                          (uintmax_t)toc_total_size(archive_toc(archive)));
    archive_unref(archive);
    return rc;
}

/* What is wrong with an archive that cannot be opened is content here, no failure. */
static int print_verdict(const struct subject *subject, struct bytes *to,
                         struct error *err)
{
    struct archive *archive = NULL;
    struct error reason = {0};
    int rc;

    if (open_archive(subject, &archive, &reason) < 0)
        return bytes_printf(to, err, "not fit to be served: %s\n", reason.message);
    rc = archive_print_verdict(archive, to, err);
    archive_unref(archive);
    return rc;
}

static int print_errors(const struct subject *subject, struct bytes *to,
                        struct error *err)
{
    struct archive *archive = NULL;
    struct error reason = {0};
    int rc;

    if (open_archive(subject, &archive, &reason) < 0)
        return bytes_printf(to, err, ".: %s\n", reason.message);
    rc = archive_print_errors(archive, to, err);
    archive_unref(archive);
    return rc < 0 ? rc
                  : drafts_print_failure(subject->fs->drafts, &subject->place->release,
                                         to, err);
}

static const struct {
    const char *name;
    print_function *print;
    enum source source;
} info_files[INFO_FILES] = {
    {"uid",             print_uid,          FROM_NAME   },
    {"name",            print_name,         FROM_HEADER },
    {"subgroup",        print_subgroup,     FROM_HEADER },
    {"author",          print_author,       FROM_HEADER },
    {"date",            print_date,         FROM_HEADER },
    {"version",         print_version,      FROM_NAME   },
    {"parameters.yaml", print_parameters,   FROM_HEADER },
    {"meta.yaml",       print_meta,         FROM_BACKEND},
    {"header.yaml",     print_header,       FROM_HEADER },
    {"aliases",         print_aliases,      FROM_BACKEND},
    {"url",             print_url,          FROM_HEADER },
    {"cached_bytes",    print_cached_bytes, FROM_CACHE  },
    {"total_bytes",     print_total_bytes,  FROM_CACHE  },
    {"verdict",         print_verdict,      FROM_CACHE  },
    {"errors",          print_errors,       FROM_CACHE  },
};

const char *info_name(uint32_t index)
{
    return info_files[index].name;
}

int info_find(const char *name, uint32_t *ret_index)
{
    for (uint32_t i = 0; i < INFO_FILES; i++) {
        if (strcmp(name, info_files[i].name) == 0) {
            *ret_index = i;
            return 0;
        }
    }
    return -ENOENT;
}

bool info_is_writable(uint32_t index)
{
    return index < INFO_FILES && info_files[index].print == print_meta;
}

double info_timeout_s(const struct fs *fs, uint32_t index)
{
    switch (info_files[index].source) {
    case FROM_BACKEND:
        return (double)fs->options.ttl_alias_ms / 1000;
    case FROM_CACHE:
        return 0;
    default:
        return FS_FOREVER_S;
    }
}

int info_print(struct fs *fs, const struct place *place, enum resolve_how how,
               struct bytes *to, struct error *err)
{
    CLEANUP_HEADER struct header *header = NULL;
    struct subject subject = {.fs = fs, .place = place};
    enum source source;
    int rc = 0;

    if (place->index >= INFO_FILES)
        return fail(err, ESTALE, "@info has no file %u", place->index);
    source = info_files[place->index].source;
    if (source == FROM_HEADER)
        rc = cache_header(fs->cache, fs->resolver, &place->release, how, &header, err);
    else if (source != FROM_NAME && how != RESOLVE_FETCH)
        rc = fail(err, EINPROGRESS, "'%s' has to be asked for", info_name(place->index));
    subject.header = header;
    return rc < 0 ? rc : info_files[place->index].print(&subject, to, err);
}
