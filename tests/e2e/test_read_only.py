"""Nothing can be written, and what is not there is not there."""

import errno
import os
import unittest

from mounted import MountTest


class ReadOnly(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish({"a.txt": b"a\n", "log/b.txt": b"b\n"}, alias="prod")
        off = {"staging": False, "aliases": False, "meta": False}
        self.fs = self.mount(models, write=off)
        self.file = self.fs.path(self.uid, "a.txt")

    def test_changes_of_files(self):
        changes = {
            "write": lambda: os.open(self.file, os.O_WRONLY),
            "append": lambda: os.open(self.file, os.O_RDWR | os.O_APPEND),
            "truncate": lambda: os.truncate(self.file, 0),
            "unlink": lambda: os.unlink(self.file),
            "chmod": lambda: os.chmod(self.file, 0o777),
            "utime": lambda: os.utime(self.file, (0, 0)),
            "rename": lambda: os.rename(self.file, self.file.with_name("c.txt")),
            "link": lambda: os.link(self.file, self.file.with_name("c.txt")),
        }
        for what, change in changes.items():
            with self.subTest(what):
                self.assert_fails(errno.EROFS, change)
        self.assertEqual(self.file.read_bytes(), b"a\n")

    def test_changes_of_folders(self):
        for folder in (self.file.parent, self.file.parent.parent, self.fs.point / "prod",
                       self.fs.point / "@info", self.fs.point / "@tree", self.fs.point):
            for what, change in {
                "create": lambda f=folder: os.open(f / "new", os.O_CREAT | os.O_WRONLY),
                "mkdir": lambda f=folder: os.mkdir(f / "new"),
                "symlink": lambda f=folder: os.symlink("x", f / "new"),
                "mknod": lambda f=folder: os.mkfifo(f / "new"),
            }.items():
                with self.subTest(f"{what} in {folder.name}"):
                    self.assert_fails(errno.EROFS, change)

    def test_no_extended_attributes(self):
        self.assert_fails(errno.ENOTSUP, os.getxattr, self.file, "user.x")

    def test_missing_names(self):
        for path in ("nobody", "00000000", "00000000-1.0.0", "prod/9.9.9", "prod/x",
                     "prod/current/no.txt", "@info/nobody", "@info/prod/9.9.9",
                     "@info/prod/current/no", "@tree/no", "@no",
                     f"{self.uid.split('-')[0]}/9.9.9", "x" * 255):
            with self.subTest(path):
                self.assert_fails(errno.ENOENT, os.stat, self.fs.point / path)
        self.assert_fails(errno.ENAMETOOLONG, os.stat, self.fs.point / ("x" * 256))


if __name__ == "__main__":
    unittest.main()
