"""What is not asked for is not fetched."""

import contextlib
import os
import subprocess
import unittest

from mounted import MountTest
from repository import write_big_archive

GIB = 1 << 30
SMALL = {f"small/{n:03}.txt": f"file {n}\n".encode() * 100 for n in range(50)}


class Lazy(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.uid = self.models.publish(
            {}, archive=lambda path: write_big_archive(path, SMALL, "weights.bin", GIB))
        self.fs = self.mount(self.models)

    def cache_bytes(self):
        """What lies in the cache folder on disk; files come and go there meanwhile."""
        total = 0
        for folder, _, names in os.walk(self.fs.cache):
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    total += os.lstat(os.path.join(folder, name)).st_blocks * 512
        return total

    def test_one_small_file_brings_only_itself(self):
        name, content = next(iter(SMALL.items()))
        self.assertEqual(self.fs.read(self.uid, name), content)
        self.assertEqual(self.fs.cached_bytes(self.uid), len(content))
        self.assertLess(self.cache_bytes(), 1 << 20)
        self.assertEqual(int(self.fs.info(self.uid, "total_bytes")),
                         GIB + sum(map(len, SMALL.values())))

    def test_a_value_is_read_in_one_piece(self):
        """It changed between two reads of one reader: "0\\n" and then "0000\\n"."""
        path = self.fs.point.joinpath("@info", *self.uid.split("-"), "cached_bytes")
        with open(path, "rb", buffering=0) as value:
            self.assertEqual(value.read(4096), b"0\n")
            for name in SMALL:
                self.fs.read(self.uid, name)
            self.assertEqual(value.read(4096), b"")
            value.seek(0)
            self.assertEqual(int(value.read(4096)), sum(map(len, SMALL.values())))

    def test_listing_extracts_nothing(self):
        done = subprocess.run(["ls", "-lR", str(self.fs.path(self.uid))],
                              capture_output=True, text=True, check=True)
        for name in SMALL:
            self.assertIn(os.path.basename(name), done.stdout)
        self.assertIn(str(GIB), done.stdout)
        self.assertEqual(self.fs.cached_bytes(self.uid), 0)
        self.assertLess(self.cache_bytes(), 1 << 20)

    def test_stat_of_a_version_reads_no_archive(self):
        archive = self.models.archive_path(*self.uid.split("-"), "onnx", "test")
        archive.rename(archive.with_suffix(".away"))
        self.assertTrue(os.path.isdir(self.fs.path(self.uid)))

    def test_part_of_a_large_stored_member(self):
        """Any offset can be read at once; the middle does not need the beginning."""
        with open(self.fs.path(self.uid, "weights.bin"), "rb") as weights:
            weights.seek(GIB // 2)
            self.assertEqual(weights.read(4096), bytes(4096))
            weights.seek(GIB - 10)
            self.assertEqual(len(weights.read(4096)), 10)


if __name__ == "__main__":
    unittest.main()
