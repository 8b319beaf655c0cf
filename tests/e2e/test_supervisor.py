"""The mount outlives its worker: kills at random moments, and nobody notices but a pause."""

import os
import pathlib
import random
import signal
import time

from mounted import MountTest
from readers import Readers

MIB = 1 << 20
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
            os.stat(fs.point / "@status")  # five that never answered would be too many
            time.sleep(choose.uniform(0, 0.06))
            worker = fs.worker()
            crowd.mark()
            os.kill(worker, signal.SIGKILL)
        failures, rounds, figures = crowd.finish()
        self.assertEqual(failures, [])
        self.assertGreater(rounds, 0)
        print(f"figures: {KILLS} kills, {figures}")

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
                self.assertEqual(fs.process.wait(20), 0)
                self.assertFalse(pathlib.Path(f"/proc/{worker}").exists())
                self.assertFalse(os.path.ismount(fs.point))
