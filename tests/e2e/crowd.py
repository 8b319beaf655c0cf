"""crowd: many processes that each open and read one file, and may hang at it.

    with Crowd([path, ...]) as crowd:
        crowd.wait_until_blocked(crowd.pids)
        crowd.signal(signal.SIGKILL, crowd.pids[:100])
        wait_until(lambda: len(crowd.ended(crowd.pids[:100])) == 100, "their end")

They are forked by a process of its own, so that 500 cost no more than one program.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import threading

from mounted import wait_until

INTERRUPTED = 254  # exit status after SIGINT; others are 0 and errno


def read(path):
    try:
        file = os.open(path, os.O_RDONLY)
        os.read(file, 4096)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return error.errno
    return 0


def main(paths):
    for number, path in enumerate(paths):
        pid = os.fork()
        if pid == 0:
            os._exit(read(path))
        print("began", number, pid, flush=True)
    for _ in paths:
        pid, status = os.wait()
        print("ended", pid, os.waitstatus_to_exitcode(status), flush=True)


class Crowd:
    def __init__(self, paths):
        self.pids = []              # in the order of the paths
        self.statuses = {}          # pid -> exit status, or -signal
        self.process = subprocess.Popen(
            [sys.executable, "-B", __file__, *map(str, paths)], stdout=subprocess.PIPE,
            text=True, start_new_session=True)
        self.thread = threading.Thread(target=self.listen)
        self.thread.start()
        wait_until(lambda: len(self.pids) == len(paths), "a crowd")

    def listen(self):
        for line in self.process.stdout:
            what, first, second = line.split()
            if what == "began":
                self.pids.append(int(second))
            else:
                self.statuses[int(first)] = int(second)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.signal(signal.SIGKILL, self.running())
        self.process.wait()
        self.thread.join()
        self.process.stdout.close()

    def running(self):
        return [pid for pid in self.pids if pid not in self.statuses]

    def ended(self, pids):
        return [self.statuses[pid] for pid in pids if pid in self.statuses]

    @staticmethod
    def is_blocked(pid):
        """Does it wait for an answer to a request of the kernel?"""
        try:
            place = pathlib.Path(f"/proc/{pid}/wchan").read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        return place not in ("", "0")

    def wait_until_blocked(self, pids):
        wait_until(lambda: all(map(self.is_blocked, pids)), "all wait")

    @staticmethod
    def signal(sent, pids):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it ended just now
                os.kill(pid, sent)


if __name__ == "__main__":
    main(sys.argv[1:])
