/* toc_name.c: names in archives: from their bytes to UTF-8, and which are refused. */
#include "cache/toc_name.h"

#include "cache/toc.h"
#include "common/utf8.h"

#include <errno.h>
#include <string.h>

enum { PRINT_SIZE = 128 };

/* Code points of the upper half of code page 437; the lower half is ASCII. */
static const uint16_t cp437[128] = {
    0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, /* 80 */
    0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, /* 88 */
    0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, /* 90 */
    0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, /* 98 */
    0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, /* a0 */
    0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, /* a8 */
    0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, /* b0 */
    0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, /* b8 */
    0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, /* c0 */
    0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, /* c8 */
    0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, /* d0 */
    0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, /* d8 */
    0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, /* e0 */
    0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, /* e8 */
    0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, /* f0 */
    0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0, /* f8 */
};

static bool is_dots(const char *part, size_t size)
{
    return part[0] == '.' && (size == 1 || (size == 2 && part[1] == '.'));
}

/* Would a program that takes "\" for a separator leave the folder? "\a", "c:\a", "..\a".
 */
static bool climbs_by_backslash(const char *name, size_t size)
{
    const char *end = name + size, *part = name;
    const char *slash = memchr(name, '\\', size);

    if (!slash)
        return false;
    if (slash == name || (slash == name + 2 && name[1] == ':'))
        return true;
    while (part <= end) {
        slash = memchr(part, '\\', (size_t)(end - part));
        if (!slash)
            slash = end;
        if (slash - part == 2 && is_dots(part, 2))
            return true;
        part = slash + 1;
    }
    return false;
}

bool toc_name_is_safe(const char *name, size_t size)
{
    return size > 0 && size <= TOC_NAME_MAX && !is_dots(name, size) &&
           !memchr(name, '/', size) && !memchr(name, '\0', size) &&
           !climbs_by_backslash(name, size);
}

const char *toc_name_print(const void *raw, size_t raw_size, char buffer[static 128])
{
    const unsigned char *bytes = raw;
    size_t size = raw_size < PRINT_SIZE - 4 ? raw_size : PRINT_SIZE - 4;
    bool is_text = utf8_is_valid(raw, size);

    for (size_t i = 0; i < size; i++) {
        bool is_plain = bytes[i] >= ' ' && bytes[i] != 127 && (bytes[i] < 128 || is_text);

        buffer[i] = is_plain ? (char)bytes[i] : '?';
    }
    memcpy(buffer + size, size < raw_size ? "..." : "", size < raw_size ? 4 : 1);
    return buffer;
}

/* What is wrong with one part of a path, NULL if nothing. */
static const char *part_complaint(const char *part, size_t size)
{
    if (size == 0)
        return "has an empty part in its name";
    if (size > TOC_NAME_MAX)
        return "has a part of more than 255 bytes in its name";
    if (is_dots(part, size))
        return "has a '.' or '..' in its name";
    return climbs_by_backslash(part, size)
               ? "has a path in its name that is written with "
                 "backslashes and leaves the folder"
               : NULL;
}

static const char *path_complaint(const char *path, size_t size)
{
    unsigned depth = 0;

    if (size == 0)
        return "has an empty name";
    if (memchr(path, '\0', size))
        return "has a NUL in its name";
    if (path[0] == '/')
        return "has an absolute path";
    if (size > TOC_PATH_MAX)
        return "has a path of more than 4095 bytes";
    for (const char *end = path + size, *part = path; part <= end;) {
        const char *slash = memchr(part, '/', (size_t)(end - part));
        size_t part_size = (size_t)((slash ? slash : end) - part);
        const char *complaint = part_complaint(part, part_size);

        if (complaint)
            return complaint;
        if (++depth > TOC_DEPTH_MAX)
            return "is more than 256 folders deep";
        part += part_size + 1;
    }
    return NULL;
}

int toc_name_check_path(const char *path, size_t size, struct error *err)
{
    const char *complaint = path_complaint(path, size);
    char text[PRINT_SIZE];

    if (complaint)
        return fail(err, EBADMSG, "entry '%s' %s", toc_name_print(path, size, text),
                    complaint);
    return 0;
}

static size_t cp437_to_utf8(const unsigned char *raw, size_t raw_size, char *buffer)
{
    size_t size = 0;

    for (size_t i = 0; i < raw_size; i++) {
        unsigned code = raw[i] < 128 ? raw[i] : cp437[raw[i] - 128];

        if (code < 0x80) {
            buffer[size++] = (char)code;
        } else if (code < 0x800) {
            buffer[size++] = (char)(0xc0 | code >> 6);
            buffer[size++] = (char)(0x80 | (code & 0x3f));
        } else {
            buffer[size++] = (char)(0xe0 | code >> 12);
            buffer[size++] = (char)(0x80 | (code >> 6 & 0x3f));
            buffer[size++] = (char)(0x80 | (code & 0x3f));
        }
    }
    return size;
}

int toc_name_decode(const void *raw, size_t raw_size, uint16_t flags, char *buffer,
                    size_t *ret_size, struct error *err)
{
    char text[PRINT_SIZE];

    if (raw_size > TOC_NAME_RAW_MAX)
        return fail(err, EBADMSG, "entry '%s' has a path of more than %d bytes",
                    toc_name_print(raw, raw_size, text), TOC_PATH_MAX);
    if (!(flags & TOC_NAME_UTF8_FLAG)) {
        *ret_size = cp437_to_utf8(raw, raw_size, buffer);
        return 0;
    }
    if (!utf8_is_valid(raw, raw_size))
        return fail(err, EBADMSG, "entry '%s' has a name that is not UTF-8 as it says",
                    toc_name_print(raw, raw_size, text));
    memcpy(buffer, raw, raw_size);
    *ret_size = raw_size;
    return 0;
}
