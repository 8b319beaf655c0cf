"""Aliases change with ordinary tools, and the repository has what the mount shows."""

import errno
import os
import pathlib
import shutil
import subprocess
import unittest

import yaml
from mounted import MountTest, wait_until


def run(*command, **options):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=60,
        check=True, **options)


class Aliases(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.one = self.models.publish({"a.txt": b"1\n"}, version="1.0.0", alias="prod")
        self.two = self.models.publish({"a.txt": b"2\n"}, version="2.0.0")
        self.other = self.models.publish({"a.txt": b"3\n"}, name="other")
        self.ident = self.one[:8]
        self.fs = self.mount(self.models)
        self.prod = self.fs.point / "prod"

    def target(self, uid):
        return f"../{uid[:8]}/{uid[9:]}"

    def assert_alias(self, alias, uid):
        """In the mount and in the repository, with the lists of aliases."""
        current = self.fs.point / alias / "current"
        self.assertEqual(os.readlink(current), self.target(uid))
        self.assertEqual((current / "a.txt").read_bytes(), self.fs.read(uid, "a.txt"))
        document = self.models.alias_path(alias).read_text()
        self.assertEqual(yaml.safe_load(document), {"uid": uid})
        for each in (self.one, self.two, self.other):
            names = self.models.aliases_of(each)
            self.assertEqual(alias in names, each == uid, each)
        self.assertIn(alias, self.fs.info(uid, "aliases").split())

    def assert_no_alias(self, alias):
        wait_until(lambda: not self.models.alias_path(alias).exists(), "removal")
        wait_until(lambda: not (self.fs.point / alias).exists(), "removal in the mount")
        for each in (self.one, self.two, self.other):
            wait_until(lambda uid=each: alias not in self.models.aliases_of(uid), "list")

    def test_ln_sfn(self):
        self.assertEqual((self.prod / "current/a.txt").read_bytes(), b"1\n")
        for uid in (self.two, self.other, self.one, self.one):
            run("ln", "-sfn", self.target(uid), self.prod / "current")
            self.assert_alias("prod", uid)
            self.assertEqual(
                sorted(os.listdir(self.prod)),
                sorted(["current", "latest", "1.0.0"]
                       + (["2.0.0"] if uid != self.other else [])))

    def test_many_moves(self):
        """By us and by others in turn."""
        self.fs = self.mount(self.models, name="second", ttl={"alias": "10ms"})
        self.prod = self.fs.point / "prod"
        for number in range(100):
            uid = (self.one, self.two, self.other)[number % 3]
            if number % 2:
                self.models.set_alias("prod", uid)
                wait_until(lambda u=uid: os.readlink(self.prod / "current")
                           == self.target(u), "the change of another")
            else:
                run("ln", "-sfn", self.target(uid), self.prod / "current")
            self.assert_alias("prod", uid)

    def test_replace_of_python(self):
        temporary = self.prod / ".current.tmp"
        os.symlink(self.target(self.two), temporary)
        self.assertEqual(os.readlink(temporary), self.target(self.two))
        self.assertIn(".current.tmp", os.listdir(self.prod))
        self.assertEqual(os.readlink(self.prod / "current"), self.target(self.one))
        os.replace(temporary, self.prod / "current")
        self.assertNotIn(".current.tmp", os.listdir(self.prod))
        self.assert_alias("prod", self.two)

    def test_unlink_and_symlink(self):
        """As busybox does."""
        os.unlink(self.prod / "current")
        self.assertNotIn("current", os.listdir(self.prod))
        self.assert_fails(errno.ENOENT, os.readlink, self.prod / "current")
        os.symlink(self.target(self.two), self.prod / "current")
        self.assert_alias("prod", self.two)

    def test_unlink_alone_removes_after_a_while(self):
        os.unlink(self.prod / "current")
        self.assertTrue(self.models.alias_path("prod").exists())
        self.assert_no_alias("prod")
        self.assertNotIn("prod", os.listdir(self.fs.point))

    def test_set_by_another_after_the_unlink(self):
        """The alias that is there when the grace ends is not the one that was unlinked."""
        os.unlink(self.prod / "current")
        self.models.set_alias("prod", self.two)
        wait_until(lambda: os.path.lexists(self.prod / "current"), "the end of the grace")
        self.assert_alias("prod", self.two)

    def test_published_after_the_unlink(self):
        """By this mount, which knows at once."""
        os.unlink(self.prod / "current")
        (self.fs.point / "@staging/job").mkdir()
        (self.fs.point / "@staging/job.yaml").write_text(
            "name: torch\nversion: 3.0.0\nalias: prod\n")
        uid = (self.fs.point / "@staging/job.result").read_text().strip()
        self.assertEqual(os.readlink(self.prod / "current"), self.target(uid))
        self.assert_fails(errno.ENOTEMPTY, os.rmdir, self.prod)

    def test_rm_r(self):
        run("rm", "-r", self.prod)
        self.assertNotIn("prod", os.listdir(self.fs.point))
        self.assert_no_alias("prod")

    def test_rmtree_and_again(self):
        shutil.rmtree(self.prod)
        self.prod.mkdir()
        self.assertEqual(os.listdir(self.prod), [])
        os.symlink(self.target(self.two), self.prod / "current")
        self.assert_alias("prod", self.two)

    def test_again_while_the_old_folder_is_in_use(self):
        """As it is by itself until the kernel's last word on it has come here."""
        old = os.open(self.prod, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, old)
        for uid in (self.two, self.one):
            shutil.rmtree(self.prod)
            self.prod.mkdir()
            os.symlink(self.target(uid), self.prod / "current")
            self.assert_alias("prod", uid)

    def test_again_and_into_the_new_folder(self):
        """The end of the old alias, a moment later, is none of the new folder's."""
        self.fs = self.mount(self.models, name="second", ttl={"negative": "1h"})
        self.prod = self.fs.point / "prod"
        shutil.rmtree(self.prod)
        self.prod.mkdir()
        new = os.open(self.prod, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, new)
        self.assertFalse((self.prod / "latest").exists())
        os.symlink(self.target(self.two), self.prod / "current")
        wait_until((self.prod / "latest").exists, "all that the kernel is told")
        self.assertEqual(os.readlink(f"/proc/self/fd/{new}"), str(self.prod))

    def test_set_by_another_while_the_removed_folder_is_in_use(self):
        self.fs = self.mount(self.models, name="second", ttl={"negative": "10ms"})
        self.prod = self.fs.point / "prod"
        old = os.open(self.prod, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, old)
        shutil.rmtree(self.prod)
        self.assert_no_alias("prod")
        self.models.set_alias("prod", self.two)
        wait_until(self.prod.exists, "the alias of another")
        self.assertIn("current", os.listdir(self.prod))
        self.assert_alias("prod", self.two)

    def test_unlinking_derived_links_changes_nothing(self):
        for name in ("1.0.0", "2.0.0", "latest"):
            os.unlink(self.prod / name)
        self.assertEqual(sorted(os.listdir(self.prod)),
                         ["1.0.0", "2.0.0", "current", "latest"])
        self.assert_fails(errno.ENOTEMPTY, os.rmdir, self.prod)
        self.assert_alias("prod", self.one)

    def test_new_alias(self):
        new = self.fs.point / "new"
        new.mkdir()
        self.assertIn("new", os.listdir(self.fs.point))
        self.assertEqual(os.listdir(new), [])
        self.assertFalse(self.models.alias_path("new").exists())
        self.assert_fails(errno.EEXIST, os.mkdir, new)
        os.symlink(self.target(self.two), new / "current")
        self.assert_alias("new", self.two)
        self.assertEqual(os.listdir(self.fs.point).count("new"), 1)
        self.assert_fails(errno.EEXIST, os.symlink, self.target(self.one),
                          new / "current")

    def test_links_made_before_the_alias(self):
        """As a copy of another alias' folder: what follows from the alias wins."""
        new = self.fs.point / "new"
        new.mkdir()
        for name in ("1.0.0", "latest", "other"):
            os.symlink(self.target(self.one), new / name)
        os.symlink(self.target(self.one), new / "current")
        self.assert_alias("new", self.one)
        self.assertEqual(sorted(os.listdir(new)),
                         ["1.0.0", "2.0.0", "current", "latest", "other"])
        wait_until(lambda: os.readlink(new / "latest") == self.target(self.two),
                   "all that the kernel is told")
        self.assertEqual(os.readlink(new / "other"), self.target(self.one))

    def test_folder_alone_is_local(self):
        new = self.fs.point / "new"
        new.mkdir()
        new.rmdir()
        self.assertFalse(new.exists())
        self.assertFalse(self.models.alias_path("new").exists())

    def test_what_no_repository_has_outlives_the_worker(self):
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        new = self.fs.point / "new"
        new.mkdir()
        self.fs.kill_worker()
        self.assert_fails(errno.EEXIST, os.mkdir, new)
        self.assertIn("new", os.listdir(self.fs.point))
        os.symlink(self.target(self.two), new / "tmp")
        os.symlink(self.target(self.one), new / "tmp2")
        self.fs.kill_worker()
        self.assertEqual(sorted(os.listdir(new)), ["tmp", "tmp2"])
        self.assertEqual(os.readlink(new / "tmp"), self.target(self.two))
        os.rename(new / "tmp", new / "current")
        self.assert_alias("new", self.two)
        self.fs.kill_worker()
        self.assert_alias("new", self.two)
        self.assertEqual(os.readlink(new / "tmp2"), self.target(self.one))
        os.unlink(new / "tmp2")
        self.assert_fails(errno.ENOENT, os.unlink, new / "tmp2")

    def test_removal_outlives_the_worker(self):
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        os.unlink(self.prod / "current")
        self.fs.kill_worker()
        self.assert_fails(errno.ENOENT, os.readlink, self.prod / "current")
        os.symlink(self.target(self.two), self.prod / "current")
        self.assert_alias("prod", self.two)
        os.unlink(self.prod / "current")
        self.fs.kill_worker()
        self.assert_no_alias("prod")

    def test_changes_while_workers_die(self):
        """Each succeeds once, whichever worker did it."""
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        with self.fs.dying_workers():
            for number in range(60):
                folder = self.fs.point / f"a{number}"
                folder.mkdir()
                os.symlink(self.target(self.one), folder / "tmp")
                os.rename(folder / "tmp", folder / "current")
                os.symlink(self.target(self.two), folder / "tmp")
                os.rename(folder / "tmp", folder / "current")
                if number % 2:
                    os.unlink(folder / "current")
                    folder.rmdir()
        for number in range(60):
            if number % 2:
                self.assert_no_alias(f"a{number}")
            else:
                self.assert_alias(f"a{number}", self.two)

    def test_targets(self):
        """Any path that leads there lexically; it reads back canonical."""
        point = str(self.fs.point)
        self.models.set_alias("stable", self.one)
        for target, uid in {
            f"../{self.ident}/1.0.0": self.one,
            f"../{self.ident}/latest": self.two,
            f"..//x/.././{self.ident}/2.0.0/": self.two,
            f"../{self.one}": self.one,
            "../stable": self.one,
            "../stable/current": self.one,
            "../stable/2.0.0": self.two,
            f"{point}/{self.two}": self.two,
            f"{point}/{self.ident}/1.0.0": self.one,
            f"../../{pathlib.Path(point).name}/{self.two}": self.two,
        }.items():
            with self.subTest(target):
                run("ln", "-sfn", target, self.prod / "current")
                self.assert_alias("prod", uid)

    def test_bad_targets(self):
        for target, code in {
            f"../{self.ident}/9.9.9": errno.ENOENT,
            "../nobody": errno.ENOENT,
            "../00000000/1.0.0": errno.ENOENT,
            "../@status": errno.EINVAL,
            f"../{self.ident}": errno.EINVAL,
            f"../{self.ident}/1.0.0/a.txt": errno.EINVAL,
            "/etc/passwd": errno.EINVAL,
            "..": errno.EINVAL,
        }.items():
            with self.subTest(target):
                new = self.fs.point / "new"
                new.mkdir(exist_ok=True)
                self.assert_fails(code, os.symlink, target, new / "current")
                self.assert_fails(code, os.symlink, target, new / "tmp")
                self.assertFalse(self.models.alias_path("new").exists())

    def test_bad_names(self):
        # What is an ID is no alias; what holds other characters is none either.
        for name in ("a b", "@new", "3e120e8d", "3e120e8d-1.0.0", "a" * 250, "x:y"):
            with self.subTest(name):
                self.assert_fails(errno.EINVAL, os.mkdir, self.fs.point / name)
        self.assert_fails(errno.EEXIST, os.mkdir, self.fs.point / self.ident)

    def test_what_is_no_alias(self):
        point = self.fs.point
        self.assert_fails(errno.EROFS, os.rmdir, point / self.ident)
        self.assert_fails(errno.EROFS, os.unlink, point / self.ident / "latest")
        self.assert_fails(errno.EROFS, os.symlink, "prod", point / "link")
        self.assert_fails(errno.EROFS, os.rename, self.prod / "current", self.prod / "x")
        self.assert_fails(errno.EROFS, os.mkdir, self.prod / "folder")
        self.assert_fails(errno.EXDEV, os.rename, self.prod, point / "renamed")
        self.assert_alias("prod", self.one)

    def test_mv(self):
        """A folder is moved by making the new one and removing the old one."""
        run("mv", self.prod, self.fs.point / "moved")
        self.assert_alias("moved", self.one)
        self.assert_no_alias("prod")

    def test_many_at_once(self):
        """Whoever is last wins, and the lists of aliases are right."""
        processes = [
            subprocess.Popen(["ln", "-sfn", self.target(uid), str(self.prod / "current")])
            for uid in (self.one, self.two, self.other) * 5]
        codes = [process.wait(60) for process in processes]
        self.assertEqual(codes, [0] * len(codes))
        document = yaml.safe_load(self.models.alias_path("prod").read_text())
        self.assert_alias("prod", document["uid"])


class NoAliases(MountTest):
    def check(self, **keys):
        models = self.repository()
        uid = models.publish({"a.txt": b"1\n"}, alias="prod")
        fs = self.mount(models, **keys)
        prod = fs.point / "prod"
        self.assert_fails(errno.EROFS, os.mkdir, fs.point / "new")
        self.assert_fails(errno.EROFS, os.unlink, prod / "current")
        self.assert_fails(errno.EROFS, os.symlink, f"../{uid[:8]}/1.0.0", prod / "tmp")
        self.assert_fails(errno.EROFS, os.rmdir, prod)

    def test_switched_off(self):
        self.check(write={"aliases": False})

    @unittest.skipIf(os.getuid() != 0, "needs user_allow_other")
    def test_off_for_others(self):
        self.check(options=["-o", "allow_other"])


if __name__ == "__main__":
    unittest.main()
