"""What the kernel has once been told of the immutable tree it does not ask again."""

import collections
import os
import re
import subprocess
import unittest

from mounted import MountTest

FILES = {f"small/{number:03}.txt": b"text\n" for number in range(1000)}


class KernelCaches(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish(FILES)
        self.fs = self.mount(models)

    def count(self):
        text = (self.fs.point / "@metrics").read_text()
        return collections.Counter({kind: int(number) for kind, number in re.findall(
            r'^modelfs_requests_total{kind="(\w+)"} (\d+)$', text, re.M)})

    def asked(self, work):
        """Requests by kind that the kernel sent meanwhile, less those of counting."""
        self.count()
        first, second = self.count(), self.count()
        work()
        third = self.count()
        return {kind: third[kind] - second[kind] - (second[kind] - first[kind])
                for kind in first}

    def test_stat_of_a_warm_path(self):
        path = self.fs.path(self.uid, "small/007.txt")
        os.stat(path)
        asked = self.asked(lambda: [os.stat(path) for _ in range(100)])
        self.assertEqual((asked["lookup"], asked["getattr"]), (0, 0))

    def test_second_listing(self):
        folder = self.fs.path(self.uid)
        listing = ["ls", "-lR", str(folder)]
        subprocess.run(listing, stdout=subprocess.DEVNULL, check=True)
        subprocess.run(listing, stdout=subprocess.DEVNULL, check=True)
        asked = self.asked(lambda: subprocess.run(listing, stdout=subprocess.DEVNULL,
                                                  check=True))
        self.assertEqual((asked["lookup"], asked["getattr"], asked["readdir"]), (0, 0, 0))

    def test_listing_with_attributes_asks_once_a_folder(self):
        """Attributes come along with the names."""
        folder = self.fs.path(self.uid, "small")
        os.stat(folder)
        asked = self.asked(lambda: subprocess.run(["ls", "-l", str(folder)], check=True,
                                                  stdout=subprocess.DEVNULL))
        self.assertLess(asked["lookup"] + asked["getattr"], 10)

    def test_what_was_listed_is_not_looked_up(self):
        folder = self.fs.path(self.uid, "small")
        names = os.listdir(folder)
        asked = self.asked(lambda: [(folder / name).read_bytes() for name in names])
        self.assertEqual(asked["open"], len(names))
        self.assertLess(asked["lookup"], 10)

    def test_most_files_of_a_huge_folder_are_looked_up_when_wanted(self):
        """To list a folder of any size takes little of the kernel's memory."""
        models = self.repository("huge")
        uid = models.publish({f"{number:05}": b"" for number in range(10_500)})
        self.fs = self.mount(models, name="huge", cache="huge-cache")
        folder = self.fs.path(uid)
        self.assertEqual(len(os.listdir(folder)), 10_500)
        asked = self.asked(lambda: subprocess.run(["ls", "-l", str(folder)], check=True,
                                                  stdout=subprocess.DEVNULL))
        self.assertLess(asked["lookup"], 1000)
        self.assertGreaterEqual(asked["lookup"], 500)


if __name__ == "__main__":
    unittest.main()
