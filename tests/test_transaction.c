/* test_transaction.c: a model is there whole or not at all, whatever fails. */
#include "tests/test.h"

#include "common/files.h"
#include "common/memory.h"
#include "common/sync.h"
#include "publish/claim.h"
#include "publish/publish.h"
#include "tests/dead_process.h"
#include "tests/fakes/fault_backend.h"
#include "tests/fakes/memory_backend.h"
#include "tests/fakes/repositories.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of name onnx without subgroup and parameters; known from audmodel's rule. */
#define ID "4e82dcc9"
#define FOLDER "_uid/" ID "/1.0.0/" ID "-1.0.0"
#define HEADER FOLDER ".header.yaml"
#define META FOLDER ".meta.yaml"
#define CLAIM FOLDER ".claim.yaml"
#define ARCHIVE "onnx/" ID "/1.0.0/" ID "-1.0.0.zip"
#define ALIAS "_alias/small/1.0.0/small-1.0.0.alias.yaml"
#define LIST "_uid/" ID ".aliases/1.0.0/" ID ".aliases-1.0.0.yaml"

/* Three repositories, a folder to publish, and what the last publish said. */
struct fixture {
    struct repositories *repositories;
    char folder[64];
    struct publish_watch watch;
    unsigned appeared; /* calls of note_appearance */
    struct publish_result result;
    struct error err;
};

static int set_up(void **state)
{
    struct fixture *fixture = XNEW(struct fixture);
    const char *base = getenv("TMPDIR");
    struct error err = {0};
    CLEANUP_CLOSE int fd = -1;

    snprintf(fixture->folder, sizeof fixture->folder, "%s/transaction-XXXXXX",
             base ? base : "/tmp");
    assert_non_null(mkdtemp(fixture->folder));
    fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(files_replace(fd, "a.txt", "hello\n", 6, 0644, &err), 0);
    assert_int_equal(repositories_set_up((void **)&fixture->repositories), 0);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    repositories_tear_down((void **)&fixture->repositories);
    assert_int_equal(files_remove_tree(AT_FDCWD, fixture->folder, &err), 0);
    free(fixture);
    return 0;
}

static int publish_again(struct fixture *fixture, const char *attempted,
                         const char *repository, const char *alias)
{
    const struct manifest_texts texts = {
        .name = "onnx", .version = "1.0.0", .alias = alias, .repository = repository};
    const struct manifest_defaults defaults = {.author = "sphinx", .date = "2024-02-29"};
    CLEANUP_CLOSE int fd = open(fixture->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct manifest *manifest;
    int rc;

    fixture->err = (struct error){0};
    assert_int_equal(manifest_make(&texts, &defaults, &manifest, &fixture->err), 0);
    assert_string_equal(manifest->uid, ID "-1.0.0");
    rc = publish_folder(
        &(struct publish_options){.resolver = fixture->repositories->resolver,
                                  .attempted = attempted},
        manifest, fd, &fixture->watch, &fixture->result, &fixture->err);
    manifest_free(manifest);
    return rc;
}

static int publish_in(struct fixture *fixture, const char *repository, const char *alias)
{
    return publish_again(fixture, NULL, repository, alias);
}

static int publish(struct fixture *fixture)
{
    return publish_in(fixture, NULL, NULL);
}

static bool exists(struct fixture *fixture, const char *path)
{
    struct backend_stat stat;
    struct error err = {0};

    return backend_stat(fixture->repositories->memory[0], path, &stat, &err) == 0;
}

static void assert_text(struct fixture *fixture, const char *path, const char *text)
{
    CLEANUP_BYTES struct bytes found;
    struct error err = {0};

    bytes_init(&found, MIB);
    assert_int_equal(backend_get(fixture->repositories->memory[0], path, &found, &err),
                     0);
    assert_string_equal(found.data, text);
}

static int count_entry(void *arg, const struct backend_entry *entry, struct error *err)
{
    (void)err;
    printf("    is there: %s\n", entry->name);
    ++*(int *)arg;
    return 0;
}

static void assert_empty(struct fixture *fixture)
{
    struct error err = {0};
    int count = 0;

    assert_int_equal(
        backend_list(fixture->repositories->memory[0], "", count_entry, &count, &err), 0);
    assert_int_equal(count, 0);
}

static void assert_complete(struct fixture *fixture)
{
    assert_text(fixture, HEADER,
                "author: sphinx\ndate: 2024-02-29\nname: onnx\nparameters: {}\n"
                "subgroup: ''\nversion: 1.0.0\n");
    assert_text(fixture, META, "null\n...\n");
    assert_true(exists(fixture, ARCHIVE));
    assert_false(exists(fixture, CLAIM));
}

static void test_writes_all_documents(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(publish_in(fixture, NULL, "small"), 0);
    assert_complete(fixture);
    assert_text(fixture, ALIAS, "uid: " ID "-1.0.0\n");
    assert_text(fixture, LIST, "aliases:\n- small\n");
    assert_true(fixture->result.is_published);
    assert_string_equal(fixture->result.release.id, ID);
    assert_string_equal(fixture->result.release.version, "1.0.0");
    assert_int_equal(fixture->result.release.repository, 0);
}

static void test_what_was_not_there_is_known_at_once(void **state)
{
    struct fixture *fixture = *state;
    struct error err = {0};

    assert_int_equal(repositories_resolve(fixture->repositories, ID, &err), -ENOENT);
    assert_int_equal(repositories_resolve(fixture->repositories, "small", &err), -ENOENT);
    assert_int_equal(publish_in(fixture, NULL, "small"), 0);
    repositories_assert_resolves(fixture->repositories, "small", ID, "1.0.0", 0);
    repositories_assert_resolves(fixture->repositories, ID, ID, "1.0.0", 0);
}

static void test_exists_in_any_repository(void **state)
{
    struct fixture *fixture = *state;

    repositories_set_header(fixture->repositories->memory[2], ID, "1.0.0");
    assert_int_equal(publish(fixture), -EEXIST);
    assert_non_null(strstr(fixture->err.message, ID "-1.0.0"));
    assert_false(fixture->result.is_published);
    assert_empty(fixture);
}

static void test_a_repository_that_cannot_be_asked_is_an_error(void **state)
{
    struct fixture *fixture = *state;

    repositories_die(fixture->repositories, 2);
    assert_int_equal(publish(fixture), -ETIMEDOUT);
    assert_non_null(strstr(fixture->err.message, "third"));
    assert_empty(fixture);
}

static void test_repository_is_chosen_by_name(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(publish_in(fixture, "fourth", NULL), -EINVAL);
    assert_int_equal(publish_in(fixture, "second", NULL), 0);
    assert_int_equal(fixture->result.release.repository, 1);
    assert_empty(fixture);
}

/* Each call that may fail, fails; the second attempt finds a clean place. */
static void test_failures_leave_nothing(void **state)
{
    static const struct {
        const char *path;
        unsigned calls;
        int code;
    } cases[] = {
        {".claim.yaml",  FAULT_PUT,      ENOSPC   },
        {".zip",         FAULT_STAT,     EACCES   },
        {".zip",         FAULT_PUT,      ENOSPC   },
        {".zip",         FAULT_CHECKSUM, ETIMEDOUT},
        {".meta.yaml",   FAULT_STAT,     EACCES   },
        {".meta.yaml",   FAULT_PUT,      ENOSPC   },
        {".header.yaml", FAULT_STAT,     EACCES   },
        {".header.yaml", FAULT_PUT,      ENOSPC   },
    };
    struct fixture *fixture = *state;
    struct backend *fault = fixture->repositories->fault[0];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "'%s', calls %u: %s", cases[i].path, cases[i].calls,
                 strerror(cases[i].code));
        fault_backend_fail(fault, cases[i].calls, cases[i].path, cases[i].code, 1);
        assert_int_equal(publish(fixture), -cases[i].code);
        assert_false(fixture->result.is_published);
        fault_backend_clear(fault);
        assert_empty(fixture);
    }
    assert_int_equal(publish(fixture), 0);
    assert_complete(fixture);
}

/* What was done although its reply was lost is found to be done. */
static void test_lost_replies(void **state)
{
    static const struct {
        const char *path;
        int rc;
    } cases[] = {
        {".claim.yaml",  0         },
        {".zip",         -ETIMEDOUT},
        {".meta.yaml",   -ETIMEDOUT},
        {".header.yaml", 0         },
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture *fixture;

        test_row(i, "%s", cases[i].path);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
        fixture = *state;
        fault_backend_lose_reply(fixture->repositories->fault[0], FAULT_PUT,
                                 cases[i].path, 1);
        assert_int_equal(publish(fixture), cases[i].rc);
        assert_int_equal(exists(fixture, HEADER), cases[i].rc == 0);
        assert_int_equal(publish(fixture), cases[i].rc == 0 ? -EEXIST : 0);
        assert_complete(fixture);
    }
}

struct meddler {
    struct backend *memory;
    const char *path;
};

/* While the files are packed another program writes something. */
static int meddle(void *arg, enum publish_step step, uint64_t done, uint64_t total,
                  struct error *err)
{
    struct meddler *meddler = arg;

    (void)done;
    (void)total;
    (void)err;
    if (step == PUBLISH_STEP_ARCHIVE)
        memory_backend_set(meddler->memory, meddler->path, "theirs\n");
    return 0;
}

/* Files that audmodel may rely on stay, and what it wrote is untouched. */
static void test_another_header_is_not_overwritten(void **state)
{
    struct fixture *fixture = *state;
    struct meddler meddler = {fixture->repositories->memory[0], HEADER};

    fixture->watch = (struct publish_watch){.progress = meddle, .arg = &meddler};
    assert_int_equal(publish(fixture), -EEXIST);
    assert_text(fixture, HEADER, "theirs\n");
    assert_true(exists(fixture, META));
    assert_true(exists(fixture, ARCHIVE));
    assert_false(exists(fixture, CLAIM));
}

static void test_without_the_claim_nothing_is_shown_or_cleaned_up(void **state)
{
    struct fixture *fixture = *state;
    struct meddler meddler = {fixture->repositories->memory[0], CLAIM};

    fixture->watch = (struct publish_watch){.progress = meddle, .arg = &meddler};
    assert_int_equal(publish(fixture), -EEXIST);
    assert_false(exists(fixture, HEADER));
    assert_true(exists(fixture, ARCHIVE));
    assert_text(fixture, CLAIM, "theirs\n");
}

static void test_what_a_crash_left_is_overwritten(void **state)
{
    struct fixture *fixture = *state;

    memory_backend_set(fixture->repositories->memory[0], ARCHIVE, "half an archive");
    memory_backend_set(fixture->repositories->memory[0], META, "old: meta\n");
    assert_int_equal(publish(fixture), 0);
    assert_complete(fixture);
}

static void *publish_in_thread(void *arg)
{
    static int rc;

    rc = publish(arg);
    return &rc;
}

static void test_an_archive_that_was_overwritten_is_not_shown(void **state)
{
    struct fixture *fixture = *state;
    struct backend *fault = fixture->repositories->fault[0];
    pthread_t thread;
    void *result;

    fault_backend_block(fault, FAULT_PUT, ".meta.yaml");
    assert_int_equal(thread_start(&thread, "publish", publish_in_thread, fixture), 0);
    assert_true(fault_backend_wait_blocked(fault, 1));
    memory_backend_set(fixture->repositories->memory[0], ARCHIVE, "theirs\n");
    fault_backend_release(fault);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal(*(int *)result, -EEXIST);
    assert_false(exists(fixture, HEADER));
    assert_false(exists(fixture, META));
    assert_text(fixture, ARCHIVE, "theirs\n");
}

static void test_nothing_is_seen_before_the_header(void **state)
{
    struct fixture *fixture = *state;
    struct backend *fault = fixture->repositories->fault[0];
    struct error err = {0};
    pthread_t thread;
    void *result;

    fault_backend_block(fault, FAULT_PUT, ".header.yaml");
    assert_int_equal(thread_start(&thread, "publish", publish_in_thread, fixture), 0);
    assert_true(fault_backend_wait_blocked(fault, 1));
    assert_true(exists(fixture, ARCHIVE) && exists(fixture, META));
    assert_int_equal(repositories_resolve(fixture->repositories, ID "-1.0.0", &err),
                     -ENOENT);
    assert_int_equal(publish(fixture), -EEXIST); /* the claim is held */
    fault_backend_release(fault);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_int_equal(*(int *)result, 0);
    repositories_assert_resolves(fixture->repositories, ID "-1.0.0", ID, "1.0.0", 0);
}

static int cancel(void *arg, enum publish_step step, uint64_t done, uint64_t total,
                  struct error *err)
{
    (void)done;
    (void)total;
    return step == *(enum publish_step *)arg ? fail(err, ECANCELED, "cancelled") : 0;
}

static void test_is_cancelled(void **state)
{
    struct fixture *fixture = *state;
    enum publish_step step = PUBLISH_STEP_ARCHIVE;

    fixture->watch = (struct publish_watch){.progress = cancel, .arg = &step};
    assert_int_equal(publish(fixture), -ECANCELED);
    assert_empty(fixture);
}

static void test_an_alias_that_fails_leaves_the_model(void **state)
{
    struct fixture *fixture = *state;

    fault_backend_fail(fixture->repositories->fault[0], FAULT_PUT, "_alias/", EACCES, 1);
    assert_int_equal(publish_in(fixture, NULL, "small"), -EACCES);
    assert_true(fixture->result.is_published);
    assert_complete(fixture);
    assert_non_null(strstr(fixture->err.message, "published"));
}

/* What the attempt leaves that died when the header was there. */
static void leave_claim(struct fixture *fixture)
{
    char dead[PROCESS_NAME_SIZE], text[PROCESS_NAME_SIZE + 64];

    name_dead_process(dead);
    snprintf(text, sizeof text, "process: '%s'\nnonce: 'a'\nlifetime: 60\n", dead);
    memory_backend_set(fixture->repositories->memory[0], CLAIM, text);
}

static void test_an_attempt_that_died_after_the_header_is_finished(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(publish(fixture), 0);
    assert_int_equal(publish(fixture), -EEXIST);
    leave_claim(fixture);
    assert_int_equal(publish_in(fixture, NULL, "small"), 0);
    assert_true(fixture->result.is_published);
    assert_string_equal(fixture->result.release.id, ID);
    assert_complete(fixture);
    assert_text(fixture, ALIAS, "uid: " ID "-1.0.0\n");
    assert_int_equal(publish_again(fixture, ID "-1.0.1", NULL, NULL), -EEXIST);
    assert_int_equal(publish_again(fixture, ID "-1.0.0", NULL, NULL), 0);
}

/* The claim that a dead publisher left makes no other model of it. */
static void test_what_differs_is_not_taken_for_our_attempt(void **state)
{
    static const struct {
        const char *path, *text;
    } cases[] = {
        {HEADER,  "author: another\n"},
        {META,    "other: meta\n"    },
        {ARCHIVE, "another archive"  },
    };
    struct fixture *fixture = *state;
    struct backend *memory = fixture->repositories->memory[0];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct error err = {0};

        test_row(i, "%s", cases[i].path);
        assert_int_equal(publish(fixture), 0);
        memory_backend_set(memory, cases[i].path, cases[i].text);
        leave_claim(fixture);
        assert_int_equal(publish(fixture), -EEXIST);
        assert_non_null(strstr(fixture->err.message, "exists already"));
        assert_text(fixture, cases[i].path, cases[i].text);
        assert_false(exists(fixture, CLAIM));
        assert_int_equal(backend_remove(memory, HEADER, &err), 0);
    }
}

static void note_appearance(void *arg)
{
    struct fixture *fixture = arg;

    assert_true(exists(fixture, ARCHIVE));
    assert_false(exists(fixture, HEADER));
    fixture->appeared++;
}

static void test_tells_before_it_appears(void **state)
{
    struct fixture *fixture = *state;

    fixture->watch = (struct publish_watch){.appears = note_appearance, .arg = fixture};
    assert_int_equal(publish(fixture), 0);
    assert_int_equal(fixture->appeared, 1);
    assert_int_equal(publish(fixture), -EEXIST);
    assert_int_equal(fixture->appeared, 1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_writes_all_documents),
        TEST(test_what_was_not_there_is_known_at_once),
        TEST(test_exists_in_any_repository),
        TEST(test_a_repository_that_cannot_be_asked_is_an_error),
        TEST(test_repository_is_chosen_by_name),
        TEST(test_failures_leave_nothing),
        TEST(test_lost_replies),
        TEST(test_another_header_is_not_overwritten),
        TEST(test_without_the_claim_nothing_is_shown_or_cleaned_up),
        TEST(test_what_a_crash_left_is_overwritten),
        TEST(test_an_archive_that_was_overwritten_is_not_shown),
        TEST(test_nothing_is_seen_before_the_header),
        TEST(test_is_cancelled),
        TEST(test_an_alias_that_fails_leaves_the_model),
        TEST(test_an_attempt_that_died_after_the_header_is_finished),
        TEST(test_what_differs_is_not_taken_for_our_attempt),
        TEST(test_tells_before_it_appears),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
