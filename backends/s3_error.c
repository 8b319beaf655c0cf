/* s3_error.c: what the failures of S3 stores mean. */
#include "backends/s3_error.h"

#include "backends/s3_place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SKEW_MAX_S = 15 * 60 }; /* what stores bear */

/* What a failure is about; each has its sentence. */
enum about {
    ABOUT_OTHER,
    ABOUT_KEY,
    ABOUT_BUCKET,
    ABOUT_LOGIN,
    ABOUT_SIGNATURE,
    ABOUT_ACCESS,
    ABOUT_CLOCK,
    ABOUT_REGION,
    ABOUT_HOST,
    ABOUT_CONDITION,
    ABOUT_BUSY,
};

/* By code first, then by status. */
static const struct {
    const char *code; /* NULL: any */
    int status;       /* 0: any */
    int rc;
    enum about about;
} rows[] = {
    {"NoSuchKey",                          0,   ENOENT,       ABOUT_KEY      },
    {"NoSuchVersion",                      0,   ENOENT,       ABOUT_KEY      },
    {"NoSuchUpload",                       0,   ESTALE,       ABOUT_OTHER    },
    {"NoSuchBucket",                       0,   EHOSTUNREACH, ABOUT_BUCKET   },
    {"AccessDenied",                       0,   EACCES,       ABOUT_ACCESS   },
    {"AllAccessDisabled",                  0,   EACCES,       ABOUT_ACCESS   },
    {"AccountProblem",                     0,   EACCES,       ABOUT_ACCESS   },
    {"UserSuspended",                      0,   EACCES,       ABOUT_ACCESS   },
    {"InvalidAccessKeyId",                 0,   EACCES,       ABOUT_LOGIN    },
    {"InvalidToken",                       0,   EACCES,       ABOUT_LOGIN    },
    {"ExpiredToken",                       0,   EACCES,       ABOUT_LOGIN    },
    {"TokenRefreshRequired",               0,   EACCES,       ABOUT_LOGIN    },
    {"InvalidSecurity",                    0,   EACCES,       ABOUT_LOGIN    },
    {"SignatureDoesNotMatch",              0,   EACCES,       ABOUT_SIGNATURE},
    {"RequestTimeTooSkewed",               0,   EACCES,       ABOUT_CLOCK    },
    {"RequestExpired",                     0,   EACCES,       ABOUT_CLOCK    },
    {"AuthorizationHeaderMalformed",       0,   EACCES,       ABOUT_REGION   },
    {"PermanentRedirect",                  0,   EIO,          ABOUT_REGION   },
    {"TemporaryRedirect",                  0,   EIO,          ABOUT_REGION   },
    {"IllegalLocationConstraintException", 0,   EIO,          ABOUT_REGION   },
    {"PreconditionFailed",                 0,   ESTALE,       ABOUT_CONDITION},
    {"ConditionalRequestConflict",         0,   ESTALE,       ABOUT_CONDITION},
    {"NotImplemented",                     0,   ENOTSUP,      ABOUT_OTHER    },
    {"EntityTooLarge",                     0,   EFBIG,        ABOUT_OTHER    },
    {"QuotaExceeded",                      0,   ENOSPC,       ABOUT_OTHER    },
    {"XMinioStorageFull",                  0,   ENOSPC,       ABOUT_OTHER    },
    {"SlowDown",                           0,   ETIMEDOUT,    ABOUT_BUSY     },
    {"ServiceUnavailable",                 0,   ETIMEDOUT,    ABOUT_BUSY     },
    {"RequestTimeout",                     0,   ETIMEDOUT,    ABOUT_BUSY     },
    {NULL,                                 301, EIO,          ABOUT_REGION   },
    {NULL,                                 307, EIO,          ABOUT_REGION   },
    {NULL,                                 401, EACCES,       ABOUT_ACCESS   },
    {NULL,                                 403, EACCES,       ABOUT_ACCESS   },
    {NULL,                                 404, ENOENT,       ABOUT_KEY      },
    {NULL,                                 412, ESTALE,       ABOUT_CONDITION},
    {NULL,                                 429, ETIMEDOUT,    ABOUT_BUSY     },
    {NULL,                                 501, ENOTSUP,      ABOUT_OTHER    },
    {NULL,                                 503, ETIMEDOUT,    ABOUT_BUSY     },
    {NULL,                                 507, ENOSPC,       ABOUT_OTHER    },
    {NULL,                                 0,   EIO,          ABOUT_OTHER    },
};

static bool is_skewed(const struct s3_error_facts *facts)
{
    return facts->its_time_s &&
           llabs((long long)(facts->our_time_s - facts->its_time_s)) > SKEW_MAX_S;
}

static size_t find_row(const struct s3_error_facts *facts)
{
    const char *code = facts->document->code;
    size_t i = 0;

    while (rows[i].code ? strcmp(rows[i].code, code) != 0
                        : rows[i].status && rows[i].status != facts->status)
        i++;
    return i;
}

/* A HEAD says no more than 403, whatever the reason; the clocks tell one of them. */
static enum about about(const struct s3_error_facts *facts)
{
    enum about found = rows[find_row(facts)].about;

    if (facts->status == 403 && !facts->document->code[0] && is_skewed(facts))
        return ABOUT_CLOCK;
    if (facts->status / 100 == 3 && *facts->moved_to)
        return ABOUT_HOST;
    return found == ABOUT_KEY && !*facts->key ? ABOUT_BUCKET : found;
}

static void print_time(int64_t time_s, char *text, size_t size)
{
    time_t time = time_s;
    struct tm utc;

    gmtime_r(&time, &utc);
    strftime(text, size, "%Y-%m-%d %H:%M:%S", &utc);
}

static int fail_clock(const struct s3_error_facts *facts, struct error *err)
{
    char ours[32], theirs[32];

    print_time(facts->our_time_s, ours, sizeof ours);
    print_time(facts->its_time_s, theirs, sizeof theirs);
    return fail(err, EACCES,
                "'%s' refuses requests because the clocks differ: it is %s UTC here and "
                "%s UTC there; set this machine's clock",
                facts->host, ours,
                facts->its_time_s                 ? theirs
                : facts->document->server_time[0] ? facts->document->server_time
                                                  : "another time");
}

static int fail_access(const struct s3_error_facts *facts, struct error *err)
{
    const char *slash = *facts->key ? "/" : "";

    if (!*facts->user)
        return fail(err, EACCES,
                    "'%s' lets nobody without a key do this to '%s%s%s'; set "
                    "MINIO_ACCESS_KEY and MINIO_SECRET_KEY, or write them into the "
                    "credentials file",
                    facts->host, facts->bucket, slash, facts->key);
    return fail(err, EACCES,
                "'%s' does not let access key '%.40s' do this to '%s%s%s'; ask who runs "
                "it for the right to",
                facts->host, facts->user, facts->bucket, slash, facts->key);
}

static int fail_login(const struct s3_error_facts *facts, bool is_secret_wrong,
                      struct error *err)
{
    if (is_secret_wrong)
        return fail(err, EACCES, "'%s' says the secret of access key '%.40s' is wrong",
                    facts->host, facts->user);
    return fail(err, EACCES, "'%s' does not know access key '%.40s' (%s)", facts->host,
                facts->user, facts->document->code);
}

static int fail_region(const struct s3_error_facts *facts, int rc, struct error *err)
{
    return fail(err, rc,
                "bucket '%s' at '%s' is not in region '%s'%s%s; set AWS_REGION to the "
                "right one",
                facts->bucket, facts->host, facts->region,
                facts->document->region[0] ? " but in " : "", facts->document->region);
}

/* Signatures hold for one host. */
static int fail_host(const struct s3_error_facts *facts, int rc, struct error *err)
{
    return fail(err, rc,
                "'%s' sends requests for '%s' on to '%s'; if that is the store, name it "
                "as 'host' of the repository",
                facts->host, facts->bucket, facts->moved_to);
}

static int fail_other(const struct s3_error_facts *facts, int rc, struct error *err)
{
    const struct s3_xml_reply *document = facts->document;

    return fail(err, rc, "'%s' answers %d%s%s%s%s for '%s%s%s'", facts->host,
                facts->status, document->code[0] ? " " : "", document->code,
                document->message[0] ? ": " : "", document->message, facts->bucket,
                *facts->key ? "/" : "", facts->key);
}

int s3_error_fail(const struct s3_error_facts *facts, struct error *err)
{
    int rc = rows[find_row(facts)].rc;

    switch (about(facts)) {
    case ABOUT_KEY:
        return fail(err, rc, "'%s' does not exist in '%s' at '%s'", facts->key,
                    facts->bucket, facts->host);
    case ABOUT_BUCKET:
        return fail(err, EHOSTUNREACH,
                    "there is no bucket '%s' at '%s'; check 'name' and 'host' of the "
                    "repository",
                    facts->bucket, facts->host);
    case ABOUT_LOGIN:
        return fail_login(facts, false, err);
    case ABOUT_SIGNATURE:
        return fail_login(facts, true, err);
    case ABOUT_ACCESS:
        return fail_access(facts, err);
    case ABOUT_CLOCK:
        return fail_clock(facts, err);
    case ABOUT_REGION:
        return fail_region(facts, rc, err);
    case ABOUT_HOST:
        return fail_host(facts, rc, err);
    case ABOUT_CONDITION:
        return fail(err, rc, "'%s' in '%s' is another version by now", facts->key,
                    facts->bucket);
    case ABOUT_BUSY:
        return fail(err, rc, "'%s' is too busy to answer (%d %s)", facts->host,
                    facts->status, facts->document->code);
    case ABOUT_OTHER:
        break;
    }
    return fail_other(facts, rc, err);
}

bool s3_error_is_refusal(const struct s3_error_facts *facts)
{
    enum about found = about(facts);

    return found == ABOUT_LOGIN || found == ABOUT_SIGNATURE || found == ABOUT_ACCESS;
}

static bool is_status_of_region(int status)
{
    return status == 301 || status == 307 || status == 400;
}

/* Where there is no document, as with a HEAD, the status alone tells. */
bool s3_error_may_be_elsewhere(const struct s3_error_facts *facts)
{
    return is_status_of_region(facts->status) &&
           (!facts->document->code[0] || rows[find_row(facts)].about == ABOUT_REGION);
}

const char *s3_error_region(const struct s3_error_facts *facts, const char *named)
{
    const char *region = *named ? named : facts->document->region;

    if (!is_status_of_region(facts->status) || !s3_place_is_region(region))
        return NULL;
    return strcmp(region, facts->region) != 0 ? region : NULL;
}
