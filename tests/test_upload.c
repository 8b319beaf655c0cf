/* test_upload.c: files of models are put, kept, overwritten or left alone. */
#include "tests/test.h"

#include "backends/digest.h"
#include "publish/upload.h"
#include "tests/fakes/memory_backend.h"

#include <errno.h>
#include <string.h>

#define PATH "onnx/4e82dcc9/1.0.0/4e82dcc9-1.0.0.zip"

/* How often the guard was asked, and what it says. */
struct asked {
    unsigned count;
    int answer;
};

static int answer(void *arg, struct error *err)
{
    struct asked *asked = arg;

    asked->count++;
    return asked->answer < 0 ? fail(err, -asked->answer, "the claim is lost") : 0;
}

static int put(struct backend *backend, const char *text, struct asked *asked,
               struct upload *ret_upload, struct error *err)
{
    const struct backend_content content = {.data = text, .size = strlen(text)};
    const struct upload_guard guard = {.may_overwrite = answer, .arg = asked};
    char md5[DIGEST_MD5_SIZE];

    assert_int_equal(digest_md5(text, strlen(text), md5, err), 0);
    return upload_put(backend, PATH, &content, md5, &guard, ret_upload, err);
}

static void assert_holds(struct backend *backend, const char *text)
{
    CLEANUP_BYTES struct bytes found;
    struct error err = {0};

    bytes_init(&found, 4096);
    assert_int_equal(backend_get(backend, PATH, &found, &err), 0);
    assert_int_equal(found.size, strlen(text));
    assert_memory_equal(found.data, text, found.size);
}

static const struct {
    const char *name, *there; /* NULL: nothing */
    int answer, rc;
    unsigned asked;
    bool is_ours;
    const char *after;
} cases[] = {
    {"nothing is there",   NULL,     -EEXIST,    0,          0, true,  "ours"  },
    {"the same is there",  "ours",   -EEXIST,    0,          0, false, "ours"  },
    {"left by a crash",    "theirs", 0,          0,          1, true,  "ours"  },
    {"of who has it now",  "theirs", -EEXIST,    -EEXIST,    1, false, "theirs"},
    {"nobody knows whose", "theirs", -ETIMEDOUT, -ETIMEDOUT, 1, false, "theirs"},
    {"of another version", "theirs", -ESTALE,    -ESTALE,    1, false, "theirs"},
};

static void test_what_is_there_decides(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct backend *backend = memory_backend_new();
        struct asked asked = {.answer = cases[i].answer};
        struct upload upload = {.size = 0};
        struct error err = {0};

        printf("    %s\n", cases[i].name);
        if (cases[i].there)
            memory_backend_set(backend, PATH, cases[i].there);
        assert_int_equal(put(backend, "ours", &asked, &upload, &err), cases[i].rc);
        assert_int_equal(asked.count, cases[i].asked);
        assert_int_equal(upload.is_ours, cases[i].is_ours);
        assert_holds(backend, cases[i].after);
        upload_undo(backend, PATH, &upload);
        if (!cases[i].is_ours)
            assert_holds(backend, cases[i].after);
        backend_close(backend);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_there_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
