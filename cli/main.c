/* main.c: the command table. */
#include "cli/cmd.h"
#include "cli/command.h"
#include "cli/output.h"
#include "cli/version.h"
#include "common/cleanup.h"
#include "common/memory.h"
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
    if (*name == '-')
        command_complain("'%s' stands where the command should: options go behind it, "
                         "modelfs COMMAND [OPTIONS]",
                         name);
    else if (nearest)
        command_complain("'%s' is no command; did you mean '%s'?", name, nearest);
    else
        command_complain("'%s' is no command; 'modelfs --help' lists them", name);
    return COMMAND_USAGE;
}

static bool is_help(const char *option)
{
    return strcmp(option, "--help") == 0 || strcmp(option, "-h") == 0;
}

/* "-c FILE" where a command would be, as users of git write it. How many arguments that
 * takes, 0 if it is something else; *ret_file is NULL where they end before the file. */
static int find_config(int argc, char **argv, char **ret_file)
{
    static const char name[] = "--config=";
    const char *option = argc > 1 ? argv[1] : "";

    if (strcmp(option, "-c") == 0 || strcmp(option, "--config") == 0) {
        *ret_file = argc > 2 ? argv[2] : NULL;
        return argc > 2 ? 2 : 1;
    }
    if (strncmp(option, "-c", 2) == 0)
        *ret_file = argv[1] + 2;
    else if (strncmp(option, name, strlen(name)) == 0)
        *ret_file = argv[1] + strlen(name);
    else
        return 0;
    return 1;
}

/* argv[0] is its name. config is as if it stood behind that; or NULL. */
static int run_command(int argc, char **argv, char *config)
{
    CLEANUP_FREE char **longer = xcalloc((size_t)argc + 3, sizeof *longer);
    const struct command *command = find_command(argv[0]);
    int count = 0;

    if (!command)
        return unknown_command(argv[0]);
    longer[count++] = argv[0];
    if (config) {
        longer[count++] = (char *)"-c";
        longer[count++] = config;
    }
    for (int i = 1; i < argc; i++)
        longer[count++] = argv[i];
    return command_run(command, count, longer);
}

static int run(int argc, char **argv)
{
    char *config = NULL;
    const char *name;
    int taken;

    if (cmd_mount_is_helper(argc, argv))
        return cmd_mount_helper(argc, argv);
    taken = find_config(argc, argv, &config);
    if (taken > 0 && (!config || argc <= 1 + taken)) {
        command_complain("%s is missing after '%s': modelfs -c FILE COMMAND",
                         config ? "the command" : "the file", argv[taken]);
        return COMMAND_USAGE;
    }
    argc -= taken;
    argv += taken;
    name = argc > 1 ? argv[1] : "";
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
    if (strcmp(name, "help") == 0) /* as git does: help COMMAND */
        return run_command(2, (char *[]){argv[2], (char *)"-h"}, NULL);
    return run_command(argc - 1, argv + 1, config);
}

int main(int argc, char **argv)
{
    /* A reader that goes away is an error of the write, reported as any other. */
    signal(SIGPIPE, SIG_IGN);
    return run(argc, argv);
}
