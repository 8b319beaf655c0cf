"""Kills the publisher at every fault point: the model stays invisible or is complete.

Needs a build with FAULTS=1. The points are found in the sources, and each must be reached
by one of the scenarios, so that a new point without a test shows.
"""

import os
import re
import signal
import unittest

from mounted import TOP
from repository import dump
from test_publish import PublishTest, members, names_below

# Those of jobs are in test_staging_crash.py.
SOURCES = [*set(TOP.glob("publish/*.c")) - set(TOP.glob("publish/job*.c")),
           TOP / "backends/file_put.c"]
FILES = {"model.onnx": bytes(range(256)) * 400, "log/eval.yaml": b"acc: 1\n"}


def points(sources):
    return sorted({name for path in sources
                   for name in re.findall(r'FAULT\("([^"]*)"', path.read_text())})


class Crash(PublishTest):
    def setUp(self):
        super().setUp()
        self.root = self.make_folder(FILES)
        self.other = self.publish(self.root, "--alias", "small", version="0.1.0")
        self.other_tree = self.read_tree()
        self.reached = set()

    def read_tree(self):
        return {name: (self.repo.folder / name).read_bytes()
                for name in names_below(self.repo.folder)
                if (self.repo.folder / name).is_file()}

    def killed_at(self, point, *arguments):
        """Runs a command; was it killed there?"""
        done = self.run_modelfs(*arguments, env={"MODELFS_FAULT": f"{point}:kill"})
        killed = done.returncode == -signal.SIGKILL
        if killed:
            self.reached.add(point)
        return killed

    def row(self, version):
        return ["publish", "--name", "onnx", "--version", version, "--alias", "small",
                str(self.root)]

    def check_other(self):
        """What another model owns is untouched, but for the alias that may move."""
        for name, content in self.other_tree.items():
            if "alias" not in name:
                self.assertEqual((self.repo.folder / name).read_bytes(), content, name)

    def check_complete(self, uid):
        ident, version = uid.split("-", 1)
        found = members(self.repo.archive_path(ident, version, "onnx"))
        self.assertEqual({path: row[0] for path, row in found.items()}, FILES)
        self.assertEqual(self.repo.meta_path(ident, version).read_text(), "null\n...\n")

    def check_alias(self, uids):
        """It names one of them, which exists; lists that are written again are right."""
        named = self.succeed("resolve", "small").strip()
        self.assertIn(named, uids)
        self.check_complete(named)
        for uid in uids:
            self.succeed("alias", "set", "small", uid)
            self.assertEqual(self.repo.alias_path("small").read_text(), dump({"uid": uid}))
            self.assertEqual(self.repo.aliases_of(uid), ["small"])
        self.assertEqual([self.repo.aliases_of(uid) for uid in uids[:-1]],
                         [[]] * (len(uids) - 1))

    def check_after(self, uid):
        """Invisible or complete, and a second attempt succeeds, but only that."""
        self.check_other()
        visible = self.repo.header_path(*uid.split("-", 1)).exists()
        self.assertEqual(self.run_modelfs("exists", uid).stdout,
                         "true\n" if visible else "false\n")
        if visible:
            self.check_complete(uid)
        row = self.row(uid.split("-", 1)[1])
        if visible:
            self.check_another_is_refused(uid, row)
        else:
            self.assertEqual(self.succeed(*row).strip(), uid)
        self.check_complete(uid)
        done = self.run_modelfs(*row)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("exists already", done.stderr)
        self.check_alias([self.other, uid])
        self.succeed("alias", "set", "small", self.other)
        left = [name for name in names_below(self.repo.folder)
                if "claim" in name or ".modelfs" in name]
        self.assertEqual(left, [])

    def check_another_is_refused(self, uid, row):
        """What was left is no way in for other files, and the first ones finish it."""
        claim = self.repo.header_path(*uid.split("-", 1)).with_name(f"{uid}.claim.yaml")
        left = claim.read_bytes() if claim.exists() else None
        other = self.make_folder({"model.onnx": b"other"}, name="other")
        done = self.run_modelfs(*row[:-1], str(other))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("exists already", done.stderr)
        self.assertFalse(claim.exists())
        if left is not None:
            claim.write_bytes(left)
            self.assertEqual(self.succeed(*row).strip(), uid)
        self.assertEqual(self.succeed("resolve", "small").strip(), uid)

    def uid(self, version):
        return f"{self.other.split('-')[0]}-{version}"

    def try_publish(self, point, number):
        version = f"1.{number}.0"
        if self.killed_at(point, *self.row(version)):
            self.check_after(self.uid(version))

    def try_takeover(self, point, number):
        """The attempt that takes over from one that was killed is killed as well."""
        version = f"2.{number}.0"
        self.assertTrue(self.killed_at("publish.meta-put", *self.row(version)))
        if self.killed_at(point, *self.row(version)):
            self.check_after(self.uid(version))

    def try_undo(self, point, number):
        """A folder where the header should be makes the last step fail."""
        version = f"3.{number}.0"
        header = self.repo.header_path(*self.uid(version).split("-", 1))
        header.mkdir(parents=True)
        killed = self.killed_at(point, *self.row(version))
        header.rmdir()
        if killed:
            self.check_after(self.uid(version))

    def try_edits(self, point, number):
        """Metadata and aliases, which are there in the old form or the new one."""
        version = f"4.{number}.0"
        uid = self.publish(self.root, version=version)
        meta = self.repo.meta_path(*uid.split("-", 1))
        if self.killed_at(point, "meta", uid, "{a: 1}"):
            self.assertIn(meta.read_text(), ("null\n...\n", "a: 1\n"))
        self.succeed("meta", uid, "{a: 1}")
        self.assertEqual(meta.read_text(), "a: 1\n")
        self.succeed("alias", "set", f"x{number}", uid)
        if self.killed_at(point, "alias", "rm", f"x{number}"):
            self.succeed("alias", "set", f"x{number}", uid)
            self.assertEqual(self.repo.aliases_of(uid), [f"x{number}"])
        self.run_modelfs("alias", "rm", f"x{number}")
        self.assertEqual(self.repo.aliases_of(uid), [])

    def test_every_point(self):
        found = points(SOURCES)
        self.assertIn("publish.header-put", found)
        for number, point in enumerate(found):
            for scenario in (self.try_publish, self.try_takeover, self.try_undo,
                             self.try_edits):
                with self.subTest(point, scenario=scenario.__name__):
                    scenario(point, number)
        self.assertEqual(sorted(set(found) - self.reached), [])


if __name__ == "__main__":
    unittest.main()
