"""Little of everything: descriptors and room run out, and service goes on."""

import os
import resource
import subprocess
import unittest

from mounted import MountTest


class Limits(MountTest):
    def test_few_descriptors(self):
        """Models that nobody uses any more keep none for long."""
        models = self.repository()
        uids = [models.publish({"a.bin": os.urandom(100)}, params={"n": n})
                for n in range(150)]
        fs = self.mount(models)
        resource.prlimit(fs.process.pid, resource.RLIMIT_NOFILE, (256, 256))
        for uid in uids:
            self.assertEqual(len(fs.read(uid, "a.bin")), 100)

    @unittest.skipUnless(os.geteuid() == 0, "mounts a small file system")
    def test_full_disk_makes_room_for_new_models(self):
        """No room for another table of contents: idle models make it."""
        models = self.repository()
        many = models.publish({f"{n}.txt": b"x" for n in range(100)}, params={"n": 0})
        new = models.publish({"a.txt": b"new\n"}, params={"n": 1})
        cache = self.folder / "cache"
        cache.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=300", "tmpfs",
                        str(cache)], check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(cache)], check=False)
        fs = self.mount(models)
        for n in range(100):
            self.assertEqual(fs.read(many, f"{n}.txt"), b"x")
        for n in range(300):
            try:
                (cache / f"junk-{n}").touch()
            except OSError:
                break
        self.assertEqual(fs.read(new, "a.txt"), b"new\n")


if __name__ == "__main__":
    unittest.main()
