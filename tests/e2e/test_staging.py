"""@staging: what ordinary programs put there is published, and nothing else happens to it."""

import contextlib
import ctypes
import errno
import filecmp
import itertools
import mmap
import os
import pathlib
import random
import shutil
import signal
import struct
import subprocess
import threading
import time
import unittest

import yaml
from artifactory import OnArtifactory
from fault_proxy import BehindProxy
from mounted import MINUTE, MountTest, files_below, wait_until
from peer import Peer
from repository import dump, short_id
from test_golden import SMALL, WHOLE
from test_publish import GoldenPublish, members, names_below

FILES = {"model.onnx": bytes(range(256)) * 400, "readme.txt": b"hello\n",
         "log/eval.yaml": b"loss: 0.25\n", "log/empty": b""}
KILLS = int(os.environ.get("MODELFS_KILLS", "20"))


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          timeout=MINUTE, check=True, **options)


def next_names(folder):
    """A few more names of an open folder, none at its end."""
    buffer = ctypes.create_string_buffer(128)
    size = ctypes.CDLL(None, use_errno=True).getdents64(folder, buffer, len(buffer))
    if size < 0:
        raise OSError(ctypes.get_errno(), "getdents64")
    names, at = [], 0
    while at < size:
        _, _, length, _ = struct.unpack_from("=QqHB", buffer, at)
        names.append(buffer.raw[at + 19:at + length].split(b"\0")[0].decode())
        at += length
    return names


class StagingTest(MountTest):
    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        self.fs = self.mount(self.repo)
        self.staging = self.fs.point / "@staging"

    def make_folder(self, files=None, name="source"):
        folder = self.folder / name
        for path, content in (FILES if files is None else files).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
            os.utime(folder / path, (1e9, 1e9))
        return folder

    def stage(self, job, files=None):
        shutil.copytree(self.make_folder(files, name=f"source-{job}"), self.staging / job)

    def manifest(self, name="onnx", version="1.0.0", **keys):
        return dump({"name": name, "version": version, **keys})

    def publish_staged(self, job, **keys):
        self.stage(job)
        (self.staging / f"{job}.yaml").write_text(self.manifest(**keys))
        return self.result(job)

    def result(self, job):
        return (self.staging / f"{job}.result").read_text().strip()

    def status(self, job):
        return yaml.safe_load((self.staging / f"{job}.status").read_text())

    def assert_same(self, one, other):
        self.assertEqual(files_below(one), files_below(other))
        match, mismatch, errors = filecmp.cmpfiles(one, other, files_below(one), False)
        self.assertEqual((mismatch, errors), ([], []))

    def assert_published(self, uid, files=None):
        folder = self.fs.path(uid)
        files = FILES if files is None else files
        self.assertEqual(files_below(folder), sorted(files))
        for path, content in files.items():
            self.assertEqual((folder / path).read_bytes(), content)

    def assert_failed(self, job, *words):
        self.assert_fails(errno.EIO, self.result, job)
        self.assertEqual(self.status(job)["state"], "failed")
        self.assert_sentence(self.status(job)["error"], *words)


class Publishing(StagingTest):
    def test_copy_and_manifest(self):
        self.stage("job")
        manifest = self.staging / "job.yaml"
        manifest.write_text(self.manifest(params={"a": 1}, alias="prod", subgroup="x.y",
                                          meta={"k": [1]}, author="me",
                                          date="2024-02-29"))
        uid = self.result("job")
        self.assertEqual(uid, short_id("onnx", {"a": 1}, "x.y") + "-1.0.0")
        self.assert_published(uid)
        self.assertFalse((self.staging / "job").exists())
        self.assertFalse(manifest.exists())
        self.assertEqual(self.status("job"), {"state": "published", "uid": uid})
        self.assertEqual(os.readlink(self.fs.point / "prod/current"),
                         "../" + uid.replace("-", "/", 1))
        self.assertEqual(yaml.safe_load(self.fs.info(uid, "meta.yaml")), {"k": [1]})
        self.assertEqual(self.fs.info(uid, "author"), "me\n")
        archive = self.repo.archive_path(uid[:8], uid[9:], "onnx", "x.y")
        self.assertEqual({k: v[0] for k, v in members(archive).items()}, FILES)
        # The names of what ended can be used again, and be removed.
        os.unlink(self.staging / "job.status")
        self.assertEqual(os.listdir(self.staging), ["job.result"])
        self.assertEqual(self.result("job"), uid)
        os.unlink(self.staging / "job.result")
        self.assertEqual(os.listdir(self.staging), [])

    def test_names_appear_and_move_at_once(self):
        """Also those that were looked for in vain, or led elsewhere, a moment ago."""
        top, info = self.fs.point, self.fs.point / "@info"
        uid = short_id("onnx", {}) + "-1.0.0"
        ident, last = uid[:8], short_id("onnx", {}) + "-2.0.0"
        new = [top / "prod/current/readme.txt", top / ident / "1.0.0", top / uid,
               info / "prod/current/uid", info / ident / "1.0.0/uid"]
        moving = [top / "prod/current", top / "prod/latest", top / ident / "latest"]
        for path in new:
            self.assertFalse(path.exists(), path)
        self.publish_staged("first", version="1.0.0", alias="prod")
        for path in new:
            self.assertTrue(path.exists(), path)
        for path in moving:
            self.assertEqual(os.path.basename(os.readlink(path)), "1.0.0")
        self.assertFalse((top / "prod/2.0.0").exists())
        self.assertEqual((info / "prod/current/uid").read_text(), uid + "\n")
        self.publish_staged("second", version="2.0.0", alias="prod")
        for path in [*moving, top / "prod/2.0.0"]:
            self.assertEqual(os.path.basename(os.readlink(path)), "2.0.0", path)
        self.assertEqual((info / "prod/current/uid").read_text(), last + "\n")
        self.publish_staged("other", version="3.0.0", alias="prod", name="other")
        self.assertEqual(sorted(os.listdir(top / "prod")), ["3.0.0", "current", "latest"])
        self.assertFalse((top / "prod/2.0.0").exists())

    def test_folders_keep_their_path(self):
        """Who works in the folder of a model or an alias can still tell where that is."""
        self.publish_staged("first", version="1.0.0", alias="prod")
        folders = [self.fs.point / "prod", self.fs.point / short_id("onnx", {})]
        workers = [subprocess.Popen(["cat"], cwd=each, stdin=subprocess.PIPE)
                   for each in folders]
        self.publish_staged("second", version="2.0.0", alias="prod")
        paths = [os.readlink(f"/proc/{worker.pid}/cwd") for worker in workers]
        for worker in workers:
            worker.communicate(timeout=MINUTE)
        self.assertEqual(paths, [str(each) for each in folders])

    def test_nothing_is_downloaded(self):
        """Links, files with two names and a file that is open come along as copies."""
        self.stage("job")
        job = self.staging / "job"
        os.symlink("log/eval.yaml", job / "link.yaml")
        os.link(job / "model.onnx", job / "twin.onnx")
        (job / "empty/folder").mkdir(parents=True)
        inode = (self.fs.cache / ".modelfs/staging/job/readme.txt").stat().st_ino
        with open(job / "open.txt", "w", encoding="ascii") as file:
            file.write("before")
            file.flush()
            (self.staging / "job.yaml").write_text(self.manifest())
            uid = self.result("job")
            file.write("after")
        files = {**FILES, "link.yaml": FILES["log/eval.yaml"], "open.txt": b"before",
                 "twin.onnx": FILES["model.onnx"]}
        self.assert_published(uid, files)
        final = self.fs.cache.joinpath(*uid.split("-"))
        self.assertEqual(files_below(final), sorted(files))
        self.assertEqual(
            (final / "open.txt").read_bytes() + (final / "link.yaml").read_bytes(),
            b"before" + FILES["log/eval.yaml"])
        self.assertEqual({p.stat().st_nlink for p in final.rglob("*") if p.is_file()}, {1})
        # The archive's table is read, and no member.
        self.assertLess(self.fs.metric("modelfs_fetched_bytes_total"), 10000)
        self.assertNotEqual((final / "readme.txt").stat().st_ino, inode)

    def test_staged_files_become_the_model(self):
        self.stage("job")
        staged = self.fs.cache / ".modelfs/staging/job"
        inodes = {path: (staged / path).stat().st_ino for path in FILES}
        (self.staging / "job.yaml").write_text(self.manifest())
        final = self.fs.cache.joinpath(*self.result("job").split("-"))
        self.assertEqual({path: (final / path).stat().st_ino for path in FILES}, inodes)
        self.assertEqual(self.fs.metric("modelfs_transfers_failed_total"), 0)

    def test_renamed_into_place(self):
        self.stage("job")
        (self.staging / ".job.tmp").write_text(self.manifest())
        self.assertFalse((self.staging / "job.status").exists())
        os.rename(self.staging / ".job.tmp", self.staging / "job.yaml")
        self.assert_published(self.result("job"))

    def test_shell(self):
        self.stage("job")
        run("sh", "-c", "echo 'name: onnx' > job.yaml", cwd=self.staging)
        self.assert_failed("job", "version")
        run("sh", "-c", "(echo 'name: onnx'; sleep 0.1; echo 'version: 1.0.0') > job.yaml",
            cwd=self.staging)
        self.assert_published(self.result("job"))

    def test_failure_keeps_all_and_touch_retries(self):
        self.repo.publish({"a": b"a"}, subgroup="", ident=None)
        self.stage("job")
        (self.staging / "job.yaml").write_text(self.manifest())
        self.assert_failed("job", "exists already")
        self.assert_same(self.staging / "job", self.make_folder())
        before = names_below(self.repo.folder)
        run("touch", self.staging / "job.yaml")
        self.assert_failed("job", "exists already")
        self.assertEqual(names_below(self.repo.folder), before)
        shutil.rmtree(self.repo.folder / "_uid")
        shutil.rmtree(self.repo.folder / "onnx")
        wait_until(lambda: self.retried("job"), "published")

    def fail_jobs(self, count):
        for number in range(count):
            self.stage(f"job{number}")
            self.assert_fails(errno.EINVAL, (self.staging / f"job{number}.yaml").write_text,
                              "name: x\n")
            self.assert_failed(f"job{number}", "version")

    def test_who_removes_all_finds_all(self):
        """In the order of the shell, and in that of the folder."""
        self.fail_jobs(3)
        run("rm", "-r", *sorted(self.staging.iterdir()))
        self.assertEqual(os.listdir(self.staging), [])
        self.fail_jobs(3)
        run("find", self.staging, "-mindepth", "1", "-delete")
        self.assertEqual(os.listdir(self.staging), [])

    def test_a_manifest_without_reports_is_tried_again(self):
        self.fail_jobs(1)
        for report in ("job0.status", "job0.result"):
            os.unlink(self.staging / report)
            self.assertNotIn(report, os.listdir(self.staging))
            self.assert_fails(errno.ENOENT, os.stat, self.staging / report)
        os.utime(self.staging / "job0.yaml")
        self.assert_failed("job0", "version")
        os.unlink(self.staging / "job0.status")
        os.unlink(self.staging / "job0.result")
        (self.staging / "job0.yaml").write_text(self.manifest())
        self.assert_published(self.result("job0"))

    def retried(self, job):
        """The repository's listing may be kept for a while."""
        if (self.staging / f"{job}.yaml").exists():
            os.utime(self.staging / f"{job}.yaml")
        try:
            self.assert_published(self.result(job))
        except OSError:
            return False
        return True

    def test_bad_manifests(self):
        self.stage("job")
        before = names_below(self.repo.folder)
        for text, words in {
            "name: [": ["line 2, column"],
            "name: a\nversion: 1.0.0\nnaem: b\n": ["line 3", "naem"],
            "name: a\nversion: 1.0.0\nname: b\n": ["line 3", "name"],
            "name: a\nversion: [1]\n": ["line 2", "version"],
            "- a\n": ["mapping"],
            "name: a\nversion: 1.0.0\nparams: 3\n": ["line 3", "params"],
            "name: a\nversion: latest\n": [],
            "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
                f"{c}: &{c} [{', '.join(['*' + p] * 9)}]\n"
                for p, c in zip("abcdefgh", "bcdefghi")): [],
        }.items():
            with self.subTest(text[:40]):
                fd = os.open(self.staging / "job.yaml",
                             os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
                os.write(fd, text.encode())
                self.assert_fails(errno.EINVAL, os.close, fd)
                self.assert_failed("job", *words)
        self.stage("large")
        fd = os.open(self.staging / "large.yaml", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.ftruncate(fd, 100 << 20)
        self.assert_fails(errno.EINVAL, os.close, fd)
        self.assert_failed("large", "manifest")
        self.assertEqual(names_below(self.repo.folder), before)
        self.assert_same(self.staging / "job", self.make_folder())

    def test_bad_folders(self):
        before = names_below(self.repo.folder)
        (self.staging / "missing.yaml").write_text(self.manifest())
        self.assert_failed("missing", "folder")
        self.stage("dangling", {"a.txt": b"a"})
        os.symlink("nowhere", self.staging / "dangling/link")
        (self.staging / "dangling.yaml").write_text(self.manifest())
        self.assert_failed("dangling", "link")
        # A worker that is killed while it waits for itself would never end.
        self.stage("itself", {"a.txt": b"a"})
        os.symlink(self.staging / "itself.result", self.staging / "itself/link")
        (self.staging / "itself.yaml").write_text(self.manifest())
        self.assert_failed("itself", "link", "mount")
        self.assertEqual(names_below(self.repo.folder), before)

    def test_hidden_names_are_no_jobs(self):
        """They are not written to their end. The folder "." would be that of all jobs."""
        self.stage("job")
        self.stage(".job")
        before = names_below(self.repo.folder)
        for name in (".job.yaml", "..yaml", "...yaml", ".yaml"):
            (self.staging / name).write_text(self.manifest())
            self.assertNotIn(name[:-len("yaml")] + "status", os.listdir(self.staging))
            (self.staging / name).unlink()
        self.stage("job2")  # is served after all that went before
        self.assertEqual(names_below(self.repo.folder), before)
        self.assertEqual(sorted(os.listdir(self.staging)), [".job", "job", "job2"])

    def test_long_names(self):
        """A job of which nobody could be told is none."""
        name = "j" * (os.pathconf(self.staging, "PC_NAME_MAX") - len(".status"))
        path = self.staging / f"{name}j.yaml"
        self.assert_fails(errno.ENAMETOOLONG, path.write_text, self.manifest())
        (self.staging / "short").write_text("")
        self.assert_fails(errno.ENAMETOOLONG, os.rename, self.staging / "short", path)
        os.unlink(self.staging / "short")
        self.assertEqual(self.publish_staged(name)[-6:], "-1.0.0")
        self.assertEqual(self.status(name)["state"], "published")

    def test_names_that_are_not_utf8(self):
        job = os.fsdecode(b"job\xff\n")
        (self.staging / f"{job}.yaml").write_text(self.manifest())
        self.assert_failed(job, "job?", "folder")
        status = yaml.safe_load((self.fs.point / "@status").read_text())
        self.assertIn("job? ", status["errors"][0]["error"])

    def test_empty_folder(self):
        """As audmodel has it, a model without files; nobody shall do so unawares."""
        (self.staging / "job/folder").mkdir(parents=True)
        (self.staging / "job.yaml").write_text(self.manifest())
        uid = self.result("job")
        self.assertEqual(os.listdir(self.fs.path(uid)), [])
        self.assertIn("empty", self.status("job")["warnings"][0]["warning"])

    def test_two_at_once(self):
        big = os.urandom(1 << 20) * 16
        for job in ("one", "two"):
            self.stage(job, {"big.bin": big, "name": job.encode()})
        for job in ("one", "two"):
            (self.staging / f"{job}.yaml").write_text(self.manifest(params={"job": job}))
        results = {}
        threads = [threading.Thread(target=lambda j=job: results.update({j: self.result(j)}))
                   for job in ("one", "two")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(MINUTE)
        for job in ("one", "two"):
            self.assert_published(results[job], {"big.bin": big, "name": job.encode()})

    def is_running(self):
        return self.status("job")["state"] in ("running", "finishing")

    def test_busy_while_it_runs(self):
        self.stage("job", {"a.bin": b"a"})
        ident = short_id("onnx", {})
        # It cannot end as long as audmodel has its lock.
        with Peer(self.fs.cache).lock(ident, "1.0.0"):
            (self.staging / "job.yaml").write_text(self.manifest())
            wait_until(self.is_running, "its start")
            self.assert_fails(errno.EBUSY, (self.staging / "job/new").write_bytes, b"x")
            self.assert_fails(errno.EBUSY, (self.staging / "job/a.bin").write_bytes, b"x")
            self.assertTrue(self.is_running())
        self.assert_published(self.result("job"), {"a.bin": b"a"})

    def test_interrupted_reader_of_result(self):
        (self.staging / "job.yaml").touch()  # its close fails the job; a new one waits
        reader = None
        fd = os.open(self.staging / "other.yaml", os.O_WRONLY | os.O_CREAT)
        try:
            reader = subprocess.Popen(["cat", str(self.staging / "other.result")],
                                      stdout=subprocess.DEVNULL,
                                      stderr=subprocess.DEVNULL)
            wait_until(lambda: self.fs.metric("modelfs_requests_waiting") > 0, "it waits")
            self.assertIsNone(reader.poll())
            reader.terminate()
            self.assertEqual(reader.wait(MINUTE), -signal.SIGTERM)
        finally:
            os.close(fd)

    def test_result_of_a_retry(self):
        """Whoever has closed the manifest reads what that close comes to."""
        self.stage("job")
        for number in range(20):
            self.assert_fails(errno.EINVAL, (self.staging / "job.yaml").write_text,
                              f"name: x{number}\n")
            self.assert_failed("job", "version")
            self.assert_fails(errno.EINVAL, (self.staging / "job.yaml").write_text,
                              f"nam{number}: x\n")
            self.assert_failed("job", f"nam{number}")
        (self.staging / "job.yaml").write_text(self.manifest())
        self.assert_published(self.result("job"))

    def test_report_outlives_worker_and_mount(self):
        self.stage("job")
        self.stage("done")
        self.assert_fails(errno.EINVAL, (self.staging / "job.yaml").write_text, "name: x\n")
        self.assert_failed("job", "version")
        (self.staging / "done.yaml").write_text(self.manifest())
        uid = self.result("done")
        for number in range(3):
            if number < 2 and self.fs.can_resend():
                self.fs.kill_worker()
            elif number == 2:
                self.assertEqual(self.fs.stop(), 0)
                self.fs = self.mount_config(self.fs.config, name="again")
                self.staging = self.fs.point / "@staging"
            self.assert_failed("job", "version")
            self.assertEqual(self.result("done"), uid)
            self.assertEqual(self.status("done"), {"state": "published", "uid": uid})
        for report in self.staging.glob("done.*"):
            report.unlink()
        self.assertEqual(self.fs.stop(), 0)
        self.fs = self.mount_config(self.fs.config, name="third")
        self.staging = self.fs.point / "@staging"
        self.assertEqual(list(self.staging.glob("done.*")), [])

    def test_reader_outlives_worker(self):
        """Who lists @staging meanwhile is told each name once, whatever else comes."""
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        jobs = [f"job{number}" for number in range(20)]
        for job in jobs:
            (self.staging / f"{job}.yaml").touch()
        folder = os.open(self.staging, os.O_RDONLY | os.O_DIRECTORY)
        self.addCleanup(os.close, folder)
        found = [name for _ in range(4) for name in next_names(folder)]
        self.assertTrue(found[-1].endswith((".status", ".result")), found)
        self.fs.kill_worker()
        (self.staging / "a.yaml").touch()  # sorts before all others
        while names := next_names(folder):
            found += names
        for job in jobs:
            for suffix in ("yaml", "status", "result"):
                self.assertEqual(found.count(f"{job}.{suffix}"), 1, (job, suffix, found))

    def test_manifest_that_nobody_closes(self):
        """Who reads its result is told so in the end."""
        self.stage("job")
        with open(self.staging / "job.yaml", "w", encoding="ascii") as file:
            file.write(self.manifest())
            file.flush()
            self.assert_fails(errno.EIO, self.result, "job")
            self.assertIn("waits to be complete", self.fs.log())
        self.assert_published(self.result("job"))

    def test_remount(self):
        """What is staged stays; a manifest waits to be touched."""
        self.stage("job")
        self.assert_fails(errno.EINVAL, (self.staging / "job.yaml").write_text, "name: x\n")
        self.assert_failed("job", "version")
        self.assertEqual(self.fs.stop(), 0)
        self.fs = self.mount_config(self.fs.config, name="again")
        self.staging = self.fs.point / "@staging"
        self.assertEqual(self.status("job")["state"], "failed")
        self.assert_same(self.staging / "job", self.make_folder())
        (self.staging / "job.yaml").write_text(self.manifest())
        self.assert_published(self.result("job"))


class Programs(StagingTest):
    """As on a local disk."""

    def test_cp_a(self):
        source = self.make_folder()
        os.chmod(source / "readme.txt", 0o755)
        os.symlink("readme.txt", source / "link")
        run("cp", "-a", source, self.staging / "job")
        run("diff", "-r", "--no-dereference", source, self.staging / "job")
        for path in files_below(source):
            here, there = os.lstat(source / path), os.lstat(self.staging / "job" / path)
            for what in ("st_mode", "st_size", "st_mtime_ns", "st_uid", "st_gid"):
                self.assertEqual(getattr(here, what), getattr(there, what), what)

    def test_rsync(self):
        source = self.make_folder()
        run("rsync", "-a", f"{source}/", f"{self.staging}/job/")
        done = run("rsync", "-acni", f"{source}/", f"{self.staging}/job/")
        self.assertEqual(done.stdout, "")
        (source / "readme.txt").write_bytes(b"changed\n")
        (source / "log/eval.yaml").unlink()
        run("rsync", "-ac", "--delete", "--inplace", f"{source}/", f"{self.staging}/job/")
        self.assert_same(source, self.staging / "job")

    def test_tar(self):
        source = self.make_folder()
        run("tar", "-C", source, "-cf", self.folder / "x.tar", ".")
        (self.staging / "job").mkdir()
        run("tar", "-C", self.staging / "job", "-xf", self.folder / "x.tar")
        self.assert_same(source, self.staging / "job")

    def test_git_while_aliases_move(self):
        uids = [self.repo.publish({"a": b"a"}, version=f"{n}.0.0", name="other",
                                  alias="prod") for n in (1, 2)]
        stop = threading.Event()

        def move():
            while not stop.is_set():
                for uid in uids:
                    run("ln", "-sfn", f"../{uid[:8]}/{uid[9:]}",
                        self.fs.point / "prod/current")

        mover = threading.Thread(target=move)
        mover.start()
        try:
            env = {**os.environ, "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b",
                   "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b"}
            work = self.staging / "work"
            run("git", "init", "-q", work)
            for number in range(50):
                (work / f"{number}.txt").write_text(f"{number}\n" * 100)
            for command in (["add", "-A"], ["commit", "-qm", "one"], ["gc", "-q"],
                            ["fsck", "--strict"]):
                run("git", "-C", work, *command, env=env)
            run("git", "clone", "-q", work, self.staging / "clone")
            run("git", "-C", self.staging / "clone", "fsck", "--strict")
            self.assertEqual(
                run("git", "-C", self.staging / "clone", "status", "-s").stdout, "")
        finally:
            stop.set()
            mover.join()
        shutil.rmtree(work)
        shutil.rmtree(self.staging / "clone")
        self.assertEqual(os.listdir(self.staging), [])

    def test_editor(self):
        """Writes a temporary file and renames it, as vim does, with a backup."""
        (self.staging / "job").mkdir()
        path = self.staging / "job/a.txt"
        path.write_bytes(b"one\n")
        for content in (b"two\n", b"three\n"):
            os.rename(path, f"{path}~")
            with open(path, "xb") as file:
                file.write(content)
                os.fsync(file.fileno())
            os.unlink(f"{path}~")
            self.assertEqual(path.read_bytes(), content)
        run("sed", "-i", "s/three/four/", path)
        self.assertEqual(path.read_bytes(), b"four\n")

    def test_python(self):
        job = self.staging / "job"
        job.mkdir()
        with open(job / "a.bin", "w+b") as file:
            file.write(b"x" * 10000)
            file.seek(5000)
            file.write(b"y")
            file.truncate(8000)
            file.seek(0)
            self.assertEqual(file.read(), b"x" * 5000 + b"y" + b"x" * 2999)
        with open(job / "a.bin", "ab") as file:
            file.write(b"end")
        self.assertEqual((job / "a.bin").stat().st_size, 8003)
        with open(job / "a.bin", "r+b") as file, mmap.mmap(file.fileno(), 0) as mapped:
            mapped[0:3] = b"MAP"
        self.assertEqual((job / "a.bin").read_bytes()[:4], b"MAPx")
        shutil.copy2(job / "a.bin", job / "b.bin")
        self.assertTrue(filecmp.cmp(job / "a.bin", job / "b.bin", False))
        shutil.move(job / "b.bin", job / "c.bin")
        self.assertEqual(sorted(os.listdir(job)), ["a.bin", "c.bin"])
        shutil.rmtree(job)
        self.assertFalse(job.exists())

    def test_unlinked_but_open(self):
        (self.staging / "job").mkdir()
        path = self.staging / "job/a"
        with open(path, "w+b") as file:
            file.write(b"one")
            file.flush()
            os.unlink(path)
            path.write_bytes(b"another")
            self.assertEqual(os.fstat(file.fileno()).st_nlink, 0)
            file.write(b"two")
            file.seek(0)
            self.assertEqual(file.read(), b"onetwo")
        with open(path, "rb") as file:
            (self.staging / "job/b").write_bytes(b"b")
            os.rename(self.staging / "job/b", path)
            self.assertEqual(file.read(), b"another")
        self.assertEqual(path.read_bytes(), b"b")
        trash = self.fs.cache / ".modelfs/unlinked"
        wait_until(lambda: files_below(trash) == [], "nothing is left")

    def test_links(self):
        for job in ("job", "other"):
            (self.staging / job).mkdir()
        path = self.staging / "job/a"
        path.write_bytes(b"a")
        os.link(path, self.staging / "job/b")
        self.assertEqual(path.stat().st_nlink, 2)
        self.assertEqual(path.stat().st_ino, (self.staging / "job/b").stat().st_ino)
        os.unlink(path)
        (self.staging / "job/b").write_bytes(b"bb")
        self.assertEqual((self.staging / "job/b").read_bytes(), b"bb")
        self.assert_fails(errno.EXDEV, os.link, self.staging / "job/b",
                          self.staging / "other/b")

    def test_what_is_not_there(self):
        (self.staging / "job").mkdir()
        path = self.staging / "job/x"
        self.assert_fails(errno.EPERM, os.mknod, path, 0o20600, os.makedev(1, 3))
        with self.assertRaises(OSError):
            os.open(self.staging / "job", os.O_TMPFILE | os.O_RDWR)
        self.assert_fails(errno.EXDEV, os.rename, self.staging / "job",
                          self.fs.point / "job")
        self.assert_fails(errno.EROFS, os.rmdir, self.staging)

    def test_who_sees_a_failure_finds_it_noted(self):
        file = self.staging / "file"
        file.touch()
        for number in range(1, 2001):
            self.assert_fails(errno.EFBIG, os.truncate, file, 1 << 62)
            self.assertEqual(self.fs.metric("modelfs_requests_failed_total"), number)

    def test_mode_and_room(self):
        self.assertEqual(self.staging.stat().st_mode & 0o7777, 0o700)
        self.assertGreater(os.statvfs(self.staging).f_blocks, 0)
        old = os.umask(0o027)
        try:
            (self.staging / "job").mkdir()
            (self.staging / "job/a").touch()
        finally:
            os.umask(old)
        self.assertEqual((self.staging / "job").stat().st_mode & 0o7777, 0o750)
        self.assertEqual((self.staging / "job/a").stat().st_mode & 0o7777, 0o640)


class Kills(StagingTest):
    def test_kill_while_it_publishes(self):
        """The model is complete or invisible; what was staged is there or published."""
        random.seed(1)
        files = {"big.bin": os.urandom(1 << 20) * 8, "a.txt": b"a\n"}
        fs = self.fs
        for number in range(KILLS):
            staging = fs.point / "@staging"
            version = f"1.0.{number}"
            self.fs, self.staging = fs, staging
            self.stage(f"job{number}", files)
            (staging / f"job{number}.yaml").write_text(self.manifest(version=version))
            time.sleep(random.random() * 0.2)
            fs.kill()
            fs.clean_up()
            fs = self.mount_config(fs.config, name=f"after-{number}")
            self.fs, self.staging = fs, fs.point / "@staging"
            self.check(f"job{number}", version, files)

    def check(self, job, version, files):
        """A second attempt succeeds wherever the first one was."""
        uid = f"{short_id('onnx', {})}-{version}"
        manifest = self.staging / f"{job}.yaml"
        if self.repo.header_path(*uid.split("-")).exists():
            self.assert_published(uid, files)
        else:
            self.assert_same(self.staging / job, self.folder / f"source-{job}")
            self.assertIn(self.status(job)["state"], ("failed", "waiting"))
        try:
            os.utime(manifest)
        except FileNotFoundError:
            pass  # it was published
        self.assertEqual(self.result(job), uid)
        self.assert_published(uid, files)
        self.assertFalse((self.staging / job).exists() or manifest.exists())


class WorkersDie(StagingTest):
    """The supervisor's next worker goes on with the files that are open."""

    def setUp(self):
        super().setUp()
        if not self.fs.can_resend():
            self.skipTest("this kernel cannot send requests again")
        self.killing = contextlib.ExitStack()
        self.addCleanup(self.killing.close)
        self.killed = self.killing.enter_context(self.fs.dying_workers(0.15))

    def test_programs(self):
        source = self.make_folder({f"{n}/{m}.bin": os.urandom(20000)
                                   for n in range(10) for m in range(10)})
        for number in itertools.count():
            if number >= 8 and len(self.killed) > 3:
                break
            job = self.staging / f"job{number}"
            run("cp", "-r", source, job)
            self.assert_same(source, job)
            run("rsync", "-a", f"{source}/", f"{job}-r/")
            self.assertEqual(run("rsync", "-rcn", "--out-format=%n", f"{source}/",
                                 f"{job}-r/").stdout, "")
            run("rm", "-r", job, f"{job}-r")

    def test_one_open_file(self):
        (self.staging / "job").mkdir()
        expected = b""
        with open(self.staging / "job/a", "w+b", 0) as file:
            while len(self.killed) < 10:
                block = os.urandom(1000)
                file.write(block)
                expected += block
                self.assertEqual(os.pread(file.fileno(), len(expected), 0), expected)
                self.assertEqual(os.fstat(file.fileno()).st_size, len(expected))

    def test_publish(self):
        self.killing.close()
        files = {"big.bin": os.urandom(1 << 20) * 16}
        self.stage("job", files)
        (self.staging / "job.yaml").write_text(self.manifest())
        os.kill(self.fs.worker(), signal.SIGKILL)
        uid = short_id("onnx", {}) + "-1.0.0"
        try:
            self.assertEqual(self.result("job"), uid)
        except OSError:  # it was complete, all but the removal of what was staged
            self.assert_sentence(self.status("job")["error"], "exists already")
        self.assert_published(uid, files)


class ToAServer(BehindProxy, OnArtifactory, StagingTest):
    def test_archive_waits_on_the_disk_of_the_cache(self):
        """Not in /tmp, which may be memory."""
        self.proxy.inject("stall", method="PUT", target=r"\.zip")
        self.stage("job")
        (self.staging / "job.yaml").write_text(self.manifest())
        wait_until(lambda: self.proxy.seen(fault="stall"), "the archive is sent")
        fds = f"/proc/{self.fs.worker()}/fd"
        paths = [os.readlink(f"{fds}/{fd}") for fd in os.listdir(fds)]
        folder = str(self.fs.cache / ".modelfs/jobs/")
        self.assertEqual(
            len([path for path in paths
                 if path.startswith(f"{folder}/") and path.endswith(" (deleted)")]),
            1, paths)
        self.proxy.clear()


class NoStaging(MountTest):
    def test_switched_off(self):
        models = self.repository()
        fs = self.mount(models, write={"staging": False})
        self.assertNotIn("@staging", os.listdir(fs.point))
        self.assert_fails(errno.ENOENT, os.stat, fs.point / "@staging")


class GoldenStaging(GoldenPublish):
    """The golden models through @staging."""

    test_ids_again = test_refused = None

    def setUp(self):
        super().setUp()
        self.conf = self.fs.config

    def set_aliases(self):
        """Tested by the command."""

    def succeed(self, *arguments, **options):
        if arguments[0] != "publish":
            return super().succeed(*arguments, **options)
        keys = {arguments[i][2:]: arguments[i + 1]
                for i in range(1, len(arguments) - 1, 2)}
        for name in ("params", "meta"):
            if name in keys:
                keys[name] = pathlib.Path(keys[name][1:]).read_text()
        folder = arguments[-1]
        job = self.staging / folder.name
        shutil.copytree(folder, job)
        nested = "".join(
            f"{name}:\n" + "".join(f"  {line}\n" for line in keys.pop(name).splitlines())
            for name in ("params", "meta") if name in keys)
        (self.staging / f"{folder.name}.yaml").write_text(dump(keys) + nested)
        return self.result(folder.name) + "\n"


class SmallGoldenStaging(GoldenStaging, StagingTest):
    data = SMALL


@unittest.skipUnless((WHOLE / "expected.json").exists(), f"{WHOLE} is not there")
class WholeGoldenStaging(GoldenStaging, StagingTest):
    data = WHOLE


del GoldenPublish

if __name__ == "__main__":
    unittest.main()
