/* artifactory_error.c: HTTP statuses and messages of Artifactory as errno and sentence.
 */
#include "backends/artifactory_error.h"

#include <errno.h>
#include <string.h>

static const struct {
    int status;
    int code;
    const char *sentence;
} rows[] = {
    {404, ENOENT,    "does not exist"                                                   },
    {409, EIO,
     "was refused: what arrived is not what was sent, or it may not "
     "be overwritten"                                                                   },
    {412, ESTALE,    "was replaced"                                                     },
    {413, EFBIG,     "is larger than the server takes"                                  },
    {416, EIO,       "ends before the part that was asked for"                          },
    {408, ETIMEDOUT, "could not be had: the server waited too long"                     },
    {429, ETIMEDOUT, "could not be had: the server has too many requests; try later"    },
    {502, ETIMEDOUT, "could not be had: the server behind a gateway does not answer"    },
    {503, ETIMEDOUT, "could not be had: the server is overloaded or starting; try later"},
    {504, ETIMEDOUT, "could not be had: the server behind a gateway does not answer"    },
    {507, ENOSPC,    "does not fit: the server has no room left"                        },
};

bool artifactory_error_is_refusal(int status)
{
    return status == 401 || status == 403;
}

/* Any other 404 may be a gateway's, or of a server where nothing of this lies. The first
 * three are those that audbackend knows, the last is the answer to DELETE. */
static bool means_missing(const char *message)
{
    static const char *const messages[] = {"Unable to find item", "Not Found",
                                           "File not found", "Nothing to delete"};

    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++)
        if (strstr(message, messages[i]))
            return true;
    return false;
}

static int fail_refused(const struct artifactory_error_facts *facts, struct error *err)
{
    const char *colon = facts->message[0] ? ": " : "";

    if (!facts->user)
        return fail(err, EACCES,
                    "'%s' lets nobody in without credentials%s%.200s; set "
                    "ARTIFACTORY_USERNAME and ARTIFACTORY_API_KEY, or add a section [%s] "
                    "to ~/.artifactory_python.cfg",
                    facts->host, colon, facts->message, facts->host);
    if (facts->status == 403)
        return fail(err, EACCES, "%s%s%s may not do that with '%s' in '%s/%s'%s%.200s",
                    facts->user[0] ? "user '" : "the token", facts->user,
                    facts->user[0] ? "'" : "", facts->path, facts->host,
                    facts->repository, colon, facts->message);
    return fail(err, EACCES,
                "'%s' refuses the %s%s%s%s%.200s; check ARTIFACTORY_USERNAME and "
                "ARTIFACTORY_API_KEY, or ~/.artifactory_python.cfg",
                facts->host, facts->user[0] ? "password of user '" : "token", facts->user,
                facts->user[0] ? "'" : "", colon, facts->message);
}

static int fail_moved(const struct artifactory_error_facts *facts, struct error *err)
{
    bool is_refused = artifactory_error_is_refusal(facts->status);

    return fail(
        err, is_refused ? EACCES : EIO,
        "'%s' sends requests on to '%s'%s; if that is the Artifactory, name it in "
        "the 'host' of the repository",
        facts->host, facts->moved_to,
        is_refused ? ", which is told no credentials and refuses them" : "");
}

static int fail_repository(const struct artifactory_error_facts *facts, struct error *err)
{
    return fail(err, EHOSTUNREACH,
                "there is no repository '%s' at '%s'%s%.200s; check its name and that "
                "the host ends as in a browser, usually in /artifactory",
                facts->repository, facts->host, facts->message[0] ? ": " : "",
                facts->message);
}

int artifactory_error_fail(const struct artifactory_error_facts *facts, struct error *err)
{
    const char *colon = facts->message[0] ? ": " : "";

    if (facts->moved_to[0] &&
        (facts->status / 100 == 3 || artifactory_error_is_refusal(facts->status)))
        return fail_moved(facts, err);
    if (artifactory_error_is_refusal(facts->status))
        return fail_refused(facts, err);
    if (facts->status == 404
            ? facts->is_about_repository || !means_missing(facts->message)
            : facts->status == 400 && facts->is_about_repository)
        return fail_repository(facts, err);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].status == facts->status)
            return fail(err, rows[i].code, "'%s' %s%s%.200s", facts->path,
                        rows[i].sentence, facts->status == 404 ? "" : colon,
                        facts->status == 404 ? "" : facts->message);
    return fail(err, EIO, "'%s/%s' answered with status %d about '%s'%s%.200s",
                facts->host, facts->repository, facts->status, facts->path, colon,
                facts->message);
}
