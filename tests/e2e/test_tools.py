"""The tools that people use see a version folder as a plain read-only folder."""

import mmap
import os
import pathlib
import shutil
import subprocess
import sys
import unittest
import zipfile

from mounted import TOP, MountTest, files_below, sha256
from repository import onnx_model, write_archive

NODE_MODULES = TOP / "build/onnx/node_modules"
X = [1.0, 2.0, 3.0, 4.0]
Y = [3.0, 6.0, 9.0, 12.0]

PYTHON_SESSION = """
import numpy, onnxruntime, sys
session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
x = numpy.array([1, 2, 3, 4], dtype=numpy.float32)
print(*session.run(None, {"x": x})[0])
"""

NODE_SESSION = """
const onnx = require("onnxruntime-node");
(async () => {
    const session = await onnx.InferenceSession.create(process.argv[1]);
    const x = new onnx.Tensor("float32", [1, 2, 3, 4], [4]);
    console.log((await session.run({x})).y.data.join(" "));
})();
"""


def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          check=True, timeout=60, **options).stdout


class Tools(MountTest):
    """The mount beside a plain folder with the same files."""

    files = {
        "model.onnx": onnx_model(3.0),
        "model.yaml": b"a: 1\n",
        "empty": b"",
        "run.sh": (b"#!/bin/sh\necho run\n", 0o755),
        "log/eval.yaml": b"uar: 0.7\n",
        "log/deep/er/random.bin": os.urandom(3_000_000),
        "name with blank \u00fc\u4e2d.txt": "\u00fc\n".encode(),
        **{f"many/{n:04}": f"{n}\n".encode() for n in range(300)},
    }

    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish(self.files)
        self.plain = self.folder / "plain"
        # unzip by another program: times of the archive are UTC for modelfs.
        archive = models.archive_path(*self.uid.split("-"), "onnx", "test")
        with zipfile.ZipFile(archive) as opened:
            for member in opened.infolist():
                path = pathlib.Path(opened.extract(member, self.plain))
                executable = member.external_attr >> 16 & 0o111
                path.chmod(0o555 if executable else 0o444)
        self.fs = self.mount(models)
        self.model = self.fs.path(self.uid)

    def assert_same_tree(self, copy):
        self.assertEqual(files_below(copy), files_below(self.plain))
        for name in files_below(self.plain):
            self.assertEqual(sha256(copy / name), sha256(self.plain / name), name)

    def test_ls(self):
        for options in (["-R"], ["-aR"], ["-1U"]):
            listed = run("ls", *options, ".", cwd=self.model).splitlines()
            plain = run("ls", *options, ".", cwd=self.plain).splitlines()
            self.assertEqual(sorted(listed), sorted(plain), options)
        long = run("ls", "-lR", ".", cwd=self.model)
        self.assertIn("-r-xr-xr-x", long)
        self.assertNotIn("w", "".join(line[:10] for line in long.splitlines()
                                      if line[:1] in "-d"))

    def test_find(self):
        for tests in (["-type", "f"], ["-type", "d"], ["-size", "+1000"], ["-empty"],
                      ["-name", "*.yaml"], ["-perm", "-100", "-type", "f"]):
            self.assertEqual(sorted(run("find", ".", *tests, cwd=self.model).split("\n")),
                             sorted(run("find", ".", *tests, cwd=self.plain).split("\n")),
                             tests)

    def test_cp(self):
        run("cp", "-r", self.model, self.folder / "copy")
        self.assert_same_tree(self.folder / "copy")
        run("cp", "-a", self.model, self.folder / "archive-copy")
        self.assert_same_tree(self.folder / "archive-copy")
        self.assertEqual(os.stat(self.folder / "archive-copy/run.sh").st_mtime,
                         os.stat(self.model / "run.sh").st_mtime)

    def test_tar(self):
        run("tar", "-cf", self.folder / "model.tar", "-C", self.model, ".")
        (self.folder / "untarred").mkdir()
        run("tar", "-xf", self.folder / "model.tar", "-C", self.folder / "untarred")
        self.assert_same_tree(self.folder / "untarred")

    def test_rsync(self):
        target = self.folder / "synced"
        run("rsync", "-a", f"{self.model}/", target)
        self.assert_same_tree(target)
        again = run("rsync", "-a", "--itemize-changes", f"{self.model}/", target)
        self.assertEqual(again, "", "nothing changed, so nothing is sent again")

    def test_md5sum(self):
        names = files_below(self.plain)
        self.assertEqual(run("md5sum", *names, cwd=self.model),
                         run("md5sum", *names, cwd=self.plain))

    def test_diff(self):
        self.assertEqual(run("diff", "-r", self.model, self.plain), "")

    def test_shutil(self):
        shutil.copytree(self.model, self.folder / "copied")
        self.assert_same_tree(self.folder / "copied")

    def test_python_open(self):
        code = "import sys; print(len(open(sys.argv[1], 'rb').read()))"
        self.assertEqual(
            run(sys.executable, "-c", code, self.model / "log/deep/er/random.bin"),
            "3000000\n")

    def test_execute(self):
        self.assertEqual(run("/bin/sh", self.model / "run.sh"), "run\n")

    def test_reads_at_all_offsets(self):
        name = "log/deep/er/random.bin"
        content = self.files[name]
        fd = os.open(self.model / name, os.O_RDONLY)
        try:
            for offset in (0, 1, 4095, 4096, 131071, 1_000_000, 2_999_999, 3_000_000, 1 << 40):
                for size in (1, 4096, 200_000):
                    self.assertEqual(os.pread(fd, size, offset),
                                     content[offset:offset + size], (offset, size))
        finally:
            os.close(fd)

    def test_mmap(self):
        name = "log/deep/er/random.bin"
        for flags in (mmap.MAP_SHARED, mmap.MAP_PRIVATE):
            with open(self.model / name, "rb") as file:
                with mmap.mmap(file.fileno(), 0, flags=flags, prot=mmap.PROT_READ) as map_:
                    self.assertEqual(map_[:], self.files[name])

    def test_mmap_private_write(self):
        with open(self.model / "model.yaml", "rb") as file:
            with mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE,
                           prot=mmap.PROT_READ | mmap.PROT_WRITE) as map_:
                map_[0:1] = b"b"
                self.assertEqual(map_[:], b"b: 1\n")
        self.assertEqual((self.model / "model.yaml").read_bytes(), b"a: 1\n")

    def test_handles_outlive_each_other(self):
        name = "log/deep/er/random.bin"
        with open(self.model / name, "rb") as first, open(self.model / name, "rb") as second:
            first.read(100)
            with mmap.mmap(second.fileno(), 0, prot=mmap.PROT_READ) as map_:
                with open(self.model / name, "rb") as third:
                    self.assertEqual(third.read(), self.files[name])
                self.assertEqual(map_[-10:], self.files[name][-10:])
            self.assertEqual(first.read(), self.files[name][100:])

    def test_stable_inode_numbers(self):
        def numbers():
            return {name: os.stat(self.fs.path(self.uid, name)).st_ino
                    for name in files_below(self.plain)}

        before = numbers()
        self.assertEqual(len(set(before.values())), len(before))
        self.fs.read(self.uid, "model.yaml")
        self.fs.stop()
        self.fs = self.mount_config(self.folder / "first.yaml", name="second")
        self.assertEqual(numbers(), before)

    def test_onnx_runtime_session(self):
        model = self.model / "model.onnx"
        if self.has_python_runtime():
            out = run(sys.executable, "-c", PYTHON_SESSION, model)
        elif shutil.which("node") and NODE_MODULES.is_dir():
            out = run("node", "-e", NODE_SESSION, model,
                      env={**os.environ, "NODE_PATH": str(NODE_MODULES)})
        else:
            self.skipTest("no ONNX runtime; scripts/install-onnx-runtime installs one")
        self.assertEqual([float(y) for y in out.split()], Y)

    def has_python_runtime(self):
        return subprocess.run([sys.executable, "-c", "import onnxruntime"],
                              capture_output=True, check=False).returncode == 0


class StoredMembers(MountTest):
    """Large stored members stream; small ones arrive whole. Neither may differ."""

    def test_all_sizes(self):
        files = {f"{size}.bin": os.urandom(size)
                 for size in (0, 1, 4095, 4096, 4097, 131072, 1 << 20, (1 << 20) + 1)}
        models = self.repository()
        for number, method in enumerate((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)):
            uid = models.publish({}, version=f"{number}.0.0", archive=lambda path, m=method:
                                 write_archive(path, files, m))
            fs = self.mount(models, name=f"mount{number}", cache=f"cache{number}",
                            hold="64KiB")
            for name, content in files.items():
                self.assertEqual(fs.read(uid, name), content, name)
            for name, content in files.items():
                self.assertEqual(fs.read(uid, name), content, name)


if __name__ == "__main__":
    unittest.main()
