/* sync.h: mutexes and conditions that clang can check, and THE lock order.
 *
 *     struct lock lock;                    guards the fields marked "guarded by lock"
 *     static int reserve_locked(struct cache *cache) REQUIRES(cache->lock);
 *
 * `make lint` proves acquire, release and REQUIRES (clang -Wthread-safety), and that all
 * locks stand in the list below.
 *
 * Lock order, outermost first. Here is every lock there is, by the file of its struct; a
 * thread that holds one may only take locks that stand below it:
 *
 *     fs/parked                     the requests that wait
 *     fs/open_files                 members that are open
 *     fs/directory                  folders that are open
 *     publish/job_board             keeping: which records of publish jobs are written
 *     publish/job_board             publish jobs and who waits for them
 *     fs/staging_handles            staged files that are open
 *     fs/drafts                     metadata that is being written
 *     fs/pending                    changes of aliases that no repository has yet
 *     fs/passthrough                files that the kernel reads and writes by itself
 *     fs/snapshots                  texts of @info as they were opened
 *     cache/internal                the table of open archives
 *     cache/archive_state           one archive: its members, their transfers and waiters
 *     cache/internal                evict_lock: sizes and last uses
 *     cache/documents               headers that were parsed, and whose turn it is
 *     cache/saver                   what is to be written behind the answer
 *     cache/tree                    the header of one tree's record on disk
 *     cache/load                    one `modelfs load`
 *     cache/delay                   what runs later
 *     cache/relay                   what one thread makes and another one uses
 *     publish/claim_way             whether one claim is still held
 *     resolver/catalog_ask          what repositories said
 *     resolver/known                what is to be kept of that on disk
 *     resolver/known_index          where it lies there
 *     resolver/state                listings of all repositories put together
 *     backends/s3                   whether the bucket was seen
 *     backends/s3_conditional       which conditions a store honours
 *     backends/s3_parts             parts on their way
 *     backends/s3_ahead             pages of a listing on their way
 *     backends/s3_client            the region of one bucket
 *     backends/artifactory_client   when the repository was last there
 *     backends/artifactory_object   how a reply without digests is known again
 *     backends/credentials          who we are to one host
 *     backends/http_pool            curl handles, and whose turn it is
 *     backends/http_share           what they share
 *     common/workers                one queue
 *     fs/staging_node               numbers of staged files
 *     fs/slots                      the slot table (shared between processes)
 *     fs/invalidate                 the queue of notifications
 *     fs/failures                   the last ones
 *     fs/grace                      whether the end is there
 *     fs/lead                       which thread reads the device
 *
 * Never held: across backend calls, callbacks, fuse_reply_*, fuse_lowlevel_notify_*.
 * flock(2) of a model: with no mutex held; other threads than those of pools only try. */
#ifndef COMMON_SYNC_H
#define COMMON_SYNC_H

#include <pthread.h>
#include <stdint.h>

#ifdef __clang__
#define THREAD_ANNOTATION(x) __attribute__((x))
#else
#define THREAD_ANNOTATION(x)
#endif
#define REQUIRES(...) THREAD_ANNOTATION(requires_capability(__VA_ARGS__))
#define ACQUIRES(...) THREAD_ANNOTATION(acquire_capability(__VA_ARGS__))
#define RELEASES(...) THREAD_ANNOTATION(release_capability(__VA_ARGS__))

struct THREAD_ANNOTATION(capability("mutex")) lock {
    pthread_mutex_t mutex;
};

/* Waits by the monotonic clock. */
struct condition {
    pthread_cond_t cond;
};

void lock_init(struct lock *lock);
void lock_done(struct lock *lock);
void lock_acquire(struct lock *lock) ACQUIRES(*lock);
void lock_release(struct lock *lock) RELEASES(*lock);

void condition_init(struct condition *condition);
void condition_done(struct condition *condition);
void condition_signal(struct condition *condition);
void condition_broadcast(struct condition *condition);
void condition_wait(struct condition *condition, struct lock *lock) REQUIRES(*lock);

/* Wait until clock_now_ms() reaches deadline_ms. 0 when signalled, -ETIMEDOUT. */
int condition_wait_until(struct condition *condition, struct lock *lock,
                         int64_t deadline_ms) REQUIRES(*lock);

/* Milliseconds of the monotonic clock. */
int64_t clock_now_ms(void);

/* Sleep; a signal may end it early. For looking again at what tells nobody that it
 * changed: locks and files of other processes. */
void clock_sleep_ms(int64_t ms);

/* Start a named thread (at most 15 bytes) with all signals blocked but those of
 * faults. 0 or -errno. */
int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *),
                 void *arg);

#endif
