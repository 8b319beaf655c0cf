/* test_command.c: how a command's arguments reach it, and what wrong usage ends in. */
#include "tests/test.h"

#include "cli/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

enum {
    OPTION_LONG,
    OPTION_LIST,
    OPTION_ONLY_LONG,
};

static const struct command_option options[] = {
    [OPTION_LONG] = {.letter = 'l',    .name = "long", .help = "more"},
    [OPTION_LIST] = {.letter = 'o',  .argument = "LIST", .is_list = true, .help = "some"},
    [OPTION_ONLY_LONG] = {.name = "name",    .argument = "NAME", .help = "one"},
    {0},
};

/* What the command saw, as one text. */
static char seen[256];
static int result;

static void see(const char *what, const char *value)
{
    size_t used = strlen(seen);

    if (value)
        snprintf(seen + used, sizeof seen - used, "%s=%s;", what, value);
}

static int run(const struct arguments *arguments, struct error *err)
{
    see("config", arguments->config);
    see("json", arguments->form == OUTPUT_JSON ? "yes" : NULL);
    see("long", arguments->values[OPTION_LONG]);
    see("list", arguments->values[OPTION_LIST]);
    see("name", arguments->values[OPTION_ONLY_LONG]);
    for (int i = 0; i < arguments->operand_count; i++)
        see("operand", arguments->operands[i]);
    return result < 0 ? fail(err, -result, "it went wrong") : result;
}

static const struct command command = {
    .name = "try",
    .operands = "UID [MORE]",
    .operands_min = 1,
    .operands_max = 2,
    .has_json = true,
    .summary = "be a test",
    .options = options,
    .run = run,
};

/* The exit status; both streams go nowhere. */
static int run_quietly(const struct command *what, const char *words)
{
    char text[256];
    char *argv[16] = {(char *)"try"};
    int argc = 1;
    int saved_out = dup(STDOUT_FILENO);
    int saved_err = dup(STDERR_FILENO);
    int null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    char *rest = text;
    int status;

    snprintf(text, sizeof text, "%s", words);
    for (char *word; (word = strsep(&rest, " "));) {
        if (*word)
            argv[argc++] = word;
    }
    fflush(stdout);
    dup2(null_fd, STDOUT_FILENO);
    dup2(null_fd, STDERR_FILENO);
    seen[0] = '\0';
    status = command_run(what, argc, argv);
    fflush(stdout);
    dup2(saved_out, STDOUT_FILENO);
    dup2(saved_err, STDERR_FILENO);
    close(saved_out);
    close(saved_err);
    close(null_fd);
    return status;
}

static const struct {
    const char *words;
    int status;
    const char *seen; /* "" if it must not run */
} cases[] = {
    {"a",                   COMMAND_DONE,  "operand=a;"                        },
    {"a b -l",              COMMAND_DONE,  "long=;operand=a;operand=b;"        },
    {"-l -c f a --json",    COMMAND_DONE,  "config=f;json=yes;long=;operand=a;"},
    {"--config=f --long a", COMMAND_DONE,  "config=f;long=;operand=a;"         },
    {"-o x,y -o z a",       COMMAND_DONE,  "list=x,y,z;operand=a;"             },
    {"--name=n --name m a", COMMAND_DONE,  "name=m;operand=a;"                 },
    {"-- -dash --json",     COMMAND_DONE,  "operand=-dash;operand=--json;"     },
    {"",                    COMMAND_USAGE, ""                                  },
    {"a b c",               COMMAND_USAGE, ""                                  },
    {"-x a",                COMMAND_USAGE, ""                                  },
    {"--nmae n a",          COMMAND_USAGE, ""                                  },
    {"--long=1 a",          COMMAND_USAGE, ""                                  },
    {"a -o",                COMMAND_USAGE, ""                                  },
    {"a --name",            COMMAND_USAGE, ""                                  },
    {"-h",                  COMMAND_DONE,  ""                                  },
    {"--help a b c d",      COMMAND_DONE,  ""                                  },
};

static void arguments_arrive(void **state)
{
    (void)state;
    result = 0;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        test_row(i, "%s", cases[i].words);
        assert_int_equal(run_quietly(&command, cases[i].words), cases[i].status);
        assert_string_equal(seen, cases[i].seen);
    }
}

static void results_become_exit_statuses(void **state)
{
    (void)state;
    result = -ENOENT;
    assert_int_equal(run_quietly(&command, "a"), COMMAND_FAILED);
    result = COMMAND_USAGE;
    assert_int_equal(run_quietly(&command, "a"), COMMAND_USAGE);
    result = COMMAND_FAILED;
    assert_int_equal(run_quietly(&command, "a"), COMMAND_FAILED);
    result = 0;
}

static void json_is_no_option_without_results(void **state)
{
    struct command silent = command;

    (void)state;
    silent.has_json = false;
    assert_int_equal(run_quietly(&silent, "a --json"), COMMAND_USAGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_arrive),
        cmocka_unit_test(results_become_exit_statuses),
        cmocka_unit_test(json_is_no_option_without_results),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
