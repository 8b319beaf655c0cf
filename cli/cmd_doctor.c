/* cmd_doctor.c: modelfs doctor. */
#include "cli/cmd.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/wire.h"
#include "common/memory.h"
#include "common/text.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>

enum {
    MESSAGE_MAX_BYTES = 2 * ERROR_MESSAGE_MAX,
    FREE_BYTES_LOW = 1 << 30,
};

enum state {
    STATE_OK,
    STATE_WARNING,
    STATE_FAILED,
};

static const char *const state_names[] = {
    [STATE_OK] = "ok",
    [STATE_WARNING] = "warning",
    [STATE_FAILED] = "failed",
};

struct doctor {
    struct json *json; /* NULL: text */
    enum state worst;
};

/* A line: how it is, and what to do if it is not well. */
__attribute__((format(printf, 4, 5))) static void
say(struct doctor *doctor, enum state state, const char *check, const char *format, ...)
{
    char text[MESSAGE_MAX_BYTES];
    char line[MESSAGE_MAX_BYTES + 64];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (state > doctor->worst)
        doctor->worst = state;
    if (!doctor->json) {
        snprintf(line, sizeof line, "%-8s %-12s %s", state_names[state], check, text);
        output_line(line);
        fflush(stdout); /* the next check may take long; output_finish sees failures */
        return;
    }
    json_begin(doctor->json, NULL, JSON_MAP);
    json_text(doctor->json, "check", check);
    json_text(doctor->json, "state", state_names[state]);
    json_text(doctor->json, "message", text);
    json_end(doctor->json);
}

static void check_device(struct doctor *doctor)
{
    CLEANUP_CLOSE int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd >= 0)
        say(doctor, STATE_OK, "fuse", "'/dev/fuse' can be opened");
    else if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
        say(doctor, STATE_FAILED, "fuse",
            "'/dev/fuse' is missing: run 'modprobe fuse'; a container must be given the "
            "device (docker: --device /dev/fuse)");
    else
        say(doctor, STATE_FAILED, "fuse",
            "'/dev/fuse' cannot be opened: %s; mount as root, or let your user open it "
            "(its mode is 0666 on most systems)",
            strerror(errno));
}

/* Effective now: root in a container often lacks it. */
static bool may_mount(void)
{
    CLEANUP_FCLOSE FILE *file = fopen("/proc/self/status", "re");
    unsigned long long effective = 0;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        if (sscanf(line, "CapEff: %llx", &effective) == 1)
            break;
    }
    return effective >> CAP_SYS_ADMIN & 1;
}

static bool is_in_path(const char *program)
{
    const char *path = getenv("PATH");
    CLEANUP_FREE char *folders = xstrdup(path ? path : "/usr/bin:/bin");
    char *rest = folders;

    for (char *folder; (folder = strsep(&rest, ":"));) {
        CLEANUP_FREE char *name = xasprintf("%s/%s", folder, program);

        if (access(name, X_OK) == 0)
            return true;
    }
    return false;
}

static void check_rights(struct doctor *doctor)
{
    if (may_mount())
        say(doctor, STATE_OK, "rights", "you may mount (CAP_SYS_ADMIN)");
    else if (geteuid() == 0)
        say(doctor, STATE_FAILED, "rights",
            "root lacks CAP_SYS_ADMIN here and cannot mount: give it to the container "
            "(docker: --cap-add SYS_ADMIN)");
    else if (!is_in_path("fusermount3"))
        say(doctor, STATE_FAILED, "rights",
            "fusermount3 is missing, without which only root may mount: install fuse3");
    else if (access("/etc/mtab", R_OK) < 0)
        say(doctor, STATE_WARNING, "rights",
            "fusermount3 mounts for you, but does not unmount without /etc/mtab: run 'ln "
            "-s "
            "/proc/self/mounts /etc/mtab' as root");
    else
        say(doctor, STATE_OK, "rights", "fusermount3 mounts for you");
}

/* What a daemon that dies or is upgraded costs its readers. */
static void check_survival(struct doctor *doctor, bool can_resend)
{
    if (can_resend)
        say(doctor, STATE_OK, "survival",
            "possible: when a worker dies the kernel sends its requests again");
    else
        say(doctor, STATE_WARNING, "survival",
            "in part: kernel 6.9 is needed for all; when a worker dies the calls under "
            "way fail with EIO, later ones work");
}

static void check_kernel(struct doctor *doctor)
{
    struct utsname name;
    unsigned major = 0;
    unsigned minor = 0;

    if (uname(&name) < 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2) {
        say(doctor, STATE_WARNING, "kernel", "its version cannot be found out");
        return;
    }
    if (major < 5 || (major == 5 && minor < 6)) {
        say(doctor, STATE_FAILED, "kernel", "%s is too old: 5.6 is needed", name.release);
        return;
    }
    say(doctor, STATE_OK, "kernel", "%s", name.release);
    check_survival(doctor, major > 6 || (major == 6 && minor >= 9));
    if (major < 6 || (major == 6 && minor < 9))
        say(doctor, STATE_WARNING, "passthrough",
            "not possible: kernel 6.9 is needed; all works, large files are read more "
            "slowly");
    else if (!may_mount())
        say(doctor, STATE_WARNING, "passthrough",
            "not possible: mounting needs CAP_SYS_ADMIN for it; all works, large files "
            "are read more slowly");
    else
        say(doctor, STATE_OK, "passthrough", "possible: kernel and rights allow it");
}

static void check_cache(struct doctor *doctor, const struct config *config)
{
    struct cache *cache = NULL;
    struct error err = {0};
    struct statvfs space;
    uint64_t left;
    char text[32];

    if (wire_cache(config, &cache, &err) < 0) {
        say(doctor, STATE_FAILED, "cache", "%s", err.message);
        return;
    }
    cache_close(cache);
    if (statvfs(config->cache_root, &space) < 0) {
        say(doctor, STATE_WARNING, "cache", "'%s' does not tell its free space: %s",
            config->cache_root, strerror(errno));
        return;
    }
    left = (uint64_t)space.f_bavail * space.f_frsize;
    text_from_size(left, text, sizeof text);
    if (left < FREE_BYTES_LOW)
        say(doctor, STATE_WARNING, "cache",
            "'%s' can be written, but only %s are free: make room, or set cache.root",
            config->cache_root, text);
    else
        say(doctor, STATE_OK, "cache", "'%s' can be written, %s are free",
            config->cache_root, text);
}

struct finding {
    struct doctor *doctor;
    const char *repository;
};

static void say_finding(void *arg, enum backend_health health, const char *topic,
                        const char *sentence)
{
    static const enum state states[] = {
        [BACKEND_FINE] = STATE_OK,
        [BACKEND_WARNING] = STATE_WARNING,
        [BACKEND_BROKEN] = STATE_FAILED,
    };
    const struct finding *finding = arg;

    say(finding->doctor, states[health], topic, "repository '%s': %s",
        finding->repository, sentence);
}

static void check_repository(struct doctor *doctor,
                             const struct config_repository *repository,
                             struct http *http)
{
    struct backend *backend = NULL;
    struct error err = {0};
    int rc = wire_backend(repository, http, &backend, &err);

    if (rc < 0) { /* the host may hold a password: that is refused, not repeated */
        say(doctor, STATE_FAILED, "repository", "%s", err.message);
        return;
    }
    rc = backend_check(backend, &err);
    if (rc == 0)
        say(doctor, STATE_OK, "repository", "'%s' at '%s' answers", repository->name,
            repository->host);
    else
        say(doctor, STATE_FAILED, "repository", "'%s' at '%s': %s", repository->name,
            repository->host, err.message);
    if (rc != -ETIMEDOUT) /* who said nothing now will not say more */
        backend_diagnose(
            backend, say_finding,
            &(struct finding){.doctor = doctor, .repository = repository->name});
    backend_close(backend);
}

static void check_repositories(struct doctor *doctor, const struct config *config)
{
    struct http *http = NULL;
    struct error err = {0};

    if (wire_http(config, WIRE_COMMAND_SILENCE_MS, &http, &err) < 0) {
        say(doctor, STATE_FAILED, "config", "%s", err.message);
        return;
    }
    for (size_t i = 0; i < config->repository_count; i++)
        check_repository(doctor, &config->repositories[i], http);
    http_close(http);
}

static void check_config(struct doctor *doctor, const char *asked)
{
    CLEANUP_CONFIG struct config *config = NULL;
    struct error err = {0};

    if (config_load(asked, &config, &err) < 0) {
        say(doctor, STATE_FAILED, "config", "%s", err.message);
        return;
    }
    if (config->path)
        say(doctor, STATE_OK, "config", "'%s'", config->path);
    else
        say(doctor, STATE_OK, "config", "there is no file, the defaults are used");
    check_cache(doctor, config);
    if (wire_make_default(config, &err) < 0)
        say(doctor, STATE_FAILED, "repository", "%s", err.message);
    check_repositories(doctor, config);
}

static int run(const struct arguments *arguments, struct error *err)
{
    struct json json;
    struct doctor doctor = {.json = arguments->form == OUTPUT_JSON ? &json : NULL};
    int rc;

    json_init(&json, stdout);
    if (doctor.json)
        json_begin(&json, NULL, JSON_LIST);
    check_device(&doctor);
    check_rights(&doctor);
    check_kernel(&doctor);
    check_config(&doctor, arguments->config);
    if (doctor.json)
        json_end(&json);
    rc = output_finish(err);
    if (rc < 0)
        return rc;
    return doctor.worst == STATE_FAILED ? COMMAND_FAILED : COMMAND_DONE;
}

const struct command cmd_doctor = {
    .name = "doctor",
    .has_json = true,
    .operands = "",
    .summary = "check FUSE, kernel, configuration, cache and each repository",
    .more =
        "A line for each: ok, warning or failed, and what to do. The exit status is 1\n"
        "when anything failed.\n",
    .run = run,
};
