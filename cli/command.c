/* command.c: reads a command's arguments and runs it. */
#include "cli/command.h"

#include "cli/output.h"
#include "common/memory.h"
#include "common/text.h"

#include <assert.h>
#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>

enum {
    /* What getopt_long returns for the position i of an option: above all letters. */
    FIRST_POSITION = 256,
    POSITION_CONFIG = FIRST_POSITION + COMMAND_OPTIONS_MAX,
    POSITION_HELP,
    POSITION_JSON,
    LONG_MAX_COUNT = COMMAND_OPTIONS_MAX + 4,
    LETTERS_MAX = 3 * LONG_MAX_COUNT,
    MESSAGE_MAX_BYTES = 2 * ERROR_MESSAGE_MAX,
};

static const struct command_option config_option = {.letter = 'c',
                                                    .name = "config",
                                                    .argument = "FILE",
                                                    .help = "read this configuration"};
static const struct command_option json_option = {.name = "json",
                                                  .help = "print JSON, for programs"};
static const struct command_option help_option = {
    .letter = 'h', .name = "help", .help = "print this help"};

static bool is_last(const struct command_option *option)
{
    return !option->letter && !option->name;
}

/* The tables that getopt_long wants. */
struct tables {
    struct option rows[LONG_MAX_COUNT + 1];
    size_t row_count;
    char letters[LETTERS_MAX + 1];
    size_t letter_count;
    int positions[FIRST_POSITION]; /* of a letter */
};

static void add_option(struct tables *tables, const struct command_option *option,
                       int position)
{
    if (option->name)
        tables->rows[tables->row_count++] = (struct option){
            .name = option->name,
            .has_arg = option->argument ? required_argument : no_argument,
            .val = position,
        };
    if (!option->letter)
        return;
    tables->letters[tables->letter_count++] = option->letter;
    if (option->argument)
        tables->letters[tables->letter_count++] = ':';
    tables->positions[(unsigned char)option->letter] = position;
}

static void build_tables(const struct command *command, struct tables *tables)
{
    tables->letters[tables->letter_count++] = ':'; /* tell what lacks its argument */
    add_option(tables, &config_option, POSITION_CONFIG);
    add_option(tables, &help_option, POSITION_HELP);
    if (command->has_json)
        add_option(tables, &json_option, POSITION_JSON);
    for (int i = 0; command->options && !is_last(&command->options[i]); i++) {
        assert(i < COMMAND_OPTIONS_MAX);
        add_option(tables, &command->options[i], FIRST_POSITION + i);
    }
}

static void print_synopsis(FILE *to, const struct command *command)
{
    fprintf(to, "usage: modelfs %s [OPTIONS]%s%s\n", command->name,
            *command->operands ? " " : "", command->operands);
}

static void print_option(const struct command_option *option)
{
    char left[80];
    const char *argument = option->argument ? option->argument : "";
    const char *blank = option->argument ? " " : "";

    if (option->letter && option->name)
        snprintf(left, sizeof left, "-%c, --%s%s%s", option->letter, option->name, blank,
                 argument);
    else if (option->letter)
        snprintf(left, sizeof left, "-%c%s%s", option->letter, blank, argument);
    else
        snprintf(left, sizeof left, "    --%s%s%s", option->name, blank, argument);
    printf("  %-24s  %s\n", left, option->help);
}

static int print_help(const struct command *command, struct error *err)
{
    int rc = 0;

    print_synopsis(stdout, command);
    printf("\n%c%s.\n\n", toupper((unsigned char)*command->summary),
           command->summary + 1);
    for (int i = 0; command->options && !is_last(&command->options[i]); i++)
        print_option(&command->options[i]);
    if (command->has_json)
        print_option(&json_option);
    print_option(&config_option);
    print_option(&help_option);
    if (command->more)
        printf("\n%s", command->more);
    if (command->print_more)
        rc = command->print_more(err);
    return rc < 0 ? rc : output_finish(err);
}

/* Foreign text in a message must not steer the terminal or forge a second line. */
static void print_line(const char *text)
{
    fputs("modelfs: ", stderr);
    for (; *text; text++)
        putc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, stderr);
    putc('\n', stderr);
}

void command_complain(const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_line(text);
}

int command_misused(const struct command *command, const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    print_line(text);
    print_synopsis(stderr, command);
    fprintf(stderr, "'modelfs %s -h' explains the options.\n", command->name);
    return COMMAND_USAGE;
}

static void set_value(const struct command_option *option, char **value, char *argument)
{
    char *before = *value;

    if (option->is_list && before) {
        *value = xasprintf("%s,%s", before, argument);
        free(before);
        return;
    }
    free(before);
    *value = xstrdup(argument ? argument : "");
}

/* The long option that is meant, perhaps; NULL. */
static const char *find_nearest(const struct tables *tables, const char *option)
{
    const char *names[LONG_MAX_COUNT + 1] = {NULL};

    if (strncmp(option, "--", 2) != 0)
        return NULL;
    for (size_t i = 0; i < tables->row_count; i++)
        names[i] = tables->rows[i].name;
    return text_nearest(option + 2, names);
}

static void complain_of_unknown(const struct command *command,
                                const struct tables *tables, const char *option)
{
    const char *nearest = find_nearest(tables, option);

    if (nearest)
        command_misused(command, "%s: '%s' is no option here; did you mean '--%s'?",
                        command->name, option, nearest);
    else
        command_misused(command, "%s: '%s' is no option here", command->name, option);
}

/* What getopt_long stopped at: '?' is no option here, ':' one without its argument. */
static void complain_of(const struct command *command, const struct tables *tables,
                        int found, char *const *argv)
{
    bool is_letter = optopt > 0 && optopt < FIRST_POSITION;
    char letter[] = {'-', is_letter ? (char)optopt : '\0', '\0'};
    const char *option = is_letter ? letter : argv[optind - 1];

    if (found == ':')
        command_misused(command, "%s: '%s' lacks its argument", command->name, option);
    else if (!is_letter && optopt > 0) /* "--json=x" */
        command_misused(command, "%s: '%s' takes no argument", command->name, option);
    else
        complain_of_unknown(command, tables, option);
}

enum outcome {
    OUTCOME_RUN,
    OUTCOME_HELP,
    OUTCOME_MISUSED,
};

static enum outcome read_options(const struct command *command, int argc, char **argv,
                                 struct arguments *arguments)
{
    struct tables tables = {.row_count = 0};
    int found;

    build_tables(command, &tables);
    optind = 0; /* the GNU way to start afresh */
    opterr = 0;
    while ((found = getopt_long(argc, argv, tables.letters, tables.rows, NULL)) != -1) {
        int position = found < FIRST_POSITION ? tables.positions[found] : found;

        if (found == '?' || found == ':') {
            complain_of(command, &tables, found, argv);
            return OUTCOME_MISUSED;
        }
        if (position == POSITION_HELP)
            return OUTCOME_HELP;
        if (position == POSITION_CONFIG)
            arguments->config = optarg;
        else if (position == POSITION_JSON)
            arguments->form = OUTPUT_JSON;
        else
            set_value(&command->options[position - FIRST_POSITION],
                      &arguments->values[position - FIRST_POSITION], optarg);
    }
    arguments->operands = argv + optind;
    arguments->operand_count = argc - optind;
    return OUTCOME_RUN;
}

/* Without the options that must be given, which stand in front: "--name NAME DIR". */
static const char *operands_alone(const char *operands)
{
    while (strncmp(operands, "--", 2) == 0) {
        operands += strcspn(operands, " ");
        operands += strspn(operands, " ");
        operands += strcspn(operands, " ");
        operands += strspn(operands, " ");
    }
    return operands;
}

static int check_operands(const struct command *command,
                          const struct arguments *arguments)
{
    if (arguments->operand_count < command->operands_min)
        return command_misused(command, "%s: %s is missing", command->name,
                               operands_alone(command->operands));
    if (command->operands_max >= 0 && arguments->operand_count > command->operands_max)
        return command_misused(command, "%s: '%s' is one argument too many",
                               command->name, arguments->operands[command->operands_max]);
    return 0;
}

int command_run(const struct command *command, int argc, char **argv)
{
    struct arguments arguments = {.command = command};
    struct error err = {0};
    int rc = 0;

    switch (read_options(command, argc, argv, &arguments)) {
    case OUTCOME_HELP:
        rc = print_help(command, &err);
        break;
    case OUTCOME_MISUSED:
        rc = COMMAND_USAGE;
        break;
    case OUTCOME_RUN:
        rc = check_operands(command, &arguments);
        if (rc == 0)
            rc = command->run(&arguments, &err);
    }
    for (size_t i = 0; i < COMMAND_OPTIONS_MAX; i++)
        free(arguments.values[i]);
    if (rc >= 0)
        return rc;
    command_complain("%s", err.message);
    return COMMAND_FAILED;
}
