/* tree_member.h: the files of one tree's members: while they arrive, and at their place.
 *
 *     fd = tree_member_create(tree, index, &err);     ... write, verify ...
 *     rc = tree_member_land(tree, index, fd, "log/eval.yaml", size, &record, &err);
 * or, of what was verified in memory,
 *     fd = tree_member_place(tree, "log/eval.yaml", &err);     ... write ...
 *     rc = tree_member_note(tree, index, size, &record, &err);
 *
 *     fd = tree_member_open(tree, "log/eval.yaml", &err);
 *
 * Who changes a member's file holds its lock (tree.h). */
#ifndef CACHE_TREE_MEMBER_H
#define CACHE_TREE_MEMBER_H

#include "cache/tree.h"

/* A new empty file for a member that arrives, open for both; -errno. */
int tree_member_create(struct tree *tree, uint32_t index, struct error *err);

/* A file of another folder of this disk as a member that arrives, open for reading;
 * -errno. */
int tree_member_link(struct tree *tree, uint32_t index, int folder_fd, const char *path,
                     struct error *err);

/* The same file, for reading; -ENOENT. */
int tree_member_arriving(struct tree *tree, uint32_t index, struct error *err);

/* Is that the file open at fd? Not any more where somebody removed it, or the member's
 * lock was given back for a while. */
bool tree_member_is_arriving(struct tree *tree, uint32_t index, int fd);

/* Drop it; what is open stays readable to those who have it. */
void tree_member_drop(struct tree *tree, uint32_t index);

/* A new empty file at the place of a member whose content is verified, and lies in
 * memory: open for both; -errno. Nobody opens it before it is noted, and who finds one
 * there that is not noted removes it. */
int tree_member_place(struct tree *tree, const char *path, struct error *err);
void tree_member_unplace(struct tree *tree, const char *path);

/* Move a verified member of size bytes, open at fd, to its place and note it. -ENOENT
 * when it is not the file that arrives, or the tree was moved to its final path
 * meanwhile. */
int tree_member_land(struct tree *tree, uint32_t index, int fd, const char *path,
                     uint64_t size, const struct tree_record *record, struct error *err);

/* Note one that was written at its place. Errors as tree_member_land. */
int tree_member_note(struct tree *tree, uint32_t index, uint64_t size,
                     const struct tree_record *record, struct error *err);

/* One of size bytes that was noted is not there any more, or is not what it was: note the
 * record instead. */
int tree_member_forget(struct tree *tree, uint32_t index, uint64_t size,
                       const struct tree_record *record, struct error *err);

/* A complete member for reading, from our folder or the final path; -ENOENT. */
int tree_member_open(struct tree *tree, const char *path, struct error *err);

#endif
