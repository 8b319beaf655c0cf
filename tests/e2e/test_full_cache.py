"""A cache whose disk is full: what nobody uses makes room for what is read."""

import concurrent.futures
import errno
import os
import subprocess
import unittest

from mounted import MountTest, files_below

OLD = {"weights.bin": os.urandom(3 << 20)}
NEW = {f"small/{number:04}.txt": os.urandom(2000) for number in range(1000)}
READERS = 4


@unittest.skipUnless(os.geteuid() == 0, "mounts a small file system")
class FullCache(MountTest):
    def test_small_files_read_in_order(self):
        """Those that come along with others find room, too."""
        disk = self.folder / "small"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        repo = self.repository()
        old = repo.publish(OLD, params={"is": "old"})
        new = repo.publish(NEW, params={"is": "new"})
        fs = self.mount(repo, cache="small")
        self.assertEqual(fs.read(old, "weights.bin"), OLD["weights.bin"])
        self.assertEqual(fs.stop(), 0)
        fs = self.mount(repo, name="second", cache="small")
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            for name, data in zip(NEW, pool.map(lambda name: fs.read(new, name), NEW)):
                self.assertEqual(data, NEW[name], name)


class TwoDaemons(MountTest):
    """Two mounts with one cache folder, which has room for two models."""
    MODEL = 1_000_000
    SIZE = 2_500_000
    OPTIONS = ()

    def setUp(self):
        super().setUp()
        models = self.repository()
        self.files = [os.urandom(self.MODEL) for _ in range(4)]
        self.uids = [models.publish({"a.bin": data, "b.txt": b"b"}, params={"n": number})
                     for number, data in enumerate(self.files)]
        self.mounts = [self.mount(models, name=name, size=self.SIZE, options=self.OPTIONS)
                       for name in ("first", "second")]

    def read(self, fs, number):
        self.assertEqual(fs.read(self.uids[number], "a.bin"), self.files[number])

    def test_what_the_other_one_has_read_makes_room(self):
        first, second = self.mounts
        self.read(first, 0)
        self.read(first, 1)
        self.read(second, 2)
        self.read(second, 3)
        self.read(first, 0)

    def cached(self):
        """Bytes of all models, wherever they lie by now."""
        cache = self.mounts[0].cache
        return sum((cache / name).stat().st_size for name in files_below(cache)
                   if name.endswith("/a.bin"))

    def test_the_limit_is_that_of_both(self):
        for number in range(len(self.uids)):
            self.read(self.mounts[number % 2], number)
            self.assertLessEqual(self.cached(), self.SIZE)

    def test_what_the_other_one_has_open_stays(self):
        first, second = self.mounts
        with (open(first.path(self.uids[0], "a.bin"), "rb") as zero,
              open(first.path(self.uids[1], "a.bin"), "rb") as one):
            self.assert_fails(errno.ENOSPC, second.read, self.uids[2], "a.bin")
            self.assertEqual(zero.read(), self.files[0])
            self.assertEqual(one.read(), self.files[1])
        self.read(second, 2)


class TwoDaemonsWithoutPassthrough(TwoDaemons):
    OPTIONS = ("-o", "no_passthrough")


if __name__ == "__main__":
    unittest.main()
