"""`modelfs cache verify` and `modelfs cache clean`."""

import fcntl
import os
import pathlib
import unittest

from mounted import MountTest, modelfs
from peer import Peer

FILES = {"model.bin": os.urandom(300_000), "readme.txt": b"hello\n"}


class CacheCare(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.uid = self.models.publish(FILES)
        self.config_path = self.config(self.models)

    def run_cache(self, *arguments):
        return modelfs("cache", *arguments, config=self.config_path)

    def load(self):
        done = modelfs("load", self.uid, config=self.config_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        return pathlib.Path(done.stdout.strip())

    def damage(self, folder):
        """The same length, another content."""
        (folder / "readme.txt").write_bytes(b"HELLO\n")


class Verify(CacheCare):
    def test_what_is_right_stays(self):
        folder = self.load()
        done = self.run_cache("verify")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assert_sentence(done.stdout, self.uid, "ok", "2 files")
        self.assertEqual((folder / "readme.txt").read_bytes(), b"hello\n")

    def test_what_is_damaged_goes_and_comes_anew(self):
        folder = self.load()
        self.damage(folder)
        done = self.run_cache("verify", self.uid)
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, "readme.txt", self.uid, "CRC-32")
        self.assert_sentence(done.stdout, self.uid, "removed", "1 damaged")
        self.assertFalse(folder.exists())
        fs = self.mount_config(self.config_path)
        self.assertEqual(fs.read(self.uid, "readme.txt"), b"hello\n")

    def test_what_is_in_use_stays(self):
        folder = self.load()
        self.damage(folder)
        fs = self.mount_config(self.config_path)
        with open(fs.path(self.uid, "model.bin"), "rb"):
            done = self.run_cache("verify")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stdout, self.uid, "damaged")
        self.assert_sentence(done.stderr, "in use")
        self.assertTrue(folder.exists())

    def test_audmodels_folder_becomes_verified(self):
        folder, _ = Peer(self.folder / "cache").load(self.models, *self.uid.split("-"))
        fs = self.mount_config(self.config_path)
        self.assertIn("unverified", fs.info(self.uid, "verdict"))
        fs.stop()
        self.assertEqual(self.run_cache("verify").returncode, 0)
        fs = self.mount_config(self.config_path)
        self.assertEqual(fs.info(self.uid, "verdict"),
                         "ok: verified, unpacked by audmodel\n")
        fs.stop()
        self.assertTrue(folder.exists())

    def test_audmodels_damaged_folder_stays(self):
        folder, _ = Peer(self.folder / "cache").load(self.models, *self.uid.split("-"))
        self.damage(folder)
        done = self.run_cache("verify")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, "readme.txt", "audmodel")
        self.assertEqual((folder / "readme.txt").read_bytes(), b"HELLO\n")
        fs = self.mount_config(self.config_path)
        self.assertIn("unverified", fs.info(self.uid, "verdict"))

    def test_unknown_models(self):
        done = self.run_cache("verify", "00000000-1.0.0")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, "00000000")


class Clean(CacheCare):
    def read_a_part(self):
        fs = self.mount_config(self.config_path)
        fs.read(self.uid, "readme.txt")
        return fs

    def cached(self):
        done = self.run_cache("status")
        return self.uid in done.stdout

    def test_parts_go(self):
        self.read_a_part().stop()
        self.assertTrue(self.cached())
        self.assertEqual(self.run_cache("clean").returncode, 0)
        self.assertFalse(self.cached())

    def test_complete_models_go_on_demand_only(self):
        folder = self.load()
        self.assertEqual(self.run_cache("clean").returncode, 0)
        self.assertTrue(folder.exists())
        done = self.run_cache("clean", "--all")
        self.assertRegex(done.stdout,
                         r"^removed \S+ \S+ in 1 model, 2 headers and metadata\n$")
        self.assertFalse(folder.exists())
        left = [path.name for path in folder.parent.iterdir()]
        self.assertEqual([name for name in left if not name.endswith(".lock")], [])

    def test_documents_go_where_no_model_is(self):
        done = modelfs("info", self.uid, config=self.config_path)
        self.assertEqual(done.returncode, 0, done.stderr)
        ident, version = self.uid.split("-")
        header = self.folder / "cache" / ident / f"{version}.header.yaml"
        self.assertTrue(header.exists())
        self.assertEqual(self.run_cache("clean").returncode, 0)
        self.assertTrue(header.exists())
        with open(header.parent / f".{version}.header.yaml.lock", "rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # audmodel is at it
            self.assertEqual(self.run_cache("clean", "--all").returncode, 0)
            self.assertTrue(header.exists())
        self.assertEqual(self.run_cache("clean", "--all").returncode, 0)
        self.assertFalse(header.exists())

    def test_what_is_in_use_stays(self):
        fs = self.read_a_part()
        with open(fs.path(self.uid, "readme.txt"), "rb") as file:
            done = self.run_cache("clean", "--all")
            self.assertRegex(done.stdout, r" in 1 model is in use and stays\n$")
            self.assertEqual(file.read(), b"hello\n")
        self.assertTrue(self.cached())

    def test_what_audmodel_put_there_stays(self):
        folder, _ = Peer(self.folder / "cache").load(self.models, *self.uid.split("-"))
        self.assertEqual(self.run_cache("clean", "--all").returncode, 0)
        self.assertTrue((folder / "readme.txt").exists())
        self.assertTrue((folder.parent / f"{folder.name}.header.yaml").exists())

    def test_wrong_usage(self):
        for arguments in (["status", self.uid], ["clean", self.uid], ["status", "--all"],
                          ["clean", "--json"]):
            self.assertEqual(self.run_cache(*arguments).returncode, 2, arguments)


if __name__ == "__main__":
    unittest.main()
