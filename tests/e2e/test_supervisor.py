"""The mount outlives its worker: kills at random moments, and nobody notices but a pause."""

import errno
import os
import pathlib
import random
import re
import signal
import subprocess
import time
import unittest

from mounted import (
    MINUTE, MODELFS, MountTest, is_mounted, modelfs, unmount_lazily, wait_until)
from readers import Readers

MIB = 1 << 20
CAP_SYS_RESOURCE = 24
KILLS = int(os.environ.get("MODELFS_KILLS", "100"))
READERS = int(os.environ.get("MODELFS_READERS", "8"))
SIZES = {"a.bin": 4 * MIB, "b.bin": MIB + 17, "log/c.txt": 3000, "large.bin": 24 * MIB}


class Supervisor(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        choose = random.Random(1)
        self.files = {name: choose.randbytes(size) for name, size in SIZES.items()}
        self.uid = models.publish(self.files)
        self.models = models

    def test_kills_under_readers(self):
        fs = self.mount(self.models, hold="2MiB")
        crowd = Readers(fs, self.uid, self.files, READERS)
        choose = random.Random(2)
        for _ in range(KILLS):
            # Five that never answered would be too many.
            (fs.point / "@status").read_bytes()
            time.sleep(choose.uniform(0, 0.06))
            worker = fs.worker()
            crowd.mark()
            os.kill(worker, signal.SIGKILL)
        failures, rounds, figures = crowd.finish()
        self.assertEqual(failures, [])
        self.assertGreater(rounds, 0)
        print(f"\nfigures: {KILLS} kills, {figures}")

    def test_open_files_live_on(self):
        fs = self.mount(self.models, hold="2MiB")
        with open(fs.path(self.uid, "a.bin"), "rb") as complete:
            first = complete.read(100)
            os.kill(fs.worker(), signal.SIGKILL)
            self.assertEqual(first + complete.read(), self.files["a.bin"])
            with open(fs.path(self.uid, "a.bin"), "rb") as again:  # the old backing file
                self.assertEqual(again.read(), self.files["a.bin"])
        self.assertEqual(fs.read(self.uid, "a.bin"), self.files["a.bin"])

    def test_mount_without_a_model_that_was_read(self):
        fs = self.mount(self.models)
        os.kill(fs.worker(), signal.SIGKILL)
        self.assertEqual(fs.read(self.uid, "log/c.txt"), self.files["log/c.txt"])

    def test_fallbacks(self):
        for options in ("no_passthrough", "no_direct_mmap", "no_passthrough,no_direct_mmap"):
            with self.subTest(options):
                fs = self.mount(self.models, name=options, hold="2MiB",
                                cache=f"cache-{options}", options=("-o", options))
                with open(fs.path(self.uid, "a.bin"), "rb") as file:
                    first = file.read(100)
                    os.kill(fs.worker(), signal.SIGKILL)
                    self.assertEqual(first + file.read(), self.files["a.bin"])
                fs.stop()

    def test_worker_that_cannot_start_again(self):
        fs = self.mount(self.models)
        fs.config.write_text("repositories: none\n")  # each worker has the first's copy
        os.kill(fs.worker(), signal.SIGABRT)
        self.assertEqual(fs.read(self.uid, "b.bin"), self.files["b.bin"])
        self.assertIn("signal 6", fs.log())

    def test_stop_signals_end_both(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with self.subTest(number):
                fs = self.mount(self.models, name=f"signal{number}")
                worker = fs.worker()
                fs.process.send_signal(number)
                self.assertEqual(fs.process.wait(MINUTE), 0)
                self.assertFalse(pathlib.Path(f"/proc/{worker}").exists())
                self.assertFalse(os.path.ismount(fs.point))

    def block_reader(self, fs):
        """Somebody who waits for a publish job that has not begun."""
        job = fs.point / "@staging/job"
        job.mkdir()
        (job / "a.txt").write_text("hello\n")
        manifest = open(fs.point / "@staging/job.yaml", "w", encoding="utf-8")
        self.addCleanup(manifest.close)
        manifest.write("name: onnx\nversion: 7.0.0\n")
        manifest.flush()
        reader = subprocess.Popen(["cat", fs.point / "@staging/job.result"], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(reader.kill)
        self.wait_for_reader(fs)
        return reader, manifest

    def wait_for_reader(self, fs):
        """No thread is at its request any more: it waits for the job."""
        wait_until(lambda: fs.metric("modelfs_requests_waiting") > 0, "a waiting request")

    def kill_worker(self, fs, number):
        worker = fs.worker()
        os.kill(worker, number)
        wait_until(lambda: fs.worker() != worker, "another worker")

    def test_who_waits_is_not_blamed(self):
        """Workers that die of a fault count against requests being executed, no others."""
        fs = self.mount(self.models)
        reader, manifest = self.block_reader(fs)
        for number in (signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGFPE):
            self.kill_worker(fs, number)
            self.wait_for_reader(fs)
        manifest.close()
        out, err = reader.communicate(timeout=60)
        self.assertRegex(out, r"^[0-9a-f]{8}-7\.0\.0\n$", err)
        self.assertIn("restarts: 4\n", (fs.point / "@status").read_text())

    def test_without_resend_who_waits_fails(self):
        """As on kernels below 6.9: what a dead worker had is answered by the next."""
        fs = self.mount(self.models, options=("-o", "no_resend"))
        reader, _ = self.block_reader(fs)
        self.kill_worker(fs, signal.SIGKILL)
        _, err = reader.communicate(timeout=60)
        self.assertIn(os.strerror(errno.EIO), err)
        self.assertRegex((fs.point / "@status").read_text(), r"in_flight: fail")
        for name, content in self.files.items():
            self.assertEqual(fs.read(self.uid, name), content)

    def test_without_resend_nobody_hangs(self):
        """Calls at the wrong moment fail with EIO, and nothing else goes wrong."""
        fs = self.mount(self.models, options=("-o", "no_resend"), hold="2MiB")
        for name in self.files:  # what is there no mapping can miss, which ends by SIGBUS
            fs.read(self.uid, name)
        crowd = Readers(fs, self.uid, self.files, 4)
        choose = random.Random(3)
        for _ in range(30):
            wait_until(lambda: self.answers(fs), "an answer")
            time.sleep(choose.uniform(0, 0.03))
            crowd.mark()
            os.kill(fs.worker(), signal.SIGKILL)
        wait_until(lambda: self.answers(fs), "an answer")
        failures, _, figures = crowd.finish()
        for failure in failures:
            self.assertIn(os.strerror(errno.EIO), failure)
        print(f"\nfigures: 30 kills without resend, {figures}")

    def answers(self, fs):
        try:
            return os.stat(fs.point / "@status")
        except OSError as error:
            self.assertEqual(error.errno, errno.EIO)
            return None

    def give_up(self, fs):
        """No worker can start: its cache is not there."""
        fs.cache.rename(fs.cache.with_name("away"))
        fs.cache.write_text("no folder\n")
        os.kill(fs.worker(), signal.SIGKILL)
        wait_until(lambda: "every request now fails" in fs.log(), "message")
        self.assertIn("gave up", fs.log())
        self.assertIn(str(fs.cache), fs.log())

    def test_workers_that_cannot_start_leave_errors(self):
        fs = self.mount(self.models)
        self.give_up(fs)
        for _ in range(3):
            self.assert_fails(errno.EIO, os.listdir, fs.point / "@tree")
            self.assert_fails(errno.EIO, fs.read, self.uid, "a.bin")
        os.kill(fs.worker(), signal.SIGKILL)  # also the one that says no
        self.assert_fails(errno.EIO, os.listdir, fs.point / "@tree")
        fs.cache.unlink()
        fs.cache.with_name("away").rename(fs.cache)
        fs.process.send_signal(signal.SIGUSR2)
        wait_until(lambda: self.answers(fs), "recovery")
        self.assertEqual(fs.read(self.uid, "a.bin"), self.files["a.bin"])
        self.assertEqual(fs.stop(), 0)

    def test_errors_can_be_unmounted(self):
        fs = self.mount(self.models)
        self.give_up(fs)
        self.assertEqual(fs.stop(), 0)

    def test_errors_end_by_signal(self):
        fs = self.mount(self.models)
        self.give_up(fs)
        fs.process.send_signal(signal.SIGTERM)
        self.assertEqual(fs.process.wait(MINUTE), 0)
        self.assertFalse(os.path.ismount(fs.point))

    @unittest.skipUnless(os.geteuid() == 0, "mounts another file system")
    def test_mount_of_another_stays(self):
        """Ours was taken away while it is in use, and something else is there now."""
        for is_replaced in (False, True):
            fs = self.mount(self.models, name=f"mount-{is_replaced}")
            user = subprocess.Popen(["sleep", str(MINUTE)], cwd=fs.point)
            self.addCleanup(user.wait)
            self.addCleanup(user.kill)
            if is_replaced:
                unmount_lazily(fs.point)
                subprocess.run(["mount", "-t", "tmpfs", "other", fs.point], check=True)
            fs.process.terminate()
            self.assertEqual(fs.process.wait(MINUTE), 0)
            self.assertEqual(is_mounted(fs.point), is_replaced)
            self.assertNotIn("unmount", fs.log())
        unmount_lazily(fs.point)

    def test_worker_is_what_memory_is_taken_from(self):
        """The supervisor is spared, where it may be; workers are at risk as who mounted."""
        def score(pid):
            return int(pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text())

        pathlib.Path("/proc/self/oom_score_adj").write_text("300")  # one may always raise it
        fs = self.mount(self.models)
        self.assertEqual(score(fs.worker()), 300)
        os.kill(fs.worker(), signal.SIGKILL)  # as the kernel does
        self.assertEqual(fs.read(self.uid, "log/c.txt"), self.files["log/c.txt"])
        self.assertEqual(score(fs.worker()), 300)
        rights = re.search(r"CapEff:\s*(\w+)", pathlib.Path("/proc/self/status").read_text())
        may_lower = int(rights[1], 16) >> CAP_SYS_RESOURCE & 1
        self.assertEqual(score(fs.process.pid), -1000 if may_lower else 300)

    def test_arriving_member_goes_on_arriving(self):
        """Killed while a member is on its way: readers get all of it, once fetched."""
        fs = self.mount(self.models, hold="64KiB")
        with open(fs.path(self.uid, "large.bin"), "rb") as file:
            content = file.read(MIB)
            for _ in range(5):
                os.kill(fs.worker(), signal.SIGKILL)
                content += file.read(MIB)
            content += file.read()
        self.assertEqual(content, self.files["large.bin"])

    def test_two_at_once(self):
        """Of several that mount one folder at once one does, the others say why not."""
        config = self.config(self.models)
        point = self.folder / "point"
        point.mkdir()
        started = [subprocess.Popen([MODELFS, "mount", "-c", str(config), str(point)],
                                    stderr=subprocess.PIPE, text=True) for _ in range(6)]
        ends = [(process.communicate(timeout=60)[1], process.returncode)
                for process in started]
        self.addCleanup(modelfs, "unmount", point)
        self.assertEqual(sorted(code for _, code in ends), [0, 1, 1, 1, 1, 1], ends)
        for text, code in ends:
            if code:
                self.assert_sentence(text, point, "is busy")
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            self.assertEqual(sum(f" {point} " in line for line in mounts), 1)
