"""What is particular to repositories of Artifactory: requests, logins, redirects, claims.

That they read and publish as on a file system is shown in test_golden.py and
test_publish.py. All runs over the stand-in of artifactory.py.
"""

import errno
import os
import pathlib
import re
import signal
import subprocess
import unittest

from artifactory import Artifactory
from fault_proxy import FaultProxy
from mounted import IS_SANITIZED, MODELFS, MountTest, modelfs, wait_until
from repository import short_id

FILES = {"model.onnx": os.urandom(300000), "log/eval.yaml": b"acc: 1\n"}
MANY = 100000


class ArtifactoryTest(MountTest):
    def setUp(self):
        super().setUp()
        for name in ("ARTIFACTORY_USERNAME", "ARTIFACTORY_API_KEY",
                     "ARTIFACTORY_CONFIG_FILE"):
            os.environ.pop(name, None)
        self.repo = self.repository()
        self.server = self.start()

    def start(self, **options):
        server = Artifactory(self.repo.host, **options)
        self.addCleanup(server.stop)
        self.conf = self.config((server.url, "models"))
        self.log_in("me", "secret", server)
        return server

    def serve(self, host):
        return "artifactory", re.sub("^http:/(?=[^/])", "http://", str(host))

    def log_in(self, user, password, server=None):
        """Where audbackend looks for it; what the URL is below is the section."""
        url = (server or self.server).url
        path = pathlib.Path(os.environ["HOME"]) / ".artifactory_python.cfg"
        path.write_text(f"[{url}]\nusername = {user}\npassword = {password}\n")

    def run_modelfs(self, *arguments, **options):
        return modelfs(*arguments, config=self.conf, **options)

    def succeed(self, *arguments, **options):
        done = self.run_modelfs(*arguments, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def make_folder(self, files=FILES):
        folder = self.folder / "root"
        for path, content in files.items():
            path = folder / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return folder


class Requests(ArtifactoryTest):
    def test_a_version_never_seen_costs_header_and_two(self):
        uid = self.repo.publish(FILES)
        mount = self.mount_config(self.conf)
        os.listdir(mount.point)
        self.server.forget()
        found = [name for _, _, names in os.walk(mount.path(uid)) for name in names]
        self.assertEqual(sorted(found), ["eval.yaml", "model.onnx"])
        downloads = [r for r in self.server.requests if "/api/" not in r.path]
        self.assertLessEqual(len(downloads), 3, self.server.requests)
        self.assertLess(sum(r.sent for r in downloads), 66000)
        self.assertEqual(mount.read(uid, "model.onnx"), FILES["model.onnx"])

    def test_publishing_is_what_audbackend_would_do(self):
        uid = self.succeed("publish", "--name", "onnx", "--version", "1.0.0",
                           self.make_folder()).strip()
        puts = [r for r in self.server.requests if r.method == "PUT"]
        self.assertTrue(all(r.status == 201 for r in puts), puts)
        ident = uid.split("-")[0]
        for folder in (f"_uid/{ident}/1.0.0/", f"onnx/{ident}/1.0.0/"):
            self.assertEqual(self.server.count("PUT", f"/models/{folder}$"), 1, folder)
        names = [r.path.rsplit("/", 1)[1] for r in puts if not r.path.endswith("/")]
        self.assertEqual([n for n in names if "claim" not in n],
                         [f"{uid}.zip", f"{uid}.meta.yaml", f"{uid}.header.yaml"])
        # Only claims are removed, and one by one.
        deleted = [r.path for r in self.server.requests if r.method == "DELETE"]
        self.assertTrue(deleted and all(".claim-" in path for path in deleted), deleted)

    def test_100000_models(self):
        idents = [f"{number:08x}" for number in range(MANY)]
        self.server.more["models/_uid"] = idents
        mount = self.mount((self.server.url, "models"), ttl={"listing": "1h"})

        def listed():
            """A listing that takes longer than anybody may be held goes on without him."""
            try:
                return sum(1 for n in os.listdir(mount.point) if n[0] != "@")
            except TimeoutError:
                return 0

        wait_until(lambda: listed() == MANY, f"{MANY} models")
        self.server.forget()
        os.listdir(mount.point)
        self.assertEqual(self.server.count(pattern="storage/models/_uid$"), 0)
        if IS_SANITIZED:
            return  # their memory is not ours
        rss = {pid: resident(pid) for pid in (mount.process.pid, mount.worker())}
        self.assertLess(sum(rss.values()), 64 << 20, rss)


def resident(pid):
    """RssAnon and RssShmem in bytes."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return sum(int(kib) for kib in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", text)) << 10


class Logins(ArtifactoryTest):
    def test_refused_and_anonymous(self):
        self.repo.publish(FILES)
        self.log_in("me", "wrong")
        done = self.run_modelfs("ls")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stderr, "refuses the password of user 'me'",
                             "Bad credentials", "ARTIFACTORY_API_KEY")
        self.assertNotIn("wrong", done.stderr)
        self.log_in("", "")
        self.assert_sentence(self.run_modelfs("ls").stderr, "without credentials")
        self.server.allow("")
        self.assertEqual(self.run_modelfs("ls").returncode, 0)
        self.assertEqual(self.server.requests[-1].login, "")

    def test_a_proxy_that_quotes_the_request_is_not_quoted(self):
        self.server.echoes = True
        for user, secret, sent in (("me", "very-wrong", "bWU6dmVyeS13cm9uZw=="),
                                   ("", "eyJhbGciOi", "eyJhbGciOi"),
                                   ("", "AKCp5secret", "AKCp5secret")):
            with self.subTest(secret):
                self.log_in("", "")
                done = self.run_modelfs("ls", env={
                    "ARTIFACTORY_USERNAME": user, "ARTIFACTORY_API_KEY": secret})
                self.assert_sentence(done.stderr, "refuses the", "ARTIFACTORY_API_KEY")
                self.assertNotIn(secret, done.stderr)
                self.assertNotIn(sent, done.stderr)

    def test_tokens_and_keys(self):
        uid = self.repo.publish(FILES)
        for secret, login in (("eyJhbGciOi", "Bearer eyJhbGciOi"),
                              ("AKCp5secret", "X-JFrog-Art-Api AKCp5secret")):
            with self.subTest(login):
                self.server.allow(login)
                done = self.run_modelfs("exists", uid, env={
                    "ARTIFACTORY_USERNAME": "", "ARTIFACTORY_API_KEY": secret})
                self.assertEqual(done.stdout, "true\n", done.stderr)

    def test_who_may_not_ask_for_the_repository_may_use_it(self):
        self.server.hides_repositories = True
        done = self.run_modelfs("exists", "unheard")
        self.assertEqual((done.returncode, done.stdout), (1, "false\n"), done.stderr)
        uid = self.succeed("publish", "--name", "onnx", "--version", "1.0.0",
                           self.make_folder()).strip()
        self.assertEqual(self.succeed("ls"), uid.partition("-")[0] + "\n")

    def test_rotation_while_mounted(self):
        first = self.repo.publish(FILES)
        second = self.repo.publish(FILES, version="2.0.0")
        mount = self.mount_config(self.conf)
        self.assertEqual(mount.read(first, "log/eval.yaml"), b"acc: 1\n")
        self.log_in("me", "new%%one")
        self.server.allow("Basic me:new%one")
        self.assertEqual(mount.read(second, "log/eval.yaml"), b"acc: 1\n")
        self.server.allow("Basic me:newer")
        self.assert_fails(errno.EACCES, mount.read, second, "model.onnx")
        self.assertNotIn("new%one", mount.log())
        self.log_in("me", "newer")
        self.assertEqual(mount.read(second, "model.onnx"), FILES["model.onnx"])

    def test_secrets_are_nowhere_to_be_seen(self):
        uid = self.repo.publish(FILES)
        mount = self.mount_config(self.conf)
        mount.read(uid, "log/eval.yaml")
        self.server.allow("Basic me:other")
        with self.assertRaises(OSError):
            mount.read(uid, "model.onnx")
        seen = (mount.point / "@status").read_text() + mount.log() + mount.info(
            uid, "errors") + mount.info(uid, "url")
        for pid in (mount.process.pid, mount.worker()):
            seen += pathlib.Path(f"/proc/{pid}/cmdline").read_text()
        self.assertNotIn("secret", seen)

    def test_doctor(self):
        done = self.run_modelfs("doctor")
        self.assertIn(f"'models' at '{self.server.url}' answers", done.stdout)
        self.log_in("me", "wrong")
        done = self.run_modelfs("doctor")
        self.assertEqual(done.returncode, 1)
        self.assert_sentence(done.stdout, "failed   repository", "Bad credentials")
        self.log_in("me", "secret")
        self.conf = self.config((self.server.url, "nowhere"))
        self.assert_sentence(self.run_modelfs("doctor").stdout,
                             "there is no repository 'nowhere'")
        self.conf = self.config((self.server.url.replace("/artifactory", ""), "models"))
        done = self.run_modelfs("doctor", env={"ARTIFACTORY_USERNAME": "me",
                                               "ARTIFACTORY_API_KEY": "secret"})
        self.assert_sentence(done.stdout, "failed   repository", "/artifactory")


class Downloads(ArtifactoryTest):
    def check_reading(self, server):
        uid = self.repo.publish(FILES)
        mount = self.mount_config(self.conf)
        for path, content in FILES.items():
            self.assertEqual(mount.read(uid, path), content)
        self.assertEqual(self.succeed("load", uid).strip(), str(mount.cache.joinpath(
            *uid.split("-"))))
        return server.requests

    def test_from_another_host(self):
        """It gets no login, and what comes from it is tied to one version all the same."""
        requests = self.check_reading(self.start(redirects=True))
        elsewhere = [r for r in requests if r.method == "CDN"]
        self.assertTrue(elsewhere)
        self.assertEqual({r.login for r in elsewhere}, {None})

    def test_without_digests_in_replies(self):
        self.check_reading(self.start(digests=False))

    def test_without_ranges(self):
        self.check_reading(self.start(serves_ranges=False))

    def test_replaced_archive_is_noticed(self):
        for options in ({}, {"redirects": True}):
            with self.subTest(options):
                self.server = self.start(**options)
                version = f"{len(options)}.0.0"
                uid = self.repo.publish(FILES, version=version)
                mount = self.mount_config(self.conf, name=f"mount{version}")
                self.assertEqual(mount.read(uid, "log/eval.yaml"), b"acc: 1\n")
                changed = {**FILES, "model.onnx": os.urandom(300000)}
                self.repo.publish(changed, version=version)

                def content():
                    try:
                        return mount.read(uid, "model.onnx")
                    except OSError:
                        return None

                wait_until(lambda: content() == changed["model.onnx"], "the new version")


class Claims(ArtifactoryTest):
    def test_who_was_killed_is_succeeded(self):
        """Its archive does not arrive: it has a claim, and does not end by itself."""
        row = ["--name", "onnx", "--version", "1.0.0", str(self.make_folder())]
        uid = f"{short_id('onnx', {})}-1.0.0"
        folder = self.repo.header_path(*uid.split("-")).parent
        with FaultProxy(self.server.front.server_address) as proxy:
            proxy.inject("stall", method="PUT", target=r"\.zip$")
            conf = self.config((f"{proxy.url}/artifactory", "models"), name="proxy.yaml")
            process = subprocess.Popen(
                [MODELFS, "publish", "-c", str(conf), *row], stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "ARTIFACTORY_USERNAME": "me",
                     "ARTIFACTORY_API_KEY": "secret"})
            wait_until(lambda: proxy.seen(fault="stall"), "an archive on its way")
            process.send_signal(signal.SIGKILL)
            process.wait()
        self.assertEqual(len(list(folder.glob("*.claim-*"))), 1)
        self.assertEqual(self.succeed("publish", *row).strip(), uid)
        self.assertEqual(list(folder.glob("*.claim-*")), [])

    def test_removed_aliases_are_not_listed(self):
        uid = self.succeed("publish", "--name", "onnx", "--version", "1.0.0", "--alias",
                           "one", self.make_folder()).strip()
        mount = self.mount_config(self.conf)
        self.succeed("alias", "set", "two", uid)
        self.succeed("alias", "rm", "one")
        self.assertEqual(self.succeed("ls").split(), [uid.partition("-")[0], "two"])
        os.unlink(mount.point / "two/current")
        os.rmdir(mount.point / "two")
        wait_until(lambda: self.succeed("ls").split() == [uid.partition("-")[0]],
                   "the end of both names")
        self.assertEqual(os.listdir(self.repo.folder / "_alias"), [])

    def test_aliases_and_metadata(self):
        uid = self.succeed("publish", "--name", "onnx", "--version", "1.0.0", "--alias",
                           "small", self.make_folder()).strip()
        self.succeed("meta", uid, "{a: 1}")
        self.assertEqual(self.repo.meta_path(*uid.split("-")).read_text(), "a: 1\n")
        self.succeed("alias", "set", "other", "small")
        self.assertEqual(self.repo.aliases_of(uid), ["other", "small"])
        self.succeed("alias", "rm", "small")
        self.assertEqual(self.repo.aliases_of(uid), ["other"])
        self.assertFalse(self.repo.alias_path("small").exists())


if __name__ == "__main__":
    unittest.main()
