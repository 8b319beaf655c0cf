/* failures.h: what went wrong, for the log and for @status.
 *
 *     failures_note(fs->failures, err.message);
 *
 * A sentence that was said just before is counted and not said again: a broken model that
 * many read must not fill the log. Thread-safe. */
#ifndef FS_FAILURES_H
#define FS_FAILURES_H

#include "common/bytes.h"
#include "common/error.h"

#include <stdint.h>

struct failures;

struct failures *failures_new(void);
void failures_free(struct failures *failures); /* accepts NULL */

/* Log and remember one. */
void failures_note(struct failures *failures, const char *message);

/* How many there were. */
uint64_t failures_count(struct failures *failures);

/* The last ones as YAML list items indented by two blanks, newest last. */
int failures_print(struct failures *failures, struct bytes *to, struct error *err);

#endif
