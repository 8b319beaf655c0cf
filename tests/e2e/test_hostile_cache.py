"""A cache folder that others may write to: what they planted hangs nobody, leads nowhere."""

import os
import shutil
import subprocess
import unittest

from mounted import MountTest, is_mounted, modelfs, wait_until
from repository import split

FILES = {"a.txt": b"a\n", "sub/b.bin": bytes(range(256)) * 300}


class HostileCache(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish(FILES)
        self.other = models.publish({"o.txt": b"other\n"}, params={"n": 1})
        self.ident, self.version = split(self.uid)
        self.outside = self.folder / "outside"
        self.outside.mkdir()
        self.cache = self.folder / "cache"
        self.top = self.cache / self.ident
        self.models = models

    def plant(self, path, make):
        path.parent.mkdir(parents=True, exist_ok=True)
        make(path)

    def check(self, loads):
        """Everything is read; nothing is written elsewhere."""
        fs = self.mount(self.models)
        for name, content in FILES.items():
            self.assertEqual(fs.read(self.uid, name), content)
        self.assertEqual(fs.read(self.other, "o.txt"), b"other\n")
        done = fs.command("load", self.uid)
        self.assertEqual(done.returncode, 0 if loads else 1, done.stderr)
        if not loads:
            self.assert_sentence(done.stderr, self.uid)
        done = fs.command("cache", "status")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.other, done.stdout)
        self.assertEqual(os.listdir(self.outside), [])
        self.assertEqual(fs.stop(), 0)

    def test_model_folder_is_a_link(self):
        self.plant(self.top, lambda path: path.symlink_to(self.outside))
        self.check(loads=False)

    def test_model_folder_is_a_file(self):
        self.plant(self.top, lambda path: path.write_text("x"))
        self.check(loads=False)

    def test_job_of_a_repository_that_is_not_there(self):
        """As after a kill, and with another configuration since."""
        ident, version = split(self.uid)
        private = self.cache / ".modelfs"
        (private / "staging" / "job").mkdir(parents=True)
        record = private / "jobs" / "job.job"
        self.plant(record, lambda path: path.write_text(
            f"state: finishing\nid: {ident}\nversion: {version}\nrepository: 7\n"
            "attempted: true\nended: 0\nowner: ''\n"))
        fs = self.mount(self.models)
        result = (fs.point / "@staging" / "job.result").read_text()
        self.assertEqual(result, f"{self.uid}\n")
        self.assert_sentence(fs.log(), "its repository is not configured any more")
        self.assertIn("restarts: 0\n", (fs.point / "@status").read_text())
        self.assertEqual(fs.stop(), 0)

    def test_version_is_a_link(self):
        self.plant(self.top / self.version, lambda path: path.symlink_to(self.outside))
        self.check(loads=False)

    def test_documents_are_pipes(self):
        for name in ("header", "meta"):
            self.plant(self.top / f"{self.version}.{name}.yaml", os.mkfifo)
        self.check(loads=True)

    def test_documents_are_folders(self):
        for name in ("header", "meta"):
            self.plant(self.top / f"{self.version}.{name}.yaml", os.mkdir)
        self.check(loads=True)

    def test_locks_are_links(self):
        for name in (f".{self.version}.lock", f".{self.version}.header.yaml.lock"):
            self.plant(self.top / name,
                       lambda path: path.symlink_to(self.outside / "new"))
        self.check(loads=False)

    def test_private_folders_are_links(self):
        for name in (".modelfs", ".modelfs/trees"):
            with self.subTest(name):
                self.plant(self.cache / name, lambda path: path.symlink_to(self.outside))
                point = self.folder / "point"
                point.mkdir(exist_ok=True)
                done = modelfs("mount", point, config=self.config(self.models))
                self.assertEqual(done.returncode, 1)
                self.assert_sentence(done.stderr, "symbolic link", self.cache)
                self.assertFalse(is_mounted(point))
                self.assertEqual(os.listdir(self.outside), [])
                (self.cache / name).unlink()

    def test_record_of_a_tree_is_a_pipe(self):
        fs = self.mount(self.models)
        fs.read(self.uid, "a.txt")
        fs.stop()
        for state in (self.cache / ".modelfs").rglob("state"):
            state.unlink()
            os.mkfifo(state)
        fs = self.mount(self.models)
        with self.assertRaises(OSError):
            fs.read(self.uid, "a.txt")
        self.assertEqual(fs.read(self.other, "o.txt"), b"other\n")
        self.assertEqual(fs.command("cache", "status").returncode, 0)
        self.assertEqual(fs.stop(), 0)

    def test_removed_while_mounted(self):
        """By people who want their disk back; what audmodel's locks lie in stays."""
        for removed in (".modelfs", ".modelfs/trees", self.ident, "."):
            with self.subTest(removed):
                fs = self.mount(self.models, name=f"of-{len(removed)}")
                for name in FILES:
                    fs.read(self.uid, name)
                subprocess.run(["rm", "-rf", str(self.cache / removed)], check=False)
                if removed == ".":
                    shutil.rmtree(self.cache, ignore_errors=True)
                for name, content in FILES.items():
                    self.assertEqual(fs.read(self.uid, name), content)
                self.assertEqual(fs.read(self.other, "o.txt"), b"other\n")
                self.assertEqual(fs.command("load", self.uid).returncode, 0)
                self.assertEqual(fs.stop(), 0)

    def test_model_removed_while_mounted_is_never_half_there(self):
        files = {f"{n}.txt": b"content" for n in range(20)}
        uid = self.models.publish(files, params={"n": 2})
        fs = self.mount(self.models)
        final = self.cache.joinpath(*split(uid))
        for _ in range(3):
            for name, content in files.items():
                self.assertEqual(fs.read(uid, name), content)
                if final.is_dir():
                    self.assertEqual(len(os.listdir(final)), 20)
            wait_until(final.is_dir, "the model at its place")
            self.assertEqual(len(os.listdir(final)), 20)
            shutil.rmtree(final)


if __name__ == "__main__":
    unittest.main()
