"""A request that workers die of fails at the third try, and takes nobody with it.

Needs a build with FAULTS=1: the worker crashes in the thread that sets an alias.
"""

import errno
import os
import threading

from mounted import MountTest

FILES = {"a.bin": os.urandom(1 << 20), "b.txt": b"hello\n"}


class DeadlyRequest(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish(FILES)
        self.fs = self.mount(models, env={"MODELFS_FAULT": "alias.old-list:crash"})

    def set_alias(self):
        folder = self.fs.point / "small"
        folder.mkdir(exist_ok=True)
        os.symlink(f"../{self.uid.replace('-', '/', 1)}", folder / "current")

    def restarts(self):
        return int((self.fs.point / "@status").read_text()
                   .split("restarts: ")[1].split("\n")[0])

    def test_fails_alone(self):
        stop, failures = threading.Event(), []

        def read():
            while not stop.is_set():
                try:
                    for name, content in FILES.items():
                        if self.fs.read(self.uid, name) != content:
                            failures.append(name)
                    os.listdir(self.fs.path(self.uid))
                except OSError as error:
                    failures.append(error)

        readers = [threading.Thread(target=read) for _ in range(8)]
        for reader in readers:
            reader.start()
        try:
            for count in (2, 4):
                self.assert_fails(errno.EIO, self.set_alias)
                self.assertEqual(self.restarts(), count)
        finally:
            stop.set()
            for reader in readers:
                reader.join()
        self.assertEqual(failures, [])
        self.assertEqual(self.fs.log().count("two workers died of one request"), 2)
