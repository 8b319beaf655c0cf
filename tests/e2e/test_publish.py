"""Publishing by command: what is written, what is refused, who wins, what a kill leaves.

Everything is read back with PyYAML and Python's zipfile, and compared with what audmodel
wrote (expected.json) or would write (repository.py).
"""

import concurrent.futures
import datetime
import hashlib
import json
import os
import random
import subprocess
import time
import unittest
import zipfile

import yaml
from artifactory import OnArtifactory
from mounted import MODELFS, MINUTE, MountTest, modelfs
from repository import dump, short_id
from test_golden import SMALL, WHOLE, utc

PUBLISHERS = 20
KILLS = int(os.environ.get("MODELFS_KILLS", "30"))
MOVES = 100


def names_below(folder):
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*"))


def members(path):
    """path -> (bytes, mode, time) of an archive that unzips without complaint."""
    with path.open("rb") as file, zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        return {
            info.filename: (archive.read(info), info.external_attr >> 16, info.date_time)
            for info in archive.infolist()}


class PublishTest(MountTest):
    leaves_folders = False  # that got empty
    kills = KILLS

    def setUp(self):
        super().setUp()
        self.repo = self.repository()
        self.conf = self.config(self.repo)

    def settle(self):
        """Returns when nothing comes any more of programs that were killed."""

    def names(self):
        return [name for name in names_below(self.repo.folder)
                if not self.leaves_folders or (self.repo.folder / name).is_file()]

    def make_folder(self, files, name="root"):
        folder = self.folder / name
        for path, content in files.items():
            path = folder / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder

    def run_modelfs(self, *arguments, **options):
        return modelfs(*arguments, config=self.conf, **options)

    def succeed(self, *arguments, **options):
        done = self.run_modelfs(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def publish(self, folder, *arguments, name="onnx", version="1.0.0"):
        return self.succeed("publish", "--name", name, "--version", version, *arguments,
                            folder).strip()

    def assert_refused(self, *arguments, words=(), status=1):
        before = self.names()
        done = self.run_modelfs("publish", *arguments)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assert_sentence(done.stderr, *words)
        self.assertEqual(self.names(), before)


class GoldenPublish:
    """The golden models published anew into an empty repository."""

    data = None

    def setUp(self):
        super().setUp()
        self.expected = json.loads((self.data / "expected.json").read_text())
        self.models = [m for m in self.expected["models"] if len(m["short_id"]) == 8]

    def unpack(self, model):
        """The folder that audmodel packed."""
        folder = self.folder / model["uid"]
        folder.mkdir()
        golden = self.data / self.expected["repository"]
        with zipfile.ZipFile(golden / model["paths"]["archive"][1:]) as archive:
            for entry in model["files"]:
                path = folder / entry["path"]
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(entry["path"]))
                os.utime(path, (utc(entry["mtime"]),) * 2)
                path.chmod(int(entry["mode"], 8))
        return folder

    def arguments(self, model):
        header = yaml.unsafe_load(model["header_yaml"])
        texts = self.folder / f"{model['uid']}.params", self.folder / f"{model['uid']}.meta"
        texts[0].write_text(dump(header["parameters"]))
        texts[1].write_text(model["meta_yaml"])
        row = ["publish", "--name", model["name"], "--version", model["version"],
               "--subgroup", model["subgroup"], "--author", model["author"],
               "--date", model["date"], "--params", f"@{texts[0]}"]
        if not model["meta_yaml"].startswith("null\n"):
            row += ["--meta", f"@{texts[1]}"]
        return row

    def check(self, model):
        def text(kind):
            return (self.repo.folder / model["paths"][kind][1:]).read_text()

        self.assertEqual(text("header"), model["header_yaml"])
        self.assertEqual(text("meta"), model["meta_yaml"])
        found = members(self.repo.folder / model["paths"]["archive"][1:])
        self.assertEqual(sorted(found), sorted(e["path"] for e in model["files"]))
        for entry in model["files"]:
            content, mode, date = found[entry["path"]]
            self.assertEqual(
                (len(content), hashlib.sha256(content).hexdigest(), mode),
                (entry["size"], entry["sha256"], 0o100000 | int(entry["mode"], 8)))
            self.assertEqual(str(datetime.datetime(*date)), entry["mtime"])

    def publish(self, model):
        return self.succeed(*self.arguments(model), self.unpack(model))

    def test_models(self):
        # Some at once: where there are no conditional writes each takes its time.
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            said = list(pool.map(self.publish, self.models))
        for model, uid in zip(self.models, said):
            with self.subTest(model["uid"]):
                self.assertEqual(uid, model["uid"] + "\n")
                self.check(model)
        self.assertEqual(
            sorted(p for p in names_below(self.repo.folder) if "claim" in p), [])
        self.set_aliases()

    def set_aliases(self):
        known = {model["uid"] for model in self.models}
        aliases = {a: uid for a, uid in self.expected["aliases"].items() if uid in known}
        for alias, uid in aliases.items():
            self.succeed("alias", "set", "--", alias, uid)
        for alias, uid in aliases.items():
            self.assertEqual(self.repo.alias_path(alias).read_text(), dump({"uid": uid}))
        for uid in set(aliases.values()):
            names = sorted(alias for alias in aliases if aliases[alias] == uid)
            self.assertEqual(self.repo.list_path(uid).read_text(),
                             dump({"aliases": names}))

    def test_ids_again(self):
        """What was published anew is refused a second time."""
        model = self.models[0]
        folder = self.unpack(model)
        self.assertEqual(self.succeed(*self.arguments(model), folder).strip(),
                         model["uid"])
        self.assert_refused(*self.arguments(model)[1:], folder,
                            words=[model["uid"], "exists already"])

    def test_refused(self):
        folder = self.make_folder({"a.txt": b"a"})
        (folder.parent / "dangling").mkdir()
        (folder.parent / "dangling/link").symlink_to("nowhere")
        odd = self.make_folder({"b.txt": b"b"}, name="odd")
        (odd / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"x")
        for case in self.expected.get("refused", []):
            # Python objects have no YAML; times are clamped with a warning.
            if "object" in case["what"] or case["what"] in (
                    "same ID again", "file time before 1980"):
                continue
            row = ["--name", case["name"], "--version", case["version"]]
            row += ["--subgroup", case["subgroup"]] if case["subgroup"] else []
            row += [f"--alias={case['alias']}"] if case["alias"] else []
            if case["what"] == "keys of several types":
                row += ["--params", "{1: a, b: c}"]
            path = {"no folder": self.folder / "none", "dangling link":
                    folder.parent / "dangling", "file name that is not UTF-8": odd,
                    }.get(case["what"], folder)
            with self.subTest(case["what"], alias=case["alias"]):
                self.assert_refused(*row, path)
        for lost in self.expected["published_but_lost"]:
            with self.subTest(lost["version"]):
                self.assert_refused("--name", "m", "--version", lost["version"], folder,
                                    words=[lost["version"]])


class SmallGoldenPublish(GoldenPublish, PublishTest):
    data = SMALL


@unittest.skipUnless((WHOLE / "expected.json").exists(), f"{WHOLE} is not there")
class WholeGoldenPublish(GoldenPublish, PublishTest):
    data = WHOLE


class SmallGoldenPublishOnArtifactory(OnArtifactory, SmallGoldenPublish):
    pass


class WholeGoldenPublishOnArtifactory(OnArtifactory, WholeGoldenPublish):
    test_refused = None         # of these no repository hears


class Publish(PublishTest):
    FILES = {"model.onnx": bytes(range(256)) * 40, "log/eval.yaml": b"acc: 1\n"}

    def check_complete(self, uid, files, name="onnx"):
        ident, version = uid.split("-", 1)
        found = members(self.repo.archive_path(ident, version, name))
        self.assertEqual({path: row[0] for path, row in found.items()}, files)
        header = yaml.safe_load(self.repo.header_path(ident, version).read_text())
        self.assertEqual((header["name"], header["version"]), (name, version))
        self.assertTrue(self.repo.meta_path(ident, version).exists())

    def test_defaults_and_output(self):
        env = {"LOGNAME": "sphinx"}
        done = self.run_modelfs("publish", "--name", "onnx", "--version", "1.0.0", "--json",
                                self.make_folder(self.FILES), env=env)
        uid = short_id("onnx", {}) + "-1.0.0"
        self.assertEqual(done.stderr, "")
        self.assertIn(uid, done.stdout)
        self.check_complete(uid, self.FILES)
        header = yaml.safe_load(self.repo.header_path(*uid.split("-")).read_text())
        self.assertEqual(header["author"], "sphinx")
        self.assertIsInstance(header["date"], datetime.date)
        self.assertEqual(self.repo.meta_path(*uid.split("-")).read_text(), "null\n...\n")

    def test_wrong_usage(self):
        for row in ([], ["--name", "a", self.folder], ["--version", "1", self.folder],
                    ["--name", "a", "--version", "1.0.0"],
                    ["--name", "a", "--version", "1.0.0", "a", "b"]):
            with self.subTest(row):
                self.assert_refused(*row, status=2)

    def test_bad_yaml_names_line_and_column(self):
        self.assert_refused("--name", "a", "--version", "1.0.0", "--params", "{a: [}",
                            self.make_folder(self.FILES), words=["params", "line 1"])

    def test_repository_is_chosen_and_all_are_asked(self):
        second = self.repository("second")
        self.conf = self.config(self.repo, second)
        folder = self.make_folder(self.FILES)
        uid = self.publish(folder, "--repository", "second")
        self.assertTrue(second.header_path(*uid.split("-")).exists())
        self.assertEqual(names_below(self.repo.folder), [])
        self.assert_refused("--name", "onnx", "--version", "1.0.0", folder,
                            words=["exists already"])
        self.assert_refused("--name", "b", "--version", "1.0.0", "--repository", "third",
                            folder, words=["third"])

    def test_alias_of_another_model_moves(self):
        folder = self.make_folder(self.FILES)
        first = self.publish(folder, "--alias", "small")
        second = self.publish(folder, "--alias", "small", version="2.0.0")
        self.assertEqual(self.repo.aliases_of(first), [])
        self.assertEqual(self.repo.aliases_of(second), ["small"])
        self.assertEqual(self.succeed("resolve", "small").strip(), second)

    def test_failure_leaves_other_models_alone(self):
        folder = self.make_folder(self.FILES)
        first = self.publish(folder, "--alias", "small")
        before = self.names()
        (folder / "link").symlink_to("nowhere")
        self.assert_refused("--name", "other", "--version", "1.0.0", "--alias", "small",
                            folder, words=["link"])
        self.assertEqual(self.names(), before)
        self.assertEqual(self.succeed("resolve", "small").strip(), first)

    def test_what_has_no_header_is_no_model(self):
        """Somebody is at work on it, or failed at it long ago."""
        self.publish(self.make_folder(self.FILES))
        claim = self.repo.path("_uid", "00000000", "1.0.0", ".claim.yaml")
        claim.parent.mkdir(parents=True)
        claim.write_text("owner: 'x on y'\n")
        self.assertEqual(self.run_modelfs("exists", "00000000").stdout, "false\n")
        self.assertNotIn("00000000", self.succeed("ls", "-l"))

    def test_one_of_many_publishers_wins(self):
        folders = [self.make_folder({"who.txt": str(i).encode() * 100000}, f"root{i}")
                   for i in range(PUBLISHERS)]
        started = [
            subprocess.Popen(
                [MODELFS, "publish", "-c", str(self.conf), "--name", "onnx", "--version",
                 "1.0.0", str(folder)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True)
            for folder in folders]
        outputs = [process.communicate(timeout=MINUTE) for process in started]
        won = [i for i, process in enumerate(started) if process.returncode == 0]
        self.assertEqual(len(won), 1, outputs)
        uid = outputs[won[0]][0].strip()
        for i, (out, err) in enumerate(outputs):
            if i != won[0]:
                self.assertEqual(out, "")
                self.assertRegex(err, "exists already|being published|another")
        self.check_complete(uid, {"who.txt": str(won[0]).encode() * 100000})
        self.assertFalse([p for p in names_below(self.repo.folder)
                          if "claim" in p or ".modelfs" in p])

    def test_kills_leave_the_model_invisible_or_complete(self):
        random.seed(1)
        files = {f"{i}.bin": random.randbytes(200000) for i in range(10)}
        folder = self.make_folder(files)
        begun = time.monotonic()
        self.publish(folder, version="0.0.1")
        whole = time.monotonic() - begun
        for i in range(self.kills):
            version = f"1.{i}.0"
            row = ["--name", "onnx", "--version", version, str(folder)]
            process = subprocess.Popen(
                [MODELFS, "publish", "-c", str(self.conf), *row],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL)
            time.sleep(random.random() * whole * 1.1)
            process.kill()
            process.wait()
            self.settle()
            uid = f"{short_id('onnx', {})}-{version}"
            header = self.repo.header_path(*uid.split("-", 1))
            visible = header.exists()
            if visible:
                self.check_complete(uid, files)
            # The claim goes last.
            was_done = visible and not list(header.parent.glob(f"{uid}.claim*"))
            done = self.run_modelfs("publish", *row)
            self.assertEqual(done.returncode, 1 if was_done else 0, done.stderr)
            self.check_complete(uid, files)
        self.assertFalse([p for p in names_below(self.repo.folder)
                          if "claim" in p or ".modelfs" in p])


class PublishOnArtifactory(OnArtifactory, Publish):
    pass


class Aliases(PublishTest):
    def test_moved_by_both_in_turn(self):
        uids = [self.repo.publish({"a": b"a"}, version=f"{i}.0.0") for i in range(4)]
        aliases = ["one", "two", "three"]
        named = {}
        random.seed(2)
        for i in range(MOVES):
            alias, uid = random.choice(aliases), random.choice(uids)
            if i % 2:
                self.repo.set_alias(alias, uid)
            else:
                self.succeed("alias", "set", alias, uid)
            named[alias] = uid
            for alias, uid in named.items():
                self.assertEqual(self.repo.alias_path(alias).read_text(),
                                 dump({"uid": uid}))
            for uid in uids:
                names = sorted(a for a in named if named[a] == uid)
                if names or self.repo.list_path(uid).exists():
                    self.assertEqual(self.repo.list_path(uid).read_text(),
                                     dump({"aliases": names}))

    def test_stale_lists_are_healed(self):
        """audmodel.publish(alias=...) leaves the alias in the old model's list."""
        first = self.repo.publish({"a": b"a"}, alias="small")
        second = self.repo.publish({"a": b"a"}, version="2.0.0", alias="small")
        self.assertEqual(self.repo.aliases_of(first), ["small"])
        self.succeed("alias", "set", "other", first)
        self.assertEqual(self.repo.aliases_of(first), ["other"])
        self.assertEqual(self.repo.aliases_of(second), ["small"])

    def test_each_list_in_its_repository(self):
        second = self.repository("second")
        self.conf = self.config(self.repo, second)
        here = self.repo.publish({"a": b"a"}, alias="small")
        there = second.publish({"a": b"a"}, version="2.0.0")
        self.succeed("alias", "set", "small", there)
        self.assertEqual(self.succeed("resolve", "small").strip(), there)
        self.assertEqual(self.repo.aliases_of(here), [])
        self.assertEqual(second.aliases_of(there), ["small"])
        self.assertFalse(self.repo.list_path(there).exists())
        self.assertFalse(second.list_path(here).exists())
        self.assertFalse(self.repo.alias_path("small").exists())
        self.succeed("alias", "set", "small", here)
        self.assertEqual(self.succeed("resolve", "small").strip(), here)
        self.assertEqual(second.aliases_of(there), [])

    def test_removed(self):
        uid = self.repo.publish({"a": b"a"}, alias="small")
        self.succeed("alias", "rm", "small")
        self.assertFalse(self.repo.alias_path("small").exists())
        self.assertEqual(self.repo.list_path(uid).read_text(), "aliases: []\n")
        self.assertEqual(self.run_modelfs("resolve", "small").returncode, 1)
        again = self.run_modelfs("alias", "rm", "small")
        self.assertEqual(again.returncode, 1)
        self.assertEqual(again.stderr, "modelfs: no alias 'small'\n")

    def test_refused(self):
        uid = self.repo.publish({"a": b"a"})
        before = names_below(self.repo.folder)
        for alias, target, word in (
                ("deadbeef", uid, "not an allowed"), ("..", uid, "not an allowed"),
                ("a b", uid, "not an allowed"), ("a/b", uid, "not an allowed"),
                ("good", "00000000", "no model"), ("good", "good", "no model or alias"),
                ("good", uid[:8] + "-9.0.0", "no model")):
            with self.subTest(alias, target=target):
                done = self.run_modelfs("alias", "set", alias, target)
                self.assertEqual(done.returncode, 1)
                self.assert_sentence(done.stderr, word)
        self.assertEqual(names_below(self.repo.folder), before)


class Metadata(PublishTest):
    BASE = {"a": {"x": 1, "y": [1, 2]}, "t": (1, 2), "f": 1.0, "d": datetime.date(2024, 1, 2),
            "b": b"\0\1", "s": "1.0", 1: "one"}

    def text(self, uid):
        return self.repo.meta_path(*uid.split("-")).read_text()

    def test_merge(self):
        uid = self.repo.publish({"a": b"a"}, meta=self.BASE)
        self.succeed("meta", uid, "{a: {y: 3, z: {q: 1e+5}}, n: null, f: 2}")
        wanted = dict(self.BASE)
        wanted["a"] = {"x": 1, "y": 3, "z": {"q": "1e+5"}}
        wanted.update({"f": 2, "n": None})
        self.assertEqual(self.text(uid), dump(wanted))

    def test_merge_into_nothing(self):
        uid = self.repo.publish({"a": b"a"})
        self.succeed("meta", uid, "a: 1")
        self.assertEqual(self.text(uid), "a: 1\n")

    def test_replace(self):
        uid = self.repo.publish({"a": b"a"}, meta=self.BASE)
        file = self.folder / "meta.yaml"
        file.write_text("# a comment\nnew: [1, 2]\n")
        self.succeed("meta", "--replace", uid, f"@{file}")
        self.assertEqual(self.text(uid), "new:\n- 1\n- 2\n")
        self.succeed("meta", "--replace", uid, "{}")
        self.assertEqual(self.text(uid), "{}\n")

    def test_refused(self):
        uid = self.repo.publish({"a": b"a"}, meta=self.BASE)
        for given, word in (("[1, 2]", "mapping"), ("{a: [}", "line 1"), ("a", "mapping"),
                            ("@none", "none"), ("a: 1\n---\nb: 2\n", "line")):
            with self.subTest(given):
                done = self.run_modelfs("meta", uid, given)
                self.assertEqual(done.returncode, 1)
                self.assert_sentence(done.stderr, word)
                self.assertEqual(self.text(uid), dump(self.BASE))
        self.assertEqual(self.run_modelfs("meta", "00000000-1.0.0", "a: 1").returncode, 1)


if __name__ == "__main__":
    unittest.main()
