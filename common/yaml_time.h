/* yaml_time.h: dates and times as YAML 1.1 writes them and PyYAML reads them.
 *
 * Pure; thread-safe. */
#ifndef COMMON_YAML_TIME_H
#define COMMON_YAML_TIME_H

#include "common/error.h"
#include "common/yaml_node.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { YAML_TIME_SIZE = 40 }; /* holds any printed time and its NUL */

/* Does plain text of these bytes count as a time? */
bool yaml_time_is_one(const char *text, size_t size);

/* Read what yaml_time_is_one accepts, also with months and days of one digit. *ret_kind
 * is YAML_DATE or YAML_DATETIME. -EINVAL for other text and for days, hours or offsets
 * that do not exist. */
int yaml_time_parse(const char *text, size_t size, enum yaml_kind *ret_kind,
                    struct yaml_time *ret_time, struct error *err);

/* Python's str(): "2024-02-29" or "2024-02-29 12:30:00.000001+05:30". */
void yaml_time_print(enum yaml_kind kind, const struct yaml_time *time,
                     char buffer[YAML_TIME_SIZE]);

/* Unix time of a date's first second or of a datetime; one without a zone is UTC. */
int64_t yaml_time_to_unix(const struct yaml_time *time);

#endif
