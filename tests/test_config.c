/* test_config.c: what a configuration says, and the sentence for each mistake in one. */
#include "tests/test.h"

#include "cli/config.h"
#include "cli/config_keys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH "/etc/modelfs/config.yaml"

static const struct {
    const char *text;
    const char *message;
} mistakes[] = {
    {"cache:\n  sise: 5GiB\n",
     PATH ":2: unknown key 'cache.sise'; did you mean 'cache.size'?"                                                                             },
    {"\n\ncahce: {size: 5GiB}\n",                                             PATH ":3: unknown key 'cahce'; did you mean 'cache'?"              },
    {"size: 5GiB\n",                                                          PATH ":1: unknown key 'size'; did you mean 'cache.size'?"          },
    {"log: info\nzebra: 1\n",                                                 PATH ":2: unknown key 'zebra'"                                     },
    {"ttl: {zebra: {size: 1}}\n",                                             PATH ":1: unknown key 'ttl.zebra'"                                 },
    {"repositories:\n- nmae: m\n",
     PATH ":2: unknown key 'repositories.nmae'; did you mean 'repositories.name'?"                                                               },
    {"? [a]\n: b\n",                                                          PATH ": line 1, column 3: found unhashable key"                    },
    {"7: b\n",                                                                PATH ":1: a key must be a text, not integer"                       },
    {"log: info\ncache: {}\nlog: debug\n",
     PATH ":3: key 'log' is here for the second time"                                                                                            },
    {"cache:\n  size: 1\n  root: /a\n  size: 2\n",
     PATH ":4: key 'size' is here for the second time"                                                                                           },
    {"- a\n",                                                                 PATH ":1: the configuration must be a mapping, not list"           },
    {"cache: 50GiB\n",                                                        PATH ":1: 'cache' must be a mapping, not text"                     },
    {"cache:\n  size: lots\n",
     PATH ":2: 'cache.size' must be a size such as 50GiB, or unlimited, not 'lots'"                                                              },
    {"cache: {size: -1}\n",
     PATH ":1: 'cache.size' must be a size such as 50GiB, or unlimited, not '-1'"                                                                },
    {"cache:\n  size: [1]\n",
     PATH ":2: 'cache.size' must be a size such as 50GiB, or unlimited, not list"                                                                },
    {"cache: {root: 7}\n",                                                    PATH ":1: 'cache.root' must be a path, not integer"                },
    {"cache: {root: ''}\n",                                                   PATH ":1: 'cache.root' must be a path, not ''"                     },
    {"cache: {root: ~x}\n",
     PATH ":1: 'cache.root': '~x': of '~' only '~/' is understood: write the folder out"                                                         },
    {"ttl: {alias: soon}\n",
     PATH ":1: 'ttl.alias' must be a time such as 5s or 500ms, not 'soon'"                                                                       },
    {"hold: yes\n",                                                           PATH ":1: 'hold' must be a size such as 64MiB, not boolean"        },
    {"prefetch: all\n",                                                       PATH ":1: 'prefetch' must be none or model, not 'all'"             },
    {"connections: 0\n",
     PATH ":1: 'connections' must be a number from 1 to 1024, not '0'"                                                                           },
    {"connections: 1025\n",
     PATH ":1: 'connections' must be a number from 1 to 1024, not '1025'"                                                                        },
    {"write: {meta: maybe}\n",                                                PATH ":1: 'write.meta' must be on or off, not text"                },
    {"log: off\n",                                                            PATH ":1: 'log' must be error, warning, info or debug, not boolean"},
    {"log: loud\n",                                                           PATH ":1: 'log' must be error, warning, info or debug, not 'loud'" },
    {"repositories: []\n",
     PATH ":1: 'repositories' is empty: name one, or remove the key"                                                                             },
    {"repositories: models\n",
     PATH ":1: 'repositories' must be a list of repositories, not text"                                                                          },
    {"repositories:\n- models\n",
     PATH ":2: a repository must be a mapping with name, host and backend, not text"                                                             },
    {"repositories:\n- {name: m, host: /h}\n",                                PATH ":2: the repository lacks 'backend'"                          },
    {"repositories:\n- {host: /h, backend: s3}\n",
     PATH ":2: the repository lacks 'name'"                                                                                                      },
    {"repositories:\n- {name: m, host: h, backend: nfs}\n",
     PATH ":2: 'repositories.backend': unknown backend 'nfs'; known are: 'file-system' "
          "'s3' 'minio' 'artifactory'"                                                                                                           },
    {"repositories:\n- &a {name: m, host: /h, backend: file-system}\n- *a\n",
     PATH ":2: repository 'm' of '/h' is named twice, first in line 2"                                                                           },
    {"a: [\n",                                                                PATH ": line 2, column 1: while parsing "                          },
};

static int parse(const char *text, struct config **ret_config, struct error *err)
{
    return config_parse(text, strlen(text), PATH, ret_config, err);
}

static void each_mistake_names_file_line_and_key(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(mistakes); i++) {
        const char *expected = mistakes[i].message;
        struct config *config = NULL;
        struct error err = {0};

        test_row(i, "%s", expected);
        assert_int_equal(parse(mistakes[i].text, &config, &err), -EINVAL);
        assert_null(config);
        if (expected[strlen(expected) - 1] == ' ') /* the rest is libyaml's */
            assert_memory_equal(err.message, expected, strlen(expected));
        else
            assert_string_equal(err.message, expected);
    }
}

static void every_key_is_read(void **state)
{
    static const char text[] =
        "repositories:\n"
        "  - name: models\n"
        "    host: /srv/audmodel\n"
        "    backend: file-system\n"
        "  - {name: more, host: sub/folder, backend: file-system}\n"
        "  - {name: more, host: ~/x, backend: file-system}\n"
        "  - {name: far, host: s3.example.com:9000, backend: s3}\n"
        "cache:\n"
        "  root: cache\n"
        "  size: 50GiB\n"
        "ttl: { alias: 500ms, listing: 1min, negative: 7 }\n"
        "hold: 4096\n"
        "prefetch: model\n"
        "connections: 3\n"
        "ca_file: own.pem\n"
        "write: { staging: on, aliases: off }\n"
        "log: debug\n";
    CLEANUP_CONFIG struct config *config = NULL;
    struct error err = {0};

    (void)state;
    assert_int_equal(parse(text, &config, &err), 0);
    assert_string_equal(config->path, PATH);
    assert_int_equal(config->repository_count, 4);
    assert_false(config->repositories_are_default);
    assert_string_equal(config->repositories[0].name, "models");
    assert_string_equal(config->repositories[0].host, "/srv/audmodel");
    assert_string_equal(config->repositories[0].backend, "file-system");
    assert_int_equal(config->repositories[0].line, 2);
    assert_string_equal(config->repositories[1].host, "/etc/modelfs/sub/folder");
    assert_string_equal(config->repositories[2].host, "/home/me/x");
    assert_string_equal(config->repositories[3].host, "s3.example.com:9000");
    assert_string_equal(config->cache_root, "/etc/modelfs/cache");
    assert_int_equal(config->cache_size, 50 * GIB);
    assert_int_equal(config->ttl_alias_ms, 500);
    assert_int_equal(config->ttl_listing_ms, 60000);
    assert_int_equal(config->ttl_negative_ms, 7000);
    assert_int_equal(config->hold, 4096);
    assert_int_equal(config->prefetch, CONFIG_PREFETCH_MODEL);
    assert_int_equal(config->connections, 3);
    assert_string_equal(config->ca_file, "/etc/modelfs/own.pem");
    assert_int_equal(config->write_staging, CONFIG_WRITE_ON);
    assert_int_equal(config->write_aliases, CONFIG_WRITE_OFF);
    assert_int_equal(config->write_meta, CONFIG_WRITE_DEFAULT);
    assert_int_equal(config->log, LOG_LEVEL_DEBUG);
}

/* The same for a file without keys, with sections whose keys are commented out, and for
 * none at all. */
static void missing_keys_have_defaults(void **state)
{
    static const char *const texts[] = {"", "# nothing\n",
                                        "cache:\nttl:\n  # alias: 1s\n", "{}",
                                        "cache: {size: none}\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        CLEANUP_CONFIG struct config *config = NULL;
        struct error err = {0};

        test_row(i, "%s", texts[i]);
        assert_int_equal(parse(texts[i], &config, &err), 0);
        assert_int_equal(config->repository_count, 1);
        assert_true(config->repositories_are_default);
        assert_string_equal(config->repositories[0].name, "models");
        assert_string_equal(config->repositories[0].host, "/data/modelfs");
        assert_string_equal(config->cache_root, "/home/me/audmodel");
        assert_int_equal(config->cache_size, 0);
        assert_int_equal(config->ttl_alias_ms, 5000);
        assert_int_equal(config->ttl_listing_ms, 30000);
        assert_int_equal(config->ttl_negative_ms, 5000);
        assert_int_equal(config->hold, 64 * MIB);
        assert_int_equal(config->prefetch, CONFIG_PREFETCH_NONE);
        assert_int_equal(config->connections, 16);
        assert_null(config->ca_file);
        assert_int_equal(config->write_staging, CONFIG_WRITE_DEFAULT);
        assert_int_equal(config->log, LOG_LEVEL_INFO);
    }
}

static void audmodels_variable_overrides_the_cache_root(void **state)
{
    static const struct {
        const char *value;
        const char *root;
    } cases[] = {
        {"/x",  "/x"               },
        {"~/y", "/home/me/y"       },
        {"",    "/etc/modelfs/here"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        CLEANUP_CONFIG struct config *config = NULL;
        struct error err = {0};

        test_row(i, "%s", cases[i].value);
        setenv("AUDMODEL_CACHE_ROOT", cases[i].value, 1);
        assert_int_equal(parse("cache: {root: here}\n", &config, &err), 0);
        assert_string_equal(config->cache_root, cases[i].root);
    }
}

static void files_are_loaded(void **state)
{
    char folder[] = "/tmp/test_config.XXXXXX";
    char path[64];
    CLEANUP_CONFIG struct config *config = NULL;
    struct error err = {0};
    FILE *file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/config.yaml", folder);
    assert_int_equal(config_load(path, &config, &err), -ENOENT);
    assert_non_null(strstr(err.message, path));
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("log: error\n", file);
    fclose(file);
    assert_int_equal(config_load(path, &config, &err), 0);
    assert_int_equal(config->log, LOG_LEVEL_ERROR);
    assert_string_equal(config->path, path);
    unlink(path);
    rmdir(folder);
}

static void help_has_every_key(void **state)
{
    static const enum config_scope scopes[] = {CONFIG_OF_FILE, CONFIG_OF_REPOSITORY};
    CLEANUP_BYTES struct bytes text;
    struct error err = {0};

    (void)state;
    bytes_init(&text, 64 * KIB);
    assert_int_equal(config_keys_print(&text, &err), 0);
    for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
        size_t count = 0;
        const struct config_key *keys = config_keys(scopes[i], &count);

        for (size_t k = 0; k < count; k++) {
            assert_non_null(strstr(text.data, keys[k].name));
            assert_ptr_equal(config_keys_find(scopes[i], keys[k].name), &keys[k]);
        }
    }
}

static int set_environment(void **state)
{
    (void)state;
    unsetenv("AUDMODEL_CACHE_ROOT");
    unsetenv("MODELFS_CONFIG");
    setenv("HOME", "/home/me", 1);
    setenv("XDG_DATA_HOME", "/data", 1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_mistake_names_file_line_and_key, set_environment),
        cmocka_unit_test_setup(every_key_is_read, set_environment),
        cmocka_unit_test_setup(missing_keys_have_defaults, set_environment),
        cmocka_unit_test_setup(audmodels_variable_overrides_the_cache_root,
                               set_environment),
        cmocka_unit_test_setup(files_are_loaded, set_environment),
        cmocka_unit_test_setup(help_has_every_key, set_environment),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
