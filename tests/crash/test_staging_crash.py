"""Kills the worker of a mount at every fault point that a publish through @staging passes.

Needs a build with FAULTS=1. Whoever reads the result gets the ID: from the next worker,
or after everything was killed from the next mount, when the manifest is touched.
"""

import os
import unittest

from mounted import TOP, wait_until
from repository import short_id
from test_publish_crash import points
from test_staging import FILES, StagingTest

JOBS = [*TOP.glob("fs/staging*.c"), *TOP.glob("publish/job*.c")]
PASSED = [*JOBS, *TOP.glob("publish/*.c"), *TOP.glob("cache/*.c"),
          TOP / "backends/file_put.c"]


class StagingCrash(StagingTest):
    def setUp(self):
        super().setUp()
        self.reached = set()
        self.assertEqual(self.fs.stop(), 0)

    def start(self, name, point=None, how="kill"):
        env = {"MODELFS_FAULT": f"{point}:{how}"} if point else None
        self.fs = self.mount_config(self.fs.config, name=name, env=env)
        self.staging = self.fs.point / "@staging"

    def publish(self, job, version):
        self.stage(job)
        (self.staging / f"{job}.yaml").write_text(self.manifest(version=version,
                                                                alias="small"))
        return f"{short_id('onnx', {})}-{version}"

    def check(self, job, uid):
        self.assertEqual(self.result(job), uid)
        self.assert_published(uid)
        self.assertEqual(self.status(job), {"state": "published", "uid": uid})
        self.assertFalse((self.staging / job).exists())
        self.assertFalse((self.staging / f"{job}.yaml").exists())
        self.assertEqual(os.readlink(self.fs.point / "small/current"),
                         "../" + uid.replace("-", "/", 1))
        self.assertEqual([path.name for path in self.repo.folder.rglob("*claim*")], [])
        # Not fetched again: what was staged is the model in the cache.
        self.assertTrue(self.fs.cache.joinpath(*uid.split("-"), "model.onnx").exists())
        (self.staging / f"{job}.result").unlink()
        (self.staging / f"{job}.status").unlink()
        self.assertEqual(os.listdir(self.staging), [])

    def try_next_worker(self, number, point):
        token = self.folder / "token"
        token.touch()
        self.start(f"worker-{number}", point, f"once={token}")
        self.check(f"w{number}", self.publish(f"w{number}", f"1.{number}.0"))
        if not token.exists():
            self.reached.add(point)
        token.unlink(missing_ok=True)
        self.assertEqual(self.fs.stop(), 0)

    def try_next_mount(self, number, point):
        """Only points that were reached: the others would kill nobody."""
        job = f"m{number}"
        self.start(f"killed-{number}", point)
        worker = self.fs.worker()  # the next one may not come to the point again
        uid = self.publish(job, f"2.{number}.0")
        wait_until(lambda: self.has_other_worker(worker), "the worker's death")
        self.fs.kill()
        self.fs.clean_up()
        self.start(f"after-{number}")
        if not self.repo.header_path(*uid.split("-")).exists():
            self.assert_same(self.staging / job, self.folder / f"source-{job}")
        try:
            os.utime(self.staging / f"{job}.yaml")
        except FileNotFoundError:
            pass  # it is done, or about to be
        self.check(job, uid)
        self.assertEqual(self.fs.stop(), 0)

    def has_other_worker(self, worker):
        return self.fs.process.poll() is not None or self.fs.worker() != worker

    def test_every_point(self):
        for number, point in enumerate(points(PASSED)):
            with self.subTest(point):
                self.try_next_worker(number, point)
                if point in self.reached:
                    self.try_next_mount(number, point)
        self.assertEqual(sorted(set(points(JOBS)) - self.reached), [])
        self.assertIn("publish.header-put", self.reached)
        self.assertIn("cache.complete.after-rename", self.reached)


if __name__ == "__main__":
    unittest.main()
