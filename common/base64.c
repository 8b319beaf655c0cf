/* base64.c: base 64 as Python's base64 module reads and writes it. */
#include "common/base64.h"

#include <errno.h>
#include <stdint.h>

static const char alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int base64_encode(const void *data, size_t size, size_t line, struct bytes *to,
                  struct error *err)
{
    const uint8_t *from = data;
    size_t line_bytes = line / 4 * 3;
    int rc = 0;

    for (size_t at = 0; rc == 0 && at < size; at += 3) {
        size_t count = size - at < 3 ? size - at : 3;
        bool is_line_end =
            line_bytes > 0 && (at + count == size || (at + count) % line_bytes == 0);
        uint32_t group = 0;
        char text[5];

        for (size_t i = 0; i < 3; i++)
            group = group << 8 | (i < count ? from[at + i] : 0);
        for (size_t i = 0; i < 4; i++)
            text[i] = i <= count ? alphabet[group >> (18 - 6 * i) & 63] : '=';
        text[4] = '\n';
        rc = bytes_append(to, text, is_line_end ? 5 : 4, err);
    }
    return rc;
}

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

int base64_decode(const char *text, size_t size, struct bytes *to, struct error *err)
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

        if (text[i] == '=' && position >= 2 && position + ++pads >= 4) {
            position = 0; /* the padding is complete: the rest does not count */
            break;
        }
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
