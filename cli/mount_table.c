/* mount_table.c: what is mounted where, by /proc/self/mountinfo. */
#include "cli/mount_table.h"

#include "common/bytes.h"
#include "common/files.h"
#include "common/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#define TABLE "/proc/self/mountinfo"

enum { TABLE_BYTES_MAX = 64 << 20 };

/* A field ends at a blank. The next one, or the end. */
static const char *next_field(const char *field)
{
    field += strcspn(field, " \n");
    return *field == ' ' ? field + 1 : field;
}

static bool is_octal(const char *text)
{
    for (int i = 0; i < 3; i++) {
        if (text[i] < '0' || text[i] > '7')
            return false;
    }
    return true;
}

/* The kernel writes blank, tab, newline and backslash as \040 and so on. */
static bool field_is(const char *field, const char *path)
{
    while (*field && *field != ' ' && *field != '\n') {
        char c = *field++;

        if (c == '\\' && is_octal(field)) {
            c = (char)((field[0] - '0') << 6 | (field[1] - '0') << 3 | (field[2] - '0'));
            field += 3;
        }
        if (c != *path++)
            return false;
    }
    return !*path;
}

static long long read_number(const char *digits)
{
    long long number = 0;

    for (; *digits >= '0' && *digits <= '9'; digits++)
        number = number * 10 + (*digits - '0');
    return number;
}

/* The kernel's own "user_id=1000" of a FUSE mount, in the options at the line's end. */
static long long read_owner(const char *options)
{
    static const char key[] = "user_id=";
    size_t size = strlen(key);

    for (;;) {
        if (strncmp(options, key, size) == 0)
            return read_number(options + size);
        options += strcspn(options, ", \n");
        if (*options != ',')
            return -1;
        options++;
    }
}

/* "36 35 98:0 /root /path options optional ... - type source options" */
static bool read_line(const char *line, const char *path, struct mount_entry *entry)
{
    const char *field = line;
    size_t size;

    for (int i = 0; i < 4; i++)
        field = next_field(field);
    if (!field_is(field, path))
        return false;
    while (*field && *field != '\n' && !(field[0] == '-' && field[1] == ' '))
        field = next_field(field);
    if (*field != '-')
        return false;
    field = next_field(field);
    size = strcspn(field, " \n");
    if (size >= sizeof entry->type)
        size = sizeof entry->type - 1;
    memcpy(entry->type, field, size);
    entry->type[size] = '\0';
    entry->owner = read_owner(next_field(next_field(field)));
    entry->id = read_number(line);
    return true;
}

bool mount_table_search(const char *text, const char *path, struct mount_entry *ret_entry)
{
    bool is_found = false;

    /* Later lines lie on top of earlier ones. */
    while (*text) {
        is_found |= read_line(text, path, ret_entry);
        text += strcspn(text, "\n");
        text += *text == '\n';
    }
    return is_found;
}

int mount_table_find(const char *path, bool *ret_is_mounted,
                     struct mount_entry *ret_entry, struct error *err)
{
    CLEANUP_BYTES struct bytes text;
    int rc;

    bytes_init(&text, TABLE_BYTES_MAX);
    rc = files_read(AT_FDCWD, TABLE, &text, err);
    if (rc == 0)
        *ret_is_mounted = mount_table_search(text.data, path, ret_entry);
    return rc;
}

int mount_table_wait_gone(const char *path, long long id, int timeout_ms,
                          struct error *err)
{
    CLEANUP_CLOSE int fd = open(TABLE, O_RDONLY | O_CLOEXEC);
    int64_t deadline_ms = clock_now_ms() + timeout_ms;

    if (fd < 0)
        return fail_errno(err, "open '%s'", TABLE);
    for (;;) {
        struct pollfd changed = {.fd = fd, .events = POLLPRI};
        struct mount_entry entry;
        bool is_mounted = false;
        int64_t left_ms = deadline_ms - clock_now_ms();
        int rc = mount_table_find(path, &is_mounted, &entry, err);

        if (rc < 0 || !is_mounted || entry.id != id)
            return rc;
        if (left_ms <= 0)
            return fail(err, ETIMEDOUT, "'%s' is still mounted", path);
        /* Returns when the table changes. */
        if (poll(&changed, 1, (int)left_ms) < 0 && errno != EINTR)
            return fail_errno(err, "wait for a change of '%s'", TABLE);
    }
}
