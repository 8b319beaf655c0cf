"""The commands: what they print, as text and as JSON, and their exit statuses."""

import json
import os
import pathlib
import shutil
import subprocess
import unittest

import yaml
from mounted import MINUTE, MODELFS, TOP, MountTest, is_mounted, modelfs, unmount_lazily
from repository import legacy_id, short_id

COMMANDS = ("mount", "unmount", "load", "ls", "info", "versions", "latest", "exists",
            "aliases", "resolve", "uid", "doctor", "cache", "publish", "alias", "meta")
PARAMS = {"model": "cnn10", "data": ["emodb", "msppodcast"], "feature": "melspec",
          "sampling_rate": 16000}


class WithoutRepository(MountTest):
    def test_help(self):
        done = modelfs("-h")
        self.assertEqual(done.returncode, 0)
        for command in COMMANDS:
            with self.subTest(command):
                self.assertIn(command, done.stdout)
                own = modelfs(command, "-h")
                self.assertEqual(own.returncode, 0, own.stderr)
                self.assertIn(command, own.stdout)
                self.assertEqual(own.stderr, "")

    def test_wrong_usage(self):
        for arguments in ([], ["frobnicate"], ["mount"], ["mount", "a", "b"], ["load"],
                          ["info"], ["ls", "--frobnicate"], ["versions"], ["resolve"],
                          ["uid"], ["cache"], ["cache", "frobnicate"], ["unmount"]):
            with self.subTest(arguments):
                done = modelfs(*arguments)
                self.assertEqual(done.returncode, 2, done.stdout)
                self.assertEqual(done.stdout, "")
                self.assertNotEqual(done.stderr, "")

    def test_names_what_is_wrong_or_missing(self):
        for arguments, words in (
                (["publish", "--name", "n", "--version", "1.0.0"], "DIR is missing\n"),
                (["alias"], "'set' or 'rm' is missing\n"),
                (["alias", "set", "a"], "set takes an alias and a model\n"),
                (["cache"], "'status', 'verify' or 'clean' is missing\n"),
                (["ls", "--frobnicate"], "'--frobnicate' is no option here\n"),
                (["ls", "--jsno"], "'--jsno' is no option here; did you mean '--json'?\n"),
                (["ls", "-xl"], "'-x' is no option here\n"),
                (["ls", "--json=x"], "'--json=x' takes no argument\n"),
                (["ls", "-c"], "'-c' lacks its argument\n"),
                (["uid", "--name"], "'--name' lacks its argument\n")):
            with self.subTest(arguments):
                done = modelfs(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertTrue(done.stderr.startswith(f"modelfs: {arguments[0]}: {words}"),
                                done.stderr)

    def test_configuration_before_the_command(self):
        empty = self.repository()
        config = self.config(empty)
        for option in (["-c", config], [f"-c{config}"], ["--config", config],
                       [f"--config={config}"]):
            with self.subTest(option):
                done = modelfs(*option, "doctor", env={"MODELFS_CONFIG": "/nowhere"})
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn(str(config), done.stdout)
        self.assertEqual(modelfs("-c", config, "-h").stdout, modelfs("-h").stdout)
        for arguments, words in ((["-c"], "the file is missing after '-c'"),
                                 (["-c", config], f"the command is missing after '{config}'"),
                                 (["--json", "ls"], "'--json' stands where the command")):
            with self.subTest(arguments):
                done = modelfs(*arguments)
                self.assertEqual((done.returncode, done.stdout), (2, ""))
                self.assertIn(words, done.stderr)

    def test_help_of_help(self):
        self.assertEqual(modelfs("help", "-h").stdout, modelfs("-h").stdout)

    def test_arguments_that_make_no_sense(self):
        """One sentence each, on stderr, and exit status 1: what was asked for is clear."""
        config = self.config(self.repository())
        (self.folder / "dir").mkdir()
        uid = ["uid", "--name", "n"]
        for arguments, sentence in (
                (["uid", "--name", ""], "the name must not be empty"),
                ([*uid, "--version", ""], "'' cannot be a version"),
                ([*uid, "--version", "a/b"], "'a/b' cannot be a version"),
                ([*uid, "--params", ""],
                 "--params: the argument is empty; an empty mapping is '{}'"),
                ([*uid, "--params", "@"], "--params: the file is missing after '@'"),
                ([*uid, "--params", "@/nowhere"],
                 "--params: open '/nowhere': No such file or directory"),
                ([*uid, "--params", f"@{self.folder}/dir"],
                 f"--params: '{self.folder}/dir': read: Is a directory"),
                (["meta", "--replace", "00000000", ""],
                 "metadata: the argument is empty; an empty mapping is '{}'"),
                (["mount", ""], "the mount point is empty: name a folder")):
            with self.subTest(arguments):
                done = modelfs(*arguments, config=config)
                self.assertEqual((done.returncode, done.stdout, done.stderr),
                                 (1, "", f"modelfs: {sentence}\n"))

    def test_one_sentence_for_names_of_aliases(self):
        config = self.config(self.repository())
        (self.folder / "dir").mkdir()
        said = {modelfs(*arguments, config=config).stderr.strip() for arguments in (
            ["alias", "set", "a b", "00000000"],
            ["publish", "--name", "n", "--version", "1.0.0", "--alias", "a b",
             self.folder / "dir"])}
        self.assertEqual(said, {
            "modelfs: 'a b' is not an allowed alias name: it may hold letters, numbers, "
            "underscores, hyphens and dots, and must not look like the ID of a model"})

    def test_warnings_carry_no_time(self):
        config = self.folder / "config.yaml"
        config.write_text(yaml.dump({"repositories": [
            {"name": "gone", "host": str(self.folder), "backend": "file-system"}]}))
        done = modelfs("ls", "-c", str(config))
        self.assertIn("modelfs: warning: repository 'gone'", done.stderr)

    def test_without_an_answer_there_is_no_json(self):
        config = self.config((self.folder, "gone"))
        for arguments in (["ls"], ["ls", "-l"], ["versions", "3e120e8d"],
                          ["info", "3e120e8d-1.0.0"]):
            with self.subTest(arguments):
                done = modelfs(*arguments, "--json", config=config)
                self.assertEqual((done.returncode, done.stdout), (1, ""), done.stderr)

    def test_a_password_in_the_configuration_is_not_repeated(self):
        config = self.folder / "config.yaml"
        for backend in ("s3", "artifactory"):
            config.write_text(yaml.dump({
                "repositories": [{"name": "models", "host": "http://me:hush@localhost:1",
                                  "backend": backend}],
                "cache": {"root": str(self.folder / "cache")}}))
            for command in ("doctor", "ls"):
                with self.subTest((backend, command)):
                    done = modelfs(command, "-c", str(config))
                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn("user name or password", done.stdout + done.stderr)
                    self.assertNotIn("hush", done.stdout + done.stderr)

    @unittest.skipIf(os.path.exists("/etc/modelfs/config.yaml"),
                     "this machine has a configuration")
    def test_works_without_a_configuration(self):
        done = modelfs("ls", env={"XDG_DATA_HOME": str(self.folder / "data")})
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)

    def test_uid(self):
        params = yaml.dump(PARAMS, sort_keys=False)
        common = ["uid", "--name", "onnx", "--params", params, "--subgroup", "emotion.cnn"]
        self.assertEqual(modelfs(*common).stdout, "3e120e8d\n")
        self.assertEqual(modelfs(*common, "--version", "1.0.0").stdout,
                         "3e120e8d-1.0.0\n")
        file = self.folder / "params.yaml"
        file.write_text(params)
        done = modelfs("uid", "--name", "onnx", "--params", f"@{file}",
                       "--subgroup", "emotion.cnn", "--json")
        self.assertEqual(json.loads(done.stdout), "3e120e8d")
        for private in (False, True):
            done = modelfs(*common, "--version", "1.0.0", "--legacy",
                           *(["--private"] if private else []))
            self.assertEqual(done.stdout.strip(), legacy_id(
                "onnx", PARAMS, "1.0.0", "emotion.cnn", private), done.stderr)
        self.assertEqual(modelfs("uid", "--name", "x").stdout.strip(), short_id("x", {}))
        self.assertEqual(modelfs("uid", "--name", "x", "--params", "[1]").returncode, 1)


class OfModels(MountTest):
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        common = {"name": "onnx", "subgroup": "emotion.cnn", "params": PARAMS,
                  "meta": {"a": {"b": 1}}}
        self.files = {"a.txt": b"a\n", "log/b.txt": b"b\n"}
        self.models.publish(self.files, version="1.0.0", **common)
        self.models.publish(self.files, version="2.0.0", alias="emotion-small", **common)
        self.other = self.models.publish(self.files, name="torch", subgroup="")
        self.cfg = self.config(self.models)

    def out(self, *arguments):
        done = modelfs(*arguments, config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def json(self, *arguments):
        return json.loads(self.out(*arguments, "--json"))

    def assert_unknown(self, *arguments):
        done = modelfs(*arguments, config=self.cfg)
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertEqual(done.stdout, "")
        self.assertIn(str(arguments[-1]), done.stderr)

    def test_one_sentence_for_what_does_not_exist(self):
        for uid, sentence in (("nix", "no model or alias 'nix'"),
                              ("00000000", "no model '00000000'"),
                              ("@", "'@' is neither the ID of a model nor an alias")):
            for command in (["versions"], ["latest"], ["resolve"], ["info"], ["aliases"],
                            ["alias", "set", "new"]):
                with self.subTest((*command, uid)):
                    done = modelfs(*command, uid, config=self.cfg)
                    self.assertEqual((done.returncode, done.stdout, done.stderr),
                                     (1, "", f"modelfs: {sentence}\n"))

    def test_ls(self):
        text = self.out("ls")
        self.assertIn("3e120e8d", text)
        self.assertIn(self.other.split("-")[0], text)
        long = self.out("ls", "-l")
        for word in ("3e120e8d", "onnx", "emotion.cnn", "1.0.0", "2.0.0", "emotion-small"):
            self.assertIn(word, long)
        self.assertNotIn(self.other.split("-")[0], self.out("ls", "emotion*"))
        self.assertIn("emotion-small", self.out("ls", "emotion*"))
        self.assertEqual(len(self.json("ls")), 2)

    def test_info(self):
        text = self.out("info", "emotion-small")
        for word in ("3e120e8d-2.0.0", "onnx", "emotion.cnn", "sphinx", "2024-02-29"):
            self.assertIn(word, text)
        self.assertEqual(yaml.safe_load(self.out("info", "--params", "3e120e8d")), PARAMS)
        self.assertEqual(yaml.safe_load(self.out("info", "--meta", "3e120e8d")),
                         {"a": {"b": 1}})
        self.assertEqual(self.out("info", "--author", "3e120e8d-1.0.0"), "sphinx\n")
        self.assertEqual(
            self.out("info", "--header", "3e120e8d-1.0.0"),
            self.models.header_path("3e120e8d", "1.0.0").read_text())
        self.assertIn("emotion/cnn/onnx/3e120e8d/2.0.0/3e120e8d-2.0.0.zip",
                      self.out("info", "--url", "emotion-small"))
        self.assertEqual(self.json("info", "3e120e8d-1.0.0")["version"], "1.0.0")
        self.assert_unknown("info", "00000000")

    def test_versions_and_latest(self):
        for uid in ("3e120e8d", "emotion-small", "3e120e8d-1.0.0"):
            self.assertEqual(self.out("versions", uid), "1.0.0\n2.0.0\n")
            self.assertEqual(self.out("latest", uid), "2.0.0\n")
        self.assertEqual(self.json("versions", "3e120e8d"), ["1.0.0", "2.0.0"])
        self.assert_unknown("latest", "00000000")

    def test_exists(self):
        for uid in ("3e120e8d", "3e120e8d-1.0.0", "emotion-small"):
            self.assertEqual(modelfs("exists", uid, config=self.cfg).returncode, 0, uid)
        for uid in ("00000000", "3e120e8d-9.0.0", "nobody"):
            self.assertEqual(modelfs("exists", uid, config=self.cfg).returncode, 1, uid)

    def test_aliases_and_resolve(self):
        self.assertEqual(self.out("aliases", "3e120e8d-2.0.0"), "emotion-small\n")
        self.assertEqual(self.out("aliases", "3e120e8d-1.0.0"), "")
        self.assertEqual(self.json("aliases", "3e120e8d-2.0.0"), ["emotion-small"])
        self.assertEqual(self.out("resolve", "emotion-small"), "3e120e8d-2.0.0\n")
        self.assert_unknown("resolve", "nobody")

    def test_load(self):
        folders = self.out("load", "emotion-small", self.other).splitlines()
        self.assertEqual(len(folders), 2)
        for folder in folders:
            for name, content in self.files.items():
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertEqual(file.read(), content)
        self.assert_unknown("load", "00000000")

    def test_load_shows_no_bar_without_a_terminal(self):
        done = modelfs("load", "emotion-small", config=self.cfg)
        self.assertEqual(done.stderr, "")

    def test_cache_status(self):
        self.out("load", "emotion-small")
        self.assertIn("3e120e8d", self.out("cache", "status"))
        self.assertTrue(self.json("cache", "status"))

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_doctor_of_who_may_only_read(self):
        done = self.as_another_user("doctor", "-c", self.cfg, env={
            **os.environ, "AUDMODEL_CACHE_ROOT": "/nowhere"})
        line, = (row for row in done.stdout.splitlines() if " writing " in row)
        self.assertRegex(line, "^warning +writing +repository 'models': readable, but not "
                               "writable for you ")
        self.assertIn(str(self.models.folder), line)
        self.assertNotIn(" writing ", self.out("doctor"))

    def test_doctor(self):
        done = modelfs("doctor", config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assert_sentence(done.stdout, self.models.name, self.models.host)
        self.assertTrue(json.loads(modelfs("doctor", "--json", config=self.cfg).stdout))


class MountCommand(MountTest):
    def setUp(self):
        super().setUp()
        models = self.repository()
        self.uid = models.publish({"a.txt": b"a\n"})
        self.cfg = self.config(models)
        self.point = self.folder / "point"
        self.point.mkdir()
        self.addCleanup(lambda: is_mounted(self.point) and unmount_lazily(self.point))

    def test_goes_on_in_the_background(self):
        done = modelfs("mount", self.point, config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = self.point.joinpath(*self.uid.split("-"), "a.txt")
        self.assertEqual(path.read_bytes(), b"a\n")
        done = modelfs("unmount", self.point)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(os.listdir(self.point), [])
        # What it held is free again: a second mount needs no waiting.
        done = modelfs("mount", self.point, config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stderr)
        modelfs("unmount", self.point)

    def test_mount_options(self):
        done = modelfs("mount", "-o", "ro,noatime,allow_other", self.point,
                       config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stderr)
        with open("/proc/self/mounts", encoding="utf-8") as mounts:
            line = next(row for row in mounts if row.split()[1] == str(self.point))
        self.assertEqual(line.split()[2], "fuse.modelfs")
        for option in ("nosuid", "nodev", "allow_other"):
            self.assertIn(option, line.split()[3].split(","))
        modelfs("unmount", self.point)

    def assert_mounts(self, command, **options):
        done = subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=MINUTE, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.uid.split("-", maxsplit=1)[0], os.listdir(self.point))
        self.assertEqual(modelfs("unmount", self.point).returncode, 0)

    def test_as_mount_calls_it(self):
        helper = self.folder / "mount.fuse.modelfs"
        helper.symlink_to(pathlib.Path(MODELFS).resolve())
        with_config = f"rw,_netdev,config={self.cfg}"
        for source, options in (("modelfs", with_config), ("none", with_config),
                                (self.cfg, "rw,noauto")):
            for program in (MODELFS, helper):  # MODELFS: by mount.fuse3
                with self.subTest(source=source, program=program):
                    self.assert_mounts([program, source, self.point, "-o", options])

    def test_options_that_mount_gets_wrong(self):
        for options, words in (("rw,zebra=1", "unknown mount option 'zebra'"),
                               ("allow_othr", "did you mean 'allow_other'?"),
                               ("config", "'config=FILE'")):
            with self.subTest(options=options):
                done = subprocess.run([MODELFS, "none", self.point, "-o", options],
                                      capture_output=True, text=True, check=False,
                                      timeout=MINUTE)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)

    @unittest.skipUnless(shutil.which("mount.fuse3") and os.geteuid() == 0,
                         "mount.fuse3 is not installed, or not for this user")
    def test_by_mount_fuse3(self):
        # What mount(8) falls back to where no mount.fuse.modelfs is in /sbin.
        folder = self.folder / "bin"
        folder.mkdir()
        (folder / "modelfs").symlink_to(pathlib.Path(MODELFS).resolve())
        self.assert_mounts(
            ["mount.fuse3", "modelfs", self.point, "-t", "fuse.modelfs",
             "-o", f"allow_other,_netdev,config={self.cfg}"],
            env={**os.environ, "PATH": f"{folder}:{os.environ['PATH']}"})

    def test_relative_mount_point(self):
        done = subprocess.run([MODELFS, "mount", "-c", self.cfg, "point"],
                              cwd=self.folder, capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertTrue(is_mounted(self.point))
        done = subprocess.run([MODELFS, "unmount", "point"], cwd=self.folder,
                              capture_output=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_unmount_from_a_folder_in_it(self):
        self.assertEqual(modelfs("mount", self.point, config=self.cfg).returncode, 0)
        done = modelfs("unmount", self.point, cwd=self.point / self.uid.split("-")[0])
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_unmount_of_what_is_no_mount_of_ours(self):
        self.assertEqual(modelfs("mount", self.point, config=self.cfg).returncode, 0)
        inside = self.point / "@info"
        for path, words in ((inside, f"'modelfs unmount {self.point}' unmounts that"),
                            (self.folder, f"nothing is mounted at '{self.folder}'; 'findmnt "),
                            (self.folder / "nix", "nothing is mounted at"),
                            ("/proc", "at '/proc' is no modelfs but proc; 'findmnt ")):
            with self.subTest(path):
                done = modelfs("unmount", path)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(words, done.stderr)
        self.assertEqual(modelfs("unmount", self.point).returncode, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root can be another user")
    def test_unmount_by_another_user(self):
        self.assertEqual(modelfs("mount", self.point, config=self.cfg).returncode, 0)
        done = self.as_another_user("unmount", self.point)
        self.assertEqual((done.returncode, done.stderr),
                         (1, f"modelfs: '{self.point}' was mounted by the user root: only "
                             "that user and root can unmount it\n"))
        self.assertEqual(modelfs("unmount", self.point).returncode, 0)

    def test_works_below_a_folder_with_blanks(self):
        point = self.folder / "with blank"
        point.mkdir()
        self.addCleanup(lambda: unmount_lazily(point))
        done = modelfs("mount", point, config=self.cfg)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("@info", os.listdir(point))
        self.assertEqual(modelfs("unmount", point).returncode, 0)
        self.assertEqual(os.listdir(point), [])


class Install(MountTest):
    def test_install_and_uninstall(self):
        build = os.environ.get("MODELFS_BUILD", "build")
        # -o: what is under test is installed, never made anew with other flags.
        common = ["make", "-s", "-C", str(TOP), f"B={build}", "-o", f"{build}/modelfs",
                  "PREFIX=/usr", f"DESTDIR={self.folder}/root"]
        subprocess.run([*common, "install"], check=True, capture_output=True)
        root = self.folder / "root"
        self.assertTrue(os.access(root / "usr/bin/modelfs", os.X_OK))
        unit = (root / "usr/lib/systemd/system/modelfs@.service").read_text()
        self.assertIn("ExecStart=/usr/bin/modelfs mount", unit)
        # Under it openat2(2) is not implemented, and no cache can be opened.
        self.assertNotIn("\nRestrictSUIDSGID=", unit)
        if shutil.which("systemd-analyze"):
            there = self.folder / "modelfs@.service"
            there.write_text(unit.replace("/usr/bin/modelfs", MODELFS))
            done = subprocess.run(["systemd-analyze", "verify", there], check=False,
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        subprocess.run([*common, "uninstall"], check=True, capture_output=True)
        self.assertEqual([p for p in root.rglob("*") if not p.is_dir()], [])


if __name__ == "__main__":
    unittest.main()
