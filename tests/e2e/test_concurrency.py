"""Many readers at once: one fetch, all answered, nobody gets a wrong byte."""

import errno
import os
import subprocess
import sys
import threading
import unittest
import zipfile

from mounted import IS_SANITIZED, MountTest
from repository import write_archive

MIB = 1 << 20
# Look-ups of so many at once, each with work to be done: they have 3 s for it, on slow
# machines and beside other tests, too.
COLD_MODELS = 50 if IS_SANITIZED else 200


def at_once(count, work):
    """Runs work(number) in count threads that start together; their results."""
    barrier = threading.Barrier(count)
    results = [None] * count

    def run(number):
        barrier.wait()
        try:
            results[number] = work(number)
        except OSError as error:
            results[number] = error

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


class ManyReaders(MountTest):
    def test_64_readers_of_one_member_cost_one_extraction(self):
        content = os.urandom(2 * MIB)
        models = self.repository()
        uid = models.publish({"model.bin": content, "other.bin": os.urandom(MIB)})
        fs = self.mount(models)
        results = at_once(64, lambda _: fs.read(uid, "model.bin"))
        self.assertTrue(all(result == content for result in results))
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 1)
        self.assertEqual(fs.cached_bytes(uid), len(content))

    def test_64_readers_of_one_streamed_member(self):
        content = os.urandom(8 * MIB)
        models = self.repository()
        uid = models.publish({"model.bin": content})
        fs = self.mount(models, hold="1MiB")
        results = at_once(64, lambda _: fs.read(uid, "model.bin"))
        self.assertTrue(all(result == content for result in results))
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 1)

    def test_500_openers_of_a_cold_alias(self):
        content = b"hello\n" * 1000
        models = self.repository()
        models.publish({"readme.txt": content}, alias="prod")
        fs = self.mount(models)
        path = fs.point / "prod/current/readme.txt"
        results = at_once(500, lambda _: path.read_bytes())
        wrong = [result for result in results if result != content]
        self.assertEqual(wrong, [])
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 1)

    def test_as_many_openers_as_cold_models(self):
        models = self.repository()
        uids = [models.publish({"n.txt": f"{n}".encode()}, params={"n": n}, alias=f"m{n}")
                for n in range(COLD_MODELS)]
        fs = self.mount(models)
        results = at_once(COLD_MODELS,
                          lambda n: (fs.point / f"m{n}/current/n.txt").read_bytes())
        self.assertEqual(results, [f"{n}".encode() for n in range(COLD_MODELS)])
        self.assertEqual(len(set(uids)), COLD_MODELS)

    def test_readers_of_all_members_in_processes(self):
        files = {f"{n}.bin": os.urandom(50_000) for n in range(100)}
        models = self.repository()
        uid = models.publish(files)
        fs = self.mount(models, hold="16KiB")
        code = ("import pathlib, random, sys\n"
                "paths = sorted(pathlib.Path(sys.argv[1]).iterdir())\n"
                "random.Random(int(sys.argv[2])).shuffle(paths)\n"
                "print(sum(len(path.read_bytes()) for path in paths))\n")
        readers = [subprocess.Popen([sys.executable, "-c", code, str(fs.path(uid)), str(n)],
                                    stdout=subprocess.PIPE, text=True) for n in range(8)]
        for reader in readers:
            self.assertEqual(reader.communicate(timeout=120)[0], "5000000\n")
        for name, content in files.items():
            self.assertEqual(fs.read(uid, name), content)
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 100)


class Streams(MountTest):
    """A member larger than hold is handed out while it arrives."""

    size = 512 * MIB

    def write_archive_of_zeros(self, path):
        """Inflating it takes a while, storing it does not."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("big.bin", "w") as member:
                for _ in range(self.size // MIB):
                    member.write(bytes(MIB))

    def test_first_bytes_come_before_the_member_is_complete(self):
        models = self.repository()
        uid = models.publish({}, archive=self.write_archive_of_zeros)
        fs = self.mount(models, hold="1MiB")
        with open(fs.path(uid, "big.bin"), "rb", buffering=0) as file:
            first = file.read(4096)
            done = fs.metric("modelfs_members_complete_total")
            self.assertEqual(first, bytes(4096))
            self.assertEqual(done, 0, "complete already: nothing was streamed")
            size = len(first)
            while block := file.read(MIB):
                self.assertEqual(block.count(0), len(block))
                size += len(block)
        self.assertEqual(size, self.size)
        self.assertEqual(fs.metric("modelfs_members_complete_total"), 1)

    def test_damaged_member_never_reads_to_its_end(self):
        for hold in ("1MiB", "1GiB"):
            with self.subTest(hold=hold):
                self.check_damaged(hold)

    def check_damaged(self, hold):
        content = os.urandom(4 * MIB)
        models = self.repository(name=f"models-{hold}")

        def damaged(path):
            write_archive(path, {"bad.bin": content, "good.txt": b"good"},
                          zipfile.ZIP_STORED)
            with open(path, "r+b") as archive:
                archive.seek(3 * MIB)
                archive.write(b"!" if content[3 * MIB - 37:3 * MIB - 36] != b"!" else b"?")

        uid = models.publish({}, archive=damaged)
        fs = self.mount(models, name=f"mount-{hold}", cache=f"cache-{hold}", hold=hold)
        got = b""
        with self.assertRaises(OSError) as raised:
            with open(fs.path(uid, "bad.bin"), "rb", buffering=0) as file:
                while block := file.read(65536):
                    got += block
        self.assertEqual(raised.exception.errno, errno.EIO)
        self.assertLess(len(got), len(content))
        self.assertEqual(fs.read(uid, "good.txt"), b"good")
        self.assertIn("bad.bin", fs.info(uid, "errors"))
        self.assert_fails(errno.EIO, fs.read, uid, "bad.bin")


if __name__ == "__main__":
    unittest.main()
