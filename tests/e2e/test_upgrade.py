"""Another program takes over a live mount, or the old one goes on and says why."""

import ctypes
import errno
import os
import pathlib
import random
import shutil
import signal

import yaml
from mounted import MINUTE, MODELFS, MountTest, wait_until
from readers import Readers

MIB = 1 << 20
UPGRADES = int(os.environ.get("MODELFS_UPGRADES", "10"))
READERS = int(os.environ.get("MODELFS_READERS", "8"))
SIZES = {"a.bin": 4 * MIB, "b.bin": MIB + 17, "log/c.txt": 3000, "large.bin": 24 * MIB}
LAYOUT_AT = 8  # in the block that workers share


def program_of(pid):
    return os.stat(f"/proc/{pid}/exe").st_ino


def shared_block(pid):
    """The path of the memory that the workers of a supervisor share."""
    folder = pathlib.Path(f"/proc/{pid}/fd")
    return next(path for path in folder.iterdir()
                if "memfd:modelfs-block" in os.readlink(path))


class Upgrade(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        choose = random.Random(1)
        self.files = {name: choose.randbytes(size) for name, size in SIZES.items()}
        self.uid = self.models.publish(self.files)
        self.program = self.folder / "modelfs"
        shutil.copy(MODELFS, self.program)

    def mount_program(self, **keys):
        return self.mount(self.models, program=self.program, hold="2MiB", **keys)

    def install(self, write):
        """As a package does: a new file in place of the old one."""
        write(self.folder / "new")
        os.rename(self.folder / "new", self.program)
        return os.stat(self.program).st_ino

    def install_copy(self):
        return self.install(lambda path: shutil.copy(MODELFS, path))

    def upgrade(self, fs):
        """Returns when supervisor and worker are the program that was just installed."""
        wanted = os.stat(self.program).st_ino
        fs.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: program_of(fs.process.pid) == wanted
                   and program_of(fs.worker()) == wanted, "upgrade")

    @staticmethod
    def processes(fs):
        return yaml.safe_load((fs.point / "@status").read_text())["processes"]

    def assert_refused(self, fs, *words):
        before = program_of(fs.process.pid)
        count = fs.log().count("no upgrade")
        fs.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: fs.log().count("no upgrade") > count, "refusal")
        for word in (*words, "goes on with the program it had"):
            self.assertIn(word, fs.log())
        said = self.processes(fs)["upgrade"]
        self.assertTrue(said.startswith("refused: "), said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(fs.read(self.uid, "a.bin"), self.files["a.bin"])
        self.assertEqual(program_of(fs.process.pid), before)
        self.assertEqual(program_of(fs.worker()), before)

    def test_upgrades_under_readers(self):
        fs = self.mount_program()
        crowd = Readers(fs, self.uid, self.files, READERS)
        for _ in range(UPGRADES):
            self.install_copy()
            crowd.mark()
            self.upgrade(fs)
            os.stat(fs.point / "@status")
        failures, rounds, figures = crowd.finish()
        self.assertEqual(failures, [])
        self.assertGreater(rounds, 0)
        self.assertIn(f"upgrades: {UPGRADES}\n", (fs.point / "@status").read_text())
        print(f"\nfigures: {UPGRADES} upgrades, {figures}")

    def test_open_files_live_on(self):
        fs = self.mount_program()
        for name in ("a.bin", "large.bin"):
            with open(fs.path(self.uid, name), "rb") as file:
                first = file.read(100)
                self.install_copy()
                self.upgrade(fs)
                self.assertEqual(first + file.read(), self.files[name])
            self.assertEqual(fs.read(self.uid, name), self.files[name])

    def test_worker_dies_after_an_upgrade(self):
        fs = self.mount_program()
        wanted = self.install_copy()
        self.upgrade(fs)
        os.kill(fs.worker(), signal.SIGKILL)
        self.assertEqual(fs.read(self.uid, "b.bin"), self.files["b.bin"])
        self.assertEqual(program_of(fs.worker()), wanted)
        self.assertEqual(fs.stop(), 0)

    def test_configuration_is_read_anew(self):
        fs = self.mount_program()
        self.assertIn("@staging", os.listdir(fs.point))
        self.config(self.models, name="first.yaml", write={"staging": False})
        self.install_copy()
        self.upgrade(fs)
        wait_until(lambda: "@staging" not in os.listdir(fs.point), "new configuration")

    def test_staging_is_switched_off_in_use(self):
        fs = self.mount_program()
        job = fs.point / "@staging" / "job"
        job.mkdir()
        folder = os.open(job, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        file = os.open(job / "a.txt", os.O_WRONLY | os.O_CREAT)
        os.write(file, b"first")
        self.config(self.models, name="first.yaml", write={"staging": False})
        self.install_copy()
        self.upgrade(fs)
        worker = fs.worker()
        self.assert_fails(errno.ESTALE, os.ftruncate, file, 1)
        self.assert_fails(errno.ESTALE, os.close, file)
        self.assert_fails(errno.ESTALE, lambda: os.mkdir("sub", dir_fd=folder))
        os.stat(fs.point / "@status")  # after what the kernel sends by itself
        self.assertEqual(fs.worker(), worker)

    def test_repositories_come_and_go(self):
        other = self.repository("other")
        files = {"a.bin": b"other", "b.bin": b"more"}
        uid = other.publish(files, name="other")
        fs = self.mount(self.models, other, program=self.program, hold="2MiB")
        kept = os.open(fs.path(self.uid), os.O_RDONLY)
        gone = os.open(fs.path(uid), os.O_RDONLY)
        for folder in (kept, gone):
            self.addCleanup(os.close, folder)
            os.stat("a.bin", dir_fd=folder)
        third = self.repository("third")
        self.config(third, self.models, name="first.yaml", hold="2MiB")
        self.install_copy()
        self.upgrade(fs)
        worker = fs.worker()
        self.assertEqual(self.read_in(kept, "a.bin"), self.files["a.bin"])
        self.assert_fails(errno.ESTALE, lambda: os.listdir(gone))
        self.assert_fails(errno.ENOENT, fs.read, uid, "b.bin")
        self.config(third, self.models, other, name="first.yaml", hold="2MiB")
        self.assertEqual(fs.worker(), worker)
        self.install_copy()
        self.upgrade(fs)
        self.assertEqual(sorted(os.listdir(gone)), sorted(files))
        self.assertEqual(self.read_in(gone, "b.bin"), files["b.bin"])

    @staticmethod
    def read_in(folder, name):
        with open(name, "rb", opener=lambda *how: os.open(*how, dir_fd=folder)) as file:
            return file.read()

    def test_mount_in_the_background(self):
        """With paths that mean something else in the background."""
        config = self.config(self.models)
        point, log = self.folder / "point", self.folder / "background.log"
        point.mkdir()
        os.chdir(self.folder)
        os.environ["MODELFS_CONFIG"] = config.name
        self.addCleanup(os.environ.pop, "MODELFS_CONFIG")
        self.assertEqual(os.spawnv(os.P_WAIT, self.program, [
            "modelfs", "mount", "-o", f"log={log.name}", point.name]), 0)
        self.addCleanup(os.system, f"umount {point}")
        supervisor = int((pathlib.Path("/proc") / str(self.background()) / "stat")
                         .read_text().split()[0])
        wanted = self.install_copy()
        os.kill(supervisor, signal.SIGUSR2)
        wait_until(lambda: program_of(supervisor) == wanted, "upgrade")
        wait_until(lambda: "goes on" in log.read_text(), "message")
        self.assertEqual(sorted(os.listdir(point)), ["@info", "@metrics", "@staging",
                                                     "@status", "@tree",
                                                     self.uid.split("-")[0]])

    def background(self):
        """The supervisor: who runs our program and is nobody's worker."""
        mine = {int(path.name): path for path in pathlib.Path("/proc").iterdir()
                if path.name.isdigit() and self.runs_program(path)}
        parents = {pid: int((path / "stat").read_text().rsplit(")", 1)[1].split()[1])
                   for pid, path in mine.items()}
        return next(pid for pid, parent in parents.items() if parent not in mine)

    def runs_program(self, process):
        try:
            return os.readlink(process / "exe") == str(self.program)
        except OSError:
            return False

    def test_programs_that_cannot_take_over(self):
        fs = self.mount_program()
        for what, write, mode, words in (
                ("not executable", lambda path: shutil.copy(MODELFS, path), 0o644,
                 "Permission denied"),
                ("no program", lambda path: path.write_bytes(b"\x7fELF, but no more"), 0o755,
                 "Exec format error"),
                ("dies at once", lambda path: path.write_text("#!/bin/sh\nkill -9 $$\n"),
                 0o755, "was ended by signal 9"),
                ("knows nothing of it", lambda path: shutil.copy("/bin/false", path), 0o755,
                 "gave up"),
                ("ends well, too early", lambda path: shutil.copy("/bin/true", path), 0o755,
                 "gave up")):
            with self.subTest(what):
                self.install(write)
                self.program.chmod(mode)
                self.assert_refused(fs, words)
        with self.subTest("is gone"):
            self.program.unlink()
            self.assert_refused(fs, "No such file")
        self.install_copy()
        self.upgrade(fs)
        self.assertNotIn("upgrade", self.processes(fs))

    def test_configuration_with_an_error(self):
        fs = self.mount_program()
        text = fs.config.read_text()
        fs.config.write_text("repositories: none\n")
        self.assert_refused(fs, "first.yaml")
        fs.config.write_text(text)
        self.install_copy()
        self.upgrade(fs)

    def test_another_layout(self):
        fs = self.mount_program()
        with open(shared_block(fs.process.pid), "r+b", buffering=0) as block:
            layout = os.pread(block.fileno(), 4, LAYOUT_AT)
            os.pwrite(block.fileno(), b"\x63\0\0\0", LAYOUT_AT)
            self.assert_refused(fs, "layout 99")
            os.pwrite(block.fileno(), layout, LAYOUT_AT)
        self.install_copy()
        self.upgrade(fs)

    def test_another_agreement_with_the_kernel(self):
        """As if the mount had been made by a program that can do more."""
        fs = self.mount_program()
        with open(shared_block(fs.process.pid), "r+b", buffering=0) as block:
            content = os.pread(block.fileno(), 64 << 10, 0)
            # major 7 and the minor number of libfuse begin the reply to INIT, which
            # comes after the request that begins with 7, too.
            at = self.init_reply_at(content)
            flags = os.pread(block.fileno(), 4, at + 12)
            os.pwrite(block.fileno(), b"\xff\xff\xff\xff", at + 12)
            self.assert_refused(fs, "agreed with the kernel")
            os.pwrite(block.fileno(), flags, at + 12)
        self.install_copy()
        self.upgrade(fs)

    @staticmethod
    def init_reply_at(content):
        minor = ctypes.c_uint32.from_buffer_copy  # little endian, as the machine
        found = [at for at in range(0, len(content) - 8, 4)
                 if minor(content, at).value == 7 and 31 <= minor(content, at + 4).value < 64]
        return found[-1]

    def test_death_while_the_next_prepares(self):
        fs = self.mount_program()
        slow = self.folder / "slow"
        os.mkfifo(slow)
        self.install(lambda path: path.write_text(
            f"#!/bin/sh\nread line < {slow}\nexec {self.program} \"$@\"\n"))
        self.program.chmod(0o755)
        before = fs.worker()
        fs.process.send_signal(signal.SIGUSR2)
        with open(slow, "w", encoding="utf-8") as pipe:  # it has started
            wanted = self.install_copy()
            os.kill(before, signal.SIGKILL)
            wait_until(lambda: fs.worker() != before, "the worker's end")
            pipe.write("go\n")
        self.assertEqual(fs.read(self.uid, "a.bin"), self.files["a.bin"])
        wait_until(lambda: program_of(fs.process.pid) == wanted, "upgrade")

    def test_stop_while_the_next_prepares(self):
        fs = self.mount_program()
        slow = self.folder / "slow"
        os.mkfifo(slow)
        self.install(lambda path: path.write_text(f"#!/bin/sh\nread line < {slow}\n"))
        self.program.chmod(0o755)
        fs.process.send_signal(signal.SIGUSR2)
        with open(slow, "w", encoding="utf-8"):
            fs.process.send_signal(signal.SIGTERM)
            self.assertEqual(fs.process.wait(MINUTE), 0)
        self.assertFalse(os.path.ismount(fs.point))
