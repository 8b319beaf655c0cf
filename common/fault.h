/* fault.h: named points at which a test can kill, crash or delay the process.
 *
 *     FAULT("cache.complete.before-rename");
 *
 * Empty in normal builds. Built with FAULTS=1, the environment chooses one:
 * MODELFS_FAULT=<name>:kill, <name>:crash (by SIGSEGV in that thread), <name>:once=/path
 * (kill if that file is there to be removed) or <name>:delay=2s. */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

#ifdef FAULTS
void fault_point(const char *name);
#define FAULT(name) fault_point(name)
#else
#define FAULT(name) ((void)0)
#endif

#endif
