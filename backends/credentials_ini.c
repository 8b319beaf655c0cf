/* credentials_ini.c: INI files that hold credentials. */
#include "backends/credentials_ini.h"

#include "common/bytes.h"
#include "common/files.h"
#include "common/paths.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* 1: open; 0: there is no such file, or none that we may see, as Python's exists(). */
static int open_file(const char *path, int *ret_fd, struct stat *ret_stat,
                     struct error *err)
{
    int fd;

    if (stat(path, ret_stat) < 0) {
        *ret_stat = (struct stat){0};
        return 0;
    }
    if (!S_ISREG(ret_stat->st_mode))
        return fail(err, EACCES, "'%s' is not a regular file", path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno(err, "open '%s'", path);
    *ret_fd = fd;
    return 1;
}

static int parse_file(const char *path, int fd, size_t size, enum ini_flags flags,
                      struct ini **ret_ini, struct error *err)
{
    CLEANUP_SECRET_BYTES struct bytes text;
    int rc;

    bytes_init(&text, INI_BYTES_MAX);
    rc = bytes_reserve(&text, size < INI_BYTES_MAX ? size + 1 : size, err);
    if (rc == 0)
        rc = files_read_fd(fd, &text, err);
    if (rc == 0)
        rc = ini_parse(text.data, text.size, flags, ret_ini, err);
    return rc < 0 ? fail_context(err, rc, "'%s'", path) : 0;
}

/* Whatever is wrong with them: we have no credentials. */
static int fail_access(struct error *err, int rc)
{
    if (rc < 0)
        err->code = EACCES;
    return rc < 0 ? -EACCES : rc;
}

int credentials_ini_read(struct credentials_search *search, const char *variable,
                         const char *fallback, enum ini_flags flags,
                         struct credentials_ini *ret_file, struct error *err)
{
    const char *named = credentials_search_environment(variable);
    CLEANUP_CLOSE int fd = -1;
    CLEANUP_FREE char *path = NULL;
    struct stat *stat = &search->files[search->file_count].stat;
    struct error no_home;
    int rc;

    assert(search->file_count < CREDENTIALS_FILES_MAX);
    *ret_file = (struct credentials_ini){.path = ""};
    if (paths_expand(named ? named : fallback, NULL, &path, &no_home) < 0)
        return 0; /* a service without a home folder */
    rc = open_file(path, &fd, stat, err);
    if (rc > 0)
        rc = parse_file(path, fd, (size_t)stat->st_size, flags, &ret_file->ini, err);
    ret_file->path = path;
    search->files[search->file_count++].path = steal_ptr(&path);
    return fail_access(err, rc);
}

void credentials_ini_done(struct credentials_ini *file)
{
    ini_free(file->ini);
    file->ini = NULL;
}

static bool is_same_host(const char *a, const char *b)
{
    size_t a_size, b_size;

    a = credentials_search_bare_host(a);
    b = credentials_search_bare_host(b);
    a_size = strlen(a);
    b_size = strlen(b);
    if (a_size > 0 && a[a_size - 1] == '/')
        a_size--;
    if (b_size > 0 && b[b_size - 1] == '/')
        b_size--;
    return a_size == b_size && memcmp(a, b, a_size) == 0;
}

const char *credentials_ini_section(const struct credentials_ini *file, const char *host)
{
    const char *similar = NULL;
    const char *section;

    if (!file->ini)
        return NULL;
    for (size_t i = 0; (section = ini_section(file->ini, i)); i++) {
        if (strcmp(section, host) == 0)
            return section;
        if (!similar && is_same_host(section, host))
            similar = section;
    }
    return similar;
}

int credentials_ini_get(const struct credentials_ini *file, const char *section,
                        const char *key, char **ret_value, struct error *err)
{
    int rc = file->ini && section ? ini_get(file->ini, section, key, ret_value, err) : 0;

    return rc < 0 ? fail_access(err, fail_context(err, rc, "'%s'", file->path)) : rc;
}
