/* dead_process.h: the name of a process that has ended. */
#ifndef TESTS_DEAD_PROCESS_H
#define TESTS_DEAD_PROCESS_H

#include "publish/process.h"
#include "tests/test.h"

#include <sys/wait.h>
#include <unistd.h>

/* Of this machine; its PID. */
static inline pid_t name_dead_process(char name[PROCESS_NAME_SIZE])
{
    int ends[2];
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        process_name(name);
        _exit(write(ends[1], name, PROCESS_NAME_SIZE) == PROCESS_NAME_SIZE ? 0 : 1);
    }
    assert_int_equal(read(ends[0], name, PROCESS_NAME_SIZE), PROCESS_NAME_SIZE);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ends[0]);
    close(ends[1]);
    return child;
}

#endif
