"""Publishing where a disk is full: a sentence, nothing published, nothing lost."""

import errno
import os
import shutil
import subprocess
import unittest

from mounted import files_below
from repository import short_id
from test_publish import names_below
from test_staging import StagingTest

BIG = {"big.bin": os.urandom(4 << 20), "a.txt": b"a\n"}


@unittest.skipUnless(os.geteuid() == 0, "mounts small file systems")
class FullDisk(StagingTest):
    def small_disk(self, path, size):
        path.mkdir(parents=True, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(path)], check=False)

    def resize(self, path, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", str(path)], check=True)

    def files_of_repository(self):
        return [name for name in names_below(self.repo.folder)
                if (self.repo.folder / name).is_file()]

    def fill(self, folder):
        with open(folder / "junk", "wb", buffering=0) as junk:
            try:
                while junk.write(bytes(4096)):
                    pass
            except OSError as error:
                self.assertEqual(error.errno, errno.ENOSPC)

    def test_command(self):
        self.small_disk(self.repo.folder, "2m")
        folder = self.make_folder(BIG)
        row = ["publish", "--name", "onnx", "--version", "1.0.0", folder]
        done = self.fs.command(*row)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assert_sentence(done.stderr, "No space left on device")
        self.assertEqual(self.files_of_repository(), [])
        self.assertEqual(files_below(folder), sorted(BIG))
        self.resize(self.repo.folder, "20m")
        done = self.fs.command(*row)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_published(done.stdout.strip(), BIG)

    def test_repository_of_a_job(self):
        self.small_disk(self.repo.folder, "2m")
        self.stage("job", BIG)
        (self.staging / "job.yaml").write_text(self.manifest())
        self.assert_failed("job", "No space left on device")
        self.assertEqual(self.files_of_repository(), [])
        self.assert_same(self.staging / "job", self.folder / "source-job")
        self.resize(self.repo.folder, "20m")
        os.utime(self.staging / "job.yaml")
        self.assert_published(self.result("job"), BIG)

    def test_staging_area(self):
        """Who copies is told; what is complete is published from a disk that is full."""
        self.assertEqual(self.fs.stop(), 0)
        self.small_disk(self.folder / "small", "6m")
        self.fs = self.mount(self.repo, name="second", cache="small")
        self.staging = self.fs.point / "@staging"
        self.stage("job", BIG)
        with self.assertRaises(shutil.Error) as raised:
            self.stage("second", BIG)
        self.assertIn("No space left", str(raised.exception))
        shutil.rmtree(self.staging / "second")
        (self.staging / ".job.yaml").write_text(self.manifest())
        self.fill(self.folder / "small")
        os.rename(self.staging / ".job.yaml", self.staging / "job.yaml")
        uid = self.result("job")
        self.assertEqual(uid, short_id("onnx", {}) + "-1.0.0")
        self.assertFalse((self.staging / "job").exists())
        (self.folder / "small/junk").unlink()
        self.assert_published(uid, BIG)


if __name__ == "__main__":
    unittest.main()
