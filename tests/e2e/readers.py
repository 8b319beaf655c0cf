"""readers: processes that use a mount in every way, and find out how long each call took.

    crowd = Readers(mount, uid, files, count=8)
    ... crowd.mark() at each instant at which something is done to the mount ...
    failures, figures = crowd.finish()

The pause of an instant is how long the calls that were under way then still took. What
they take anyway, on a machine that is as busy, is said beside it: the pauses before the
first instant, at which nothing was done.
"""

import hashlib
import mmap
import multiprocessing
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import time

BLOCK = 64 << 10
LONG_S = 0.002  # a shorter call is no pause
QUIET_S = 1.0
FAILURES_KEPT = 3


def digest(data):
    return hashlib.sha256(data).hexdigest()


class Clock:
    """Times calls; keeps those that were long."""

    def __init__(self):
        self.calls, self.long = 0, []

    def call(self, function, *arguments):
        start = time.monotonic()
        try:
            return function(*arguments)
        finally:
            end = time.monotonic()
            self.calls += 1
            if end - start > LONG_S:
                self.long.append((start, end))


def read_all(clock, path):
    file = clock.call(os.open, path, os.O_RDONLY)
    try:
        content = hashlib.sha256()
        while block := clock.call(os.read, file, BLOCK):
            content.update(block)
        return content.hexdigest()
    finally:
        clock.call(os.close, file)


def read_at(clock, path):
    file = clock.call(os.open, path, os.O_RDONLY)
    try:
        size = clock.call(os.fstat, file).st_size
        content = hashlib.sha256()
        for at in range(0, size, BLOCK):
            content.update(clock.call(os.pread, file, BLOCK, at))
        return content.hexdigest()
    finally:
        clock.call(os.close, file)


def read_mapped(clock, path):
    file = clock.call(os.open, path, os.O_RDONLY)
    try:
        size = clock.call(os.fstat, file).st_size
        with mmap.mmap(file, size, access=mmap.ACCESS_READ) as pages:
            content = hashlib.sha256()
            for at in range(0, size, BLOCK):
                content.update(clock.call(pages.__getitem__, slice(at, at + BLOCK)))
            return content.hexdigest()
    finally:
        clock.call(os.close, file)


WAYS = (read_all, read_at, read_mapped)


def read_once(clock, folder, expected, choose):
    """A complaint, or None."""
    name = choose.choice(sorted(expected))
    if choose.choice(WAYS)(clock, folder / name) != expected[name]:
        return f"{name}: wrong bytes"
    names = {pathlib.PurePath(name).parts[0] for name in expected}
    if set(clock.call(os.listdir, folder)) != names:
        return "wrong listing"
    clock.call(os.path.exists, folder / "none")
    clock.call(os.stat, folder.parent / "latest")
    return None


def read_until(stop, folder, expected, seed, answers):
    choose, clock, failures, rounds = random.Random(seed), Clock(), [], 0
    while not stop.is_set():
        try:
            complaint = read_once(clock, folder, expected, choose)
        except OSError as error:
            complaint = str(error)
        if complaint:
            failures.append(complaint)
        rounds += 1
    answers.put((rounds, clock.calls, failures[:FAILURES_KEPT], clock.long))


def copied_wrongly(source, copy):
    for path in sorted(source.rglob("*")):
        other = copy / path.relative_to(source)
        if path.is_file() and other.read_bytes() != path.read_bytes():
            return f"{other}: wrong bytes"
    return None


def copy_until(stop, staging, source, answers):
    """cp -r into @staging, compared, removed, and again."""
    failures, rounds = [], 0
    while not stop.is_set():
        target = staging / f"copy-{rounds}"
        done = subprocess.run(["cp", "-r", source, target], capture_output=True, text=True,
                              check=False)
        complaint = done.stderr
        try:
            complaint = complaint or copied_wrongly(source, target)
            shutil.rmtree(target)
        except OSError as error:
            complaint = complaint or str(error)  # where cp failed there may be no folder
        if complaint:
            failures.append(complaint)
        rounds += 1
    answers.put((rounds, rounds, failures[:FAILURES_KEPT], []))


def pauses_at(instants, calls):
    return sorted(
        max([end - instant for start, end in calls if start <= instant < end], default=0.0)
        for instant in instants)


class Readers:
    """Readers of the files of a model, and one that copies them into @staging."""

    def __init__(self, mount, uid, files, count):
        expected = {name: digest(content) for name, content in files.items()}
        source = mount.point.parent / "source"
        for name, content in files.items():
            path = source / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.stop, self.answers = multiprocessing.Event(), multiprocessing.Queue()
        self.instants = []
        self.processes = [
            self.start(read_until, self.stop, mount.path(uid), expected, seed, self.answers)
            for seed in range(count)]
        self.processes.append(
            self.start(copy_until, self.stop, mount.point / "@staging", source, self.answers))
        time.sleep(2 * QUIET_S)  # to have something to compare with

    @staticmethod
    def start(function, *arguments):
        process = multiprocessing.Process(target=function, args=arguments, daemon=True)
        process.start()
        return process

    def mark(self):
        self.instants.append(time.monotonic())

    def finish(self):
        """Failures, the least number of rounds of a process, and a line of figures."""
        self.stop.set()
        results = [self.answers.get(timeout=120) for _ in self.processes]
        for process in self.processes:
            process.join(60)
        calls = [call for result in results for call in result[3]]
        pauses = pauses_at(self.instants, calls)
        usual = pauses_at([self.instants[0] - QUIET_S * part / 100 for part in range(1, 100)],
                          calls)
        figures = (
            f"{sum(result[1] for result in results)} calls of {len(results)} processes; "
            f"pause median {statistics.median(pauses) * 1000:.0f} ms, "
            f"p99 {pauses[len(pauses) * 99 // 100] * 1000:.0f} ms, "
            f"max {pauses[-1] * 1000:.0f} ms; before, median "
            f"{statistics.median(usual) * 1000:.0f} ms, max {usual[-1] * 1000:.0f} ms")
        failures = [failure for result in results for failure in result[2]]
        return failures, min(result[0] for result in results), figures
