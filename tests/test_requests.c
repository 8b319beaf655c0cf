/* test_requests.c: what a look-up, a listing and a read cost a repository in requests. */
#include "tests/test.h"

#include "tests/fakes/fs_fixture.h"

#include "cache/toc.h"
#include "common/memory.h"
#include "fs/describe.h"
#include "fs/folder.h"
#include "fs/lookup.h"
#include "fs/place_archive.h"

#include <stdlib.h>
#include <string.h>

/* What a program does with a path; each link on the way is followed. */
enum action {
    STAT,
    LIST, /* and stat what is there */
    READ, /* all of a file */
    LOSE, /* the process, and with it what it knew; no path */
};

struct step {
    enum action action;
    const char *path;
};

/* Look a name up as the kernel does. */
static struct place look_up(struct fs_fixture *fixture, uint64_t node_id,
                            const char *name)
{
    struct call call = {.kind = CALL_LOOKUP, .node_id = node_id};
    CLEANUP_ANSWER struct answer answer;
    struct place place;
    struct error err = {0};

    snprintf(call.name, sizeof call.name, "%s", name);
    answer_init(&answer);
    assert_int_equal(place_of(fixture->fs.slots, node_id, &place, &err), 0);
    if (lookup_entry(&fixture->fs, &call, &place, RESOLVE_FETCH, &answer, &err) < 0)
        fail_msg("%s: %s", name, err.message);
    assert_int_not_equal(answer.entry.ino, 0);
    assert_int_equal(place_of(fixture->fs.slots, answer.entry.ino, &place, &err), 0);
    return place;
}

static uint64_t node_of(struct fs_fixture *fixture, const struct place *place)
{
    struct error err = {0};
    uint64_t node_id;

    assert_int_equal(place_id(fixture->fs.slots, place, &node_id, &err), 0);
    return node_id;
}

static struct place walk(struct fs_fixture *fixture, const char *path)
{
    struct place place = {.kind = NODE_ROOT, .name = ""};
    CLEANUP_FREE char *copy = xstrdup(path);
    char *rest = copy, *name;

    while ((name = strsep(&rest, "/")) && *name) {
        place = look_up(fixture, node_of(fixture, &place), name);
        if (describe_is_link(place.kind)) {
            char target[2 * DESCRIBE_LINK_MAX];

            snprintf(target, sizeof target, "%s/%s", place.release.id,
                     place.release.version);
            place = walk(fixture, target);
        }
    }
    return place;
}

static void list(struct fs_fixture *fixture, const struct place *place)
{
    struct folder *folder;
    struct error err = {0};

    if (folder_make(&fixture->fs, place, 0, RESOLVE_FETCH, &folder, &err) < 0)
        fail_msg("%s", err.message);
    for (size_t i = 0; i < folder_size(folder); i++) {
        struct place ignored;
        const char *name = folder_get(folder, i, &ignored);

        if (name && name[0] != '@')
            look_up(fixture, node_of(fixture, place), name);
    }
    folder_free(folder);
}

static void read_file(struct fs_fixture *fixture, const struct place *place)
{
    uint32_t generation = ARCHIVE_GENERATION_NEW;
    char path[TOC_PATH_MAX + 1];
    struct archive *archive;
    struct error err = {0};

    assert_int_equal(place->kind, NODE_MEMBER);
    assert_int_equal(place_archive(&fixture->fs, place, RESOLVE_FETCH, &archive, &err),
                     0);
    toc_path(archive_toc(archive), place->index, path);
    assert_int_equal(fixture_want(archive, path, 0, ARCHIVE_WHOLE, &generation), 0);
    archive_unref(archive);
}

static void take(struct fs_fixture *fixture, const struct step *step)
{
    struct place place;

    if (step->action == LOSE) {
        fs_fixture_restart(fixture);
        return;
    }
    place = walk(fixture, step->path);
    if (step->action == LIST)
        list(fixture, &place);
    if (step->action == READ)
        read_file(fixture, &place);
}

static const char *counted(const struct fs_fixture *fixture)
{
    static char text[128];
    struct counting_calls calls = counting_backend_calls(fixture->cache.counting);

    snprintf(text, sizeof text, "list %d, below %d, get %d, tail %d, range %d, other %d",
             (int)calls.list, (int)calls.list_deep, (int)calls.get,
             (int)calls.object_open_tail, (int)calls.object_read,
             (int)(calls.stat + calls.checksum + calls.object_open + calls.object_check));
    return text;
}

#define MODEL "3e120e8d/1.0.0"

/* The requests of the last step; those before it are not counted. */
static const struct {
    const char *requests;
    struct step steps[4];
} cases[] = {
  /* nothing known */
    {"list 1, below 0, get 1, tail 1, range 1, other 0", {{READ, MODEL "/model.yaml"}}},
    {"list 0, below 0, get 1, tail 1, range 1, other 0",
     {{READ, "3e120e8d-1.0.0/model.yaml"}}                                            },
    {"list 0, below 0, get 2, tail 1, range 1, other 0",
     {{READ, "small/current/model.yaml"}}                                             },
    {"list 0, below 1, get 2, tail 1, range 0, other 0",
     {{STAT, "newest/latest/model.yaml"}}                                             },
    {"list 1, below 0, get 1, tail 1, range 0, other 0", {{LIST, MODEL}}              },
    {"list 2, below 0, get 0, tail 0, range 0, other 0", {{LIST, ""}}                 },
    {"list 1, below 1, get 2, tail 0, range 0, other 0", {{LIST, "3e120e8d"}}         },
 /* a model was looked for: that tells of all, where they are few */
    {"list 0, below 0, get 1, tail 1, range 1, other 0",
     {{STAT, "3e120e8d"}, {READ, MODEL "/model.yaml"}}                                },
 /* the names at the top are known */
    {"list 0, below 0, get 1, tail 1, range 0, other 0", {{LIST, ""}, {LIST, MODEL}}  },
    {"list 0, below 0, get 1, tail 1, range 1, other 0",
     {{LIST, ""}, {READ, MODEL "/model.yaml"}}                                        },
 /* the version is known */
    {"list 0, below 0, get 0, tail 0, range 1, other 0",
     {{LIST, MODEL}, {READ, MODEL "/log/eval.yaml"}}                                  },
    {"list 0, below 0, get 1, tail 0, range 0, other 0",
     {{LIST, MODEL}, {STAT, "small/current"}}                                         },
    {"list 0, below 0, get 0, tail 0, range 0, other 0",
     {{READ, MODEL "/model.yaml"}, {READ, MODEL "/model.yaml"}}                       },
 /* a second mount: what never changes lies on disk, what may is asked */
    {"list 0, below 1, get 0, tail 0, range 0, other 0",
     {{READ, MODEL "/model.yaml"}, {LOSE, NULL}, {READ, MODEL "/model.yaml"}}         },
    {"list 0, below 1, get 0, tail 0, range 0, other 0",
     {{READ, MODEL "/model.yaml"}, {LOSE, NULL}, {READ, "3e120e8d-1.0.0/model.yaml"}} },
    {"list 0, below 1, get 1, tail 0, range 0, other 0",
     {{READ, MODEL "/model.yaml"}, {LOSE, NULL}, {READ, "small/current/model.yaml"}}  },
    {"list 0, below 1, get 0, tail 0, range 0, other 0",
     {{READ, MODEL "/model.yaml"}, {LOSE, NULL}, {LIST, MODEL}}                       },
};

static void requests_are_as_few_as_can_be(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct step *steps = cases[i].steps;
        struct fs_fixture fixture;

        test_row(i, "%s", cases[i].requests);
        fs_fixture_open(&fixture, &(struct fs_fixture_options){0});
        for (size_t j = 0; j < ARRAY_SIZE(cases[i].steps); j++) {
            if (!steps[j].path && steps[j].action != LOSE)
                break;
            counting_backend_reset(fixture.cache.counting);
            take(&fixture, &steps[j]);
        }
        assert_string_equal(counted(&fixture), cases[i].requests);
        fs_fixture_close(&fixture);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_as_few_as_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
