/* pack.c: a folder to a zip archive: what goes in, in which order, and how. */
#include "publish/pack.h"

#include "common/files.h"
#include "common/memory.h"
#include "publish/pack_sampler.h"
#include "publish/pack_scan.h"
#include "publish/pack_seal.h"
#include "publish/pack_time.h"
#include "publish/pack_zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WARNINGS_MAX = 20 }; /* a folder unpacked without its times warns of each file */

static int sample(int folder_fd, struct pack_list *list, struct error *err)
{
    CLEANUP_PACK_SAMPLER struct pack_sampler *sampler = pack_sampler_new();

    for (size_t i = 0; i < list->count; i++) {
        CLEANUP_PACK_READER struct pack_reader reader = {.fd = -1};
        struct pack_file *file = &list->files[i];
        int rc = pack_reader_open(folder_fd, list, file, &reader, err);

        if (rc == 0)
            rc = pack_sampler_ask(sampler, &reader, &file->is_stored, err);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compare(const void *a, const void *b, void *arg)
{
    const struct pack_file *first = a, *second = b;
    const struct pack_list *list = arg;

    if (first->is_stored != second->is_stored)
        return first->is_stored ? -1 : 1;
    return strcmp(pack_scan_path(list, first), pack_scan_path(list, second));
}

static void add_warning(struct pack_result *result, char *take_text)
{
    result->warnings = reallocarray(result->warnings, result->warning_count + 1,
                                    sizeof *result->warnings);
    if (!result->warnings)
        abort(); /* no memory for a small thing */
    result->warnings[result->warning_count++] = take_text;
}

/* As audmodel publishes it, though hardly anybody means it. libzip refuses to write an
 * archive without members. */
static int write_empty(int spool_fd, struct pack_result *ret_result, struct error *err)
{
    static const unsigned char end_record[22] = {'P', 'K', 5, 6};
    int rc = files_pwrite(spool_fd, end_record, sizeof end_record, 0, err);

    ret_result->size = sizeof end_record;
    add_warning(ret_result,
                xstrdup("there are no files in the folder: the model is empty"));
    return rc < 0 ? rc : digest_md5(end_record, sizeof end_record, ret_result->md5, err);
}

/* Times that had to be changed. */
static void warn_of_times(const struct pack_list *list, struct pack_result *result)
{
    size_t changed = 0;

    for (size_t i = 0; i < list->count; i++) {
        const struct pack_file *file = &list->files[i];
        struct pack_time ignored;
        char text[128];

        if (pack_time_from_unix(file->mtime.tv_sec, &ignored) || ++changed > WARNINGS_MAX)
            continue;
        add_warning(
            result,
            xasprintf("the time of '%s' lies outside of 1980 to 2107, all that an "
                      "archive can say; it gets the nearest one",
                      pack_scan_print(pack_scan_path(list, file), text)));
    }
    if (changed > WARNINGS_MAX)
        add_warning(result, xasprintf("the same is true of %zu more file%s",
                                      changed - WARNINGS_MAX,
                                      changed == WARNINGS_MAX + 1 ? "" : "s"));
}

/* audmodel fetches the archive into the folder under that name, then removes it. */
static void warn_of_lost(const struct pack_list *list, struct pack_result *result)
{
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(pack_scan_path(list, &list->files[i]), "model.zip") == 0)
            add_warning(result, xstrdup("audmodel loses the file 'model.zip' when it "
                                        "loads this model; give it another name"));
    }
}

static int write_members(int folder_fd, int spool_fd, struct pack_list *list,
                         const struct pack_options *options, struct pack_result *result,
                         struct error *err)
{
    int rc = sample(folder_fd, list, err);

    if (rc < 0)
        return rc;
    qsort_r(list->files, list->count, sizeof *list->files, compare, list);
    rc = pack_zip(folder_fd, spool_fd, list, options, err);
    return rc < 0 ? rc : pack_seal(spool_fd, list, &result->size, result->md5, err);
}

int pack_make(int folder_fd, int spool_fd, const struct pack_options *options,
              struct pack_result *ret_result, struct error *err)
{
    CLEANUP_PACK_LIST struct pack_list list = {0};
    struct pack_result result = {0};
    int rc = pack_scan(folder_fd, options->avoided, &list, err);

    if (rc < 0)
        return rc;
    if (ftruncate(spool_fd, 0) < 0)
        return fail_errno(err, "empty the file for the archive");
    rc = list.count == 0
             ? write_empty(spool_fd, &result, err)
             : write_members(folder_fd, spool_fd, &list, options, &result, err);
    if (rc < 0)
        return rc;
    result.file_count = (uint32_t)list.count;
    result.content_size = list.content_size;
    warn_of_times(&list, &result);
    warn_of_lost(&list, &result);
    *ret_result = result;
    return 0;
}

void pack_result_done(struct pack_result *result)
{
    for (size_t i = 0; i < result->warning_count; i++)
        free(result->warnings[i]);
    free(result->warnings);
    *result = (struct pack_result){0};
}
