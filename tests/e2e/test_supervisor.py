"""The mount outlives its worker: kills at random moments, and nobody notices but a pause."""

import hashlib
import mmap
import multiprocessing
import os
import pathlib
import random
import signal
import time

from mounted import MountTest

MIB = 1 << 20
KILLS = int(os.environ.get("MODELFS_KILLS", "100"))
READERS = 8
SIZES = {"a.bin": 4 * MIB, "b.bin": MIB + 17, "log/c.txt": 3000, "large.bin": 24 * MIB}


def digest(data):
    return hashlib.sha256(data).hexdigest()


def read_once(path, choose):
    """One of the ways in which programs read."""
    way = choose.randrange(4)
    if way == 0:
        with open(path, "rb") as file:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                return digest(content)
    if way == 1:
        file = os.open(path, os.O_RDONLY)
        try:
            size = os.fstat(file).st_size
            return digest(b"".join(os.pread(file, 65536, at) for at in range(0, size, 65536)))
        finally:
            os.close(file)
    return digest(path.read_bytes())


def read_until(stop, folder, expected, seed, answers):
    choose = random.Random(seed)
    count, failures, longest = 0, [], 0
    while not stop.is_set():
        name = choose.choice(sorted(expected))
        start = time.monotonic()
        try:
            if read_once(folder / name, choose) != expected[name]:
                failures.append(f"{name}: wrong bytes")
            if sorted(os.listdir(folder)) != ["a.bin", "b.bin", "large.bin", "log"]:
                failures.append("wrong listing")
            (folder / "log" / "none").exists()
            os.stat(folder.parent / "latest")
        except OSError as error:
            failures.append(f"{name}: {error}")
        longest = max(longest, time.monotonic() - start)
        count += 1
    answers.put((count, failures[:3], longest))


class Supervisor(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        choose = random.Random(1)
        self.files = {name: choose.randbytes(size) for name, size in SIZES.items()}
        self.uid = models.publish(self.files)
        self.models = models

    def readers(self, fs):
        expected = {name: digest(content) for name, content in self.files.items()}
        stop, answers = multiprocessing.Event(), multiprocessing.Queue()
        processes = [
            multiprocessing.Process(
                target=read_until,
                args=(stop, fs.path(self.uid), expected, seed, answers), daemon=True)
            for seed in range(READERS)]
        for process in processes:
            process.start()
        return stop, answers, processes

    def test_kills_under_readers(self):
        fs = self.mount(self.models, hold="2MiB")
        stop, answers, processes = self.readers(fs)
        choose = random.Random(2)
        for _ in range(KILLS):
            os.stat(fs.point / "@status")  # five that never answered would be too many
            time.sleep(choose.uniform(0, 0.06))
            os.kill(fs.worker(), signal.SIGKILL)
        stop.set()
        results = [answers.get(timeout=60) for _ in processes]
        for process in processes:
            process.join(60)
        for count, failures, _ in results:
            self.assertGreater(count, 0)
            self.assertEqual(failures, [])
        print(f"{KILLS} kills, {sum(r[0] for r in results)} reads, longest "
              f"{max(r[2] for r in results) * 1000:.0f} ms")

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
