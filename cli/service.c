/* service.c: tells the supervisor and its workers what to do. */
#include "cli/service.h"

#include "cli/greeting.h"
#include "cli/mount_point.h"
#include "cli/wire.h"
#include "common/memory.h"
#include "fs/mount.h"
#include "fs/notify.h"
#include "fs/supervisor.h"

#include <limits.h>

enum {
    ARGUMENTS_MAX = 16,
    OPTIONS_MAX = 64 << 10,
};

/* In the supervisor. */
static void mount_answers(void *arg)
{
    const struct service_options *service = arg;

    mount_point_unlock(service->lock_fd);
    if (service->daemon)
        daemon_ready(service->daemon);
    else
        notify_ready(); /* systemd waits for the foreground */
    if (service->inherited->role == INHERIT_NOTHING)
        log_info("the mount at '%s' answers", service->path);
    else
        log_info("the mount at '%s' goes on with process %d", service->path, getpid());
}

/* What a worker serves with. */
struct serving {
    const struct service_options *service;
    struct wire *wire;
    struct greeting *greeting;
};

/* In a worker: the first was started with the caller's terminal, and by a caller who
 * listens. */
static void worker_answers(void *arg)
{
    struct serving *serving = arg;
    struct daemon *daemon = serving->service->daemon;

    if (daemon && daemon_is_ready(daemon))
        daemon = NULL;
    if (daemon)
        daemon_detach(daemon);
    serving->greeting = greeting_begin(serving->wire->resolver, daemon);
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
    const struct service_options *service = arg;
    const struct mount_options *asked = service->mount;
    struct serving serving = {.service = service};
    int rc = wire_open(service->config, WIRE_MOUNT, &wire, err);

    if (rc < 0)
        return rc;
    serving.wire = wire;
    rc = fs_run(
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
            .no_resend = asked->no_resend,
        },
        worker_answers, &serving, err);
    http_cancel(wire->http); /* what the greeting waits for may hang */
    greeting_end(serving.greeting);
    return rc;
}

/* How this program is started again with the same options, wherever it runs from: its
 * own path, which an upgrade gives to another program. */
struct command_line {
    char program[PATH_MAX];
    struct bytes options;
    char *arguments[ARGUMENTS_MAX];
};

/* By the kernel's word, which says so when it was replaced meanwhile. */
static int find_program(char path[PATH_MAX], struct error *err)
{
    static const char mark[] = " (deleted)";
    ssize_t size = readlink("/proc/self/exe", path, PATH_MAX - 1);

    if (size < 0)
        return fail_errno(err, "find out which program this is");
    path[size] = '\0';
    size -= (ssize_t)strlen(mark);
    if (size > 0 && strcmp(path + size, mark) == 0 && access(path, F_OK) < 0)
        path[size] = '\0';
    return 0;
}

static int compose(const struct service_options *service, struct command_line *line,
                   struct error *err)
{
    int count = 0;
    int rc = find_program(line->program, err);

    bytes_init(&line->options, OPTIONS_MAX);
    if (rc == 0)
        rc = mount_options_print(service->mount, &line->options, err);
    line->arguments[count++] = line->program;
    line->arguments[count++] = (char *)"mount";
    line->arguments[count++] = (char *)"-f";
    if (service->config->path) {
        line->arguments[count++] = (char *)"-c";
        line->arguments[count++] = service->config->path;
    }
    if (line->options.size > 0) {
        line->arguments[count++] = (char *)"-o";
        line->arguments[count++] = line->options.data;
    }
    line->arguments[count] = (char *)service->path;
    return rc;
}

static int supervise(const struct service_options *service, struct error *err)
{
    struct command_line line = {0};
    int rc = compose(service, &line, err);

    if (rc == 0)
        rc = supervisor_run(
            &(struct supervisor_options){
                .device = {.mountpoint = service->path,
                           .allow_other = service->mount->allow_other,
                           .noexec = service->mount->noexec},
                .life = {.work = work,                           .arg = (void *)service                            },
                .inherited = service->inherited,
                .command = line.arguments,
                .ready = mount_answers,
                .arg = (void *)service,
        },
            err);
    notify_stopping();
    bytes_done(&line.options);
    return rc;
}

int service_run(const struct service_options *options, struct error *err)
{
    struct worker_life life = {.work = work, .arg = (void *)options};

    if (options->inherited->role == INHERIT_AS_WORKER)
        return worker_run(&life, options->inherited->fds, err);
    return supervise(options, err);
}
