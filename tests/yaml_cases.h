/* yaml_cases.h: reads tests/data/yaml_cases.txt; see the generator beside it.
 *
 *     struct yaml_cases cases;
 *     yaml_cases_open(&cases);
 *     while (yaml_cases_next(&cases))
 *         ... cases.text, cases.text_size, cases.value, cases.print ...
 *     yaml_cases_close(&cases); */
#ifndef TESTS_YAML_CASES_H
#define TESTS_YAML_CASES_H

#include "tests/test.h"
#include "tests/unescape.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct yaml_cases {
    FILE *file;
    size_t row;
    char text[1 << 14]; /* unescaped */
    size_t text_size;
    char value[1 << 14]; /* "refused" if PyYAML refuses the text */
    char print[1 << 14]; /* unescaped; "" if refused */
};

static inline void yaml_cases_open(struct yaml_cases *cases)
{
    cases->row = 0;
    cases->file = fopen("tests/data/yaml_cases.txt", "re");
    assert_non_null(cases->file);
}

static inline void yaml_cases_close(struct yaml_cases *cases)
{
    assert_true(cases->row > 300);
    fclose(cases->file);
}

static inline bool yaml_cases_next(struct yaml_cases *cases)
{
    char line[1 << 14];

    cases->print[0] = '\0';
    while (fgets(line, sizeof line, cases->file) && strcmp(line, "\n") != 0) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "text: ", 6) == 0) {
            memcpy(cases->text, line + 6, strlen(line + 6) + 1);
            cases->text_size = unescape(cases->text);
        } else if (strncmp(line, "value: ", 7) == 0) {
            memcpy(cases->value, line + 7, strlen(line + 7) + 1);
        } else if (strncmp(line, "print: ", 7) == 0) {
            memcpy(cases->print, line + 7, strlen(line + 7) + 1);
            unescape(cases->print);
        }
    }
    if (feof(cases->file))
        return false;
    test_row(cases->row++, "%s", cases->value);
    return true;
}

#endif
