/* command.h: what a command is, and the arguments it gets.
 *
 * A command is a constant in its cmd_*.c, listed in main.c; command_run reads its
 * arguments, answers -h and wrong usage, and runs it. All have -c CONFIG and -h. */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/config.h"
#include "cli/output.h"
#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    COMMAND_OPTIONS_MAX = 24,
    COMMAND_DONE = 0,
    COMMAND_FAILED = 1,
    COMMAND_USAGE = 2,
};

struct command_option {
    const char *name;     /* long; NULL if there is none */
    char letter;          /* 0 if there is none */
    const char *argument; /* "FILE"; NULL: it takes none */
    bool is_list;         /* given again adds ",ARGUMENT" */
    const char *help;
};

/* What the user typed; lent for the call. */
struct arguments {
    const struct command *command;
    const char *config; /* of -c, or NULL */
    enum output_form form;
    /* By position in the command's options: NULL if not given, "" if it takes none. */
    char *values[COMMAND_OPTIONS_MAX];
    char **operands;
    int operand_count;
};

struct command {
    const char *name;
    const char *operands; /* "UID...", for the usage */
    int operands_min;
    int operands_max; /* -1: any number */
    bool has_json;
    const char *summary;                  /* a line without a full stop */
    const struct command_option *options; /* ends with a row without name and letter */
    const char *more;                     /* below the options in the help; or NULL */
    /* More of the help that is not constant; or NULL. */
    int (*print_more)(struct error *err);
    /* 0 done; negative failed, err says why; else the exit status, all being said. */
    int (*run)(const struct arguments *arguments, struct error *err);
};

/* The exit status. argv[0] is the command's name. */
int command_run(const struct command *command, int argc, char **argv);

/* Say on stderr what is wrong, and how it goes. COMMAND_USAGE. */
int command_misused(const struct command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line "modelfs: ..." on stderr, for what a command can go on after. */
void command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
