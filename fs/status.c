/* status.c: the texts of @status and @metrics. */
#include "fs/status.h"

#include "fs/failures.h"
#include "fs/open_files.h"
#include "fs/parked.h"

#include <inttypes.h>
#include <time.h>

static int print_counters(struct fs *fs, struct bytes *to, struct error *err)
{
    return bytes_printf(to, err,
                        "requests:\n"
                        "  waiting: %zu\n"
                        "  failed: %" PRIu64 "\n"
                        "  open_files: %zu\n"
                        "  slots: %zu\n",
                        parked_count(fs->parked), failures_count(fs->failures),
                        open_files_count(fs->open_files), slots_count(fs->slots));
}

/* Which way reads take, and why not the better one. */
static int print_reads(struct fs *fs, struct bytes *to, struct error *err)
{
    const char *why = channel_no_passthrough(fs->channel);
    bool maps = channel_maps_direct_io(fs->channel);
    int rc = bytes_printf(to, err, "reads:\n  complete: %s%s%s\n",
                          why ? "page cache" : "passthrough", why ? " # " : "",
                          why ? why : "");

    return rc < 0 ? rc
                  : bytes_printf(to, err, "  arriving: %s\n",
                                 maps ? "direct" : "page cache # kernel before 6.6");
}

/* Why the last attempt to put another program in place came to nothing. */
static int print_refusal(const struct handover_block *block, struct bytes *to,
                         struct error *err)
{
    char why[ERROR_MESSAGE_MAX + 16];
    int rc;

    if (!__atomic_load_n(&block->is_refused, __ATOMIC_ACQUIRE))
        return 0;
    snprintf(why, sizeof why, "refused: %.*s", ERROR_MESSAGE_MAX, block->refused);
    rc = bytes_printf(to, err, "  upgrade: ");
    if (rc == 0)
        rc = bytes_append_quoted(to, why, err);
    return rc < 0 ? rc : bytes_append(to, "\n", 1, err);
}

/* Those before this one, and what becomes of requests when it dies. */
static int print_workers(struct fs *fs, struct bytes *to, struct error *err)
{
    const struct handover_block *block = fs->options.handover->block;
    int rc = bytes_printf(
        to, err,
        "processes:\n"
        "  supervisor: %" PRId32 "\n"
        "  worker: %" PRId32 "\n"
        "  restarts: %" PRIu32 "\n"
        "  upgrades: %" PRIu32 "\n"
        "  in_flight: %s\n",
        block->supervisor, block->worker, block->restarts, block->upgrades,
        channel_can_resend(fs->channel) ? "resent"
                                        : "fail # kernel before 6.9, or switched off");

    return rc < 0 ? rc : print_refusal(block, to, err);
}

int status_print(struct fs *fs, struct bytes *to, struct error *err)
{
    time_t start = fs->start_s;
    char stamp[32];
    struct tm utc;
    int rc;

    gmtime_r(&start, &utc);
    strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    rc = bytes_printf(to, err, "mounted: %s\n", stamp);
    if (rc == 0)
        rc = print_workers(fs, to, err);
    if (rc == 0)
        rc = print_reads(fs, to, err);
    if (rc == 0)
        rc = bytes_printf(to, err, "repositories:\n");
    if (rc == 0)
        rc = resolver_print_status(fs->resolver, to, err);
    if (rc == 0)
        rc = bytes_printf(to, err, "cache:\n");
    if (rc == 0)
        rc = cache_print_status(fs->cache, to, err);
    if (rc == 0)
        rc = print_counters(fs, to, err);
    if (rc == 0)
        rc = bytes_printf(to, err, "errors:%s\n",
                          failures_count(fs->failures) ? "" : " []");
    return rc < 0 ? rc : failures_print(fs->failures, to, err);
}

int status_print_metrics(struct fs *fs, struct bytes *to, struct error *err)
{
    struct cache_counters counters;
    int rc = 0;

    cache_count(fs->cache, &counters);
    const struct {
        const char *name, *type, *help;
        uint64_t value;
    } metrics[] = {
        {"modelfs_transfers_running",      "gauge",   "Members being fetched.",
         counters.transfers_running                                                                                       },
        {"modelfs_transfers_total",        "counter", "Members fetched or given up.",
         counters.transfers_done + counters.transfers_failed                                                              },
        {"modelfs_transfers_failed_total", "counter", "Transfers that failed.",
         counters.transfers_failed                                                                                        },
        {"modelfs_fetched_bytes_total",    "counter", "Bytes read from backends.",
         counters.bytes_fetched                                                                                           },
        {"modelfs_members_complete_total", "counter", "Members completed and verified.",
         counters.members_done                                                                                            },
        {"modelfs_archives_open",          "gauge",   "Archives with their table in memory.",
         counters.archives_open                                                                                           },
        {"modelfs_requests_waiting",       "gauge",
         "Requests that wait for bytes or documents.",                                        parked_count(fs->parked)    },
        {"modelfs_requests_failed_total",  "counter",
         "Requests that failed and were logged.",                                             failures_count(fs->failures)},
        {"modelfs_open_files",             "gauge",   "Members that readers hold open.",
         open_files_count(fs->open_files)                                                                                 },
    };

    for (size_t i = 0; rc == 0 && i < sizeof metrics / sizeof *metrics; i++)
        rc = bytes_printf(to, err, "# HELP %s %s\n# TYPE %s %s\n%s %" PRIu64 "\n",
                          metrics[i].name, metrics[i].help, metrics[i].name,
                          metrics[i].type, metrics[i].name, metrics[i].value);
    return rc < 0 ? rc : tally_print(&fs->tally, to, err);
}
