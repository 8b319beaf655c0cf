/* staging_attr.h: what staged files are: attributes, numbers, the job they belong to. */
#ifndef FS_STAGING_ATTR_H
#define FS_STAGING_ATTR_H

#include "fs/staging.h"

#include <sys/stat.h>

/* Seconds that the kernel keeps names and attributes: others may change them on disk. */
#define STAGING_KEEP_S 1.0

/* The inode number that @staging shows for one on disk. */
uint64_t staging_inode(uint64_t inode);

/* As describe(). Local I/O. */
int staging_describe(struct fs *fs, const struct place *place,
                     struct fuse_entry_param *ret_entry, struct error *err);

/* A name of one kind of file of a job: "job.yaml". False if name is none, or hidden: a
 * program writes ".job.yaml" to rename it into place once it is whole, and the folder of
 * a job called "." would be that of all jobs. */
bool staging_job_of(const char *name, const char *suffix, char ret_job[NAME_MAX + 1]);

/* The answer for a name that a file was just seen (or made) under. */
int staging_entry(struct fs *fs, uint64_t parent, const char *name, const struct stat *st,
                  struct answer *answer, uint64_t *ret_number, struct error *err);

/* -EBUSY if the job that name in parent, or the file number, belongs to is running. A
 * manifest belongs to its job. */
int staging_expect_idle(struct fs *fs, uint64_t parent, const char *name,
                        struct error *err);
int staging_expect_idle_file(struct fs *fs, uint64_t number, struct error *err);

#endif
