"""peer: what audmodel does in the cache folder, for tests of living side by side.

Written from what was observed of audmodel 1.4.1; its locks are filelock's, as there.
"""

import os
import pathlib
import shutil
import zipfile

import filelock


class Peer:
    def __init__(self, root):
        self.root = pathlib.Path(root)

    def folder(self, ident, version):
        return self.root / ident / version

    def lock(self, ident, version, timeout=0):
        """The lock that load() holds; raises filelock.Timeout."""
        path = self.root / ident / f".{version}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        return filelock.FileLock(str(path), timeout=timeout)

    def needs_download(self, ident, version):
        """load() takes a folder that is there and not empty as it is."""
        folder = self.folder(ident, version)
        return not folder.is_dir() or not os.listdir(folder)

    def load(self, repository, ident, version, name="onnx", subgroup="test"):
        """Returns the folder and how many archives were fetched for it."""
        folder = self.folder(ident, version)
        with self.lock(ident, version, timeout=60):
            if not self.needs_download(ident, version):
                return folder, 0
            header = self.root / ident / f"{version}.header.yaml"
            shutil.copyfile(repository.header_path(ident, version), header)
            partial = folder.with_name(f"{version}~")
            partial.mkdir(exist_ok=True)
            fetched = partial / "model.zip"
            shutil.copyfile(
                repository.archive_path(ident, version, name, subgroup), fetched)
            with zipfile.ZipFile(fetched) as archive:
                archive.extractall(partial)
            fetched.unlink()
            if folder.exists():
                folder.rmdir()
            partial.rename(folder)
            return folder, 1
