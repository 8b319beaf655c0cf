/* pack_zip.c: listed files into an archive by libzip.
 *
 * libzip reads all sources and writes the archive within zip_close, through callbacks. A
 * callback that fails keeps its own sentence in the job: libzip passes on numbers only.
 */
#include "publish/pack_zip.h"

#include "cache/toc_parse.h"
#include "common/files.h"
#include "publish/pack_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zip.h>

enum { DEFLATE_LEVEL = 6 }; /* as Python's zipfile */

struct job {
    int folder_fd, spool_fd;
    const struct pack_list *list;
    const struct pack_options *options;
    struct pack_reader reader; /* of the member that is being read */
    uint64_t bytes_done;       /* of content */
    uint64_t offset;           /* where the archive is written next */
    uint64_t size;             /* of the archive so far */
    int rc;                    /* what a callback failed with */
    struct error *err;
};

/* What libzip hands back to its callbacks. */
struct member {
    struct job *job;
    const struct pack_file *file;
};

static const struct {
    int zip;
    int code;
} codes[] = {
    {ZIP_ER_MEMORY,      ENOMEM   },
    {ZIP_ER_CANCELLED,   ECANCELED},
    {ZIP_ER_EXISTS,      EINVAL   },
    {ZIP_ER_INVAL,       EINVAL   },
    {ZIP_ER_COMPNOTSUPP, ENOTSUP  },
    {ZIP_ER_OPNOTSUPP,   ENOTSUP  },
    {ZIP_ER_READ,        EIO      },
    {ZIP_ER_WRITE,       EIO      },
    {ZIP_ER_SEEK,        EIO      },
    {ZIP_ER_CLOSE,       EIO      },
    {ZIP_ER_TELL,        EIO      },
    {ZIP_ER_INTERNAL,    EIO      },
};

static int fail_zip(const struct job *job, zip_error_t *error)
{
    int code = EIO;

    if (job->rc < 0)
        return job->rc;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        if (codes[i].zip == zip_error_code_zip(error))
            code = codes[i].code;
    }
    return fail(job->err, code, "libzip cannot write the archive: %s",
                zip_error_strerror(error));
}

/* Tell libzip that a callback failed; nobody reads the number. */
static zip_int64_t give_error(void *data, zip_uint64_t size)
{
    zip_error_t error;

    zip_error_init(&error);
    zip_error_set(&error, ZIP_ER_INTERNAL, 0);
    return zip_error_to_data(&error, data, size);
}

static zip_int64_t give_stat(void *data, uint64_t size)
{
    struct zip_stat *stat = data;

    zip_stat_init(stat);
    stat->size = size;
    stat->valid = ZIP_STAT_SIZE;
    return sizeof *stat;
}

static zip_int64_t read_member(struct job *job, void *data, zip_uint64_t size)
{
    const struct pack_options *options = job->options;
    ssize_t got = pack_reader_read(&job->reader, data, size, job->err);

    if (got > 0) {
        job->bytes_done += (uint64_t)got;
        if (options->progress)
            job->rc = options->progress(options->arg, job->bytes_done,
                                        job->list->content_size, job->err);
    } else if (got < 0) {
        job->rc = (int)got;
    }
    return job->rc < 0 ? -1 : got;
}

static zip_int64_t member_callback(void *arg, void *data, zip_uint64_t size,
                                   zip_source_cmd_t command)
{
    const struct member *member = arg;
    struct job *job = member->job;

    switch (command) {
    case ZIP_SOURCE_SUPPORTS:
        return zip_source_make_command_bitmap(ZIP_SOURCE_OPEN, ZIP_SOURCE_READ,
                                              ZIP_SOURCE_CLOSE, ZIP_SOURCE_STAT,
                                              ZIP_SOURCE_ERROR, ZIP_SOURCE_FREE, -1);
    case ZIP_SOURCE_STAT:
        return give_stat(data, member->file->size);
    case ZIP_SOURCE_OPEN:
        job->rc = pack_reader_open(job->folder_fd, job->list, member->file, &job->reader,
                                   job->err);
        return job->rc;
    case ZIP_SOURCE_READ:
        return read_member(job, data, size);
    case ZIP_SOURCE_CLOSE:
        pack_reader_close(&job->reader);
        return 0;
    case ZIP_SOURCE_ERROR:
        return give_error(data, size);
    default:
        return 0;
    }
}

static zip_int64_t write_spool(struct job *job, const void *data, zip_uint64_t size)
{
    if (job->offset + size > TOC_PARSE_ARCHIVE_MAX)
        job->rc = fail(job->err, EFBIG, "the archive is larger than the limit of 1 TiB");
    else
        job->rc = files_pwrite(job->spool_fd, data, size, job->offset, job->err);
    if (job->rc < 0)
        return -1;
    job->offset += size;
    if (job->size < job->offset)
        job->size = job->offset;
    return (zip_int64_t)size;
}

static zip_int64_t seek_spool(struct job *job, void *data, zip_uint64_t size)
{
    zip_int64_t offset =
        zip_source_seek_compute_offset(job->offset, job->size, data, size, NULL);

    if (offset < 0)
        return -1;
    job->offset = (uint64_t)offset;
    return 0;
}

/* The archive itself, which libzip thinks it could read: it is new, so it never does. */
static zip_int64_t spool_callback(void *arg, void *data, zip_uint64_t size,
                                  zip_source_cmd_t command)
{
    struct job *job = arg;

    switch (command) {
    case ZIP_SOURCE_SUPPORTS:
        return ZIP_SOURCE_SUPPORTS_WRITABLE;
    case ZIP_SOURCE_STAT:
        return give_stat(data, job->size);
    case ZIP_SOURCE_WRITE:
        return write_spool(job, data, size);
    case ZIP_SOURCE_SEEK_WRITE:
        return seek_spool(job, data, size);
    case ZIP_SOURCE_TELL_WRITE:
        return (zip_int64_t)job->offset;
    case ZIP_SOURCE_ERROR:
        return give_error(data, size);
    default:
        return 0;
    }
}

/* libzip takes control characters for a sign of another encoding and refuses them in
 * UTF-8; as CP437 it writes any bytes as they are. */
static zip_flags_t encoding_of(const char *path)
{
    for (; *path; path++) {
        if ((unsigned char)*path < ' ')
            return ZIP_FL_ENC_CP437;
    }
    return ZIP_FL_ENC_UTF_8;
}

static int add_member(zip_t *zip, struct member *member)
{
    const struct pack_file *file = member->file;
    const char *path = pack_scan_path(member->job->list, file);
    zip_source_t *source = zip_source_function(zip, member_callback, member);
    zip_int64_t index;

    if (!source)
        return -1;
    index = zip_file_add(zip, path, source, encoding_of(path));
    if (index < 0) {
        zip_source_free(source);
        return -1;
    }
    if (zip_set_file_compression(zip, (zip_uint64_t)index,
                                 file->is_stored ? ZIP_CM_STORE : ZIP_CM_DEFLATE,
                                 DEFLATE_LEVEL) < 0)
        return -1;
    return zip_file_set_external_attributes(zip, (zip_uint64_t)index, 0, ZIP_OPSYS_UNIX,
                                            (zip_uint32_t)file->mode << 16);
}

/* On failure nothing is left of the archive but what is in the spool file. */
static int write_archive(struct job *job, zip_t *zip, struct member *members)
{
    int rc = 0;

    for (size_t i = 0; i < job->list->count && rc == 0; i++) {
        members[i] = (struct member){job, &job->list->files[i]};
        rc = add_member(zip, &members[i]);
    }
    if (rc == 0)
        rc = zip_close(zip);
    if (rc == 0)
        return 0;
    rc = fail_zip(job, zip_get_error(zip));
    zip_discard(zip);
    pack_reader_close(&job->reader);
    return rc;
}

int pack_zip(int folder_fd, int spool_fd, const struct pack_list *list,
             const struct pack_options *options, struct error *err)
{
    CLEANUP_FREE struct member *members = calloc(list->count, sizeof *members);
    struct job job = {.folder_fd = folder_fd,
                      .spool_fd = spool_fd,
                      .list = list,
                      .options = options,
                      .reader.fd = -1,
                      .err = err};
    zip_source_t *spool;
    zip_error_t error;
    zip_t *zip = NULL;

    if (!members)
        return fail(err, ENOMEM, "no memory for %zu members", list->count);
    zip_error_init(&error);
    spool = zip_source_function_create(spool_callback, &job, &error);
    if (spool)
        zip = zip_open_from_source(spool, ZIP_CREATE | ZIP_TRUNCATE, &error);
    if (!zip) {
        int rc = fail_zip(&job, &error);

        zip_source_free(spool);
        zip_error_fini(&error);
        return rc;
    }
    return write_archive(&job, zip, members);
}
