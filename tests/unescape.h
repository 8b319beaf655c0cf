/* unescape.h: texts of tests/data/ *_cases.txt as the bytes they stand for. */
#ifndef TESTS_UNESCAPE_H
#define TESTS_UNESCAPE_H

#include <stdio.h>

/* In place: "\\xNN", "\\n", and "\\" before any other character for that. Returns the
 * size; a NUL follows. */
static inline size_t unescape(char *text)
{
    char *to = text;

    for (const char *from = text; *from; from++) {
        unsigned byte = 0;

        if (*from != '\\') {
            *to++ = *from;
        } else if (*++from == 'x') {
            sscanf(from + 1, "%2x", &byte);
            *to++ = (char)byte;
            from += 2;
        } else {
            *to++ = *from == 'n' ? '\n' : *from;
        }
    }
    *to = '\0';
    return (size_t)(to - text);
}

#endif
