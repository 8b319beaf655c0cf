/* oom.h: who is to be killed when memory runs out: workers, which are replaced. */
#ifndef FS_OOM_H
#define FS_OOM_H

/* This process is spared, where we may say so. Returns what holds for its workers. */
int oom_protect(void);

/* In a worker: what oom_protect returned. */
void oom_expose(int score_adj);

#endif
