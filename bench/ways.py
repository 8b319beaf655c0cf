"""ways: how a process comes to the files of a model. Each is a context that gives their
folder:

    with Mounted(models, models.mixed, work_folder) as folder:
        (folder / "small/0000.txt").read_bytes()

What is new in a context is cold: an empty cache, nothing downloaded.
"""

import contextlib
import functools
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/e2e"))
import mounted  # noqa: E402
from repository import split  # noqa: E402

MOUNT_SECONDS = 10


def fresh_base(folder):
    """A new folder for fresh ones. ext4 is told to put each of these where there is room:
    not where a bench before this one, or a test, removed many files."""
    base = pathlib.Path(tempfile.mkdtemp(prefix="bench-", dir=folder))
    with contextlib.suppress(FileNotFoundError):
        subprocess.run(["chattr", "+T", base], stderr=subprocess.DEVNULL, check=False)
    return base


@contextlib.contextmanager
def fresh(base):
    """A new folder. Its large files go at once, the small ones with base: ext4 is slow to
    make files for minutes after many were removed, which would count in what follows."""
    folder = pathlib.Path(tempfile.mkdtemp(dir=base))
    try:
        yield folder
    finally:
        for path in folder.rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size > 1 << 20:
                path.unlink()


@contextlib.contextmanager
def modelfs(models, base, options=()):
    """A running mount with an empty cache."""
    with fresh(base) as folder:
        config = folder / "config.yaml"
        config.write_text(
            f"repositories:\n- name: {models.repository.name}\n"
            f"  host: {models.repository.host}\n  backend: file-system\n"
            f"cache: {{root: {folder / 'cache'}}}\n")
        mount = mounted.Mount(folder, config, options, program=mounted.MODELFS)
        try:
            yield mount
        finally:
            mount.stop()


@contextlib.contextmanager
def through_modelfs(models, uid, base, options=()):
    with modelfs(models, base, options) as mount:
        yield mount.path(uid)


def without_passthrough(models, uid, base):
    return through_modelfs(models, uid, base, ("-o", "no_passthrough"))


@contextlib.contextmanager
def through_tool(command, models, uid, base):
    """Another file system that mounts an archive, in the foreground."""
    with fresh(base) as folder:
        point = folder / "mount"
        point.mkdir()
        process = subprocess.Popen([*command, str(models.archive(uid)), str(point)],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            end = time.monotonic() + MOUNT_SECONDS
            while not mounted.is_mounted(point) and time.monotonic() < end:
                time.sleep(0.001)
            yield point
        finally:
            subprocess.run(["fusermount3", "-u", str(point)], check=False)
            process.wait(MOUNT_SECONDS)


def tool(*command):
    return functools.partial(through_tool, command)


@contextlib.contextmanager
def by_download(models, uid, base):
    """What audmodel.load does: copy the archive, extract all of it, remove the copy."""
    with fresh(base) as folder:
        copy = folder / "model.zip"
        shutil.copyfile(models.archive(uid), copy)
        with zipfile.ZipFile(copy) as archive:
            archive.extractall(folder / "model")
        copy.unlink()
        yield folder / "model"


def by_unzip(models, uid, base):
    return unzipped(["unzip", "-q", str(models.archive(uid))], base)


@contextlib.contextmanager
def on_tmpfs(models, uid, base):
    """Plain files in single pages of 4 KiB. In such the kernel keeps the files of FUSE, too,
    where passthrough is not in use; those of ext4 lie in larger pieces."""
    del base
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder, \
            by_unzip(models, uid, folder) as files:
        yield files


@contextlib.contextmanager
def unzipped(command, base):
    with fresh(base) as folder:
        subprocess.run(command, cwd=folder, check=True)
        yield folder


# Title in tables, program that must be there, the way.
MODELFS = ("modelfs", None, through_modelfs)
OTHERS = [
    ("no passthrough", None, without_passthrough),
    ("tmpfs", None, on_tmpfs),
    ("fuse-zip", "fuse-zip", tool("fuse-zip", "-f", "-r")),
    ("mount-zip", "mount-zip", tool("mount-zip", "-f")),
    ("fuse-archive", "fuse-archive", tool("fuse-archive", "-f")),
]


def present():
    """modelfs, and those of the others that are installed."""
    return [MODELFS, *(way for way in OTHERS if not way[1] or shutil.which(way[1]))]


def resident_kib(pid):
    """RssAnon and RssShmem of a process and its children."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    total = 0
    for one in [pid, *children]:
        status = pathlib.Path(f"/proc/{one}/status").read_text()
        total += sum(int(kib) for kib in
                     re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+)", status, re.M))
    return total
