"""Reads are right whatever the kernel offers: the better ways are switched off in turn."""

import errno
import mmap
import os
import pathlib
import random
import unittest

from mounted import MountTest

MIB = 1 << 20
FILES = {
    "large.bin": random.Random(1).randbytes(9 * MIB + 17),
    "text.txt": b"the same line again and again\n" * 200_000,
    "small.txt": b"hello\n",
}


def mapped(path):
    with open(path, "rb") as file:
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return bytes(content)


class Fallbacks(MountTest):
    def check(self, options, complete, arriving):
        models = self.repository()
        uid = models.publish(FILES)
        fs = self.mount(models, hold="64KiB", options=options)
        status = (fs.point / "@status").read_text()
        self.assertRegex(status, rf"(?m)^  complete: {complete}")
        self.assertRegex(status, rf"(?m)^  arriving: {arriving}")
        for name, content in FILES.items():  # arriving, then complete, then both ways
            with open(fs.path(uid, name), "rb") as first:
                self.assertEqual(fs.read(uid, name), content)
                self.assertEqual(mapped(fs.path(uid, name)), content)
                self.assertEqual(first.read(), content)
            self.assertEqual(fs.read(uid, name), content)
        self.assertEqual(fs.command("load", uid).returncode, 0)
        for name, content in FILES.items():
            self.assertEqual(mapped(fs.path(uid, name)), content)

    def test_everything_the_kernel_has(self):
        self.check((), "passthrough" if os.geteuid() == 0 else "page cache", "")

    def test_no_passthrough(self):
        self.check(("-o", "no_passthrough"), "page cache", "")

    def test_no_mapping_of_direct_io(self):
        self.check(("-o", "no_direct_mmap"), "", "page cache")

    def test_neither(self):
        self.check(("-o", "no_passthrough,no_direct_mmap"), "page cache", "page cache")

    def test_a_cut_file_is_never_read_short(self):
        """A short answer cuts the file for its reader, whom a mapping then kills."""
        models = self.repository()
        uid = models.publish(FILES)
        fs = self.mount(models, options=("-o", "no_passthrough"))
        self.assertEqual(fs.command("load", uid).returncode, 0)
        size = len(FILES["large.bin"])
        with open(fs.path(uid, "large.bin"), "rb", buffering=0) as file:
            os.truncate(fs.cache.joinpath(*uid.split("-"), "large.bin"), 5 * MIB)
            for offset in (5 * MIB, 7 * MIB + 3, size - 1):
                self.assert_fails(errno.EIO, os.pread, file.fileno(), MIB, offset)
                self.assertIn("of a cache file", (fs.point / "@status").read_text())
            got = os.pread(file.fileno(), 2 * MIB, 4 * MIB)
            self.assertEqual(got, FILES["large.bin"][4 * MIB:5 * MIB])
            self.assertEqual(os.fstat(file.fileno()).st_size, size)

    @unittest.skipIf(os.geteuid() != 0, "only root may set the read-ahead of a mount")
    def test_read_ahead(self):
        """Far where the kernel fetches through us, as it was where it reads itself."""
        self.assertEqual(self.read_ahead_kib(("-o", "no_passthrough")), 4096)
        self.assertLess(self.read_ahead_kib(()), 4096)

    def read_ahead_kib(self, options):
        fs = self.mount(self.repository(), name=f"options{len(options)}", options=options)
        device = os.stat(fs.point).st_dev
        bdi = pathlib.Path(f"/sys/class/bdi/{os.major(device)}:{os.minor(device)}")
        return int((bdi / "read_ahead_kb").read_text())

    def test_noexec(self):
        models = self.repository()
        uid = models.publish({"run.sh": b"#!/bin/sh\n"})
        fs = self.mount(models, options=("-o", "noexec"))
        self.assert_fails(errno.EACCES, os.execv, str(fs.path(uid, "run.sh")), ["run.sh"])
