/* cmd_mount.c: modelfs mount, also as mount(8) calls it. */
#include "cli/cmd.h"
#include "cli/config_keys.h"
#include "cli/daemon.h"
#include "cli/mount_options.h"
#include "cli/mount_point.h"
#include "cli/wire.h"
#include "common/memory.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/supervisor.h"

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

/* What the supervisor and its workers are told. */
struct service {
    const struct request *request;
    const char *path;
    struct config *config; /* each worker takes its own copy of it, by fork */
    struct daemon *daemon; /* NULL in the foreground */
};

/* In the supervisor. */
static void mount_answers(void *arg)
{
    const struct service *service = arg;

    if (service->daemon)
        daemon_ready(service->daemon);
    else
        notify_ready(); /* systemd waits for the foreground */
    log_info("the mount at '%s' answers", service->path);
}

/* In a worker: the first was started with the caller's terminal. */
static void worker_answers(void *arg)
{
    const struct service *service = arg;

    if (service->daemon && !daemon_is_ready(service->daemon))
        daemon_detach(service->daemon);
}

/* Our credentials do the writing: not for others, unless somebody said so. */
static bool may_write(enum config_write write, const struct mount_options *asked)
{
    return write == CONFIG_WRITE_DEFAULT ? !asked->allow_other : write == CONFIG_WRITE_ON;
}

static void cancel_requests(void *arg)
{
    http_cancel(arg);
}

static int work(void *arg, struct handover *handover, struct error *err)
{
    CLEANUP_WIRE struct wire *wire = NULL;
    const struct service *service = arg;
    const struct mount_options *asked = &service->request->options;
    int rc = wire_open(service->config, WIRE_CACHE, &wire, err);

    if (rc < 0)
        return rc;
    return fs_run(
        &(struct fs_options){
            .mountpoint = service->path,
            .handover = handover,
            .resolver = wire->resolver,
            .cache = wire->cache,
            .ttl_alias_ms = wire->config->ttl_alias_ms,
            .ttl_listing_ms = wire->config->ttl_listing_ms,
            .ttl_negative_ms = wire->config->ttl_negative_ms,
            .cache_root = wire->config->cache_root,
            .cancel = cancel_requests,
            .cancel_arg = wire->http,
            .write_staging = may_write(wire->config->write_staging, asked),
            .write_meta = may_write(wire->config->write_meta, asked),
            .write_aliases = may_write(wire->config->write_aliases, asked),
            .debug = asked->debug,
            .no_passthrough = asked->no_passthrough,
            .no_direct_mmap = asked->no_direct_mmap,
        },
        worker_answers, (void *)service, err);
}

/* daemon is NULL in the foreground. */
static int serve(const struct request *request, const char *path, struct config *config,
                 struct daemon *daemon, struct error *err)
{
    struct service service = {
        .request = request, .path = path, .config = config, .daemon = daemon};
    int rc = supervisor_run(
        &(struct supervisor_options){
            .device = {.mountpoint = path,
                       .allow_other = request->options.allow_other,
                       .noexec = request->options.noexec},
            .work = work,
            .ready = mount_answers,
            .arg = &service,
    },
        err);

    notify_stopping();
    return rc;
}

/* The exit status of the background process. */
static int serve_in_background(const struct request *request, const char *path,
                               struct config *config, struct daemon *daemon)
{
    struct error err = {0};
    int rc;

    /* No folder is kept from being unmounted by us. */
    if (chdir("/") < 0)
        rc = fail_errno(&err, "change to '/'");
    else
        rc = serve(request, path, config, daemon, &err);
    if (rc == 0)
        return COMMAND_DONE;
    if (daemon_is_ready(daemon))
        log_error("mount '%s' ended: %s", path, err.message);
    else
        daemon_failed(daemon, &err);
    return COMMAND_FAILED;
}

static int serve_in_foreground(const struct request *request, const char *path,
                               struct config *config, struct error *err)
{
    int rc = request->options.log ? daemon_log_to(request->options.log, err) : 0;

    return rc == 0 ? serve(request, path, config, NULL, err) : rc;
}

static int mount_it(const struct request *request, struct error *err)
{
    CLEANUP_CONFIG struct config *config = NULL;
    CLEANUP_FREE char *path = NULL;
    struct daemon daemon;
    int rc = config_load(request->config ? request->config : request->options.config,
                         &config, err);

    if (rc == 0)
        rc = mount_point_check(request->mountpoint, &path, err);
    if (rc == 0)
        rc = mount_point_check_config(path, config, err);
    if (rc < 0)
        return rc;
    log_set_level(request->options.debug ? LOG_LEVEL_DEBUG : config->log);
    if (request->is_foreground)
        return serve_in_foreground(request, path, config, err);
    rc = daemon_start(request->options.log, &daemon, err);
    if (rc == DAEMON_CHILD)
        return serve_in_background(request, path, config, &daemon);
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

    if (text && mount_options_parse(text, &request.options, err) < 0)
        return command_misused(arguments->command, "mount: %s", err->message);
    return mount_it(&request, err);
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
    return argc > 2 && (names_no_file(argv[1]) || strchr(argv[1], '/'));
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
    if (argc - optind < 1 || argc - optind > 2)
        return helper_usage(argv[0]);
    request.mountpoint = argv[argc - 1];
    if (argc - optind == 2 && !request.options.config)
        request.config = config_of_source(argv[optind]);
    if (rc == 0 && !is_fake)
        rc = mount_it(&request, &err);
    if (rc >= 0)
        return rc;
    command_complain("%s", err.message);
    return COMMAND_FAILED;
}
