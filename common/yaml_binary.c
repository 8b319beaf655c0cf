/* yaml_binary.c: base 64 as Python's base64 module reads and writes it. */
#include "common/yaml_binary.h"

#include <errno.h>
#include <stdint.h>

enum { LINE_BYTES = 57 }; /* of data; 76 characters */

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

int yaml_binary_read(const char *text, size_t size, struct bytes *to, struct error *err)
{
    unsigned position = 0, pads = 0, left = 0;
    int rc = bytes_reserve(to, size / 4 * 3 + 3, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < size; i++)
        if (text[i] & 0x80)
            return fail(err, EINVAL, "base 64 that is not ASCII");
    for (size_t i = 0; i < size; i++) {
        int digit = digit_value(text[i]);

        if (text[i] == '=' && position >= 2 && position + ++pads >= 4)
            return 0; /* the padding is complete: the rest does not count */
        if (digit < 0)
            continue;
        pads = 0;
        left = (left << 6 | (unsigned)digit) & 0xffff;
        if (position > 0)
            to->data[to->size++] = (char)(uint8_t)(left >> (6 - 2 * position));
        position = (position + 1) % 4;
    }
    to->data[to->size] = '\0';
    if (position != 0)
        return fail(err, EINVAL, "base 64 with incorrect padding");
    return 0;
}

int yaml_binary_print(const char *data, size_t size, struct bytes *to, struct error *err)
{
    for (size_t at = 0; at < size; at += 3) {
        size_t count = size - at < 3 ? size - at : 3;
        bool is_line_end = count < 3 || at + 3 == size || (at + 3) % LINE_BYTES == 0;
        uint32_t group = 0;
        char text[5];
        int rc;

        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < count ? (uint8_t)data[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            text[i] = i <= count ? alphabet[group >> (18 - 6 * i) & 63] : '=';
        text[4] = '\n';
        rc = bytes_append(to, text, is_line_end ? 5 : 4, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}
