/* test_ledger.c: which requests a dead worker is said to have died of, and what becomes
 * of those that it left. */
#include "tests/test.h"

#include "common/memory.h"
#include "fs/ledger.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RESENT_MAX = 64 };

static struct handover_block *new_block(bool can_resend)
{
    struct handover_block *block = XNEW(struct handover_block);

    block->can_resend = can_resend;
    return block;
}

/* The next worker begins; what it writes to the kernel goes to answers. */
static size_t begin_next(struct handover_block *block, int signal,
                         struct kernel_out_header *answers)
{
    struct error err = {0};
    size_t count = 0;
    int fds[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    block->death_signal = signal;
    assert_int_equal(ledger_inherit(block, fds[0], &err), 0);
    while (recv(fds[1], &answers[count], sizeof *answers, MSG_DONTWAIT) ==
           sizeof *answers)
        count++;
    close(fds[0]);
    close(fds[1]);
    return count;
}

static const struct {
    int signals[3]; /* that ended the workers */
    bool is_deadly; /* after them */
} deaths[] = {
    {{SIGSEGV, 0, 0},             false},
    {{SIGSEGV, SIGABRT, 0},       true },
    {{SIGBUS, SIGILL, 0},         true },
    {{SIGFPE, SIGKILL, 0},        false},
    {{SIGKILL, SIGKILL, SIGKILL}, false},
    {{SIGTERM, SIGSEGV, SIGHUP},  false},
    {{SIGSEGV, SIGKILL, SIGSEGV}, true },
};

static void faults_are_counted(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(deaths); i++) {
        struct handover_block *block = new_block(true);
        struct kernel_out_header answers[RESENT_MAX];

        test_row(i, "signals %d %d %d", deaths[i].signals[0], deaths[i].signals[1],
                 deaths[i].signals[2]);
        for (size_t j = 0; j < 3 && deaths[i].signals[j]; j++) {
            /* Resent ones carry a mark; another request waits, in no thread. */
            ledger_begin(block, 42 | (j ? KERNEL_UNIQUE_RESEND : 0));
            ledger_note(block, 44);
            assert_int_equal(begin_next(block, deaths[i].signals[j], answers), 1);
            assert_int_equal(answers[0].error, KERNEL_NOTIFY_RESEND);
            assert_int_equal(answers[0].unique, 0);
        }
        assert_int_equal(ledger_is_deadly(block, 42 | KERNEL_UNIQUE_RESEND),
                         deaths[i].is_deadly);
        assert_false(ledger_is_deadly(block, 44));
        free(block);
    }
}

static void only_the_thread_that_failed_is_blamed(void **state)
{
    struct handover_block *block = new_block(true);
    struct kernel_out_header answers[RESENT_MAX];

    (void)state;
    for (int i = 0; i < 2; i++) {
        for (int j = 0; j < 2; j++) {
            block->threads[j].is_used = 1;
            block->threads[j].header.unique = (uint64_t)(42 + 2 * j);
        }
        block->is_fault_noted = 1;
        block->threads[1].has_failed = 1;
        (void)begin_next(block, SIGSEGV, answers);
    }
    assert_false(ledger_is_deadly(block, 42));
    assert_true(ledger_is_deadly(block, 44));
    free(block);
}

/* In a child, which dies of it. */
static void a_fault_notes_its_thread(void **state)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
        struct handover *handover;
        struct error err = {0};
        int status;
        pid_t child;

        test_row(i, "signal %d", signals[i]);
        assert_int_equal(handover_new(&handover, &err), 0);
        child = fork();
        if (child == 0) {
            signal(signals[i], SIG_DFL); /* cmocka's and sanitizers' go first */
            ledger_watch_faults(handover->block);
            ledger_begin(handover->block, 42);
            raise(signals[i]);
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), signals[i]);
        assert_int_equal(handover->block->is_fault_noted, 1);
        assert_int_equal(handover->block->threads[0].header.unique, 42);
        assert_int_equal(handover->block->threads[0].has_failed, 1);
        handover_free(handover);
    }
}

/* Where the kernel cannot resend: what was read and not answered fails, once. */
static void orphans_are_answered(void **state)
{
    struct handover_block *block = new_block(false);
    struct kernel_out_header answers[RESENT_MAX];
    uint64_t sum = 0;
    size_t count;

    (void)state;
    for (uint64_t unique = 2; unique <= 20; unique += 2)
        ledger_note(block, unique);
    for (uint64_t unique = 2; unique <= 14; unique += 2)
        ledger_answered(block, unique);
    ledger_receive(block)->unique = 22; /* read, and nothing more */
    count = begin_next(block, SIGKILL, answers);
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(answers[i].error, -EIO);
        assert_int_equal(answers[i].len, sizeof *answers);
        sum += answers[i].unique;
    }
    assert_int_equal(sum, 16 + 18 + 20 + 22);
    assert_int_equal(begin_next(block, SIGKILL, answers), 0);
    free(block);
}

static void more_than_there_is_room_for(void **state)
{
    struct handover_block *block = new_block(false);

    (void)state;
    for (uint64_t i = 1; i <= HANDOVER_REQUESTS + 1000; i++)
        ledger_note(block, 2 * i);
    for (uint64_t i = 1; i <= HANDOVER_REQUESTS + 1000; i++)
        ledger_answered(block, 2 * i);
    for (size_t i = 0; i < HANDOVER_REQUESTS; i++)
        assert_int_equal(block->requests[i], 0);
    free(block);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_are_counted),
        cmocka_unit_test(only_the_thread_that_failed_is_blamed),
        cmocka_unit_test(a_fault_notes_its_thread),
        cmocka_unit_test(orphans_are_answered),
        cmocka_unit_test(more_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
