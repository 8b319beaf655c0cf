"""A mount comes up whatever its repositories say, and who makes it is told."""

import socket
import subprocess
import unittest

import yaml
from artifactory import Artifactory
from mounted import MODELFS, MountTest, is_mounted, modelfs, unmount_lazily, wait_until
from radosgw import OnS3

LATE = "has not answered yet"
KNOWN = "; going on with what is known\n"


class WarningsCase:
    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.models.publish({"a.txt": b"a\n"})
        self.point = self.folder / "point"
        self.point.mkdir()
        self.addCleanup(lambda: is_mounted(self.point) and unmount_lazily(self.point))

    def warnings_with(self, config, **env):
        """What `modelfs mount` says once all have answered: on a busy machine they may be
        late."""
        lines = []

        def have_answered():
            lines[:] = self.mount_once(config, env)
            return not any(LATE in line for line in lines)

        wait_until(have_answered, "answers")
        return lines

    def mount_once(self, config, env):
        """What `modelfs mount` says on stderr; the mount works."""
        done = modelfs("mount", self.point, config=config, env=env)
        self.assertEqual((done.returncode, done.stdout), (0, ""), done.stderr)
        self.assertIn("mounted: ", (self.point / "@status").read_text())
        self.assertEqual(modelfs("unmount", self.point).returncode, 0)
        return done.stderr.splitlines(keepends=True)

    def assert_warns(self, lines, name, *words):
        line, = (line for line in lines if f"repository '{name}'" in line)
        self.assertTrue(line.startswith(f"modelfs: warning: repository '{name}' "), line)
        self.assertTrue(line.endswith(KNOWN), line)
        self.assert_sentence(line, *words)


class OfBuckets(OnS3, WarningsCase, MountTest):
    def test_wrong_secret(self):
        lines = self.warnings_with(self.config(self.models), MINIO_SECRET_KEY="wrong")
        self.assertEqual(len(lines), 1, lines)
        self.assert_warns(lines, "models", "cannot be used", "secret")

    def test_no_such_bucket(self):
        lines = self.warnings_with(self.config((self.folder, "missing")))
        self.assertEqual(len(lines), 1, lines)
        self.assert_warns(lines, "missing", "cannot be used", "no bucket 'missing'")


class Warnings(WarningsCase, MountTest):
    def artifactory(self):
        server = Artifactory(self.models.host)
        self.addCleanup(server.stop)
        return server.url

    def configure(self, *rows):
        """rows: name, host, backend; one that is fine goes before them."""
        rows = [(self.models.name, str(self.models.host), "file-system"), *rows]
        path = self.folder / "config.yaml"
        path.write_text(yaml.dump({
            "repositories": [dict(zip(("name", "host", "backend"), row)) for row in rows],
            "cache": {"root": str(self.folder / "cache")}}))
        return path

    def warnings(self, *rows, password="secret"):
        return self.warnings_with(self.configure(*rows), ARTIFACTORY_USERNAME="me",
                                  ARTIFACTORY_API_KEY=password)

    def test_nothing_where_all_answer(self):
        self.assertEqual(self.warnings(("models", self.artifactory(), "artifactory")), [])

    def test_one_line_for_each(self):
        host, url = str(self.models.host), self.artifactory()
        lines = self.warnings(("gone", host, "file-system"),
                              ("missing", url, "artifactory"))
        self.assertEqual(len(lines), 2, lines)
        self.assert_warns(lines, "gone", "cannot be used", f"'{host}/gone' does not exist")
        self.assert_warns(lines, "missing", "cannot be used", "there is no repository")

    def test_wrong_password(self):
        lines = self.warnings(("secured", self.artifactory(), "artifactory"), password="no")
        self.assertEqual(len(lines), 1, lines)
        self.assert_warns(lines, "secured", "cannot be used", "refuses the password")

    def test_a_server_that_says_nothing(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            lines = self.mount_once(self.configure(("silent", url, "s3")), {})
        self.assert_warns(lines, "silent", LATE)

    def test_doctor_asks_a_server_that_says_nothing_once(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            url = f"http://127.0.0.1:{server.getsockname()[1]}"
            config = self.configure(("silent", url, "s3"))
            doctor = subprocess.Popen(
                [MODELFS, "doctor", "-c", config], stdout=subprocess.PIPE, text=True)
            self.addCleanup(doctor.wait)
            self.addCleanup(doctor.kill)
            server.settimeout(60)
            with server.accept()[0]:
                said = doctor.stdout.readline()  # while the server is asked
                self.assertIsNone(doctor.poll())
                said += doctor.communicate(timeout=60)[0]
        about = [line for line in said.splitlines() if "silent" in line]
        self.assertEqual(len(about), 1, said)
        self.assertIn("nothing moves for 10 s", about[0])
        self.assertIn("fuse", said)

    def test_in_the_foreground_it_stands_in_the_log(self):
        config = self.configure(("gone", str(self.models.host), "file-system"),
                                ("secured", self.artifactory(), "artifactory"))
        fs = self.mount_config(config, env={"ARTIFACTORY_USERNAME": "me",
                                            "ARTIFACTORY_API_KEY": "no"})
        wait_until(lambda: "repository 'secured' cannot be used" in fs.log(), "a warning")
        wait_until(lambda: "repository 'gone' cannot be asked" in fs.log(), "a warning")
        self.assertEqual(fs.log().count("repository 'gone'"), 1)


if __name__ == "__main__":
    unittest.main()
