"""@staging beside a folder of a local disk: the same calls, the same outcomes."""

import errno
import fcntl
import os
import random
import shutil
import socket
import stat
import unittest

from mounted import MountTest, wait_until

CALLS = 4000
SEEDS = range(3)
ROOT, ONE, OTHER = 0, 65533, 65534
NAMES = ["a", "b", "c", "d", "d/a", "d/b", "d/e", "d/e/a", "e", "e/a", "f/x", "a/", "d/.",
         "d/..", "e/../a", "l", "n" * 255, "n" * 256, "d/x/x/y"]
FLAGS = [0, os.O_CREAT, os.O_CREAT | os.O_EXCL, os.O_CREAT | os.O_TRUNC, os.O_TRUNC,
         os.O_APPEND | os.O_CREAT, os.O_DIRECTORY, os.O_NOFOLLOW]
MODES = [0o644, 0o600, 0o444, 0, 0o777, 0o4755, 0o2755, 0o1777]


def look(status):
    """What must be the same on both: not what a folder's size or link count is."""
    is_folder = stat.S_ISDIR(status.st_mode)
    return (oct(status.st_mode), status.st_uid, status.st_gid,
            None if is_folder else (status.st_size, status.st_nlink))


class Side:
    """A folder in which calls are made, and the files that they opened."""

    def __init__(self, folder):
        self.folder = folder / "in"  # for calls that climb out of it
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o777)
        self.files = {}

    def close(self):
        for file in self.files.values():
            os.close(file)

    def outcome(self, user, call):
        os.chdir(self.folder)
        if user:
            os.setgroups([])
            os.setresgid(user, user, 0)
            os.setresuid(user, user, 0)
        try:
            return call(self)
        except KeyError:
            return "no such file"
        except OSError as error:
            return errno.errorcode[error.errno]
        finally:
            if user:
                os.setresuid(0, 0, 0)
                os.setresgid(0, 0, 0)
            os.chdir("/")

    def open(self, slot, path, flags, mode):
        file = os.open(path, flags | os.O_NONBLOCK, mode)  # pipes
        if slot in self.files:
            os.close(self.files[slot])
        self.files[slot] = file
        return look(os.fstat(file))

    def set_times(self, path, time_s):
        os.utime(path, ns=(time_s * 10**9 + 5, time_s * 10**9 + 7))
        return os.stat(path).st_mtime_ns

    def write(self, slot, data, offset):
        if offset is None:
            return os.write(self.files[slot], data)
        return os.pwrite(self.files[slot], data, offset)

    def allocate(self, slot, offset, size):
        os.posix_fallocate(self.files[slot], offset, size)
        return os.fstat(self.files[slot]).st_size


def make_call(rnd):  # pylint: disable=too-many-return-statements
    """A call and its name."""
    path, other, slot = rnd.choice(NAMES), rnd.choice(NAMES), rnd.randrange(6)
    mode, number = rnd.choice(MODES), rnd.choice([0, 1, 100, 4096, 10000])
    owner, group = rnd.choice([ROOT, ONE, OTHER, -1]), rnd.choice([ROOT, ONE, OTHER, -1])
    flags = rnd.choice([os.O_RDONLY, os.O_WRONLY, os.O_RDWR]) | rnd.choice(FLAGS)
    data = bytes([rnd.randrange(256)]) * rnd.choice([1, 10, 4096, 5000])
    offset = rnd.choice([None, 0, 100, 4096])
    target = rnd.choice(["a", "d", "e", "nowhere", "l", "x" * 4095, "."])
    calls = [
        ("open", lambda s: s.open(slot, path, flags, mode)),
        ("open", lambda s: s.open(slot, path, flags | os.O_CREAT, mode)),
        ("write", lambda s: s.write(slot, data, offset)),
        ("write", lambda s: s.write(slot, data, offset)),
        ("read", lambda s: os.pread(s.files[slot], 6000, number)),
        ("close", lambda s: os.close(s.files.pop(slot))),
        ("mkdir", lambda s: os.mkdir(path, mode)),
        ("rmdir", lambda s: os.rmdir(path)),
        ("unlink", lambda s: os.unlink(path)),
        ("rename", lambda s: os.rename(path, other)),
        ("rename", lambda s: os.rename(path, other)),
        ("link", lambda s: os.link(path, other, follow_symlinks=False)),
        ("symlink", lambda s: os.symlink(target, path)),
        ("readlink", lambda s: os.readlink(path)),
        ("mkfifo", lambda s: os.mkfifo(path, mode) if number == 1 else None),
        ("lstat", lambda s: look(os.lstat(path))),
        ("stat", lambda s: look(os.stat(path))),
        ("chmod", lambda s: os.chmod(path, mode)),
        ("chown", lambda s: os.chown(path, owner, group)),
        ("lchown", lambda s: os.lchown(path, owner, group)),
        ("truncate", lambda s: os.truncate(path, number)),
        ("ftruncate", lambda s: os.ftruncate(s.files[slot], number)),
        ("fstat", lambda s: look(os.fstat(s.files[slot]))),
        ("fchmod", lambda s: os.fchmod(s.files[slot], mode)),
        ("fchown", lambda s: os.fchown(s.files[slot], owner, group)),
        ("fsync", lambda s: os.fsync(s.files[slot])),
        ("fallocate", lambda s: s.allocate(slot, 10, 5000)),
        ("listdir", lambda s: sorted(os.listdir(path))),
        ("utime", lambda s: s.set_times(path, number * 10**6 - 5)),
        ("access", lambda s: [os.access(path, m) for m in (os.R_OK, os.W_OK, os.X_OK)]),
    ]
    name, call = rnd.choice(calls)
    return (f"{name} {path[:20]} {other[:20]} slot {slot} mode {mode:o} flags {flags:o} "
            f"{number} {owner} {group}"), call


@unittest.skipUnless(os.geteuid() == 0, "needs several users")
class LocalDisk(MountTest):
    """Nothing tells it from a folder of a local disk."""

    options = ()

    def setUp(self):
        super().setUp()
        self.fs = self.mount(self.repository(), options=("-o", "allow_other",
                                                         *self.options),
                             write={"staging": True})
        self.staging = self.fs.point / "@staging"
        self.job = self.staging / "job"
        self.umask = os.umask(0o022)
        self.addCleanup(os.umask, self.umask)

    def compare(self, seed, users):
        rnd = random.Random(seed)
        disk = Side(self.folder / f"disk{seed}")
        staged = Side(self.job / f"staged{seed}")
        self.addCleanup(disk.close)
        self.addCleanup(staged.close)
        for number in range(CALLS):
            user = rnd.choice(users)
            name, call = make_call(rnd)
            self.assertEqual(disk.outcome(user, call), staged.outcome(user, call),
                             f"seed {seed}, call {number}, user {user}: {name}")

    def test_random_calls(self):
        for seed in SEEDS:
            self.compare(seed, [ROOT])

    def test_random_calls_of_several_users(self):
        for seed in SEEDS:
            self.compare(100 + seed, [ROOT, ROOT, ONE, OTHER])

    def test_who_makes_it_owns_it(self):
        self.job.mkdir()
        self.job.chmod(0o2777)
        os.chown(self.job, ROOT, OTHER)
        side = Side(self.job / "x")
        side.folder.chmod(0o2777)
        side.outcome(ONE, lambda s: os.mkdir("folder"))
        side.outcome(ONE, lambda s: os.symlink("nowhere", "link"))
        side.outcome(ONE, lambda s: os.mkfifo("pipe"))
        side.outcome(ONE, lambda s: os.close(os.open("file", os.O_CREAT | os.O_WRONLY)))
        for name in ("folder", "link", "pipe", "file"):
            status = os.lstat(side.folder / name)
            self.assertEqual((status.st_uid, status.st_gid), (ONE, OTHER), name)
        self.assertTrue((side.folder / "folder").stat().st_mode & stat.S_ISGID)

    def test_pipes_and_sockets(self):
        self.job.mkdir()
        os.mkfifo(self.job / "pipe", 0o600)
        reader = os.open(self.job / "pipe", os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(self.job / "pipe", os.O_WRONLY)
        os.write(writer, b"through")
        self.assertEqual(os.read(reader, 100), b"through")
        os.close(writer)
        os.close(reader)
        os.chdir(self.job)
        try:
            with socket.socket(socket.AF_UNIX) as server:
                server.bind("socket")
                server.listen(1)
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect("socket")
        finally:
            os.chdir("/")
        self.assertEqual([stat.filemode(p.lstat().st_mode)[0]
                          for p in sorted(self.job.iterdir())], ["p", "s"])

    def test_deep(self):
        """Deeper than a path may be long; then all of it is removed."""
        self.job.mkdir()
        os.chdir(self.job)
        try:
            for _ in range(1000):
                os.mkdir("folder89")
                os.chdir("folder89")
            with open("file", "wb") as file:
                file.write(b"deep")
            with open("file", "rb") as file:
                self.assertEqual(file.read(), b"deep")
            os.rename("file", "renamed")
            self.assertEqual(os.stat("renamed").st_size, 4)
        finally:
            os.chdir("/")
        self.remove_deep(self.job)
        self.assertEqual(os.listdir(self.staging), [])

    def remove_deep(self, folder):
        """As rm does it; shutil's recursion ends long before."""
        os.chdir(folder)
        try:
            depth = 0
            while os.path.isdir("folder89"):
                os.chdir("folder89")
                depth += 1
            os.unlink("renamed")
            for _ in range(depth):
                os.chdir("..")
                os.rmdir("folder89")
        finally:
            os.chdir("/")
        os.rmdir(folder)

    def check_removal_while_reading(self, kills_at):
        """The worker is killed when so many names were read."""
        self.job.mkdir()
        for number in range(3000):
            (self.job / f"{number:04}").touch()
        names = []
        with os.scandir(self.job) as entries:
            for entry in entries:
                names.append(entry.name)
                os.unlink(entry.path)
                if len(names) in kills_at:
                    self.fs.kill_worker()
        self.assertEqual(sorted(names), [f"{n:04}" for n in range(3000)])

    def test_a_folder_that_changes_while_it_is_read(self):
        self.check_removal_while_reading(kills_at=())
        (self.job / "one").touch()
        folder = os.open(self.job, os.O_RDONLY)
        try:
            self.assertEqual(os.listdir(folder), ["one"])
            (self.job / "two").touch()
            self.assertEqual(sorted(os.listdir(folder)), ["one", "two"])  # rewound
            os.fsync(folder)
        finally:
            os.close(folder)

    def test_nothing_is_left_out_when_the_worker_dies(self):
        """Who removes what was read, as some rm -r do, misses nothing of the rest."""
        self.check_removal_while_reading(kills_at=(700, 1800))

    def test_an_open_file_loses_one_of_two_names(self):
        """What is open is known to the next worker, whichever name it had last."""
        unlinked = self.fs.cache / ".modelfs/unlinked"
        self.job.mkdir()
        for number, last in enumerate(("a", "b/b")):
            (self.job / f"{number}/b").mkdir(parents=True)
            one, other = self.job / f"{number}/a", self.job / f"{number}/b/b"
            one.write_bytes(b"content")
            with open(one, "r+b", 0) as file:
                os.link(one, other)
                os.unlink(self.job / f"{number}" / last)
                self.fs.kill_worker()
                self.assertEqual(os.fstat(file.fileno()).st_nlink, 1)
                self.assertEqual(os.pread(file.fileno(), 100, 0), b"content")
                os.ftruncate(file.fileno(), 4)
            left = other if last == "a" else one
            self.assertEqual((left.read_bytes(), left.stat().st_nlink), (b"cont", 1))
            wait_until(lambda: not list(unlinked.glob("*/*")), "nothing kept")

    def on_both(self, call):
        """What a call does in a folder of its own on the disk must be done here too."""
        outcomes = []
        for folder in (self.folder / "disk", self.job / "staged"):
            side = Side(folder)
            outcomes.append(side.outcome(ROOT, call))
        self.assertEqual(*outcomes)
        return outcomes[0]

    def test_a_folder_is_read_later_than_opened(self):
        def read(_side):
            os.makedirs("a/b")
            folder = os.open("a/b", os.O_RDONLY)
            try:
                os.rename("a", "c")
                os.mkdir("c/b/made")
                return os.listdir(folder)
            finally:
                os.close(folder)

        self.assertEqual(self.on_both(read), ["made"])

    def test_a_removed_folder_is_empty(self):
        def read(side):
            os.mkdir("folder")
            os.chdir("folder")
            os.rmdir(side.folder / "folder")
            return os.listdir("."), os.stat(".").st_nlink

        self.assertEqual(self.on_both(read), ([], 0))

    def test_ranges(self):
        """Room is made, holes are punched, ranges are copied and locked."""
        self.job.mkdir()
        with open(self.job / "a", "w+b", 0) as file, \
                open(self.job / "b", "w+b", 0) as other:
            file.write(os.urandom(1 << 16))
            self.assertEqual(os.copy_file_range(file.fileno(), other.fileno(), 5000, 100,
                                                0), 5000)
            file.seek(100)
            self.assertEqual((self.job / "b").read_bytes(), file.read(5000))
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 100)
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with open(self.job / "b", "rb") as another:
                self.assert_fails(errno.EWOULDBLOCK, fcntl.flock, another,
                                  fcntl.LOCK_SH | fcntl.LOCK_NB)
        shutil.copyfile(self.job / "a", self.job / "c")
        self.assertEqual((self.job / "a").read_bytes(), (self.job / "c").read_bytes())


class WithoutPassthrough(LocalDisk):
    options = ("-o", "no_passthrough")


if __name__ == "__main__":
    unittest.main()
