/* test_serve.c: each request gets one reply: at once, from a pool thread or with bytes.
 */
#include "tests/test.h"

#include "common/workers.h"
#include "fs/parked.h"
#include "fs/serve.h"
#include "tests/fakes/fs_fixture.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

static struct fuse_req *start(struct fs_fixture *fixture, struct call call)
{
    call.req = fuse_fake_request(fixture->fs.channel);
    serve(&fixture->fs, &call);
    return call.req;
}

static struct fuse_req *look_up(struct fs_fixture *fixture, const char *name)
{
    struct call call = {.kind = CALL_LOOKUP, .node_id = 1};

    snprintf(call.name, sizeof call.name, "%s", name);
    return start(fixture, call);
}

static void finish(struct fuse_req *req, enum reply_kind kind, int code)
{
    assert_true(fuse_fake_wait(req));
    assert_int_equal(req->reply.kind, kind);
    if (kind == REPLY_ERR)
        assert_int_equal(req->reply.code, code);
    assert_int_equal(fuse_fake_replies(req), 1);
    fuse_fake_free(req);
}

static void what_is_known_is_answered_at_once(void **state)
{
    struct fs_fixture fixture;
    struct fuse_req *req;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fs_fixture_node(&fixture, "small");
    fault_backend_block(fixture.cache.fault, FAULT_ALL, NULL);
    req = look_up(&fixture, "small");
    assert_int_equal(fuse_fake_replies(req), 1);
    finish(req, REPLY_ENTRY, 0);
    req = start(&fixture, (struct call){.kind = CALL_GETATTR, .node_id = 1});
    assert_int_equal(fuse_fake_replies(req), 1);
    finish(req, REPLY_ATTR, 0);
    finish(start(&fixture, (struct call){.kind = CALL_GETATTR, .node_id = UINT64_MAX}),
           REPLY_ERR, ESTALE);
    fs_fixture_close(&fixture);
}

static void the_rest_waits_for_the_backend(void **state)
{
    struct fs_fixture fixture;
    struct fuse_req *req;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fault_backend_block(fixture.cache.fault, FAULT_ALL, NULL);
    req = look_up(&fixture, "small");
    assert_true(fault_backend_wait_blocked(fixture.cache.fault, 1));
    assert_int_equal(fuse_fake_replies(req), 0);
    assert_int_equal(parked_count(fixture.fs.parked), 1);
    fault_backend_release(fixture.cache.fault);
    finish(req, REPLY_ENTRY, 0);
    fs_fixture_close(&fixture);
}

static void an_interrupt_ends_the_wait(void **state)
{
    struct fs_fixture fixture;
    struct fuse_req *req;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fault_backend_block(fixture.cache.fault, FAULT_ALL, NULL);
    req = look_up(&fixture, "small");
    assert_true(fault_backend_wait_blocked(fixture.cache.fault, 1));
    fuse_fake_interrupt(req);
    assert_true(fuse_fake_wait(req));
    fs_fixture_close(&fixture); /* the late answer comes, and is dropped */
    finish(req, REPLY_ERR, EINTR);
}

/* Leaves what is not zero on the stack of each thread of the pool. */
static void scribble(void *barrier)
{
    volatile unsigned char bytes[4096];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = 0xa5;
    (void)pthread_barrier_wait(barrier);
}

static void look_up_each(struct fs_fixture *fixture,
                         struct fuse_req *reqs[FS_POOL_THREADS], const char *word)
{
    char name[16];

    for (size_t i = 0; i < FS_POOL_THREADS; i++) {
        snprintf(name, sizeof name, "%s-%zu", word, i);
        reqs[i] = look_up(fixture, name);
    }
}

static void an_interrupt_may_come_before_a_thread(void **state)
{
    struct fuse_req *reqs[2 * FS_POOL_THREADS];
    struct fs_fixture fixture;
    struct error err = {0};
    pthread_barrier_t barrier;

    (void)state;
    pthread_barrier_init(&barrier, NULL, FS_POOL_THREADS);
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    fault_backend_block(fixture.cache.fault, FAULT_ALL, NULL);
    look_up_each(&fixture, reqs, "taken");
    assert_true(fault_backend_wait_blocked(fixture.cache.fault, FS_POOL_THREADS));
    for (size_t i = 0; i < FS_POOL_THREADS; i++)
        assert_int_equal(workers_submit(fixture.fs.pool, scribble, &barrier, &err), 0);
    look_up_each(&fixture, reqs + FS_POOL_THREADS, "queued");
    for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
        fuse_fake_interrupt(reqs[i]);
        assert_true(fuse_fake_wait(reqs[i]));
    }
    fs_fixture_close(&fixture);
    pthread_barrier_destroy(&barrier);
    for (size_t i = 0; i < ARRAY_SIZE(reqs); i++)
        finish(reqs[i], REPLY_ERR, EINTR);
}

/* The member is larger than hold, so its open waits for the first byte alone. */
static void reads_wait_for_their_bytes(void **state)
{
    struct call call = {.kind = CALL_OPEN};
    struct fs_fixture fixture;
    struct fuse_req *req;

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){
                                  .kernel = {.flags2 = 1 << 4}}); /* ALLOW_MMAP */
    call.node_id = fs_fixture_node(&fixture, "3e120e8d/1.0.0/big.bin");
    req = start(&fixture, call);
    assert_true(fuse_fake_wait(req));
    assert_int_equal(req->reply.kind, REPLY_OPEN);
    assert_true(req->reply.fi.direct_io);
    call = (struct call){.kind = CALL_READ,
                         .node_id = call.node_id,
                         .fi = req->reply.fi,
                         .size = 4096,
                         .offset = FS_BIG - 4000};
    fuse_fake_free(req);
    req = start(&fixture, call);
    assert_true(fuse_fake_wait(req));
    assert_int_equal(req->reply.kind, REPLY_BYTES);
    assert_int_equal(req->reply.size, 4000); /* the end of the file */
    assert_memory_equal(req->reply.data, fixture.big + FS_BIG - 4000, 4000);
    assert_int_equal(fuse_fake_replies(req), 1);
    fuse_fake_free(req);
    fs_fixture_close(&fixture);
}

static void a_replaced_archive_is_stale(void **state)
{
    struct fs_fixture fixture;
    struct fuse_req *req;
    uint64_t node_id;

    (void)state;
    fuse_fake_forget_notices();
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    node_id = fs_fixture_node(&fixture, "3e120e8d/1.0.0/model.yaml");
    fs_fixture_replace_archive(&fixture);
    req = start(&fixture, (struct call){.kind = CALL_OPEN, .node_id = node_id});
    finish(req, REPLY_ERR, ESTALE);
    assert_true(fuse_fake_wait_notices(1));
    fs_fixture_close(&fixture);
}

static void *interrupt(void *req)
{
    fuse_fake_interrupt(req);
    return NULL;
}

static void interrupts_race_with_answers(void **state)
{
    enum { RACES = 40 };
    struct fs_fixture fixture;
    struct fuse_req *reqs[RACES];
    pthread_t threads[RACES];

    (void)state;
    fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
    for (int i = 0; i < RACES; i++) {
        char name[32];

        snprintf(name, sizeof name, "unknown%d", i);
        reqs[i] = look_up(&fixture, name);
        assert_int_equal(pthread_create(&threads[i], NULL, interrupt, reqs[i]), 0);
    }
    for (int i = 0; i < RACES; i++) {
        pthread_join(threads[i], NULL);
        assert_true(fuse_fake_wait(reqs[i]));
    }
    fs_fixture_close(&fixture);
    for (int i = 0; i < RACES; i++) {
        assert_int_equal(fuse_fake_replies(reqs[i]), 1);
        fuse_fake_free(reqs[i]);
    }
}

/* A flush of a huge file to a slow disk is no server that is silent. */
static void only_backends_have_a_deadline(void **state)
{
    static const struct {
        enum call_kind kind;
        enum node_kind place;
        int64_t patience_ms;
    } cases[] = {
        {CALL_LOOKUP,  NODE_ROOT,      3000             },
        {CALL_READDIR, NODE_ALIAS,     3000             },
        {CALL_SYMLINK, NODE_ALIAS,     30000            },
        {CALL_FSYNC,   NODE_INFO_FILE, 30000            },
        {CALL_FSYNC,   NODE_STAGED,    SERVE_NO_DEADLINE},
        {CALL_FSYNC,   NODE_STAGING,   SERVE_NO_DEADLINE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "call %d of a place of kind %d", cases[i].kind, cases[i].place);
        assert_int_equal(serve_patience_ms(cases[i].kind, cases[i].place),
                         cases[i].patience_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_backends_have_a_deadline),
        cmocka_unit_test(what_is_known_is_answered_at_once),
        cmocka_unit_test(the_rest_waits_for_the_backend),
        cmocka_unit_test(an_interrupt_ends_the_wait),
        cmocka_unit_test(an_interrupt_may_come_before_a_thread),
        cmocka_unit_test(reads_wait_for_their_bytes),
        cmocka_unit_test(a_replaced_archive_is_stale),
        cmocka_unit_test(interrupts_race_with_answers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
