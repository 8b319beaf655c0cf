"""Repositories in buckets of a real S3 server: what holds of folders holds of them, and
what only a server can do."""

import errno
import hashlib
import json
import os
import random
import shutil
import subprocess
import unittest

import test_golden
import test_publish
import yaml
from fault_proxy import BehindProxy
from mounted import IS_SANITIZED, MODELFS, modelfs, wait_until
from radosgw import OnS3, S3Repository
from test_golden import WHOLE


class SmallGolden(OnS3, test_golden.Small):
    pass


if WHOLE.is_dir():
    class WholeGolden(OnS3, test_golden.Whole):
        """All checks over one upload, which takes longer than they do."""

        def test_all(self):
            for name in CHECKS:
                with self.subTest(name):
                    getattr(test_golden.Whole, name)(self)

    CHECKS = [name for name in dir(test_golden.Whole) if name.startswith("test_")]
    for check in CHECKS:
        setattr(WholeGolden, check, None)

    class WholeGoldenPublish(OnS3, test_publish.WholeGoldenPublish):
        pass


class SmallGoldenPublish(OnS3, test_publish.SmallGoldenPublish):
    pass


class Publish(OnS3, test_publish.Publish):
    pass


class Aliases(OnS3, test_publish.Aliases):
    pass


class Metadata(OnS3, test_publish.Metadata):
    pass


class OnServer(OnS3, test_publish.PublishTest):
    def uploads(self):
        client = self.s3.meta.client
        return client.list_multipart_uploads(Bucket="models").get("Uploads", [])

    def large_folder(self):
        random.seed(3)
        return self.make_folder({"large.bin": random.randbytes(100 << 20)})

    def public_repository(self, *actions):
        """For everybody; the keys are gone then. Buckets of a tenant have no public name, so
        this one has no tenant."""
        name = f"public-{self.tenant}"
        self.rgw.admin("user", "create", f"--uid={name}", "--display-name=test",
                       f"--access-key=AK{name}", "--secret-key=secret")
        bucket = self.connect(f"AK{name}", "secret").create_bucket(Bucket=name)
        bucket.Policy().put(Policy=json.dumps({
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Principal": "*", "Action": actions,
                           "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]}]}))
        del os.environ["MINIO_ACCESS_KEY"], os.environ["MINIO_SECRET_KEY"]
        return S3Repository(bucket)

    def assert_says(self, done, *words):
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assert_sentence(done.stderr, *words)
        self.assertNotIn(self.secret, done.stdout + done.stderr)


class Objects(OnServer):
    def test_are_described_as_audbackend_does(self):
        folder = self.make_folder({"a.txt": b"a"})
        done = self.run_modelfs("publish", "--name", "onnx", "--version", "1.0.0",
                                "--alias", "small", folder, env={"LOGNAME": "sphinx"})
        self.assertEqual(done.returncode, 0, done.stderr)
        objects = {path.key: path for path in self.repo.folder.rglob("*")
                   if path.key.endswith((".yaml", ".zip"))}
        self.assertEqual(len(objects), 5, objects)
        for key, path in objects.items():
            head = path.head()
            with self.subTest(key):
                self.assertEqual(head["Metadata"], {
                    "checksum": hashlib.md5(path.read_bytes()).hexdigest(),
                    "owner": "sphinx"})
                self.assertEqual(
                    head["ContentType"],
                    "application/zip" if key.endswith(".zip")
                    else "application/octet-stream")

    def test_large_ones_come_in_parts(self):
        folder = self.large_folder()
        uid = self.publish(folder)
        archive = self.repo.archive_path(*uid.split("-"), "onnx")
        self.assertRegex(archive.head()["ETag"], "-7\"$")
        self.assertEqual(archive.head()["Metadata"]["checksum"],
                         hashlib.md5(archive.read_bytes()).hexdigest())
        self.assertEqual(self.uploads(), [])
        mount = self.mount(self.repo)
        self.assertEqual(test_golden.sha256(mount.path(uid, "large.bin")),
                         test_golden.sha256(folder / "large.bin"))


class Uploads(BehindProxy, OnServer):
    """That end in the middle: the third part of each stays on its way."""

    def begin(self):
        self.proxy.inject("stall", method="PUT", target=r"partNumber=[3-7]")
        return self.large_folder()

    def test_a_kill_leaves_no_half_object(self):
        """Its parts go with the next attempt."""
        folder = self.begin()
        row = ["publish", "-c", str(self.conf), "--name", "onnx", "--version", "1.0.0",
               str(folder)]
        process = subprocess.Popen([MODELFS, *row], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.uploads, "an upload")
        process.kill()
        process.wait()
        self.assertEqual(len(self.uploads()), 1)
        uid = f"{test_publish.short_id('onnx', {})}-1.0.0"
        archive = self.repo.archive_path(*uid.split("-"), "onnx")
        self.assertFalse(archive.exists())
        self.assertFalse(self.repo.header_path(*uid.split("-")).exists())
        self.proxy.clear()
        self.assertEqual(self.publish(folder), uid)
        self.assertTrue(archive.exists())
        self.assertEqual(self.uploads(), [])

    def test_an_unmount_ends_an_upload(self):
        folder = self.begin()
        mount = self.mount(self.repo)
        shutil.copytree(folder, mount.point / "@staging/job")
        (mount.point / "@staging/job.yaml").write_text("name: onnx\nversion: 1.0.0\n")
        wait_until(self.uploads, "an upload")
        self.assertEqual(mount.stop(), 0)
        uid = f"{test_publish.short_id('onnx', {})}-1.0.0"
        self.assertFalse(self.repo.header_path(*uid.split("-")).exists())
        self.proxy.clear()
        self.assertEqual(self.publish(folder), uid)
        self.assertEqual(self.uploads(), [])


class Logins(OnServer):
    def test_wrong_ones_are_refused(self):
        self.repo.publish({"a.txt": b"a"})
        for env, words in (
                ({"MINIO_SECRET_KEY": "wrong"}, ("secret", self.key)),
                ({"MINIO_ACCESS_KEY": "nobody"}, ("nobody",))):
            with self.subTest(env):
                self.assert_says(self.run_modelfs("versions", "00000000", env=env), *words)
        os.environ["MINIO_SECRET_KEY"] = "wrong"
        mount = self.mount(self.repo)
        self.assert_fails(errno.EACCES, os.listdir, mount.point)

    def test_none_is_needed_for_what_is_public(self):
        repository = self.public_repository("s3:GetObject", "s3:ListBucket")
        uid = repository.publish({"a.txt": b"hello"})
        mount = self.mount(repository)
        self.assertEqual(mount.read(uid, "a.txt"), b"hello")
        self.conf = mount.config
        self.assert_says(
            self.run_modelfs("publish", "--name", "onnx", "--version", "2.0.0",
                             self.make_folder({"a.txt": b"a"})),
            "without a key", "MINIO_ACCESS_KEY")

    def test_are_exchanged_under_a_mount(self):
        uids = [self.repo.publish({"a.txt": b"hello"}, version=f"{i}.0.0")
                for i in range(2)]
        file = self.folder / "minio.cfg"

        def write(key, secret):
            host = self.endpoint.removeprefix("http://")
            file.write_text(f"[{host}]\naccess_key = {key}\nsecret_key = {secret}\n"
                            "secure =\n")

        del os.environ["MINIO_ACCESS_KEY"], os.environ["MINIO_SECRET_KEY"]
        os.environ["MINIO_CONFIG_FILE"] = str(file)
        write(self.key, self.secret)
        self.endpoint = self.endpoint.removeprefix("http://")
        mount = self.mount(self.repo)
        self.assertEqual(mount.read(uids[0], "a.txt"), b"hello")
        user = f"--uid={self.tenant}$user"
        self.rgw.admin("key", "create", user, "--key-type=s3", "--access-key=AKNEW",
                       "--secret-key=secretnew")
        write("AKNEW", "secretnew")
        self.rgw.admin("key", "rm", user, "--key-type=s3", f"--access-key={self.key}")
        self.assertEqual(mount.read(uids[1], "a.txt"), b"hello")


class WithoutConditions(BehindProxy, OnServer):
    """A store that takes no notice of If-None-Match and If-Match."""

    def setUp(self):
        super().setUp()
        self.repo = self.public_repository("s3:*")
        self.conf = self.config(self.repo)
        self.proxy.inject("drop_condition")

    def test_one_of_several_publishers_wins(self):
        folders = [self.make_folder({"a.txt": b"%d" % n}, f"root{n}") for n in range(6)]
        publishers = [
            subprocess.Popen([MODELFS, "publish", "-c", self.conf, "--name", "onnx",
                              "--version", "1.0.0", folder], stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            for folder in folders]
        outcomes = [(p.communicate(timeout=120), p.returncode) for p in publishers]
        won = [n for n, (_, status) in enumerate(outcomes) if status == 0]
        self.assertEqual(len(won), 1, outcomes)
        for (_, err), status in outcomes:
            if status:
                self.assertRegex(err, "exists|is being published|took .* over")
        uid = outcomes[won[0]][0][0].strip()
        self.assertEqual(self.mount(self.repo).read(uid, "a.txt"), b"%d" % won[0])
        self.assertEqual([name for name in self.names() if "claim" in name], [])

    def test_aliases_and_metadata(self):
        uid = self.publish(self.make_folder({"a.txt": b"a"}), "--alias", "one")
        self.succeed("alias", "set", "two", uid)
        self.succeed("alias", "set", "one", uid)
        self.succeed("alias", "rm", "one")
        self.assertEqual(self.succeed("aliases", uid), "two\n")
        self.succeed("meta", uid, "{a: 1}")
        self.succeed("meta", uid, "{b: 2}")
        self.assertEqual(yaml.safe_load(self.succeed("info", "--meta", uid)),
                         {"a": 1, "b": 2})


class KeepsVersions(OnServer):
    """A bucket that keeps what was overwritten; radosgw then creates whatever is there,
    and says of no version that it is the one that was meant."""

    def setUp(self):
        super().setUp()
        self.repo.folder.bucket.Versioning().enable()

    def test_publishing_aliases_and_metadata(self):
        folder = self.make_folder({"a.txt": b"a"})
        uid = self.publish(folder, "--alias", "one")
        for alias in ("one", "two", "one"):
            self.succeed("alias", "set", alias, uid)
        self.succeed("alias", "rm", "one")
        self.assertEqual(self.succeed("aliases", uid), "two\n")
        self.succeed("meta", uid, "{a: 1}")
        self.succeed("meta", uid, "{b: 2}")
        self.assertEqual(yaml.safe_load(self.succeed("info", "--meta", uid)),
                         {"a": 1, "b": 2})
        self.assert_says(self.run_modelfs("publish", "--name", "onnx", "--version", "1.0.0",
                                          folder), "exists")
        self.assertEqual([name for name in self.names() if "claim" in name], [])


class Server(OnServer):
    @unittest.skipIf(IS_SANITIZED, "faketime and sanitizers both want to come first")
    def test_a_wrong_clock_is_explained(self):
        done = subprocess.run(
            ["faketime", "-f", "+2h", MODELFS, "versions", "-c", str(self.conf), "00000000"],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
            check=False)
        self.assert_says(done, "clock", "UTC here", "UTC there")

    def test_doctor_looks_at_login_clock_and_writing(self):
        def lines(env=None):
            done = self.run_modelfs("doctor", env=env)
            self.assertNotIn(self.secret, done.stdout + done.stderr)
            return {row.split()[1]: row for row in done.stdout.splitlines()}

        found = lines()
        for topic, words in (("repository", ("answers",)), ("clock", ("agrees",)),
                             ("login", (self.key, "MINIO_ACCESS_KEY")),
                             ("writing", ("allowed", "only where nothing is"))):
            self.assertRegex(found[topic], "^ok")
            self.assert_sentence(found[topic], *words)
        self.assertEqual(test_publish.names_below(self.repo.folder), [])
        found = lines(env={"MINIO_SECRET_KEY": "wrong"})
        self.assertRegex(found["repository"], "^failed.*the secret of access key")
        self.assertNotIn("writing", found)

    def test_a_missing_bucket_is_explained(self):
        conf = self.config((self.repo.host, "elsewhere"), name="other.yaml")
        done = modelfs("versions", "00000000", config=conf)
        self.assert_says(done, "no bucket 'elsewhere'")


if __name__ == "__main__":
    unittest.main()
