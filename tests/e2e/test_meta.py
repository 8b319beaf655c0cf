"""Metadata changes when @info/<..>/meta.yaml is written."""

import errno
import os
import stat
import subprocess
import unittest

import yaml
from artifactory import OnArtifactory
from fault_proxy import BehindProxy
from mounted import MINUTE, MountTest, wait_until
from repository import dump

META = {"z": 1, "a": {"deep": [1, 2], "old": "x"}, "text": "yes"}


class MetaTest(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.uid = self.models.publish({"a.txt": b"1\n"}, meta=META, alias="prod")
        self.fs = self.mount(self.models)
        self.path = self.fs.point / "@info/prod/current/meta.yaml"

    def stored(self):
        return self.models.meta_path(self.uid[:8], self.uid[9:]).read_text()

    def assert_meta(self, expected):
        """In the mount at once, then in the repository; key order counts."""
        text = self.path.read_text()
        self.assertEqual(list(yaml.safe_load(text).items()), list(expected.items()))
        self.assertEqual(self.path.stat().st_size, len(text))
        self.assertEqual(text, self.stored())
        self.assertEqual(text, dump(expected))

    def errors(self):
        return self.path.with_name("errors").read_text()


class Meta(MetaTest):
    def test_mode(self):
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o644)
        self.assertEqual(
            stat.S_IMODE(self.path.with_name("header.yaml").stat().st_mode), 0o444)

    def test_replace(self):
        self.path.write_text("b: 1\na: {x: 'no'}\n")
        self.assert_meta({"b": 1, "a": {"x": "no"}})

    def test_merge(self):
        with open(self.path, "a") as file:
            file.write("a: {old: y, new: 1.5}\n")
            file.write("last: null\n")
        self.assert_meta({"z": 1, "a": {"deep": [1, 2], "old": "y", "new": 1.5},
                          "text": "yes", "last": None})

    def test_shell(self):
        for command, expected in (
                ("echo 'a: 1' > meta.yaml", {"a": 1}),
                ("echo 'b: 2' >> meta.yaml", {"a": 1, "b": 2}),
                ("(echo 'a: {x: 3}'; echo 'c: 4') >> meta.yaml",
                 {"a": {"x": 3}, "b": 2, "c": 4}),
                ("printf 'n: 5\\n' | tee meta.yaml", {"n": 5}),
                ("printf 'm: 6\\n' | dd of=meta.yaml status=none", {"m": 6})):
            with self.subTest(command):
                subprocess.run(["sh", "-c", command], cwd=self.path.parent, check=True,
                               timeout=60, stdout=subprocess.DEVNULL)
                self.assert_meta(expected)

    def test_in_place(self):
        """Opened without truncation the text begins as what is there."""
        with open(self.path, "r+") as file:
            self.assertEqual(file.read(), dump(META))
            file.seek(0)
            file.write("z: 2")
        self.assert_meta({**META, "z": 2})

    def test_order_of_changes(self):
        for number in range(30):
            with open(self.path, "a") as file:
                file.write(f"n: {number}\n")
                if number == 29:  # who reads waits 2 s for writers, not for 30 of them
                    file.flush()
                    os.fsync(file.fileno())
        self.assert_meta({**META, "n": 29})

    def test_no_mapping(self):
        for text in ("- a list\n", "just text\n", "a: [\n", "a: 1\n---\nb: 2\n"):
            for flags in (os.O_TRUNC, os.O_APPEND):
                with self.subTest(text, flags=flags):
                    fd = os.open(self.path, os.O_WRONLY | flags)
                    os.write(fd, text.encode())
                    self.assert_fails(errno.EINVAL, os.close, fd)
                    self.assert_meta(META)

    def test_nothing_written(self):
        os.close(os.open(self.path, os.O_WRONLY | os.O_TRUNC))
        self.assert_meta(META)

    def test_too_much(self):
        fd = os.open(self.path, os.O_WRONLY | os.O_TRUNC)
        self.assert_fails(errno.EFBIG, os.pwrite, fd, b"x", 100 << 20)
        os.close(fd)
        self.assert_meta(META)

    def test_fsync(self):
        fd = os.open(self.path, os.O_WRONLY | os.O_TRUNC)
        os.write(fd, b"a: 1\n")
        self.assertEqual(self.stored(), dump(META))
        os.fsync(fd)
        self.assertEqual(self.stored(), dump({"a": 1}))
        os.write(fd, b"b: 2\n")
        os.close(fd)
        self.assert_meta({"a": 1, "b": 2})
        self.assertEqual(self.errors(), "")

    def test_truncated(self):
        """A text that only became shorter is another one."""
        text = b"a: 1\nb: 2\nc: 3\n"
        fd = os.open(self.path, os.O_WRONLY | os.O_TRUNC)
        os.write(fd, text)
        os.fsync(fd)
        os.ftruncate(fd, len(text))
        os.ftruncate(fd, 10)
        os.fsync(fd)
        self.assertEqual(self.stored(), dump({"a": 1, "b": 2}))
        os.ftruncate(fd, 5)
        os.close(fd)
        self.assert_meta({"a": 1})
        fd = os.open(self.path, os.O_WRONLY)
        os.ftruncate(fd, 0)
        self.assert_fails(errno.EINVAL, os.close, fd)
        self.assert_meta({"a": 1})

    def test_failure(self):
        """fsync returns what the repository said; without it that stands in errors."""
        path = self.models.meta_path(self.uid[:8], self.uid[9:])
        path.write_text("- not\n- a mapping\n")
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND)
        os.write(fd, b"a: 1\n")
        with self.assertRaises(OSError):
            os.fsync(fd)
        os.close(fd)
        with open(self.path, "a") as file:
            file.write("a: 2\n")
        wait_until(lambda: self.errors() != "", "a line in errors")
        self.assert_sentence(self.errors(), "meta.yaml: ", self.uid)
        self.path.write_text("a: 3\n")
        self.assert_meta({"a": 3})
        self.assertEqual(self.errors(), "")

    def test_what_cannot_be_written(self):
        for name in ("header.yaml", "uid", "aliases"):
            self.assert_fails(errno.EROFS, os.open, self.path.with_name(name),
                              os.O_WRONLY | os.O_TRUNC)
        self.assert_fails(errno.EROFS, os.truncate, self.path, 0)
        self.assert_fails(errno.EROFS, os.unlink, self.path)
        self.assert_fails(errno.EROFS, os.chmod, self.path, 0o600)


class Kills(MetaTest):
    """What close(2) or fsync(2) took is not lost with who took it."""

    def test_worker_dies_while_a_text_is_written(self):
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        for flags, expected in ((os.O_TRUNC, {"a": 1, "b": 2}),
                                (os.O_APPEND, {"a": 1, "b": 2, "c": 3})):
            fd = os.open(self.path, os.O_WRONLY | flags)
            os.write(fd, b"a: 1\n")
            self.fs.kill_worker()
            os.write(fd, b"b: 2\n")
            if flags == os.O_APPEND:
                os.write(fd, b"c: 3\n")
            self.fs.kill_worker()
            os.close(fd)
            self.assert_meta(expected)
            fd = os.open(self.path, os.O_WRONLY | flags)
            os.write(fd, b"- a\n")
            self.fs.kill_worker()
            self.assert_fails(errno.EINVAL, os.close, fd)
            self.assert_meta(expected)

    def test_workers_die_at_any_moment(self):
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        with self.fs.dying_workers():
            for number in range(100):
                with open(self.path, "a") as file:
                    file.write(f"n{number}: 1\n")
                    if number % 10 == 9:  # the last one, too: all are stored then
                        file.flush()
                        os.fsync(file.fileno())
                        self.assertIn(f"n{number}", self.stored())
        self.assert_meta({**META, **{f"n{number}": 1 for number in range(100)}})
        self.assertEqual(self.errors(), "")

    def test_mount_dies_after_the_close(self):
        for number in range(10):
            with open(self.path, "a") as file:
                file.write(f"n{number}: 1\n")
            self.fs.kill()
            self.fs.clean_up()
            self.fs = self.mount_config(self.fs.config, name=f"after-{number}")
            self.path = self.fs.point / "@info/prod/current/meta.yaml"
            wait_until(lambda n=number: f"n{n}" in self.stored(), "the text")
        self.assert_meta({**META, **{f"n{number}": 1 for number in range(10)}})
        folder = self.fs.cache / ".modelfs/drafts"
        wait_until(lambda: not os.listdir(folder), "no text left")


class SilentServer(BehindProxy, OnArtifactory, MetaTest):
    def test_unmounted_while_the_repository_is_silent(self):
        """What close(2) took the next mount brings there."""
        with open(self.path, "a") as file:
            file.write("a: {deep: 1}\n")
            self.proxy.clear()
            self.proxy.inject("stall")
        wait_until(lambda: self.proxy.seen(fault="stall"), "the first request")
        self.fs.process.terminate()
        self.assertEqual(self.fs.process.wait(MINUTE), 0)
        self.assertNotIn("deep: 1", self.stored())
        self.proxy.clear()
        self.fs = self.mount_config(self.fs.config, name="next")
        wait_until(lambda: "deep: 1" in self.stored(), "the change")


class NoMeta(MountTest):
    def test_switched_off(self):
        models = self.repository()
        models.publish({"a.txt": b"1\n"}, alias="prod", meta=META)
        path = self.mount(models, write={"meta": False}).point / "@info/prod/current"
        self.assertEqual(stat.S_IMODE((path / "meta.yaml").stat().st_mode), 0o444)
        self.assert_fails(errno.EROFS, os.open, path / "meta.yaml",
                          os.O_WRONLY | os.O_TRUNC)


if __name__ == "__main__":
    unittest.main()
