/* known_index.h: finds single answers in the files of what is known (known_folder.h),
 * each of which is read through once only for many questions.
 *
 *     index = known_index_new(&folder);
 *     bytes_init(&data, known_folder_limit(kind));
 *     rc = known_index_find(index, 0, kind, "small", &data, &record, &err);
 *     known_index_free(index);
 *
 * A file that another daemon replaced is noticed and read anew. Local I/O; thread-safe.
 */
#ifndef RESOLVER_KNOWN_INDEX_H
#define RESOLVER_KNOWN_INDEX_H

#include "common/bytes.h"
#include "common/error.h"
#include "resolver/known_file.h"
#include "resolver/known_folder.h"

struct known_index;

/* folder is lent. Touches nothing yet; 16 bytes a record of the last few files. */
struct known_index *known_index_new(const struct known_folder *folder);
void known_index_free(struct known_index *index); /* accepts NULL */

/* The last answer to a question; it lies in to, which is empty before. -ENOENT: nothing
 * is known; -EBADMSG: the file makes no sense. */
int known_index_find(struct known_index *index, unsigned repository,
                     const struct catalog_kind *kind, const char *key, struct bytes *to,
                     struct known_record *ret_record, struct error *err);

#endif
