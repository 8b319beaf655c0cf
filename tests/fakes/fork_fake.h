/* fork_fake.h: a system that has no room for another process for a while. */
#ifndef TESTS_FAKES_FORK_FAKE_H
#define TESTS_FAKES_FORK_FAKE_H

/* The next calls of fork(2) fail with EAGAIN. */
void fork_fake_fail(unsigned calls);

#endif
