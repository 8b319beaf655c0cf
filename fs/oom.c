/* oom.c: writes /proc/self/oom_score_adj. */
#include "fs/oom.h"

#include "common/cleanup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "/proc/self/oom_score_adj"

enum { SPARED = -1000 };

/* Without the privilege to lower it, it stays as it is. */
static void set(int score_adj)
{
    CLEANUP_CLOSE int fd = open(FILE_NAME, O_WRONLY | O_CLOEXEC);
    char text[16];

    snprintf(text, sizeof text, "%d", score_adj);
    if (fd >= 0)
        (void)!write(fd, text, strlen(text));
}

/* Only what is at risk already says so: 0 for a process that somebody spared. */
static int risk(void)
{
    CLEANUP_CLOSE int fd = open(FILE_NAME, O_RDONLY | O_CLOEXEC);
    char text[16] = "";
    int score_adj = 0;

    if (fd >= 0)
        (void)!read(fd, text, sizeof text - 1);
    for (const char *c = text; *c >= '0' && *c <= '9' && score_adj < -SPARED; c++)
        score_adj = score_adj * 10 + (*c - '0');
    return score_adj;
}

int oom_protect(void)
{
    int score_adj = risk();

    set(SPARED);
    return score_adj;
}

void oom_expose(int score_adj)
{
    set(score_adj);
}
