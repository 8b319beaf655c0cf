/* test_questions.c: what audmodel wrote is found as audmodel finds it. */
#include "tests/test.h"

#include "resolver/resolver.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS = 7 };

/* A line of golden_names.tsv. */
struct row {
    char *line;
    size_t line_capacity;
    const char *sort, *uid, *id, *version, *versions, *latest, *aliases;
};

struct golden {
    struct backend *backend;
    struct resolver *resolver;
};

static int set_up(void **state)
{
    static struct golden golden;
    struct error err = {0};

    assert_int_equal(backend_open("file-system",
                                  &(struct backend_options){.host = "tests/data/golden",
                                                            .repository = "models"},
                                  &golden.backend, &err),
                     0);
    assert_int_equal(
        resolver_open(
            &(struct resolver_options){
                .repositories = &(struct resolver_repository){"models", golden.backend},
                .repository_count = 1,
                .ttl_alias_ms = 3600000,
                .ttl_listing_ms = 3600000,
                .ttl_negative_ms = 3600000
    },
            &golden.resolver, &err),
        0);
    *state = &golden;
    return 0;
}

static int tear_down(void **state)
{
    struct golden *golden = *state;

    resolver_close(golden->resolver);
    backend_close(golden->backend);
    return 0;
}

/* The next line that is no comment; false at the end. */
static bool next_row(FILE *file, struct row *row)
{
    char *fields[FIELDS], *rest;

    do {
        if (getline(&row->line, &row->line_capacity, file) < 0)
            return false;
    } while (row->line[0] == '#');
    row->line[strcspn(row->line, "\n")] = '\0';
    rest = row->line;
    for (size_t i = 0; i < FIELDS; i++)
        fields[i] = strsep(&rest, "\t");
    assert_non_null(fields[FIELDS - 1]);
    row->sort = fields[0];
    row->uid = fields[1];
    row->id = fields[2];
    row->version = fields[3];
    row->versions = fields[4];
    row->latest = fields[5];
    row->aliases = fields[6];
    return true;
}

static void for_each_row(struct golden *golden,
                         void (*check)(struct golden *golden, const struct row *row))
{
    FILE *file = fopen("tests/data/golden_names.tsv", "r");
    struct row row = {0};

    assert_non_null(file);
    for (size_t i = 0; next_row(file, &row); i++) {
        test_row(i, "%s %s", row.sort, row.uid);
        check(golden, &row);
    }
    free(row.line);
    fclose(file);
}

static void check_release(struct golden *golden, const struct row *row)
{
    struct release release;
    struct bytes header;
    struct error err = {0};

    assert_int_equal(
        resolver_resolve(golden->resolver, row->uid, RESOLVE_FETCH, &release, &err), 0);
    assert_string_equal(release.id, row->id);
    assert_string_equal(release.version, row->version);
    bytes_init(&header, MIB);
    assert_int_equal(resolver_get_header(golden->resolver, &release, &header, &err), 0);
    assert_non_null(strstr(header.data, "version: "));
    bytes_done(&header);
}

static void every_text_names_its_release(void **state)
{
    for_each_row(*state, check_release);
}

static void check_versions(struct golden *golden, const struct row *row)
{
    struct version_list *list;
    struct error err = {0};
    char text[1024];
    size_t used = 0;

    assert_int_equal(
        resolver_versions(golden->resolver, row->id, RESOLVE_FETCH, &list, &err), 0);
    for (size_t i = 0; i < list->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                                 list->entries[i].version);
    if (strcmp(row->versions, "-") != 0)
        assert_string_equal(text, row->versions);
    if (strcmp(row->latest, "-") != 0)
        assert_string_equal(list->entries[list->latest].version, row->latest);
    version_list_unref(list);
}

static void versions_and_latest_are_those_of_audmodel(void **state)
{
    for_each_row(*state, check_versions);
}

static void check_aliases(struct golden *golden, const struct row *row)
{
    struct release release = {0};
    struct names *names;
    struct error err = {0};
    char text[1024] = "";
    size_t used = 0;

    if (strcmp(row->sort, "model") != 0)
        return;
    snprintf(release.id, sizeof release.id, "%s", row->id);
    snprintf(release.version, sizeof release.version, "%s", row->version);
    assert_int_equal(resolver_aliases_of(golden->resolver, &release, &names, &err), 0);
    for (size_t i = 0; i < names->count; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? " " : "",
                                 names->names[i]);
    assert_string_equal(text, row->aliases);
    names_unref(names);
}

static void aliases_are_those_of_audmodel(void **state)
{
    for_each_row(*state, check_aliases);
}

static bool has_name(const struct names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcmp(names->names[i], name) == 0)
            return true;
    return false;
}

static void check_listed(struct golden *golden, const struct row *row)
{
    bool is_alias = strcmp(row->sort, "alias") == 0;
    struct names *names;
    struct error err = {0};

    assert_int_equal(resolver_names(golden->resolver,
                                    is_alias ? NAMES_OF_ALIASES : NAMES_OF_MODELS,
                                    RESOLVE_FETCH, &names, &err),
                     0);
    assert_true(has_name(names, is_alias ? row->uid : row->id));
    names_unref(names);
}

static void models_and_aliases_are_listed(void **state)
{
    for_each_row(*state, check_listed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_text_names_its_release),
        cmocka_unit_test(versions_and_latest_are_those_of_audmodel),
        cmocka_unit_test(aliases_are_those_of_audmodel),
        cmocka_unit_test(models_and_aliases_are_listed),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
