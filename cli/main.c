/* main.c: the command table. */
#include "cli/cmd.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/version.h"
#include "common/text.h"

#include <signal.h>

static const struct command *const commands[] = {
    &cmd_mount,    &cmd_unmount, &cmd_publish, &cmd_load,    &cmd_ls,      &cmd_info,
    &cmd_versions, &cmd_latest,  &cmd_exists,  &cmd_aliases, &cmd_resolve, &cmd_alias,
    &cmd_meta,     &cmd_uid,     &cmd_cache,   &cmd_doctor,
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *to)
{
    fputs("usage: modelfs COMMAND [OPTIONS] [ARGUMENTS]\n"
          "\n"
          "Mounts model repositories as a directory tree.\n"
          "\n",
          to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(to, "  %-10s  %s\n", commands[i]->name, commands[i]->summary);
    fputs(
        "\n"
        "'modelfs COMMAND -h' explains one; 'modelfs --version' prints the version.\n"
        "A UID is a short ID (3e120e8d), a full ID (3e120e8d-1.0.0), a legacy ID or an\n"
        "alias. The configuration is the first found of -c FILE, $MODELFS_CONFIG,\n"
        "$XDG_CONFIG_HOME/modelfs/config.yaml and /etc/modelfs/config.yaml; without "
        "one,\n"
        "a repository below $XDG_DATA_HOME/modelfs is used.\n",
        to);
}

static int finish(void)
{
    struct error err = {0};

    if (output_finish(&err) == 0)
        return COMMAND_DONE;
    command_complain("%s", err.message);
    return COMMAND_FAILED;
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i]->name, name) == 0)
            return commands[i];
    }
    return NULL;
}

static int unknown_command(const char *name)
{
    const char *names[COMMAND_COUNT + 1];
    const char *nearest;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i]->name;
    names[COMMAND_COUNT] = NULL;
    nearest = text_nearest(name, names);
    if (nearest)
        command_complain("'%s' is no command; did you mean '%s'?", name, nearest);
    else
        command_complain("'%s' is no command; 'modelfs --help' lists them", name);
    return COMMAND_USAGE;
}

static bool is_help(const char *option)
{
    return strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0;
}

static int run(int argc, char **argv)
{
    const struct command *command;
    const char *name = argc > 1 ? argv[1] : "";

    if (cmd_mount_is_helper(argc, argv))
        return cmd_mount_helper(argc, argv);
    if (!*name) {
        print_usage(stderr);
        return COMMAND_USAGE;
    }
    if (is_help(name) || (strcmp(name, "help") == 0 && (argc == 2 || is_help(argv[2])))) {
        print_usage(stdout);
        return finish();
    }
    if (strcmp(name, "--version") == 0) {
        printf("modelfs %s\n", VERSION);
        return finish();
    }
    if (strcmp(name, "help") == 0) { /* as git does: help COMMAND */
        command = find_command(argv[2]);
        return command ? command_run(command, 2, (char *[]){argv[2], (char *)"-h", NULL})
                       : unknown_command(argv[2]);
    }
    command = find_command(name);
    return command ? command_run(command, argc - 1, argv + 1) : unknown_command(name);
}

int main(int argc, char **argv)
{
    /* A reader that goes away is an error of the write, reported as any other. */
    signal(SIGPIPE, SIG_IGN);
    return run(argc, argv);
}
