"""Little of everything: descriptors and room run out, and service goes on."""

import errno
import os
import pathlib
import re
import resource
import subprocess
import sys
import threading
import unittest

from mounted import IS_SANITIZED, MountTest, wait_until
from repository import split


HEAD = "author: a\ndate: 2024-01-01\nname: onnx\nsubgroup: test\nversion: 1.0.0\n"

# Has a file open many times, until its input ends.
OPEN_MANY = """
import os, resource, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
print(len([os.open(sys.argv[1], os.O_RDONLY) for _ in range(int(sys.argv[2]))]), flush=True)
sys.stdin.read()
"""


class Limits(MountTest):
    def test_few_descriptors(self):
        """Models that nobody uses any more keep none for long."""
        models = self.repository()
        uids = [models.publish({"a.bin": os.urandom(100)}, params={"n": n})
                for n in range(150)]
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        fs = self.mount(models)
        for uid in uids:
            self.assertEqual(len(fs.read(uid, "a.bin")), 100)

    def test_many_files_open_at_once(self):
        """20,000 of all programs together: nobody else is refused for it."""
        models = self.repository()
        uid = models.publish({"a.bin": b"content"})
        fs = self.mount(models)
        path = fs.path(uid, "a.bin")
        programs = [subprocess.Popen([sys.executable, "-c", OPEN_MANY, path, "2000"],
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                    for _ in range(10)]
        for program in programs:
            self.addCleanup(program.communicate)
        self.assertEqual([program.stdout.readline() for program in programs],
                         [b"2000\n"] * 10)
        self.assertEqual(path.read_bytes(), b"content")

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
        wait_until(cache.joinpath(*many.split("-")).is_dir, "nobody works on it any more")
        for n in range(300):
            try:
                (cache / f"junk-{n}").touch()
            except OSError:
                break
        self.assertEqual(fs.read(new, "a.txt"), b"new\n")

    def look_at_all(self, fs, uids):
        """By as many readers; gives how each ended, and what it takes meanwhile."""
        outcomes = {}

        def look(uid):
            try:
                outcomes[uid] = len(os.listdir(fs.path(uid)))
            except OSError as error:
                outcomes[uid] = error.errno

        threads = [threading.Thread(target=look, args=(uid,)) for uid in uids]
        for thread in threads:
            thread.start()
        peak = 0
        for thread in threads:
            while thread.is_alive():
                peak = max(peak, resident_kib(fs.worker()))
                thread.join(0.01)
        return outcomes, peak

    @unittest.skipIf(IS_SANITIZED, "keeps what is freed, and takes longer than 3 s")
    def test_many_of_the_largest_headers_take_little_memory(self):
        models = self.repository()
        uids = [models.publish({"a.txt": b"x"}, params={"n": n}) for n in range(40)]
        large = self.folder / "header"
        large.write_text(HEAD + "#" * (15 << 20) + "\n")
        for uid in uids:
            path = models.header_path(*split(uid))
            path.unlink()
            path.hardlink_to(large)
        outcomes, peak = self.look_at_all(self.mount(models), uids)
        # One after the other, within the 3 s that a look-up has.
        self.assertLessEqual(set(outcomes.values()), {1, errno.ETIMEDOUT})
        print(f"{peak} KiB", file=sys.stderr)
        self.assertLess(peak, 128 << 10)

    @unittest.skipIf(IS_SANITIZED, "keeps what is freed, and takes longer than 3 s")
    def test_large_headers_take_no_memory_for_long(self):
        models = self.repository()
        uids = []
        for n in range(16):
            uid = models.publish({"a.txt": b"x"}, params={"n": n})
            count = 100_000 if n % 2 else 1_000_000  # the latter is past the limit
            models.header_path(*split(uid)).write_text(
                HEAD + "parameters: {a: [" + "1," * count + "1]}\n")
            uids.append(uid)
        fs = self.mount(models)
        outcomes, _ = self.look_at_all(fs, uids)
        # A busy machine does not parse all of them within the 3 s that a look-up has.
        self.assertLessEqual({outcomes[uid] for uid in uids[::2]},
                             {errno.EIO, errno.ETIMEDOUT})
        self.assertLessEqual({outcomes[uid] for uid in uids[1::2]}, {1, errno.ETIMEDOUT})
        # What was not waited for is still being parsed.
        wait_until(lambda: resident_kib(fs.worker()) < 64 << 10, "64 MiB")


def resident_kib(pid):
    """RssAnon and RssShmem: without what is mapped of files."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return sum(map(int, re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", text, re.M)))


if __name__ == "__main__":
    unittest.main()
