/* cmd_mount.c: modelfs mount, also as mount(8) calls it. */
#include "backends/credentials.h"
#include "cli/cmd.h"
#include "cli/config_keys.h"
#include "cli/mount_options.h"
#include "cli/mount_point.h"
#include "cli/service.h"
#include "common/memory.h"
#include "common/paths.h"
#include "fs/device.h"
#include "fs/notify.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>

enum {
    OPTION_FOREGROUND,
    OPTION_OPTIONS,
};

static const struct command_option options[] = {
    [OPTION_FOREGROUND] = {.letter = 'f',         .help = "stay in the foreground"},
    [OPTION_OPTIONS] = {.letter = 'o',
                           .argument = "OPTIONS",
                           .is_list = true,
                           .help = "mount options, a comma between them"},
    {0},
};

/* What is to be mounted how. */
struct request {
    const char *mountpoint;
    const char *config; /* NULL: where it is looked for */
    struct mount_options options;
    bool is_foreground;
};
#define CLEANUP_REQUEST CLEANUP_WITH(request_done)

static void request_done(struct request *request)
{
    mount_options_done(&request->options);
}

/* The exit status of the background process. */
static int serve_in_background(struct service_options *service, struct daemon *daemon)
{
    struct error err = {0};
    int rc;

    unsetenv("NOTIFY_SOCKET"); /* it is for who started us */
    service->daemon = daemon;
    /* No folder is kept from being unmounted by us. */
    if (chdir("/") < 0)
        rc = fail_errno(&err, "change to '/'");
    else
        rc = service_run(service, &err);
    if (rc == 0)
        return COMMAND_DONE;
    if (daemon_is_ready(daemon))
        log_error("mount '%s' ended: %s", service->path, err.message);
    else
        daemon_failed(daemon, &err);
    return COMMAND_FAILED;
}

static int serve_in_foreground(const struct service_options *service, struct error *err)
{
    const char *log = service->mount->log;
    int rc = log ? daemon_log_to(log, err) : 0;

    return rc == 0 ? service_run(service, err) : rc;
}

/* The folder, checked and locked. A dead mount that a service manager's process left is
 * none of its user's business. */
static int find_folder(const struct request *request, char **ret_path, int *ret_lock_fd,
                       struct error *err)
{
    CLEANUP_FREE char *path = NULL;
    struct error why = {0};
    int rc = mount_point_check(request->mountpoint, &path, &why);

    if (rc == -ENOTCONN && notify_has_manager() &&
        mount_point_name(request->mountpoint, &path, &why) == 0) {
        device_detach(path);
        free(steal_ptr(&path));
        rc = mount_point_check(request->mountpoint, &path, &why);
    }
    if (rc < 0) {
        *err = why;
        return rc;
    }
    rc = mount_point_lock(path, ret_lock_fd, err);
    if (rc == 0)
        *ret_path = steal_ptr(&path);
    return rc;
}

static int mount_as(const struct inherited *inherited, const struct request *request,
                    struct error *err)
{
    CLEANUP_CONFIG struct config *config = NULL;
    CLEANUP_FREE char *path = NULL;
    struct service_options service = {
        .mount = &request->options, .inherited = inherited, .lock_fd = -1};
    struct daemon daemon;
    int rc = config_load(request->config ? request->config : request->options.config,
                         &config, err);

    if (rc == 0 && inherited->role == INHERIT_NOTHING)
        rc = find_folder(request, &path, &service.lock_fd, err);
    else if (rc == 0)
        path = xstrdup(request->mountpoint); /* mounted by one of us, who checked it */
    if (rc == 0)
        rc = mount_point_check_config(path, config, err);
    if (rc < 0)
        return rc;
    service.path = path;
    log_set_level(request->options.debug ? LOG_LEVEL_DEBUG : config->log);
    service.config = inherited->role == INHERIT_AS_WORKER ? steal_ptr(&config) : config;
    if (request->is_foreground)
        return serve_in_foreground(&service, err);
    rc = daemon_start(request->options.log, &daemon, err);
    if (rc == DAEMON_CHILD)
        return serve_in_background(&service, &daemon);
    return rc;
}

static int mount_it(const struct request *request, struct error *err)
{
    struct inherited inherited;
    int rc = inherit_find(&inherited, err);

    if (rc < 0)
        return rc;
    rc = mount_as(&inherited, request, err);
    if (rc < 0)
        inherit_tell(&inherited, err);
    return rc;
}

/* The program may be started anew from another folder. */
static int make_log_absolute(struct mount_options *given, struct error *err)
{
    char *path;
    int rc = given->log ? paths_expand(given->log, NULL, &path, err) : 0;

    if (rc == 0 && given->log) {
        free(given->log);
        given->log = path;
    }
    return rc;
}

static int run(const struct arguments *arguments, struct error *err)
{
    CLEANUP_REQUEST struct request request = {
        .mountpoint = arguments->operands[0],
        .config = arguments->config,
        .is_foreground = arguments->values[OPTION_FOREGROUND] != NULL,
    };
    const char *text = arguments->values[OPTION_OPTIONS];
    int rc;

    if (text && mount_options_parse(text, &request.options, err) < 0)
        return command_misused(arguments->command, "mount: %s", err->message);
    rc = make_log_absolute(&request.options, err);
    if (rc == 0)
        rc = credentials_keep_paths(err);
    return rc == 0 ? mount_it(&request, err) : rc;
}

static int print_keys(struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, 64 * KIB);
    rc = config_keys_print(&text, err);
    if (rc == 0)
        printf("\nConfiguration (YAML; 'cache.size' is 'size' below 'cache'), with "
               "defaults:\n%s",
               text.data);
    return rc;
}

const struct command cmd_mount = {
    .name = "mount",
    .operands = "MOUNTPOINT",
    .operands_min = 1,
    .operands_max = 1,
    .summary = "mount the repositories as a directory tree",
    .options = options,
    .more =
        "Returns when the mount answers and goes on in the background.\n"
        "\n"
        "Mount options:\n"
        "  allow_other               other users may read, too\n"
        "  config=FILE               as -c\n"
        "  log=FILE                  append messages there, not to the journal\n"
        "  noexec                    nothing on it can be executed\n"
        "  debug                     log each request\n"
        "Options of fstab that change nothing here (ro, nodev, _netdev, ...) are\n"
        "accepted. In fstab: CONFIG MOUNTPOINT fuse.modelfs OPTIONS 0 0, where CONFIG\n"
        "is the configuration file or none.\n",
    .print_more = print_keys,
    .run = run,
};

/* "none" and the name of the file system stand for no file, as fstabs have them. */
static bool names_no_file(const char *source)
{
    return !*source || strcmp(source, "none") == 0 || strcmp(source, "modelfs") == 0;
}

bool cmd_mount_is_helper(int argc, char **argv)
{
    CLEANUP_FREE char *path = argc > 0 ? xstrdup(argv[0]) : xstrdup("");

    if (strncmp(basename(path), "mount.", 6) == 0)
        return true;
    /* mount.fuse3 runs us by our own name, with SOURCE where a command would be. */
    return argc > 2 && *argv[1] != '-' &&
           (names_no_file(argv[1]) || strchr(argv[1], '/'));
}

static const char *config_of_source(const char *source)
{
    if (strncmp(source, "modelfs#", 8) == 0)
        source += 8;
    return names_no_file(source) ? NULL : source;
}

static int helper_usage(const char *program)
{
    fprintf(stderr, "usage: %s SOURCE MOUNTPOINT [-sfnv] [-o OPTIONS]\n", program);
    return COMMAND_USAGE;
}

int cmd_mount_helper(int argc, char **argv)
{
    CLEANUP_REQUEST struct request request = {0};
    struct error err = {0};
    bool is_fake = false;
    int letter;
    int rc = 0;

    while (rc == 0 && (letter = getopt(argc, argv, "sfnviN:o:t:")) != -1) {
        if (letter == '?')
            return helper_usage(argv[0]);
        if (letter == 'f')
            is_fake = true;
        if (letter == 'o')
            rc = mount_options_parse(optarg, &request.options, &err);
    }
    if (rc < 0) {
        command_complain("%s", err.message);
        return COMMAND_USAGE;
    }
    if (argc - optind < 1 || argc - optind > 2)
        return helper_usage(argv[0]);
    request.mountpoint = argv[argc - 1];
    if (argc - optind == 2 && !request.options.config)
        request.config = config_of_source(argv[optind]);
    rc = make_log_absolute(&request.options, &err);
    if (rc == 0 && !is_fake)
        rc = mount_it(&request, &err);
    if (rc >= 0)
        return rc;
    command_complain("%s", err.message);
    return COMMAND_FAILED;
}
