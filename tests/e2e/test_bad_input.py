"""Bad input ends in a sentence for that one model; all else goes on working."""

import errno
import io
import os
import struct
import subprocess
import sys
import unittest
import zipfile

from mounted import MountTest, is_mounted, modelfs, unmount_lazily, wait_until
from repository import write_archive

GOOD = {"readme.txt": b"good\n"}


def zip_bytes(members, edit=None):
    """members: (name, content) pairs; names may repeat or be hostile."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            info = zipfile.ZipInfo("x" * len(name.encode()))
            info.external_attr = 0o100644 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    data = bytearray(out.getvalue())
    # zipfile cleans names that it writes, so they are put in afterwards, in both places.
    for signature, at in ((b"PK\x03\x04", 30), (b"PK\x01\x02", 46)):
        place = 0
        for name, _ in members:
            place = data.index(signature, place)
            data[place + at:place + at + len(name.encode())] = name.encode()
            place += 4
    if edit:
        edit(data)
    return bytes(data)


def hostile_archives():
    good = [("readme.txt", b"good\n"), ("model.bin", bytes(range(256)) * 40)]

    def claim_many(data):
        place = data.rindex(b"PK\x05\x06")
        data[place + 8:place + 12] = struct.pack("<HH", 60000, 60000)

    def overlap(data):
        first = data.index(b"PK\x01\x02")
        second = data.index(b"PK\x01\x02", first + 4)
        data[second + 42:second + 46] = data[first + 42:first + 46]

    whole = zip_bytes(good)
    return {
        "zip slip": zip_bytes(good + [("../../evil", b"x")]),
        "absolute": zip_bytes(good + [("/etc/evil", b"x")]),
        "dot dot inside": zip_bytes(good + [("a/../../evil", b"x")]),
        "NUL in a name": zip_bytes(good + [("a\0b", b"x")]),
        "same name twice": zip_bytes(good + [("readme.txt", b"other")]),
        "file as folder": zip_bytes(good + [("readme.txt/inside", b"x")]),
        "name of 300 bytes": zip_bytes(good + [("n" * 300, b"x")]),
        "overlap": zip_bytes(good, overlap),
        "too many claimed": zip_bytes(good, claim_many),
        "truncated": whole[:len(whole) // 2],
        "end cut off": whole[:-1],
        "data in front": b"#!/bin/sh\n" + whole,
        "no zip at all": b"this is no archive\n" * 100,
        "empty file": b"",
    }


class HostileArchives(MountTest):
    def test_each_is_refused_alone(self):
        models = self.repository()
        good = models.publish(GOOD)
        bad = {what: models.publish({}, params={"what": what}, archive=data)
               for what, data in hostile_archives().items()}
        fs = self.mount(models)
        for what, uid in bad.items():
            with self.subTest(what):
                self.assert_fails(errno.EIO, os.listdir, fs.path(uid))
                self.assertNotEqual(fs.info(uid, "verdict").strip(), "")
                done = fs.command("load", uid)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assert_sentence(done.stderr, uid.split("-")[0])
                self.assertEqual(fs.read(good, "readme.txt"), b"good\n")
        self.assertEqual(list(fs.cache.rglob("*evil*")), [])
        self.assertEqual(list(self.folder.glob("*evil*")), [])
        self.assertFalse(os.path.exists("/etc/evil"))
        for what, uid in bad.items():
            self.assertIn(uid.split("-")[0], fs.log(), what)
        self.assertTrue(all(uid.split("-")[0] in os.listdir(fs.point)
                            for uid in bad.values()))

    def test_a_bad_member_is_refused_alone(self):
        def break_crc(data):
            for signature, at in ((b"PK\x03\x04", 14), (b"PK\x01\x02", 16)):
                data[data.index(signature) + at] ^= 0xFF

        def flag_encrypted(data):
            for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
                data[data.index(signature) + at] |= 1

        def unknown_method(data):
            for signature, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
                data[data.index(signature) + at] = 12

        def break_stream(data):
            start = data.index(b"bad.bin") + len("bad.bin")
            data[start:start + 4] = b"\xff\xff\xff\xff"

        members = [("bad.bin", bytes(range(256)) * 40), ("good.txt", b"good\n")]
        cases = {break_crc: errno.EIO, break_stream: errno.EIO,
                 flag_encrypted: errno.ENOTSUP, unknown_method: errno.ENOTSUP}
        models = self.repository()
        uids = {edit: models.publish({}, params={"what": edit.__name__},
                                     archive=zip_bytes(members, edit)) for edit in cases}
        fs = self.mount(models)
        for edit, wanted in cases.items():
            with self.subTest(edit.__name__):
                uid = uids[edit]
                self.assertEqual(sorted(os.listdir(fs.path(uid))), ["bad.bin", "good.txt"])
                self.assert_fails(wanted, fs.read, uid, "bad.bin")
                self.assertEqual(fs.read(uid, "good.txt"), b"good\n")
                self.assertIn("bad.bin: ", fs.info(uid, "errors"))

    def test_damage_that_only_the_data_shows(self):
        """The same through mmap: SIGBUS, never a wrong byte."""
        models = self.repository()
        content = os.urandom(200_000)

        def damaged(path):
            write_archive(path, {"bad.bin": content}, zipfile.ZIP_STORED)
            data = bytearray(path.read_bytes())
            data[100_000] ^= 1
            path.write_bytes(data)

        uid = models.publish({}, archive=damaged)
        fs = self.mount(models, hold="64KiB")
        code = ("import mmap, sys\nf = open(sys.argv[1], 'rb')\n"
                "m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)\nprint(len(m[:]))\n")
        done = subprocess.run([sys.executable, "-c", code, fs.path(uid, "bad.bin")],
                              capture_output=True, check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(done.stdout, b"")


class Documents(MountTest):
    def test_unreadable_header(self):
        models = self.repository()
        good = models.publish(GOOD)
        texts = {"no yaml": "a: [", "a list": "- a\n", "empty": "", "binary": "\x01\x02",
                 "no name": "version: 1.0.0\n", "deep": "[" * 100_000}
        bad = {}
        for what, text in texts.items():
            uid = models.publish(GOOD, params={"what": what})
            models.header_path(*uid.split("-")).write_text(text)
            bad[what] = uid
        fs = self.mount(models)
        for what, uid in bad.items():
            with self.subTest(what):
                self.assert_fails(errno.EIO, os.listdir, fs.path(uid))
                done = fs.command("info", uid)
                self.assertEqual(done.returncode, 1, done.stdout)
                self.assert_sentence(done.stderr, uid.split("-")[0], "header")
        self.assertEqual(fs.read(good, "readme.txt"), b"good\n")

    def test_bad_alias_document(self):
        models = self.repository()
        models.publish(GOOD, alias="fine")
        for name, text in {"list": "- a\n", "nothing": "", "elsewhere": "uid: 00000000-9.9\n",
                           "path": "uid: ../../etc\n"}.items():
            path = models.alias_path(name)
            path.parent.mkdir(parents=True)
            path.write_text(text)
        fs = self.mount(models)
        for name in ("list", "nothing", "elsewhere", "path"):
            with self.subTest(name), self.assertRaises(OSError):
                os.listdir(fs.point / name / "current")
        self.assertEqual((fs.point / "fine/current/readme.txt").read_bytes(), b"good\n")

    def test_header_without_archive(self):
        """audmodel writes the header first."""
        models = self.repository()
        uid = models.publish(GOOD)
        archive = models.archive_path(*uid.split("-"), "onnx", "test")
        away = archive.with_suffix(".away")
        archive.rename(away)
        fs = self.mount(models, ttl={"negative": "10ms"})
        self.assertTrue(fs.path(uid).is_dir())
        self.assert_fails(errno.EAGAIN, os.listdir, fs.path(uid))
        away.rename(archive)
        def readable():
            try:
                return fs.read(uid, "readme.txt") == b"good\n"
            except OSError:
                return False

        wait_until(readable, "the archive is seen")

    def test_archive_replaced(self):
        models = self.repository()
        uid = models.publish({"a.txt": b"old\n", "b.txt": b"old\n"})
        fs = self.mount(models)
        self.assertEqual(fs.read(uid, "a.txt"), b"old\n")
        archive = models.archive_path(*uid.split("-"), "onnx", "test")
        fresh = archive.with_suffix(".new")
        write_archive(fresh, {"a.txt": b"new one\n", "b.txt": b"new one\n"})
        os.rename(fresh, archive)
        # Old and new never mix: what is read is one or the other or an error.
        try:
            self.assertIn(fs.read(uid, "b.txt"), (b"old\n", b"new one\n"))
        except OSError as error:
            self.assertIn(error.errno, (errno.EIO, errno.ESTALE))

    def test_archive_touched_while_it_is_read(self):
        """An archive of another time is another one, even if its table is the same."""
        models = self.repository()
        big = os.urandom(1 << 20) * 8
        uid = models.publish({"big.bin": big})
        fs = self.mount(models, hold="1MiB")
        with open(fs.path(uid, "big.bin"), "rb", buffering=0) as file:
            self.assertEqual(file.read(1000), big[:1000])
            os.utime(models.archive_path(*uid.split("-"), "onnx", "test"))
            # Who came too early may fail; while the first has it open, others get it.
            try:
                fs.read(uid, "big.bin")
            except OSError as error:
                self.assertIn(error.errno, (errno.EIO, errno.ESTALE))
            self.assertEqual(fs.read(uid, "big.bin"), big)


class Repositories(MountTest):
    def test_missing_repository(self):
        models = self.repository()
        uid = models.publish(GOOD, alias="prod")
        gone = (self.folder / "nowhere", "gone")
        for name, repositories in (("before", (gone, models)), ("after", (models, gone))):
            with self.subTest(name):
                self.check_missing(self.mount(*repositories, name=name), uid)

    def check_missing(self, fs, uid):
        self.assertEqual(fs.read(uid, "readme.txt"), b"good\n")
        for link in ("prod/current", "prod/latest", f"{uid[:8]}/latest", uid):
            self.assertEqual((fs.point / link / "readme.txt").read_bytes(), b"good\n")
        self.assertIn("prod", os.listdir(fs.point))
        self.assertIn("nowhere/gone", (fs.point / "@status").read_text())
        done = fs.command("doctor")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stdout + done.stderr, "nowhere/gone")

    def test_repository_goes_and_comes_back(self):
        models = self.repository()
        uid = models.publish({"a.txt": b"a\n", "b.txt": b"b\n"}, alias="prod")
        fs = self.mount(models, ttl={"alias": "10ms", "listing": "10ms",
                                     "negative": "10ms"})
        self.assertEqual(fs.read(uid, "a.txt"), b"a\n")
        models.folder.rename(models.folder.with_name("away"))
        self.assertEqual(fs.read(uid, "a.txt"), b"a\n", "what is cached goes on")
        models.folder.with_name("away").rename(models.folder)
        self.assertEqual(fs.read(uid, "b.txt"), b"b\n")
        # Asked while it was away, it may be left alone a little longer.
        wait_until(lambda: os.path.exists(fs.point / "prod"), "its return")
        self.assertEqual((fs.point / "prod/current/b.txt").read_bytes(), b"b\n")

    def test_search_order(self):
        first, second, third = map(self.repository, ("first", "second", "third"))
        uid = first.publish({"which.txt": b"first"}, alias="both")
        second.publish({"which.txt": b"second"}, alias="both")
        only = third.publish({"which.txt": b"third"}, version="0.5.0", alias="other")
        fs = self.mount(first, second, third)
        self.assertEqual(fs.read(uid, "which.txt"), b"first")
        self.assertEqual(fs.read(only, "which.txt"), b"third")
        self.assertEqual(os.readlink(fs.point / "both/current"),
                         "../" + uid.replace("-", "/"))
        # The lists stand one after the other, not sorted again: the latest is the last.
        self.assertEqual(os.readlink(fs.point / uid.split("-")[0] / "latest"), "0.5.0")
        self.assertEqual(sorted(os.listdir(fs.point / uid.split("-")[0])),
                         ["0.5.0", "1.0.0", "latest"])


class CacheFolder(MountTest):
    def test_cache_that_cannot_be_written(self):
        models = self.repository()
        models.publish(GOOD)
        (self.folder / "file").write_text("in the way\n")
        config = self.config(models, cache="file/cache")
        point = self.folder / "point"
        point.mkdir()
        done = modelfs("mount", point, config=config)
        self.addCleanup(lambda: is_mounted(point) and unmount_lazily(point))
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, self.folder / "file/cache")
        self.assertFalse(is_mounted(point))


class MountPoints(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.uid = self.models.publish(GOOD)

    def try_mount(self, point):
        done = modelfs("mount", point, config=self.config(self.models))
        self.addCleanup(lambda: is_mounted(point) and unmount_lazily(point))
        return done

    def test_missing(self):
        done = self.try_mount(self.folder / "nowhere")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, self.folder / "nowhere", "mkdir")

    def test_a_file(self):
        (self.folder / "file").write_text("x")
        done = self.try_mount(self.folder / "file")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, self.folder / "file")

    def test_busy(self):
        fs = self.mount(self.models)
        done = self.try_mount(fs.point)
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, fs.point, "unmount")
        self.assertEqual(fs.read(self.uid, "readme.txt"), b"good\n")

    def test_stale(self):
        """What a killed daemon leaves behind answers ENOTCONN."""
        fs = self.mount(self.models)
        fs.kill()

        def is_dead():
            # The worker sees a moment later that its supervisor is gone.
            with self.assertRaises(OSError) as raised:
                os.listdir(fs.point)
            return raised.exception.errno == errno.ENOTCONN

        wait_until(is_dead, "ENOTCONN")
        done = self.try_mount(fs.point)
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, fs.point, "unmount")
        done = modelfs("unmount", fs.point)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(fs.point), [])
        again = self.mount_config(fs.config)
        self.assertEqual(again.read(self.uid, "readme.txt"), b"good\n")

    def test_below_itself(self):
        """A repository below the mount point would make the daemon wait for itself."""
        done = self.try_mount(self.models.host)
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, self.models.host)

    def test_unmount_of_what_is_not_mounted(self):
        folder = self.folder / "plain"
        folder.mkdir()
        done = modelfs("unmount", folder)
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, folder, "mounted")


class Configuration(MountTest):
    def check(self, text, line, *words):
        path = self.folder / "config.yaml"
        path.write_text(text)
        done = modelfs("ls", config=path)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_sentence(done.stderr, f"{path}:{line}:", *words)

    def test_no_yaml(self):
        path = self.folder / "config.yaml"
        path.write_text("cache: [a\n")
        done = modelfs("ls", config=path)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_sentence(done.stderr, f"{path}: line 2, column 1: ")

    def test_unknown_keys(self):
        self.check("cache:\n  siez: 1GiB\n", 2, "siez", "size")
        self.check("repositorys: []\n", 1, "repositorys", "repositories")
        self.check("ttl: {alias: 5s}\nholt: 1MiB\n", 2, "holt", "hold")

    def test_wrong_values(self):
        self.check("hold: many\n", 1, "hold", "many")
        self.check("repositories: models\n", 1, "repositories")
        self.check("repositories:\n- name: m\n  host: /srv\n  backend: ftp\n", 4, "ftp")

    def test_file_that_is_not_there(self):
        done = modelfs("ls", config=self.folder / "nowhere.yaml")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, self.folder / "nowhere.yaml")


if __name__ == "__main__":
    unittest.main()
