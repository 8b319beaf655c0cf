/* cleanup.h: locals that release what they own when they go out of scope.
 *
 *     CLEANUP_FREE char *text = NULL;
 *     CLEANUP_CLOSE int fd = -1;
 *     ...
 *     *ret_text = steal_ptr(&text);
 *
 * Owners start as NULL or -1. steal_... hands over and empties the local. Other types
 * define their own attribute beside their free function with CLEANUP_WITH. */
#ifndef COMMON_CLEANUP_H
#define COMMON_CLEANUP_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CLEANUP_WITH(function) __attribute__((cleanup(function)))

static inline void cleanup_free(void *pointer)
{
    free(*(void **)pointer);
}

static inline void cleanup_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static inline void cleanup_closedir(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static inline void cleanup_fclose(FILE **file)
{
    if (*file)
        fclose(*file);
}

#define CLEANUP_FREE CLEANUP_WITH(cleanup_free)
#define CLEANUP_CLOSE CLEANUP_WITH(cleanup_close)
#define CLEANUP_CLOSEDIR CLEANUP_WITH(cleanup_closedir)
#define CLEANUP_FCLOSE CLEANUP_WITH(cleanup_fclose)

static inline int steal_fd(int *fd)
{
    int result = *fd;

    *fd = -1;
    return result;
}

/* Typed: the result has the type of the local. */
#define steal_ptr(pointer)                                                               \
    __extension__({                                                                      \
        __typeof__(pointer) steal_from_ = (pointer);                                     \
        __typeof__(*steal_from_) steal_result_ = *steal_from_;                           \
        *steal_from_ = NULL;                                                             \
        steal_result_;                                                                   \
    })

#endif
