/* mount_options.c: the comma list behind -o. */
#include "cli/mount_options.h"

#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <stddef.h>

static const struct {
    const char *name;
    size_t flag;  /* offset of a bool, or ... */
    size_t value; /* ... of a char * */
} known[] = {
    {"allow_other",    offsetof(struct mount_options, allow_other),                  0      },
    {"debug",          offsetof(struct mount_options, debug),                        0      },
    {"noexec",         offsetof(struct mount_options, noexec),                       0      },
    {"no_passthrough", offsetof(struct mount_options, no_passthrough),               0      },
    {"no_direct_mmap", offsetof(struct mount_options, no_direct_mmap),               0      },
    {"no_resend",      offsetof(struct mount_options, no_resend),                    0      },
    {"config",         0,                             offsetof(struct mount_options, config)},
    {"log",            0,                             offsetof(struct mount_options, log)   },
};
enum { KNOWN_COUNT = sizeof known / sizeof *known };

static const char *const ignored[] = {
    "defaults",   "ro",         "rw",          "suid",     "nosuid",     "dev",
    "nodev",      "exec",       "atime",       "noatime",  "relatime",   "diratime",
    "nodiratime", "norelatime", "strictatime", "lazytime", "nolazytime", "sync",
    "async",      "auto",       "noauto",      "fail",     "nofail",     "user",
    "nouser",     "users",      "nousers",     "owner",    "noowner",    "group",
    "nogroup",    "_netdev",
};
enum { IGNORED_COUNT = sizeof ignored / sizeof *ignored };

static bool is_ignored(const char *name)
{
    for (size_t i = 0; i < IGNORED_COUNT; i++) {
        if (strcmp(ignored[i], name) == 0)
            return true;
    }
    return strncmp(name, "x-", 2) == 0 || strncmp(name, "X-", 2) == 0 ||
           strncmp(name, "comment=", 8) == 0;
}

static int fail_unknown(const char *name, struct error *err)
{
    const char *names[KNOWN_COUNT + 1];
    const char *nearest;

    for (size_t i = 0; i < KNOWN_COUNT; i++)
        names[i] = known[i].name;
    names[KNOWN_COUNT] = NULL;
    nearest = text_nearest(name, names);
    return fail(err, EINVAL, "unknown mount option '%.80s'%s%s%s", name,
                nearest ? "; did you mean '" : "", nearest ? nearest : "",
                nearest ? "'?" : "");
}

static int set_value(size_t index, const char *value, struct mount_options *options,
                     struct error *err)
{
    char **field;

    if (!known[index].value) {
        if (value)
            return fail(err, EINVAL, "mount option '%s' takes no value",
                        known[index].name);
        *(bool *)((char *)options + known[index].flag) = true;
        return 0;
    }
    if (!value || !*value)
        return fail(err, EINVAL, "mount option '%s' lacks its value: '%s=FILE'",
                    known[index].name, known[index].name);
    field = (char **)((char *)options + known[index].value);
    free(*field);
    *field = xstrdup(value);
    return 0;
}

static int parse_one(char *option, struct mount_options *options, struct error *err)
{
    char *value;

    if (!*option || is_ignored(option))
        return 0;
    value = strchr(option, '=');
    if (value)
        *value++ = '\0';
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(known[i].name, option) == 0)
            return set_value(i, value, options, err);
    }
    return fail_unknown(option, err);
}

int mount_options_parse(const char *text, struct mount_options *options,
                        struct error *err)
{
    CLEANUP_FREE char *option = xstrdup(text);
    size_t used = 0;
    int rc = 0;

    for (const char *at = text; rc == 0; at++) {
        if (*at == '\\' && at[1]) {
            option[used++] = *++at;
        } else if (*at && *at != ',') {
            option[used++] = *at;
        } else {
            option[used] = '\0';
            used = 0;
            rc = parse_one(option, options, err);
            if (!*at)
                break;
        }
    }
    return rc;
}

/* A comma, a name, and the value with its commas escaped. */
static int print_value(const char *name, const char *value, struct bytes *to,
                       struct error *err)
{
    int rc = bytes_printf(to, err, "%s%s=", to->size > 0 ? "," : "", name);

    for (const char *c = value; rc == 0 && *c; c++) {
        if (*c == ',' || *c == '\\')
            rc = bytes_append(to, "\\", 1, err);
        if (rc == 0)
            rc = bytes_append(to, c, 1, err);
    }
    return rc;
}

int mount_options_print(const struct mount_options *options, struct bytes *to,
                        struct error *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < KNOWN_COUNT; i++) {
        const char *field = (const char *)options + known[i].flag;
        const char *value;

        if (!known[i].value && *(const bool *)field)
            rc = bytes_printf(to, err, "%s%s", to->size > 0 ? "," : "", known[i].name);
        if (!known[i].value)
            continue;
        value = *(char *const *)((const char *)options + known[i].value);
        if (value)
            rc = print_value(known[i].name, value, to, err);
    }
    return rc;
}

void mount_options_done(struct mount_options *options)
{
    free(options->config);
    free(options->log);
}
