/* header.h: a model's header document, parsed.
 *
 * Constant after parsing, shared by reference; thread-safe. */
#ifndef RESOLVER_HEADER_H
#define RESOLVER_HEADER_H

#include "common/cleanup.h"
#include "common/error.h"
#include "common/yaml.h"

#include <stddef.h>
#include <stdint.h>

struct header {
    const char *name;
    const char *subgroup; /* "" if none */
    const char *version;
    const char *author; /* texts and numbers as Python's str() prints them */
    const char *date;   /* "2024-02-29" */
    int64_t date_s;     /* Unix time of that day's start in UTC, 0 if it is no date */
    const struct yaml_node *parameters; /* a mapping; null if the header has none */
    const char *text;                   /* the document, byte for byte */
    size_t text_size;
};

/* Parse a header. -EBADMSG with the reason (and line and column) for what is no header:
 * not YAML, no mapping, without name or version, a name or subgroup that no path can
 * hold. header_unref the result. */
int header_parse(const char *text, size_t size, struct header **ret_header,
                 struct error *err);
struct header *header_ref(struct header *header);
void header_unref(struct header *header); /* accepts NULL */
#define CLEANUP_HEADER CLEANUP_WITH(header_cleanup)
static inline void header_cleanup(struct header **header)
{
    header_unref(*header);
}

#endif
