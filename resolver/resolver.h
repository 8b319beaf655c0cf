/* resolver.h: names to models, over all repositories in their order.
 *
 *     rc = resolver_open(&options, &resolver, &err);
 *     rc = resolver_resolve(resolver, "emotion-small", RESOLVE_FETCH, &release, &err);
 *     resolver_close(resolver);
 *
 * Where documents lie: repo_path.h; order of versions: version.h. What backends said
 * is kept in memory with its age (catalog.h). Each question says how it may be answered:
 * a FUSE thread asks RESOLVE_KNOWN and goes to a pool thread on -EINPROGRESS.
 *
 * A lookup asks the repositories in their order, and the first that has the name answers.
 * One that cannot be asked is passed over: a repository that is missing must not cost the
 * models of the others. Its failure is the answer when no other has the name. Listings
 * leave it out and say so (is_partial). A failure is remembered for the negative
 * TTL; until then RESOLVE_KNOWN gives the last known state, or that failure. While a
 * repository is down (health.h) the last known state is given at once, at any age. It
 * outlives the process: known.h.
 *
 * Thread-safe. Two that fetch the same document share one request. */
#ifndef RESOLVER_RESOLVER_H
#define RESOLVER_RESOLVER_H

#include "backends/backend.h"
#include "common/bytes.h"
#include "common/error.h"
#include "resolver/header.h"
#include "resolver/release.h"
#include "resolver/uid.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum resolve_how {
    RESOLVE_KNOWN, /* from memory, fresh by its TTL; else -EINPROGRESS. Never blocks */
    RESOLVE_FETCH, /* from memory if fresh, else ask; last known state if that fails.
                      Blocks */
    RESOLVE_STALE, /* from memory at any age; else -EINPROGRESS. Never blocks */
    RESOLVE_SAVED, /* the same, also from what is kept on disk. Blocks for that only */
};

struct resolver_repository {
    const char *name;        /* as configured; copied */
    struct backend *backend; /* stays the caller's; closed after the resolver */
};

struct resolver_options {
    const struct resolver_repository *repositories;
    size_t repository_count; /* at least 1 */
    const char *cache_root; /* where a legacy ID's version is looked for first; or NULL */
    const char *known_folder; /* below cache_root: where what repositories say is kept for
                                 when they cannot be asked; NULL: in memory only */
    int64_t ttl_alias_ms, ttl_listing_ms, ttl_negative_ms;
    int64_t silence_ms; /* a repository without a sign of life for so long is down; 0: 2.5
                           s, as look-ups of a kernel need */
};

struct resolver;

int resolver_open(const struct resolver_options *options, struct resolver **ret_resolver,
                  struct error *err);
void resolver_close(struct resolver *resolver); /* accepts NULL */

size_t resolver_repository_count(const struct resolver *resolver);
const char *resolver_repository_name(const struct resolver *resolver,
                                     unsigned repository);
struct backend *resolver_backend(const struct resolver *resolver, unsigned repository);

/* An answer's freshness: ms that the kernel or a caller may still keep it; 0 when stale.
 */
struct freshness {
    int64_t left_ms;
};

/* What an alias names. The text of its document is understood as AUDMODEL 9.5 means it.
 * target->version is "" when the alias names a short ID only. -ENOENT: no such alias
 * (also for names that cannot be one), which is remembered for ttl_negative_ms. -EBADMSG:
 * the document makes no sense, with the reason. */
struct alias_target {
    char id[MODEL_ID_SIZE];
    char version[VERSION_SIZE];
    struct freshness fresh;
};
int resolver_alias(struct resolver *resolver, const char *alias, enum resolve_how how,
                   struct alias_target *ret_target, struct error *err);

/* The versions of a model in audmodel's order: the sorted lists of all repositories one
 * after the other. Constant, shared; version_list_unref it. An unknown model is -ENOENT.
 * A repository that cannot be asked and was never known is left out (an error when no
 * other has the model): then is_partial is true and latest is the newest that is known;
 * resolver_resolve refuses to take that for the latest. */
struct version_list {
    const struct version_entry *entries;
    size_t count;  /* at least 1 */
    size_t latest; /* of entries: the last that audmodel accepts, or the last of all */
    bool is_partial;
    struct freshness fresh;
};
struct version_entry {
    const char *version;
    unsigned repository;
    bool is_accepted; /* audmodel finds it by full ID */
    bool is_shadowed; /* an earlier repository has the same version */
};
int resolver_versions(struct resolver *resolver, const char *id, enum resolve_how how,
                      struct version_list **ret_list, struct error *err);
void version_list_unref(struct version_list *list); /* accepts NULL */

/* The release of an ID and a version: the first repository that has its header. -ENOENT.
 */
int resolver_release(struct resolver *resolver, const char *id, const char *version,
                     enum resolve_how how, struct release *ret_release,
                     struct freshness *ret_fresh, struct error *err);

/* Is there such a model, such an alias? As resolver_versions and resolver_alias tell, but
 * nobody is asked where a fresh listing has the name: listing a folder of 100,000 models
 * with their attributes costs what listing it does. Where a server has a model, its
 * listing may be of any age, and one is asked for where the models are few: most look-ups
 * of a model never seen ask nobody. A listed model may turn out to have no version (yet).
 * -ENOENT. */
int resolver_has_model(struct resolver *resolver, const char *id, enum resolve_how how,
                       struct freshness *ret_fresh, struct error *err);
int resolver_has_alias(struct resolver *resolver, const char *alias, enum resolve_how how,
                       struct freshness *ret_fresh, struct error *err);

/* Have each repository asked behind the caller: a server what resolver_has_model asks it
 * at first, a folder whether it is there. Never waits. */
void resolver_prefetch(struct resolver *resolver);

/* Wait until each repository was asked something and nothing is left open about it: it
 * has answered, failed, or is not asked any more. False: not until deadline_ms, a time of
 * clock_now_ms. */
bool resolver_await_answers(struct resolver *resolver, int64_t deadline_ms);

/* 0 when the repository answered what it was asked last; -EAGAIN: it has not answered
 * yet; else -EIO with the sentence of what it failed with. Never blocks. */
int resolver_check(const struct resolver *resolver, unsigned repository,
                   struct error *err);

/* Any text that audmodel takes as a uid: short, full or legacy ID, alias. -ENOENT as
 * uid_fail_unknown says it. */
int resolver_resolve(struct resolver *resolver, const char *uid, enum resolve_how how,
                     struct release *ret_release, struct error *err);

/* All IDs, or all aliases, of all repositories, sorted by bytes, each once. Constant,
 * shared; names_unref it. A repository that cannot be listed: its last known state, or an
 * error if it was never known and RESOLVE_FETCH; the others are still listed when at
 * least one could be: then *ret_names is set and is_partial is true. */
struct names {
    const char *const *names;
    size_t count;
    bool is_partial;
    struct freshness fresh;
};
enum names_of {
    NAMES_OF_MODELS,
    NAMES_OF_ALIASES,
};
int resolver_names(struct resolver *resolver, enum names_of of, enum resolve_how how,
                   struct names **ret_names, struct error *err);
void names_unref(struct names *names); /* accepts NULL */

/* The names directly below a folder of @tree: the subgroup and name folders of all
 * repositories, "" for the top; IDs at the leaves. Names as above. -ENOENT. */
int resolver_tree(struct resolver *resolver, const char *folder, enum resolve_how how,
                  struct names **ret_names, struct error *err);

/* The aliases of a release as its list has them (each version has a list of its own),
 * sorted. As for audmodel a list may be stale (AUDMODEL 9.3): what an alias names, only
 * resolver_alias tells. Blocks. names_unref it. */
int resolver_aliases_of(struct resolver *resolver, const struct release *release,
                        struct names **ret_names, struct error *err);

/* We changed something in a repository: what is in memory about a version of a model, or
 * about an alias and the lists of aliases, is asked anew when next needed. */
void resolver_forget_model(struct resolver *resolver, const char *id,
                           const char *version);
void resolver_forget_alias(struct resolver *resolver, const char *alias);

/* Documents of a release from its backend, appended to to. Blocks. A header that came
 * when its release was looked for is not asked for again. */
int resolver_get_header(struct resolver *resolver, const struct release *release,
                        struct bytes *to, struct error *err);
int resolver_get_meta(struct resolver *resolver, const struct release *release,
                      struct bytes *to, struct error *err);
int resolver_meta_checksum(struct resolver *resolver, const struct release *release,
                           char ret_md5[BACKEND_CHECKSUM_MAX], struct error *err);

/* An object of a repository, as backend_object_open, or with tail as
 * backend_object_open_tail. While the repository is down it fails at once. */
int resolver_open_object(struct resolver *resolver, unsigned repository, const char *path,
                         size_t tail_size, struct bytes *tail, struct object **ret_object,
                         struct error *err);

/* Append where the archive of a release lies: the repository's location and the path in
 * it. */
int resolver_url(const struct resolver *resolver, const struct release *release,
                 const struct header *header, struct bytes *to, struct error *err);

/* Does it not answer (health.h)? Then whoever has something to go on with need not ask.
 */
bool resolver_is_down(const struct resolver *resolver, unsigned repository);

/* Each repository's state as lines of YAML list items indented by two blanks: for
 * @status. */
int resolver_print_status(struct resolver *resolver, struct bytes *to, struct error *err);

#endif
