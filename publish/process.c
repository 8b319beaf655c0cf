/* process.c: a name for a process that tells it apart from all others. */
#include "publish/process.h"

#include "common/bytes.h"
#include "common/cleanup.h"
#include "common/files.h"
#include "common/text.h"
#include "common/user.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FILE_BYTES_MAX = 4096,
    BOOT_SIZE = 37,
    PLACE_SIZE = 80,
    START_FIELD = 22, /* of /proc/PID/stat, counted from 1 */
};

/* State and start time of a process. false: there is none, or it is not shown to us. */
static bool read_stat(const char *pid, char *ret_state, unsigned long long *ret_start)
{
    CLEANUP_BYTES struct bytes text;
    struct error ignored; /* as above */
    const char *at;
    char path[64];

    bytes_init(&text, FILE_BYTES_MAX);
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    if (files_read(AT_FDCWD, path, &text, &ignored) < 0)
        return false;
    at = strrchr(text.data, ')'); /* the end of the name, which may hold anything */
    if (!at || sscanf(at, ") %c", ret_state) != 1)
        return false;
    for (int field = 2; field < START_FIELD && at; field++)
        at = strchr(at + 1, ' ');
    return at && sscanf(at, " %llu", ret_start) == 1;
}

/* What processes have in common that see each other's PIDs: "<boot ID>/<namespace>/". */
static bool read_place(char place[PLACE_SIZE])
{
    CLEANUP_BYTES struct bytes boot;
    struct error ignored; /* then there is no name */
    struct stat namespace;

    bytes_init(&boot, FILE_BYTES_MAX);
    if (files_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &boot, &ignored) < 0 ||
        stat("/proc/self/ns/pid", &namespace) < 0)
        return false;
    snprintf(place, PLACE_SIZE, "%.*s/%llu/", BOOT_SIZE - 1, boot.data,
             (unsigned long long)namespace.st_ino);
    return true;
}

void process_name_of(pid_t pid, char ret_name[PROCESS_NAME_SIZE])
{
    unsigned long long start;
    char place[PLACE_SIZE], state, text[24];

    snprintf(text, sizeof text, "%lld", (long long)pid);
    if (read_place(place) && read_stat(text, &state, &start))
        snprintf(ret_name, PROCESS_NAME_SIZE, "%s%s/%llu", place, text, start);
    else
        ret_name[0] = '\0';
}

void process_name(char ret_name[PROCESS_NAME_SIZE])
{
    process_name_of(getpid(), ret_name);
}

enum life {
    LIFE_UNKNOWN,
    LIFE_RUNS,
    LIFE_ENDED,
};

/* Of a process that is not in /proc: with hidepid= those of others are not. */
static enum life find_hidden_life(const char *pid)
{
    struct error ignored; /* then it is not known */
    uint64_t number;

    if (text_to_u64(pid, &number, &ignored) < 0 || number == 0 || number > INT_MAX)
        return LIFE_UNKNOWN;
    return kill((pid_t)number, 0) < 0 && errno == ESRCH ? LIFE_ENDED : LIFE_UNKNOWN;
}

static enum life find_life(const char *name)
{
    unsigned long long started, start = 0;
    char place[PLACE_SIZE], state = 0, pid[24];
    size_t size;

    if (!read_place(place))
        return LIFE_UNKNOWN;
    size = strlen(place);
    if (strncmp(name, place, size) != 0 ||
        sscanf(name + size, "%20[0-9]/%llu", pid, &started) != 2)
        return LIFE_UNKNOWN;
    if (!read_stat(pid, &state, &start))
        return find_hidden_life(pid);
    return start != started || state == 'Z' || state == 'X' ? LIFE_ENDED : LIFE_RUNS;
}

bool process_is_dead(const char *name)
{
    return find_life(name) == LIFE_ENDED;
}

bool process_is_alive(const char *name)
{
    return find_life(name) == LIFE_RUNS;
}

bool process_was(const char *name, pid_t pid)
{
    char place[PLACE_SIZE], begin[PLACE_SIZE + 24];

    if (pid <= 0 || !process_is_dead(name) || !read_place(place))
        return false;
    snprintf(begin, sizeof begin, "%s%lld/", place, (long long)pid);
    return strncmp(name, begin, strlen(begin)) == 0;
}

void process_owner(char ret_owner[PROCESS_OWNER_SIZE])
{
    CLEANUP_FREE char *user = NULL;
    struct error ignored; /* then it is somebody */
    char host[65] = "unknown";

    if (gethostname(host, sizeof host - 1) < 0)
        host[0] = '\0';
    (void)user_name(getuid(), &user, &ignored);
    snprintf(ret_owner, PROCESS_OWNER_SIZE, "%.64s on %s, process %lld",
             user ? user : "somebody", host, (long long)getpid());
    for (char *at = ret_owner; *at; at++)
        if (*at < ' ' || *at > '~' || *at == '\'')
            *at = '?';
}
