"""A cache whose disk is full: what nobody uses makes room for what is read."""

import concurrent.futures
import os
import subprocess
import unittest

from mounted import MountTest

OLD = {"weights.bin": os.urandom(3 << 20)}
NEW = {f"small/{number:04}.txt": os.urandom(2000) for number in range(1000)}
READERS = 4


@unittest.skipUnless(os.geteuid() == 0, "mounts a small file system")
class FullCache(MountTest):
    def test_small_files_read_in_order(self):
        """Those that come along with others find room, too."""
        disk = self.folder / "small"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)],
                       check=True)
        self.addCleanup(subprocess.run, ["umount", "-l", str(disk)], check=False)
        repo = self.repository()
        old = repo.publish(OLD, params={"is": "old"})
        new = repo.publish(NEW, params={"is": "new"})
        fs = self.mount(repo, cache="small")
        self.assertEqual(fs.read(old, "weights.bin"), OLD["weights.bin"])
        self.assertEqual(fs.stop(), 0)
        fs = self.mount(repo, name="second", cache="small")
        with concurrent.futures.ThreadPoolExecutor(READERS) as pool:
            for name, data in zip(NEW, pool.map(lambda name: fs.read(new, name), NEW)):
                self.assertEqual(data, NEW[name], name)


if __name__ == "__main__":
    unittest.main()
