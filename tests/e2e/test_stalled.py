"""A repository that stops answering: who waits can be ended, nobody else waits.

The repository lies in a model of another mount, and the daemon of that mount is stopped
(SIGSTOP): to the daemon under test it is a server that hangs, with real system calls.
"""

import contextlib
import errno
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest
import zipfile

from artifactory import OnArtifactory
from crowd import INTERRUPTED, Crowd
from fault_proxy import BehindProxy
from mounted import MINUTE, MountTest, files_below, is_mounted, modelfs, wait_until
from radosgw import OnS3
from repository import Repository, write_archive

LOOK_S = 3          # look-ups are answered
MARGIN_S = 10       # of a machine that stands still; who waits for the server waits 30 s
ENDED_S = 20        # what ends at once; by itself it would after 30 s

READER = """
import signal, sys
class Interrupted(Exception):
    pass
def interrupt(*_):
    raise Interrupted
signal.signal(signal.SIGINT, interrupt)
try:
    print("ready", flush=True)
    print(len(open(sys.argv[1], "rb", buffering=0).read(4096)), flush=True)
except Interrupted:
    sys.exit(42)
except OSError as error:
    sys.exit(error.errno)
"""


def thread_states(pid):
    for stat in pathlib.Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended
            yield stat.read_text().rpartition(")")[2].split()[0]


class Stalled(MountTest):
    hold = "1MiB"
    # Stored and larger than the server's hold: each of its bytes is asked for alone.
    big = os.urandom(1 << 20) * 8

    def setUp(self):
        super().setUp()
        inner = Repository(self.folder / "inner")
        # Stored members, so that each byte comes from where it lies in the archive.
        self.files = {"small.bin": os.urandom(200_000), "big.bin": self.big,
                      "cached.txt": b"cached\n"}
        self.uid = inner.publish({}, archive=lambda path: write_archive(
            path, self.files, zipfile.ZIP_STORED))
        self.other = inner.publish({"a.txt": b"other\n"}, params={"n": 1}, alias="prod")
        outer = self.repository()
        whole = outer.publish({}, archive=lambda path: write_archive(
            path, {name: (inner.host / name).read_bytes()
                   for name in files_below(inner.host)}, zipfile.ZIP_STORED))
        self.server = self.mount(outer, name="server", cache="server-cache", hold="64KiB")
        self.fs = self.mount((self.server.path(whole), "models"), name="client",
                             cache="client-cache", hold=self.hold)
        # Cleanups run last in, first out: the server runs again before any unmount.
        self.addCleanup(self.let_run)
        self.assertEqual(self.fs.read(self.uid, "cached.txt"), b"cached\n")
        self.assertEqual(self.fs.read(self.other, "a.txt"), b"other\n")
        os.listdir(self.fs.point)

    def stop(self):
        worker = self.server.worker()
        os.kill(worker, signal.SIGSTOP)
        # Until its last thread stands still: on a busy machine one may serve a bit longer.
        wait_until(lambda: set(thread_states(worker)) == {"T"}, "the server's stop")

    def let_run(self):
        os.kill(self.server.worker(), signal.SIGCONT)

    def start_reader(self, name):
        reader = subprocess.Popen(
            [sys.executable, "-c", READER, str(self.fs.path(self.uid, name))],
            stdout=subprocess.PIPE)
        self.addCleanup(reader.stdout.close)
        self.addCleanup(lambda: reader.poll() is None and (reader.kill(), reader.wait()))
        return reader

    def wait_until_blocked(self, reader):
        """Until it sleeps in a system call after it said that it is ready."""
        self.assertEqual(reader.stdout.readline(), b"ready\n")

        def sleeps():
            self.assertIsNone(reader.poll(), f"it waits for nothing:\n{self.fs.log()}")
            with open(f"/proc/{reader.pid}/wchan", encoding="ascii") as wchan:
                return wchan.read() not in ("", "0")

        wait_until(sleeps, "the reader waits")

    def check_ends(self, name, sent, wanted):
        self.stop()
        reader = self.start_reader(name)
        self.wait_until_blocked(reader)
        self.assertIsNone(reader.poll())
        reader.send_signal(sent)
        self.assertEqual(reader.wait(ENDED_S), wanted)

    def test_interrupt_of_a_held_open(self):
        self.check_ends("small.bin", signal.SIGINT, 42)

    def test_kill_of_a_held_open(self):
        self.check_ends("small.bin", signal.SIGKILL, -signal.SIGKILL)

    def test_interrupt_of_a_read(self):
        self.check_ends("big.bin", signal.SIGINT, 42)

    def test_kill_of_a_read(self):
        self.check_ends("big.bin", signal.SIGKILL, -signal.SIGKILL)

    def test_reader_goes_on_when_the_server_does(self):
        self.stop()
        readers = [self.start_reader(name) for name in ("small.bin", "big.bin")]
        for reader in readers:
            self.wait_until_blocked(reader)
        self.let_run()
        for reader in readers:
            self.assertEqual(reader.stdout.readline(), b"4096\n")
            self.assertEqual(reader.wait(60), 0)

    def test_others_do_not_wait(self):
        """500 readers hang; what is cached answers all the same."""
        self.stop()
        paths = [self.fs.path(self.uid, name) for name in ("small.bin", "big.bin")]
        outcomes = []

        def read(number):
            try:
                with open(paths[number % 2], "rb", buffering=0) as file:
                    outcomes.append(len(file.read(100)))
            except OSError as error:
                outcomes.append(error)

        threads = [threading.Thread(target=read, args=(n,)) for n in range(500)]
        for thread in threads:
            thread.start()
        done = subprocess.run(["ls", "-l", str(self.fs.path(self.other))],
                              capture_output=True, text=True, timeout=MINUTE, check=True)
        self.assertIn("a.txt", done.stdout)
        self.assertEqual(self.fs.read(self.other, "a.txt"), b"other\n")
        self.assertEqual(self.fs.read(self.uid, "cached.txt"), b"cached\n")
        self.assertIn("prod", os.listdir(self.fs.point))
        self.assertTrue((self.fs.point / "@status").read_text())
        self.assertEqual(outcomes, [])
        self.let_run()
        for thread in threads:
            thread.join(60)
        self.assertEqual(outcomes, [100] * 500)

    def test_lookups_are_answered_in_time(self):
        """A name nobody knows yet: an error after 3 s, not a wait for ever."""
        self.stop()
        for path in ("deadbeef", "nobody", "prod/9.9.9"):
            start = time.monotonic()
            with self.assertRaises(OSError) as raised:
                os.stat(self.fs.point / path)
            self.assertIn(raised.exception.errno,
                          (errno.ETIMEDOUT, errno.ENOENT), path)
            self.assertLess(time.monotonic() - start, LOOK_S + MARGIN_S, path)

    def test_unmount_while_readers_wait(self):
        self.stop()
        readers = [self.start_reader(name) for name in ("small.bin", "big.bin") * 3]
        for reader in readers:
            self.wait_until_blocked(reader)
        self.fs.process.send_signal(signal.SIGTERM)
        for reader in readers:
            self.assertNotEqual(reader.wait(ENDED_S), 0)
        wait_until(lambda: not is_mounted(self.fs.point), "the mount is gone")
        self.let_run()
        self.assertEqual(self.fs.process.wait(60), 0, self.fs.log())

    def test_unmount_command_while_files_are_open(self):
        with open(self.fs.path(self.uid, "cached.txt"), "rb") as file:
            done = modelfs("unmount", self.fs.point)
            if done.returncode != 0:
                self.assert_sentence(done.stderr, self.fs.point)
                self.assertEqual(file.read(), b"cached\n")
        if is_mounted(self.fs.point):
            done = modelfs("unmount", self.fs.point)
            self.assertEqual(done.returncode, 0, done.stderr)


class SilentCase(BehindProxy):
    """500 readers wait for a server that takes requests and says nothing."""

    fault = "stall"
    held, read, looked = 200, 200, 100

    def setUp(self):
        super().setUp()
        models = self.repository()
        small = {f"{n:03}.bin": os.urandom(40_000) for n in range(self.held)}
        path = self.folder / "archive.zip"
        write_archive(path, {**small, "big.bin": os.urandom(2 << 20)}, zipfile.ZIP_STORED)
        self.uid = models.publish({}, archive=path.read_bytes())
        self.cached = models.publish({"a.txt": b"a\n"}, params={"n": 1}, alias="prod")
        self.unseen = [models.publish({"b.txt": b"b\n"}, params={"m": n})
                       for n in range(10)]
        self.fs = self.mount(models, hold="64KiB",
                             ttl={"alias": "10ms", "listing": "10ms", "negative": "5s"})
        self.look_around()
        # The table and no member: a neighbour would come along with the first read.
        self.assertEqual(len(os.listdir(self.fs.path(self.uid))), self.held + 1)

    def look_around(self):
        self.assertEqual(self.fs.read(self.cached, "a.txt"), b"a\n")
        self.assertEqual(os.listdir(self.fs.path(self.cached)), ["a.txt"])
        self.assertEqual((self.fs.point / "prod/current/a.txt").read_bytes(), b"a\n")
        self.assertIn("prod", os.listdir(self.fs.point))

    def crowd(self):
        paths = [self.fs.path(self.uid, f"{n:03}.bin") for n in range(self.held)]
        paths += [self.fs.path(self.uid, "big.bin")] * self.read
        paths += [self.fs.path(self.unseen[n % len(self.unseen)], f"{n}")
                  for n in range(self.looked)]
        crowd = self.enterContext(Crowd(paths))
        waiting = crowd.pids[:self.held + self.read]
        crowd.wait_until_blocked(waiting)
        return crowd, waiting

    def test_others_do_not_wait(self):
        start = time.monotonic()
        for _ in range(10):
            self.look_around()
        before = time.monotonic() - start
        self.proxy.inject(self.fault)
        crowd, waiting = self.crowd()
        start = time.monotonic()
        self.look_around()  # within what it takes to see that nobody answers
        self.assertLess(time.monotonic() - start, LOOK_S + MARGIN_S)
        start = time.monotonic()
        for _ in range(10):
            self.look_around()
        after = time.monotonic() - start
        self.assertEqual(crowd.ended(waiting), [])
        print(f"\nfigures: ten looks at what is cached: {before:.2f} s with the server, "
              f"{after:.2f} s with 500 readers waiting for it", file=sys.stderr)
        self.assertLess(after, LOOK_S + MARGIN_S)  # each on its own, it would be 30 s

    def test_readers_can_be_ended(self):
        self.proxy.inject(self.fault)
        crowd, waiting = self.crowd()
        looking = crowd.pids[len(waiting):]
        wait_until(lambda: len(crowd.ended(looking)) == self.looked, "look-ups' ends")
        self.assertEqual(set(crowd.ended(looking)), {errno.ETIMEDOUT})
        self.assertEqual(crowd.ended(waiting), [])
        start = time.monotonic()
        for sent, pids in ((signal.SIGKILL, waiting[::2]), (signal.SIGINT, waiting[1::2])):
            crowd.signal(sent, pids)
        wait_until(lambda: len(crowd.ended(waiting)) == len(waiting), "readers' ends",
                   ENDED_S)
        print(f"\nfigures: {len(waiting)} readers ended {time.monotonic() - start:.2f} s "
              "after their signals", file=sys.stderr)
        self.assertEqual(set(crowd.ended(waiting[::2])), {-signal.SIGKILL})
        self.assertEqual(set(crowd.ended(waiting[1::2])), {INTERRUPTED})
        self.look_around()

    def test_unmount(self):
        self.proxy.inject(self.fault)
        crowd, waiting = self.crowd()
        start = time.monotonic()
        self.fs.process.send_signal(signal.SIGTERM)
        wait_until(lambda: not is_mounted(self.fs.point), "the mount is gone")
        wait_until(lambda: not crowd.running(), "the readers' ends")
        self.assertNotIn(0, crowd.ended(waiting))
        self.assertEqual(self.fs.process.wait(60), 0, self.fs.log())
        took = time.monotonic() - start
        print(f"\nfigures: unmounted {took:.2f} s after the signal", file=sys.stderr)
        self.assertLess(took, ENDED_S)


class SilentInRepliesCase(SilentCase):
    """It begins each reply and says nothing more."""

    fault = "stall_body"


class SilentServer(SilentCase, OnArtifactory, MountTest):
    pass


class SilentInReplies(SilentInRepliesCase, OnArtifactory, MountTest):
    pass


class SilentServerOnS3(SilentCase, OnS3, MountTest):
    pass


class SilentInRepliesOnS3(SilentInRepliesCase, OnS3, MountTest):
    pass


if __name__ == "__main__":
    unittest.main()
