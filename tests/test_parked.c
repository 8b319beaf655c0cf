/* test_parked.c: requests that wait get exactly one reply, whoever comes first. */
#include "tests/test.h"

#include "fs/parked.h"
#include "tests/fakes/fuse_fake.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>

enum { RACES = 300, CODE_BYTES = 1000, CODE_EXPIRED };

static void expired(struct parked *parked)
{
    fuse_reply_err(parked->call.req, CODE_EXPIRED);
}

static struct parked_list *open_list(void)
{
    struct parked_list *list = NULL;
    struct error err = {0};

    assert_int_equal(parked_open(expired, &list, &err), 0);
    return list;
}

static struct parked *park(struct parked_list *list, struct fuse_req *req,
                           int64_t deadline_ms)
{
    struct call call = {.kind = CALL_READ, .req = req};

    return parked_add(list, NULL, &call, deadline_ms);
}

/* What the owner does when the bytes are there. */
static bool bring_bytes(struct parked *parked)
{
    bool is_ours = parked_take(parked);

    if (is_ours) {
        fuse_reply_err(parked->call.req, CODE_BYTES);
        parked_replied(parked);
    }
    parked_drop(parked);
    return is_ours;
}

enum event { BYTES, INTERRUPT, DEADLINE, CLOSE };

static void the_first_event_answers(void **state)
{
    static const struct {
        enum event first, second;
        int code;
    } cases[] = {
        {BYTES,     BYTES, CODE_BYTES  },
        {BYTES,     CLOSE, CODE_BYTES  },
        {INTERRUPT, BYTES, EINTR       },
        {DEADLINE,  BYTES, CODE_EXPIRED},
        {CLOSE,     BYTES, ENODEV      },
        {INTERRUPT, CLOSE, EINTR       },
        {DEADLINE,  CLOSE, CODE_EXPIRED},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct parked_list *list = open_list();
        struct fuse_req *req = fuse_fake_request(NULL);
        bool is_expired = cases[i].first == DEADLINE;
        struct parked *parked = park(list, req, is_expired ? 0 : INT64_MAX);

        test_row(i, "%d, then %d", cases[i].first, cases[i].second);
        if (!is_expired)
            assert_int_equal(parked_count(list), 1);
        if (cases[i].first == INTERRUPT)
            fuse_fake_interrupt(req);
        else if (cases[i].first == CLOSE)
            parked_close(list);
        else if (cases[i].first == BYTES)
            assert_true(bring_bytes(parked));
        assert_true(fuse_fake_wait(req));
        assert_int_equal(req->reply.code, cases[i].code);
        assert_int_equal(parked_count(list), 0);
        if (cases[i].first != BYTES) {
            assert_true(parked_is_taken(parked));
            assert_false(bring_bytes(parked));
        }
        if (cases[i].first != CLOSE)
            parked_close(list);
        parked_free(list);
        assert_int_equal(fuse_fake_replies(req), 1);
        fuse_fake_free(req);
    }
}

static void an_interrupt_may_come_before_parking(void **state)
{
    struct parked_list *list = open_list();
    struct fuse_req *req = fuse_fake_request(NULL);

    (void)state;
    fuse_fake_interrupt(req);
    assert_false(bring_bytes(park(list, req, INT64_MAX)));
    assert_int_equal(req->reply.code, EINTR);
    parked_close(list);
    parked_free(list);
    assert_int_equal(fuse_fake_replies(req), 1);
    fuse_fake_free(req);
}

/* While the thread that watches deadlines has another one to deal with. */
static sem_t is_expiring, may_expire;

static void expire_in_turn(struct parked *parked)
{
    sem_post(&is_expiring);
    sem_wait(&may_expire);
    expired(parked);
}

static void who_waits_for_bytes_has_no_deadline(void **state)
{
    struct parked_list *list = NULL;
    struct fuse_req *reqs[3];
    struct parked *parked[ARRAY_SIZE(reqs)];
    struct error err = {0};

    (void)state;
    sem_init(&is_expiring, 0, 0);
    sem_init(&may_expire, 0, 0);
    assert_int_equal(parked_open(expire_in_turn, &list, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(reqs); i++) {
        reqs[i] = fuse_fake_request(NULL);
        parked[i] = park(list, reqs[i], 0);
        if (i == 0)
            sem_wait(&is_expiring);
        else if (i == 1)
            parked_lift_deadline(parked[i]);
    }
    sem_post(&may_expire);
    sem_post(&may_expire);
    assert_true(fuse_fake_wait(reqs[2])); /* in their order, so the second was passed */
    assert_int_equal(fuse_fake_replies(reqs[1]), 0);
    assert_false(bring_bytes(parked[0]));
    assert_true(bring_bytes(parked[1]));
    assert_false(bring_bytes(parked[2]));
    parked_close(list);
    parked_free(list);
    for (size_t i = 0; i < ARRAY_SIZE(reqs); i++)
        fuse_fake_free(reqs[i]);
    sem_destroy(&is_expiring);
    sem_destroy(&may_expire);
}

static void an_earlier_deadline_is_noticed(void **state)
{
    struct parked_list *list = open_list();
    struct fuse_req *late = fuse_fake_request(NULL), *early = fuse_fake_request(NULL);
    struct parked *waiting = park(list, late, clock_now_ms() + 3600000), *expiring;

    (void)state;
    expiring = park(list, early, clock_now_ms() + 50);
    assert_true(fuse_fake_wait(early));
    assert_int_equal(early->reply.code, CODE_EXPIRED);
    assert_false(bring_bytes(expiring));
    assert_int_equal(fuse_fake_replies(late), 0);
    assert_true(bring_bytes(waiting));
    parked_close(list);
    parked_free(list);
    fuse_fake_free(late);
    fuse_fake_free(early);
}

static void *interrupt(void *req)
{
    fuse_fake_interrupt(req);
    return NULL;
}

static void *bring(void *parked)
{
    bring_bytes(parked);
    return NULL;
}

static void *close_list(void *list)
{
    parked_close(list);
    return NULL;
}

/* Bytes, interrupt, deadline and the end of the mount at once. */
static void races_end_in_one_reply(void **state)
{
    (void)state;
    for (int i = 0; i < RACES; i++) {
        struct parked_list *list = open_list();
        struct fuse_req *req = fuse_fake_request(NULL);
        struct parked *parked = park(list, req, i % 2 ? INT64_MAX : clock_now_ms());
        pthread_t threads[3];

        assert_int_equal(pthread_create(&threads[i % 3], NULL, bring, parked), 0);
        assert_int_equal(pthread_create(&threads[(i + 1) % 3], NULL, interrupt, req), 0);
        assert_int_equal(pthread_create(&threads[(i + 2) % 3], NULL, close_list, list),
                         0);
        for (size_t thread = 0; thread < ARRAY_SIZE(threads); thread++)
            pthread_join(threads[thread], NULL);
        assert_int_equal(fuse_fake_replies(req), 1);
        parked_free(list);
        fuse_fake_free(req);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_event_answers),
        cmocka_unit_test(an_interrupt_may_come_before_parking),
        cmocka_unit_test(who_waits_for_bytes_has_no_deadline),
        cmocka_unit_test(an_earlier_deadline_is_noticed),
        cmocka_unit_test(races_end_in_one_reply),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
