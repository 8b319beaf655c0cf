"""One cache folder, shared with audmodel and with other daemons."""

import os
import pathlib
import signal
import stat
import subprocess
import threading
import unittest

from mounted import MODELFS, MountTest, files_below, modelfs, wait_until
from peer import Peer

FILES = {"model.bin": os.urandom(300_000), "readme.txt": b"hello\n", "log/a.yaml": b"a: 1\n"}
SIZE = sum(map(len, FILES.values()))


class BesideAudmodel(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.uid = self.models.publish(FILES, meta={"a": 1})
        self.ident, self.version = self.uid.split("-")
        self.peer = Peer(self.folder / "cache")
        self.archive = self.models.archive_path(self.ident, self.version, "onnx", "test")

    def assert_complete(self, folder):
        self.assertEqual(files_below(folder), sorted(FILES))
        for name, content in FILES.items():
            self.assertEqual((folder / name).read_bytes(), content, name)

    def test_what_audmodel_unpacked_is_used_as_it_is(self):
        folder, _ = self.peer.load(self.models, self.ident, self.version)
        # Same length, other content: shows from where it is read.
        (folder / "readme.txt").write_bytes(b"peer!\n")
        fs = self.mount(self.models)
        self.assertEqual(fs.read(self.uid, "readme.txt"), b"peer!\n")
        self.assertEqual(fs.read(self.uid, "model.bin"), FILES["model.bin"])
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 0)
        self.assertEqual(fs.cached_bytes(self.uid), SIZE)
        self.assertIn("unverified", fs.info(self.uid, "verdict"))

    def test_what_audmodel_unpacked_while_mounted_is_used(self):
        fs = self.mount(self.models)
        self.assertEqual(fs.read(self.uid, "readme.txt"), b"hello\n")
        folder, fetched = self.peer.load(self.models, self.ident, self.version)
        self.assertEqual(fetched, 1)
        self.assertEqual(fs.read(self.uid, "model.bin"), FILES["model.bin"])
        self.assertEqual(fs.read(self.uid, "log/a.yaml"), b"a: 1\n")
        self.assert_complete(folder)

    def test_offline_what_audmodel_unpacked_is_served(self):
        self.peer.load(self.models, self.ident, self.version)
        self.models.folder.rename(self.models.folder.with_name("away"))
        fs = self.mount(self.models)
        self.assertEqual(fs.read(self.uid, "model.bin"), FILES["model.bin"])

    def test_after_load_audmodel_downloads_nothing(self):
        config = self.config(self.models)
        done = modelfs("load", self.uid, config=config)
        self.assertEqual(done.returncode, 0, done.stderr)
        folder = self.peer.folder(self.ident, self.version)
        self.assertEqual(done.stdout, f"{folder}\n")
        self.assert_complete(folder)
        self.assertEqual(self.peer.load(self.models, self.ident, self.version)[1], 0)
        header = folder.with_name(f"{self.version}.header.yaml")
        self.assertEqual(header.read_bytes(),
                         self.models.header_path(self.ident, self.version).read_bytes())
        self.assertFalse(os.path.exists(folder.with_name(f"{self.version}~")))

    def test_reading_everything_completes_the_model(self):
        fs = self.mount(self.models)
        for name in FILES:
            fs.read(self.uid, name)
        wait_until(lambda: not self.peer.needs_download(self.ident, self.version),
                   "the model is complete")
        self.assert_complete(self.peer.folder(self.ident, self.version))
        self.assertEqual(fs.read(self.uid, "readme.txt"), b"hello\n")

    def test_part_of_a_model_is_not_at_its_final_path(self):
        fs = self.mount(self.models)
        fs.read(self.uid, "readme.txt")
        self.assertTrue(self.peer.needs_download(self.ident, self.version))
        self.assertEqual(self.peer.load(self.models, self.ident, self.version)[1], 1)

    def test_permissions_for_a_shared_cache(self):
        modelfs("load", self.uid, config=self.config(self.models), umask=0o002)
        folder = self.peer.folder(self.ident, self.version)
        for path in [folder, *folder.rglob("*")]:
            mode = stat.S_IMODE(path.stat().st_mode)
            self.assertEqual(mode, 0o775 if path.is_dir() else 0o664, path)
        lock = folder.with_name(f".{self.version}.lock")
        self.assertEqual(stat.S_IMODE(lock.stat().st_mode), 0o664)

    def test_lock_of_audmodel_blocks_completion_not_reading(self):
        fs = self.mount(self.models)
        with self.peer.lock(self.ident, self.version):
            for name, content in FILES.items():
                self.assertEqual(fs.read(self.uid, name), content)
            self.assertTrue(self.peer.needs_download(self.ident, self.version))
            loader = subprocess.Popen(
                [MODELFS, "load", "-c", str(fs.config), self.uid],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            with self.assertRaises(subprocess.TimeoutExpired):
                loader.wait(0.5)
            self.assertTrue(self.peer.needs_download(self.ident, self.version))
        _, errors = loader.communicate(timeout=60)
        self.assertEqual(loader.returncode, 0, errors)
        self.assert_complete(self.peer.folder(self.ident, self.version))

    def test_reading_never_holds_the_lock_of_audmodel(self):
        fs = self.mount(self.models)
        with open(fs.path(self.uid, "model.bin"), "rb") as file:
            file.read(10)
            with self.peer.lock(self.ident, self.version, timeout=60):
                self.assertEqual(file.read(10), FILES["model.bin"][10:20])

    def test_cache_root_from_the_environment(self):
        root = self.folder / "elsewhere"
        done = modelfs("load", self.uid, config=self.config(self.models),
                       env={"AUDMODEL_CACHE_ROOT": str(root)})
        self.assertEqual(done.stdout, f"{root / self.ident / self.version}\n")

    def test_a_cached_meta_is_never_trusted(self):
        fs = self.mount(self.models)
        self.assertEqual(fs.info(self.uid, "meta.yaml"), "a: 1\n")
        fs.stop()
        cached = fs.cache / self.ident / f"{self.version}.meta.yaml"
        if cached.exists():
            cached.write_text("!!python/name:audmodel.core.api.header ''\n")
        again = self.mount_config(fs.config, name="second")
        self.assertEqual(again.info(self.uid, "meta.yaml"), "a: 1\n")


class SeveralDaemons(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.files = {f"{n}.bin": os.urandom(100_000) for n in range(40)}
        self.uid = self.models.publish(self.files)

    def test_two_daemons_on_one_cache(self):
        mounts = [self.mount(self.models, name=name) for name in ("first", "second")]
        results = {}

        def read(number, fs):
            names = list(self.files)
            names = names if number == 0 else names[::-1]
            results[number] = all(fs.read(self.uid, n) == self.files[n] for n in names)

        threads = [threading.Thread(target=read, args=row) for row in enumerate(mounts)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, {0: True, 1: True})
        done = sum(fs.metric("modelfs_members_complete_total") for fs in mounts)
        self.assertGreaterEqual(done, len(self.files))
        self.assert_served(mounts)

    def test_second_daemon_uses_what_the_first_fetched(self):
        first = self.mount(self.models, name="first")
        first.read(self.uid, "0.bin")
        second = self.mount(self.models, name="second")
        self.assertEqual(second.read(self.uid, "0.bin"), self.files["0.bin"])
        self.assertEqual(second.metric("modelfs_members_complete_total"), 0)

    def assert_served(self, mounts):
        for fs in mounts:
            for name, content in self.files.items():
                self.assertEqual(fs.read(self.uid, name), content)

    def test_daemon_and_load_at_once(self):
        fs = self.mount(self.models)
        loaders = [subprocess.Popen([MODELFS, "load", "-c", str(fs.config), self.uid],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                   for _ in range(3)]
        self.assert_served([fs])
        for loader in loaders:
            _, errors = loader.communicate(timeout=60)
            self.assertEqual(loader.returncode, 0, errors)
        self.assert_served([fs])


class Crashes(MountTest):
    def test_remount_after_kill(self):
        models = self.repository()
        files = {f"{n}.bin": os.urandom(200_000) for n in range(60)}
        uid = models.publish(files)
        config = self.config(models)
        for round_ in range(4):
            fs = self.mount_config(config, name=f"round{round_}")
            reader = subprocess.Popen(["cat", *(str(fs.path(uid, n)) for n in files)],
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            wait_until(lambda fs=fs, n=round_: fs.cached_bytes(uid) > n * 2_000_000,
                       "some members came")
            fs.kill()
            reader.wait(60)
            self.assert_final_path_is_complete(fs.cache, uid, files)
            modelfs("unmount", fs.point)
        fs = self.mount_config(config, name="last")
        before = fs.cached_bytes(uid)
        self.assertGreater(before, 0, "what came before the crash is still there")
        for name, content in files.items():
            self.assertEqual(fs.read(uid, name), content)

    def assert_final_path_is_complete(self, cache, uid, files):
        folder = pathlib.Path(cache).joinpath(*uid.split("-"))
        if folder.exists():
            self.assertEqual(files_below(folder), sorted(files))
            for name, content in files.items():
                self.assertEqual((folder / name).read_bytes(), content)

    def test_load_killed_at_any_time(self):
        models = self.repository()
        files = {f"{n}.bin": os.urandom(50_000) for n in range(100)}
        uid = models.publish(files)
        config = self.config(models)
        for wait_ms in (0, 2, 5, 10, 20, 40):
            loader = subprocess.Popen([MODELFS, "load", "-c", str(config), uid],
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            try:
                loader.wait(wait_ms / 1000)
            except subprocess.TimeoutExpired:
                loader.send_signal(signal.SIGKILL)
                loader.wait()
            self.assert_final_path_is_complete(self.folder / "cache", uid, files)
        done = modelfs("load", uid, config=config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assert_final_path_is_complete(self.folder / "cache", uid, files)


class Size(MountTest):
    def test_least_recently_used_models_go_first(self):
        models = self.repository()
        uids = [models.publish({"a.bin": os.urandom(1_000_000)}, params={"n": n})
                for n in range(4)]
        config = self.config(models, size="2500KiB")
        for uid in uids:
            done = modelfs("load", uid, config=config)
            self.assertEqual(done.returncode, 0, done.stderr)
        there = [(self.folder / "cache").joinpath(*uid.split("-")).is_dir()
                 for uid in uids]
        self.assertEqual(there, [False, False, True, True])

    def test_what_audmodel_put_there_stays(self):
        models = self.repository()
        uids = [models.publish({"a.bin": os.urandom(1_000_000)}, params={"n": n})
                for n in range(4)]
        peer = Peer(self.folder / "cache")
        folder, _ = peer.load(models, *uids[0].split("-"))
        config = self.config(models, size="1500KiB")
        for uid in uids[1:]:
            modelfs("load", uid, config=config)
        self.assertTrue((folder / "a.bin").exists())


if __name__ == "__main__":
    unittest.main()
