"""What audmodel published and what it says about it, through the mount.

Expected values come from expected.json alone, which audmodel's authors' program filled.
"""

import datetime
import json
import math
import os
import pathlib
import stat
import unittest

import yaml
from artifactory import OnArtifactory
from mounted import TOP, MountTest, sha256
from repository import split

SMALL = TOP / "tests/data/golden"
# The whole set stands beside the project where it was developed.
WHOLE = pathlib.Path(os.environ.get("MODELFS_GOLDEN", TOP.parent / "shared/golden"))


def value_of(node):
    """JSON to Python: what JSON lacks is {"$": type, "v": value}."""
    if isinstance(node, list):
        return [value_of(item) for item in node]
    if not isinstance(node, dict):
        return node
    if set(node) != {"$", "v"}:
        return {key: value_of(item) for key, item in node.items()}
    kind, value = node["$"], node["v"]
    if kind in ("date", "datetime"):
        return eval(value, {"datetime": datetime})  # a repr that audmodel printed
    if kind == "bytes":
        return bytes.fromhex(value)
    if kind == "dict":
        return {value_of(key): value_of(item) for key, item in value}
    if kind in ("tuple", "set"):
        return {"tuple": tuple, "set": set}[kind](value_of(item) for item in value)
    return {"int": int, "float": float}[kind](value)


def same(a, b):
    """Equal in type, value and order, NaN included."""
    if type(a) is not type(b):
        return False
    if isinstance(a, float):
        return math.isnan(b) if math.isnan(a) else repr(a) == repr(b)
    if isinstance(a, dict):
        return len(a) == len(b) and all(
            same(x, y) for pair in zip(a.items(), b.items()) for x, y in zip(*pair))
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b


def utc(text):
    time = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.timezone.utc)
    return int(time.timestamp())


class GoldenCase:
    """The same checks over each set of data."""

    data = None

    def setUp(self):
        super().setUp()
        self.expected = json.loads((self.data / "expected.json").read_text())
        self.models = self.expected["models"]
        self.fs = self.mount((self.data, self.expected["repository"]))

    def version_path(self, model):
        return self.fs.point / model["short_id"] / model["version"]

    def info(self, model, name):
        return self.fs.point.joinpath(
            "@info", model["short_id"], model["version"], name).read_text()

    def test_files(self):
        for model in self.models:
            with self.subTest(model["uid"]):
                self.check_tree(self.version_path(model), model)

    def check_tree(self, top, model):
        found = {}
        folders = set()
        for folder, names, files in os.walk(top):
            inside = os.path.relpath(folder, top)
            folders |= {os.path.normpath(os.path.join(inside, name)) for name in names}
            for name in files:
                found[os.path.normpath(os.path.join(inside, name))] = os.path.join(
                    folder, name)
        self.assertEqual(sorted(found), sorted(f["path"] for f in model["files"]))
        for file in model["files"]:
            self.check_file(found[file["path"]], file)
        wanted = {d.rstrip("/") for d in model["dirs"]}
        for file in model["files"]:
            wanted |= {str(p) for p in pathlib.PurePath(file["path"]).parents} - {"."}
        self.assertEqual(folders, wanted)
        date = utc(str(value_of(model["date"])))
        for folder in [".", *folders]:
            status = os.stat(top / folder)
            self.assertEqual(status.st_mode & 0o222, 0, folder)
            self.assertEqual(int(status.st_mtime), date, folder)

    def check_file(self, path, file):
        status = os.lstat(path)
        self.assertTrue(stat.S_ISREG(status.st_mode), path)
        self.assertEqual(status.st_size, file["size"], path)
        self.assertEqual(sha256(path), file["sha256"], path)
        self.assertEqual(int(status.st_mtime), utc(file["mtime"]), path)
        executable = int(file["mode"], 8) & 0o111
        self.assertEqual(status.st_mode & 0o777, 0o444 | executable, path)

    def test_versions_and_latest(self):
        lost = {}
        for model in self.expected["published_but_lost"]:
            lost.setdefault(model["uid"].split("-")[0], set()).add(model["version"])
        by_id = {}
        for model in self.models:
            by_id.setdefault(model["short_id"], []).append(model)
        for ident, models in by_id.items():
            with self.subTest(ident):
                folder = self.fs.point / ident
                names = os.listdir(folder)
                self.assertIn("latest", names)
                listed = {n for n in names if n != "latest"} - lost.get(ident, set())
                self.assertEqual(listed, {m["version"] for m in models})
                if models[0]["versions"] is not None:
                    self.assertEqual(listed, set(models[0]["versions"]))
                    self.assertEqual(os.readlink(folder / "latest"),
                                     models[0]["latest_of_short_id"])
                    self.check_versions_command(models[0])

    def check_versions_command(self, model):
        done = self.fs.command("versions", model["short_id"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.split(), model["versions"])
        done = self.fs.command("latest", model["short_id"])
        self.assertEqual(done.stdout.strip(), model["latest_of_short_id"])

    def test_lost_versions_are_listed(self):
        for model in self.expected["published_but_lost"]:
            ident = model["uid"].split("-")[0]
            self.assertIn(model["version"], os.listdir(self.fs.point / ident))
            self.assertTrue((self.fs.point / ident / model["version"]).is_dir())

    def test_aliases(self):
        by_id = {m["short_id"]: m for m in self.models}
        names = set(os.listdir(self.fs.point))
        for alias, uid in self.expected["aliases"].items():
            with self.subTest(alias):
                self.assertIn(alias, names)
                ident, version = split(uid)
                folder = self.fs.point / alias
                self.assertEqual(os.readlink(folder / "current"),
                                 f"../{ident}/{version}")
                self.assertTrue(os.path.samefile(folder / "current",
                                                 self.fs.point / ident / version))
                links = os.listdir(folder)
                self.assertIn("latest", links)
                for name in set(links) - {"current", "latest"}:
                    self.assertEqual(os.readlink(folder / name), f"../{ident}/{name}")
                if by_id[ident]["versions"] is not None:
                    self.assertEqual(set(links) - {"current", "latest"},
                                     set(by_id[ident]["versions"]))
                    latest = by_id[ident]["latest_of_short_id"]
                    self.assertEqual(os.readlink(folder / "latest"),
                                     f"../{ident}/{latest}")

    def test_root(self):
        names = set(os.listdir(self.fs.point))
        for name in ("@info", "@tree", "@status", "@metrics"):
            self.assertIn(name, names)
        idents = {m["short_id"] for m in self.models}
        lost = {m["uid"].split("-")[0] for m in self.expected["published_but_lost"]}
        plain = {name for name in names if not name.startswith("@")}
        self.assertEqual(plain, idents | lost | set(self.expected["aliases"]))

    def test_full_ids(self):
        for model in self.models:
            with self.subTest(model["uid"]):
                uid = f"{model['short_id']}-{model['version']}"
                path = self.fs.point / uid
                self.assertEqual(os.readlink(path),
                                 f"{model['short_id']}/{model['version']}")
                self.assertTrue(path.is_dir())
        names = os.listdir(self.fs.point)
        self.assertNotIn(f"{self.models[0]['short_id']}-1.0.0", names)

    def test_info(self):
        for model in self.models:
            with self.subTest(model["uid"]):
                self.check_info(model)

    def check_info(self, model):
        for name in ("name", "subgroup", "author", "date", "version"):
            self.assertEqual(self.info(model, name), f"{value_of(model[name])}\n", name)
        self.assertEqual(self.info(model, "uid"), f"{model['uid']}\n")
        parameters = yaml.unsafe_load(self.info(model, "parameters.yaml"))
        wanted = value_of(model["parameters"])
        self.assertTrue(same(parameters, wanted), f"{parameters!r} is not {wanted!r}")
        meta = yaml.unsafe_load(self.info(model, "meta.yaml"))
        wanted = value_of(model["meta"])
        self.assertTrue(same({} if meta is None else meta, wanted),
                        f"{meta!r} is not {wanted!r}")
        header = yaml.unsafe_load(self.info(model, "header.yaml"))
        self.assertTrue(same(header, yaml.unsafe_load(model["header_yaml"])), header)
        self.assertIn(model["paths"]["archive"].lstrip("/"), self.info(model, "url"))
        self.assertEqual(self.info(model, "aliases").splitlines(), model["aliases"])
        total = sum(file["size"] for file in model["files"])
        self.assertEqual(int(self.info(model, "total_bytes")), total)
        self.assertEqual(self.info(model, "errors"), "")
        for name in ("uid", "meta.yaml", "total_bytes"):
            path = self.fs.point.joinpath(
                "@info", model["short_id"], model["version"], name)
            self.assertEqual(path.stat().st_size, len(path.read_bytes()), name)

    def test_info_by_alias_and_latest(self):
        for alias, uid in self.expected["aliases"].items():
            current = self.fs.point / "@info" / alias / "current"
            ident, version = split(uid)
            wanted = ident if len(ident) == 36 else f"{ident}-{version}"
            self.assertEqual((current / "uid").read_text(), f"{wanted}\n")
            self.assertTrue((self.fs.point / "@info" / alias / "latest/uid").exists())

    def test_tree(self):
        for model in self.models:
            with self.subTest(model["uid"]):
                folder = pathlib.PurePath(model["paths"]["archive"]).parents[1]
                leaf = self.fs.point / "@tree" / str(folder).lstrip("/")
                self.assertTrue(leaf.is_symlink(), leaf)
                self.assertTrue(
                    os.path.samefile(leaf, self.fs.point / model["short_id"]), leaf)
                self.assertIn(leaf.name, os.listdir(leaf.parent))
                self.assertIn(leaf.parent.name, os.listdir(leaf.parent.parent))

    def test_everything_is_cached_as_audmodel_has_it(self):
        """Reading all files completes the models, at audmodel's own paths."""
        for model in self.models:
            if not model["files"]:
                continue
            with self.subTest(model["uid"]):
                done = self.fs.command("load", model["uid"])
                self.assertEqual(done.returncode, 0, done.stderr)
                folder = self.fs.cache / model["short_id"] / model["version"]
                self.assertEqual(done.stdout.strip(), str(folder))
                for file in model["files"]:
                    self.assertEqual(sha256(folder / file["path"]), file["sha256"])
                header = folder.with_name(f"{model['version']}.header.yaml")
                self.assertEqual(header.read_text(), model["header_yaml"])


class Small(GoldenCase, MountTest):
    data = SMALL


class SmallOnArtifactory(OnArtifactory, Small):
    pass


if WHOLE.is_dir():
    class Whole(GoldenCase, MountTest):
        data = WHOLE

    class WholeOnArtifactory(OnArtifactory, Whole):
        pass


if __name__ == "__main__":
    unittest.main()
