"""mounted: a mount for a test, made and taken down whatever happens.

    class Test(MountTest):
        def test_reading(self):
            repository = self.repository()
            uid = repository.publish({"a.txt": b"hello"})
            mount = self.mount(repository)
            self.assertEqual(mount.read(uid, "a.txt"), b"hello")

Every test has a folder of its own (the runner's TMPDIR) with configuration, repositories,
cache and mount points below it. The program is the one that MODELFS names.
"""

import contextlib
import errno
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import yaml
from repository import Repository, split

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
MODELFS = os.environ.get("MODELFS", str(TOP / "build/modelfs"))
IS_SANITIZED = re.search(r"build-(address|thread)", MODELFS) is not None
MINUTE = 60


def wait_until(condition, what, seconds=MINUTE):
    """Polls; a test never sleeps a fixed time for something to happen."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            what = what() if callable(what) else what
            raise AssertionError(f"{what}: not after {seconds} s")
        time.sleep(0.01)


def modelfs(*arguments, config=None, timeout=MINUTE, env=None, **options):
    """Runs a command; the completed process with stdout and stderr as text."""
    command = [MODELFS, *map(str, arguments)]
    if config:
        command[2:2] = ["-c", str(config)]
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=timeout, env={**os.environ, **(env or {})}, check=False, **options)


def is_mounted(path):
    """Without touching the mount, which may be dead."""
    wanted = str(path)
    with open("/proc/self/mounts", encoding="utf-8", errors="surrogateescape") as mounts:
        return any(line.split()[1] == wanted for line in mounts)


def is_running(pid):
    """Not one that has ended and is waited for."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")


def files_below(folder):
    folder = pathlib.Path(folder)
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


class Mount:
    """A running daemon in the foreground, so that its process and its log are ours."""

    def __init__(self, folder, config, options=(), env=None, program=None):
        self.point = pathlib.Path(folder) / "mount"
        self.point.mkdir(parents=True, exist_ok=True)
        self.config = config
        self.cache = pathlib.Path(yaml.safe_load(config.read_text())["cache"]["root"])
        self.log_path = pathlib.Path(folder) / "log"
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [str(program or MODELFS), "mount", "-f", "-c", str(config), *options,
                 str(self.point)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, **(env or {})})
        self.wait_for_mount()

    def wait_for_mount(self):
        def answers():
            if self.process.poll() is not None:
                raise AssertionError(f"modelfs mount ended: {self.log()}")
            return is_mounted(self.point)

        wait_until(answers, "mount")
        os.stat(self.point)

    def log(self):
        return self.log_path.read_text(errors="replace")

    def path(self, uid, *parts):
        """The canonical path of a full ID."""
        return self.point.joinpath(*split(uid), *parts)

    def read(self, uid, *parts):
        return self.path(uid, *parts).read_bytes()

    def info(self, uid, name):
        return self.point.joinpath("@info", *split(uid), name).read_text()

    def cached_bytes(self, uid):
        return int(self.info(uid, "cached_bytes"))

    def metric(self, name):
        """The sum of a counter over its labels."""
        text = (self.point / "@metrics").read_text()
        rows = re.findall(rf"^{name}(?:{{[^}}]*}})? (\S+)$", text, re.M)
        assert rows, f"no {name} in:\n{text}"
        return sum(float(value) for value in rows)

    def command(self, *arguments, **options):
        return modelfs(*arguments, config=self.config, **options)

    def stop(self):
        """A clean unmount; returns the daemon's exit status. Processes that were killed
        a moment ago may still have files open."""
        said = []

        def is_unmounted():
            if self.process.poll() is not None or not is_mounted(self.point):
                return True
            done = modelfs("unmount", self.point)
            said[:] = [done.stderr]
            return done.returncode == 0

        try:
            wait_until(is_unmounted, lambda: f"unmount: {said}")
            return self.process.wait(2 * MINUTE)  # it flushes a disk that others write to
        finally:
            if is_mounted(self.point):
                unmount_lazily(self.point)

    def workers(self):
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def worker(self):
        """The process that serves; the supervisor is self.process. One that was killed is
        its child for a while still."""
        found = []

        def is_there():
            found[:] = [pid for pid in self.workers() if is_running(pid)]
            return found

        wait_until(is_there, "a worker")
        return found[0]

    def can_resend(self):
        """Are requests of a worker that dies sent again? Else they fail with EIO."""
        status = yaml.safe_load((self.point / "@status").read_text())
        return status["processes"]["in_flight"] == "resent"

    def kill_worker(self):
        worker = self.worker()
        os.kill(worker, signal.SIGKILL)
        wait_until(lambda: self.worker() != worker, "another worker")

    @contextlib.contextmanager
    def dying_workers(self, pause_s=0.1):
        """One worker after another is killed meanwhile; a list of their processes.

        Each answers something before: when many in succession do not, the supervisor
        gives up, and on a busy machine a worker may take longer to start than pause_s.
        There it also lives longer, or it would never get anything done."""
        stop, killed = threading.Event(), []

        def kill():
            took_s = 0.0
            while not stop.wait(max(pause_s, 2 * took_s)):
                begin_s = time.monotonic()
                (self.point / "@status").read_bytes()
                took_s = time.monotonic() - begin_s
                killed.append(self.worker())
                os.kill(killed[-1], signal.SIGKILL)

        killer = threading.Thread(target=kill)
        killer.start()
        try:
            yield killed
        finally:
            stop.set()
            killer.join()

    def kill(self):
        """As if the machine's owner did: supervisor and worker at once. A supervisor that
        stands still starts no other worker while those that are there are counted."""
        self.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)
        for worker in self.workers():
            os.kill(worker, signal.SIGKILL)
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        wait_until(self.is_dead, "the worker's end")

    def is_dead(self):
        try:
            os.listdir(self.point)
        except OSError as error:
            return error.errno == errno.ENOTCONN
        return not is_mounted(self.point)

    def clean_up(self):
        """Leaves nothing behind, whatever happened before, and tells what was said."""
        if is_mounted(self.point):
            unmount_lazily(self.point)
        if self.process.poll() is None:
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        # The runner shows what a test printed only if it failed.
        print(f"--- daemon at {self.point}: status {self.process.returncode}\n"
              f"{self.log()[-4000:]}", file=sys.stderr)


def unmount_lazily(point):
    for command in (["umount", "-l"], ["fusermount3", "-uz"]):
        if subprocess.run([*command, str(point)], stderr=subprocess.DEVNULL,
                          check=False).returncode == 0:
            return


class MountTest(unittest.TestCase):
    maxDiff = 4000

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="case-"))

    def repository(self, name="models", host="host"):
        return Repository(self.folder / host, name)

    def serve(self, host):
        """Backend and host by which the repositories below a folder are reached. Tests of
        another store put a class in front that serves the folder."""
        return "file-system", str(host)

    def config(self, *repositories, name="config.yaml", cache="cache", **keys):
        """Writes a configuration; repositories are of this module or (host, name)."""
        rows = []
        for repository in repositories:
            host, repository_name = (
                repository if isinstance(repository, tuple)
                else (repository.host, repository.name))
            backend, host = self.serve(pathlib.Path(host))
            rows.append({"name": repository_name, "host": host, "backend": backend})
        cache = {"root": str(self.folder / cache)}
        if "size" in keys:
            cache["size"] = keys.pop("size")
        path = self.folder / name
        path.write_text(yaml.dump(
            {"repositories": rows, "cache": cache, **keys}, sort_keys=False))
        return path

    def mount(self, *repositories, name="first", options=(), env=None, program=None,
              **keys):
        config = self.config(*repositories, name=f"{name}.yaml", **keys)
        return self.mount_config(config, name=name, options=options, env=env,
                                 program=program)

    def mount_config(self, config, name="first", options=(), env=None, program=None):
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        mount = Mount(folder, config, options, env, program)
        self.addCleanup(mount.clean_up)
        # Not in place of what failed: a test that passed must also end cleanly.
        self.addCleanup(lambda: mount.process.poll() is None and mount.stop())
        return mount

    def as_another_user(self, *arguments, **options):
        """Runs a command as nobody who may do anything. For root alone."""
        program = self.folder / "modelfs"  # where that user finds it
        shutil.copy(MODELFS, program)
        for folder in (self.folder, self.folder.parent):
            folder.chmod(0o711)
        return subprocess.run([program, *arguments], user=65534, group=65534,
                              extra_groups=[], cwd="/", stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False, timeout=MINUTE,
                              **options)

    def assert_fails(self, errno_, call, *arguments):
        with self.assertRaises(OSError) as raised:
            call(*arguments)
        self.assertEqual(raised.exception.errno, errno_, raised.exception)

    def assert_sentence(self, text, *words):
        """A line for a person: it names each of the words."""
        for word in words:
            self.assertIn(str(word), text)
