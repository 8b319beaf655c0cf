"""Kills the worker that has just written a part of meta.yaml, before it says so.

Needs a build with FAULTS=1. The kernel sends the request again, and the next worker finds
the bytes there already.
"""

import os
import unittest

from mounted import MountTest
from repository import dump


class MetaCrash(MountTest):
    def test_what_is_appended_is_there_once(self):
        """Twice it would be no mapping any more."""
        repository = self.repository()
        uid = repository.publish({"a.txt": b"1\n"}, meta={"z": 1}, alias="prod")
        token = self.folder / "token"
        mount = self.mount(repository,
                           env={"MODELFS_FAULT": f"draft.written:once={token}"})
        with open(mount.point / "@info/prod/current/meta.yaml", "a") as file:
            file.write("{a: 1}\n")
            token.touch()
            file.flush()
            self.assertFalse(token.exists())
            os.fsync(file.fileno())
        self.assertEqual(repository.meta_path(*uid.split("-")).read_text(),
                         dump({"z": 1, "a": 1}))


if __name__ == "__main__":
    unittest.main()
