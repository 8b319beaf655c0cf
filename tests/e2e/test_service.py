"""A mount that a service manager keeps: the supervisor's death, restarts, packages.

The manager is a stand-in (manager.py) that does with descriptors what systemd does.
"""

import os
import random
import shutil
import signal
import struct
import subprocess
import sys

from manager import Service
from mounted import MINUTE, MODELFS, MountTest, is_mounted, unmount_lazily, wait_until
from readers import Readers
from repository import short_id, split

MIB = 1 << 20
NAMES = ["modelfs-device", "modelfs-block", "modelfs-slots", "modelfs-staged"]
LAYOUT_AT = 8

# Has a file open that loses its name, and reads it when it is told to.
UNLINKED = """
import os, sys
with open(sys.argv[1], "w+") as file:
    file.write("kept")
    file.flush()
    os.unlink(sys.argv[1])
    print("ready", flush=True)
    sys.stdin.readline()
    file.seek(0)
    print(file.read())
    os.fstat(file.fileno())
"""


class Kept(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        choose = random.Random(1)
        self.files = {"a.bin": choose.randbytes(4 * MIB), "log/b.txt": b"hello\n",
                      "large.bin": choose.randbytes(24 * MIB)}
        self.uid = self.models.publish(self.files)
        self.point = self.folder / "mount"
        self.point.mkdir()
        self.program = self.folder / "modelfs"
        shutil.copy(MODELFS, self.program)
        config = self.config(self.models, hold="2MiB")
        self.service = Service(self.folder, [
            self.program, "mount", "-f", "-c", config, self.point])
        self.addCleanup(self.clean_up)
        self.service.start()

    def clean_up(self):
        if self.service.process.poll() is None:
            self.service.die()
        self.service.forget()
        if is_mounted(self.point):
            unmount_lazily(self.point)
        print(self.service.log())

    def path(self, uid, *parts):
        return self.point.joinpath(*split(uid), *parts)

    def check(self):
        for name, content in self.files.items():
            self.assertEqual(self.path(self.uid, name).read_bytes(), content)

    def mount_id(self):
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            return [line.split()[0] for line in mounts if f" {self.point} " in line]

    def test_what_is_kept(self):
        self.assertEqual([name for name, _ in self.service.kept], NAMES)
        self.assertEqual(self.service.stop(), 0)
        self.assertFalse(is_mounted(self.point))
        self.assertEqual(self.service.kept, [])
        self.assertEqual(self.service.states[-1], "STOPPING=1")

    def test_the_supervisor_dies(self):
        before = self.mount_id()
        for and_worker in (True, False, True):  # a manager may leave the worker alone
            with self.subTest(and_worker):
                with open(self.path(self.uid, "a.bin"), "rb") as file:
                    first = file.read(100)
                    self.service.die(and_worker)
                    waiting = subprocess.Popen(["cat", self.path(self.uid, "large.bin")],
                                               stdout=subprocess.PIPE)
                    self.service.start()
                    content, _ = waiting.communicate(timeout=MINUTE)
                    self.assertEqual(content, self.files["large.bin"])
                    self.assertEqual(first + file.read(), self.files["a.bin"])
                self.check()
        self.assertEqual(self.mount_id(), before)
        self.assertEqual(len(self.service.kept), len(NAMES))

    def test_a_restart_for_a_new_program(self):
        before = self.mount_id()
        shutil.copy(MODELFS, self.folder / "new")
        os.rename(self.folder / "new", self.program)
        self.assertEqual(self.service.leave(), 0)
        self.assertTrue(is_mounted(self.point))
        self.service.start()
        self.assertEqual(os.stat(f"/proc/{self.service.process.pid}/exe").st_ino,
                         os.stat(self.program).st_ino)
        self.check()
        self.assertEqual(self.mount_id(), before)

    def test_a_reload(self):
        shutil.copy(MODELFS, self.folder / "new")
        os.rename(self.folder / "new", self.program)
        self.service.process.send_signal(signal.SIGUSR2)
        self.service.listen_until("RELOADING=1")
        self.service.listen_until("READY=1")
        self.assertEqual(os.stat(f"/proc/{self.service.process.pid}/exe").st_ino,
                         os.stat(self.program).st_ino)
        self.service.die()
        self.service.start()
        self.check()

    def test_a_reload_that_fails(self):
        self.program.unlink()
        self.service.process.send_signal(signal.SIGUSR2)
        self.service.listen_until("RELOADING=1")
        self.service.listen_until("READY=1")
        self.check()

    def test_restarts_under_readers(self):
        crowd = Readers(self, self.uid, self.files, 4)
        for kind in ("die", "leave") * 5:
            crowd.mark()
            getattr(self.service, kind)()
            self.service.start()
            os.stat(self.point / "@status")
        failures, rounds, figures = crowd.finish()
        self.assertEqual(failures, [])
        self.assertGreater(rounds, 0)
        print(f"\nfigures: 10 restarts of the supervisor, {figures}")

    def test_restarts_while_a_job_waits_and_a_file_has_no_name(self):
        """Another's claim keeps the job at work until it is taken away."""
        staging = self.point / "@staging"
        ident = short_id("job", {})
        claim = self.models.path("_uid", ident, "1.0.0", ".claim.yaml")
        claim.parent.mkdir(parents=True)
        claim.write_text("owner: 'other'\nprocess: 'elsewhere'\nnonce: '1'\n"
                         "lifetime: 300\n")
        (staging / "job").mkdir()
        (staging / "job/a.txt").write_text("a\n")
        (staging / "job.yaml").write_text("name: job\nversion: 1.0.0\n")
        writer = subprocess.Popen(  # without the files that this process has open
            [sys.executable, "-c", UNLINKED, staging / "unlinked"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(writer.communicate)
        self.assertEqual(writer.stdout.readline(), "ready\n")
        status = staging / "job.status"
        wait_until(lambda: "waiting for that claim" in status.read_text(), "the job")
        for kind in ("leave", "die"):
            getattr(self.service, kind)()
            self.service.start()
            self.assertNotIn("error", status.read_text())
        claim.unlink()
        self.assertEqual((staging / "job.result").read_text(), f"{ident}-1.0.0\n")
        self.assertEqual(self.path(f"{ident}-1.0.0", "a.txt").read_text(), "a\n")
        self.assertEqual(writer.communicate("go\n", MINUTE)[0], "kept\n")

    def test_unmounted_while_nobody_ran(self):
        self.service.leave()
        # umount(8) would look at the folder, and wait for an answer.
        subprocess.run([MODELFS, "unmount", self.point], check=True)
        self.assertFalse(is_mounted(self.point))
        self.service.start()
        self.check()
        self.assertEqual(len(self.service.kept), len(NAMES))

    def test_unmounted_by_command(self):
        self.assertEqual(subprocess.run([MODELFS, "unmount", self.point], check=False)
                         .returncode, 0)
        self.assertEqual(self.service.process.wait(MINUTE), 0)

    def test_memory_of_another_layout(self):
        """What the new program cannot go on with is mounted anew."""
        block = dict(self.service.kept)["modelfs-block"]
        self.service.leave()
        os.pwrite(block, struct.pack("=I", 99), LAYOUT_AT)
        self.service.start()
        self.check()
        self.assertEqual(len(self.mount_id()), 1)
        self.assertIn("layout 99", self.service.log())
        self.service.die()
        self.service.start()
        self.check()

    def test_a_manager_that_kept_nothing(self):
        """The mount is dead; the next start clears it away."""
        self.service.die()
        self.service.forget()
        wait_until(self.is_dead, "the mount's death")
        self.service.start()
        self.check()

    def is_dead(self):
        try:
            os.statvfs(self.point)
        except OSError:
            return True
        return False
