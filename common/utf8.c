/* utf8.c: where characters end. */
#include "common/utf8.h"

/* Unicode table 3-7. */
size_t utf8_size(const char *at, size_t left)
{
    const unsigned char *text = (const unsigned char *)at;
    unsigned char low = 0x80, high = 0xbf;
    size_t size;

    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    size = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    if (text[0] == 0xe0)
        low = 0xa0; /* else overlong */
    else if (text[0] == 0xed)
        high = 0x9f; /* else a surrogate */
    else if (text[0] == 0xf0)
        low = 0x90; /* else overlong */
    else if (text[0] == 0xf4)
        high = 0x8f; /* else past U+10FFFF */
    if (left < size || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return size;
}

bool utf8_is_valid(const char *text, size_t size)
{
    for (size_t at = 0; at < size;) {
        size_t step = utf8_size(text + at, size - at);

        if (step == 0)
            return false;
        at += step;
    }
    return true;
}
