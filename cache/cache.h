/* cache.h: the cache folder, shared with audmodel and with other daemons.
 *
 *     struct cache_options options = {.root = root, .size = 50 * GIB};
 *     rc = cache_open(&options, &cache, &err);
 *     rc = cache_header(cache, resolver, &release, RESOLVE_FETCH, &header, &err);
 *     rc = cache_archive(cache, resolver, &release, &archive, &err);
 *     cache_close(cache);
 *
 * Complete models lie where audmodel has them; what is incomplete lies below
 * <root>/.modelfs/ (layout.h).
 * Thread-safe. Close all archives before cache_close. */
#ifndef CACHE_CACHE_H
#define CACHE_CACHE_H

#include "cache/archive.h"
#include "common/error.h"
#include "resolver/header.h"
#include "resolver/resolver.h"

#include <stdbool.h>
#include <stdint.h>

struct cache;

struct cache_options {
    const char *root;    /* made if missing, with the folders above it */
    uint64_t size;       /* bytes of what modelfs put there; 0: unlimited */
    uint64_t hold;       /* bytes; members up to it are handed out complete; 0: 64 MiB */
    unsigned threads;    /* transfers at once; 0: 8; at most 32 */
    bool prefetch_model; /* after the first open fetch the rest */
    int64_t stall_ms;    /* a wait ends after so long without progress; 0: 30 s */
};

/* Fails with a sentence when root cannot be made or written. */
int cache_open(const struct cache_options *options, struct cache **ret_cache,
               struct error *err);
void cache_close(struct cache *cache); /* accepts NULL; waits for running transfers */

uint64_t cache_hold(const struct cache *cache); /* bytes */

/* The archive of a release if it is open in this process, NULL if not; digest may be NULL
 * (the newest), else that of its table. Never blocks. archive_unref the result. */
struct archive *cache_find(struct cache *cache, const struct release *release,
                           const char *digest);

/* Open the archive of a release: header, then the table of contents, saved or in at most
 * two requests. Blocks. Offline a model that is complete in the cache is served as it is
 * found. -EAGAIN: there is a header but no archive (yet). -EBADMSG: hostile or damaged,
 * with the reason. archive_unref the result. */
int cache_archive(struct cache *cache, struct resolver *resolver,
                  const struct release *release, struct archive **ret_archive,
                  struct error *err);

/* Take a model that was just published from the folder that it was made of, instead of
 * fetching it: on return it lies at its final path, complete and verified as any other.
 * What differs from the archive (somebody changed it) is fetched. Blocks. The folder
 * stays as it is, but for owner and mode of files that are shared. */
enum cache_adopt {
    CACHE_ADOPT_SHARE, /* nobody writes to the files: those with one name are linked */
    CACHE_ADOPT_COPY,  /* somebody may */
};
int cache_adopt(struct cache *cache, struct resolver *resolver,
                const struct release *release, int folder_fd, enum cache_adopt how,
                struct error *err);

/* The header of a release, from the cache folder or the backend (then saved). how as for
 * the resolver: RESOLVE_KNOWN answers from memory or with -EINPROGRESS.
 * header_unref the result. What makes no sense is not looked at again for some seconds.
 */
int cache_header(struct cache *cache, struct resolver *resolver,
                 const struct release *release, enum resolve_how how,
                 struct header **ret_header, struct error *err);

/* Its date_s alone, which is kept where a large header is not. */
int cache_date(struct cache *cache, struct resolver *resolver,
               const struct release *release, enum resolve_how how, int64_t *ret_date_s,
               struct error *err);

/* The metadata as YAML text, compared with the backend's checksum as audmodel does, from
 * the cache folder where that cannot be reached. Blocks. Appended to to. */
int cache_meta(struct cache *cache, struct resolver *resolver,
               const struct release *release, struct bytes *to, struct error *err);

/* One row per model in the cache folder; lent for the call. */
struct cache_row {
    const char *id;
    const char *version;
    uint64_t cached_bytes;
    uint64_t total_bytes; /* 0: not known */
    const char *state;    /* "complete", "partial", "by audmodel" */
    int64_t used_s;       /* last use, Unix time; 0: not known */
};
typedef int cache_each(void *arg, const struct cache_row *row, struct error *err);
int cache_list(struct cache *cache, cache_each *each, void *arg, struct error *err);

/* The open archives and the transfers of now, as lines of YAML below a mapping, indented
 * by two blanks: for @status. */
int cache_print_status(struct cache *cache, struct bytes *to, struct error *err);

struct cache_counters {
    uint64_t transfers_running, transfers_done, transfers_failed;
    uint64_t bytes_fetched; /* from backends */
    uint64_t members_done;
    uint64_t archives_open;
};
void cache_count(struct cache *cache, struct cache_counters *ret_counters);

#endif
