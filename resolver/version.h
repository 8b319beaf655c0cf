/* version.h: audmodel's order of versions, made total.
 *
 * As audeer.sort_versions: a leading "v" is ignored, the rest is
 * split into runs of digits, runs of [a-z] and what is left, dots are dropped, and the
 * lists are compared item by item. Where that raises an error or finds no difference we
 * go on: a number sorts before a text, and versions that only their writing tells apart
 * (1.0.0, 01.0.0, v1.0.0) by their bytes. Pure. */
#ifndef RESOLVER_VERSION_H
#define RESOLVER_VERSION_H

/* Below, at or above 0 as for strcmp; 0 for equal bytes only. Takes time linear in the
 * lengths; numbers may have any number of digits. */
int version_compare(const char *a, const char *b);

#endif
