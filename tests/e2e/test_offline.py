"""No repository can be asked: what was seen goes on working, also after a restart."""

import concurrent.futures
import contextlib
import errno
import os
import sys
import threading
import time
import unittest

from artifactory import OnArtifactory
from fault_proxy import BehindProxy
from mounted import MountTest, wait_until
from radosgw import OnS3
from test_limits import resident_kib

TTL = {"alias": "10ms", "listing": "10ms", "negative": "500ms"}
LOOK_S = 3 + 17     # a look-up, and what goes before it, on a busy machine
WAIT_S = 30 + 30    # without progress, on a busy machine
LOST, BACK = "cannot be asked", "answers again"


class OfflineCase:
    gone = ()  # with what that fails which is not known
    rounds = 3

    def go_away(self):
        raise NotImplementedError

    def come_back(self):
        raise NotImplementedError

    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.cached = self.models.publish({"a.txt": b"a\n", "log/b.txt": b"b\n"},
                                          alias="prod", meta={"f1": 0.5})
        self.listed = self.models.publish({"c.txt": b"c\n"}, params={"n": 1},
                                          alias="other")
        self.unseen = self.models.publish({"d.txt": b"d\n"}, params={"n": 2})

    def look_around(self, fs):
        """All of one model, the names of another, of the third that there is one."""
        short = self.cached.split("-", 1)[0]
        self.assertEqual(fs.read(self.cached, "a.txt"), b"a\n")
        self.assertEqual(fs.read(self.cached, "log/b.txt"), b"b\n")
        self.assertEqual(sorted(os.listdir(fs.path(self.cached))), ["a.txt", "log"])
        self.assertEqual((fs.point / "prod/current/a.txt").read_bytes(), b"a\n")
        self.assertEqual((fs.point / "prod/latest/a.txt").read_bytes(), b"a\n")
        self.assertEqual((fs.point / self.cached / "a.txt").read_bytes(), b"a\n")
        self.assertEqual(sorted(os.listdir(fs.point / short)), ["1.0.0", "latest"])
        self.assertEqual(sorted(os.listdir(fs.path(self.listed).parent)),
                         ["1.0.0", "latest"])
        self.assertEqual(sorted(os.listdir(fs.path(self.listed))), ["c.txt"])
        self.assertEqual(os.readlink(fs.point / "other/current"),
                         "../" + self.listed.replace("-", "/"))
        names = os.listdir(fs.point)
        for name in ("prod", "other", short, self.listed.split("-", 1)[0],
                     self.unseen.split("-", 1)[0]):
            self.assertIn(name, names)
            os.stat(fs.point / name)
        self.assertEqual(fs.info(self.cached, "name"), "onnx\n")
        self.assertIn("f1: 0.5", fs.info(self.cached, "meta.yaml"))
        # It is saved behind the answer.
        saved = fs.cache / short / "1.0.0.meta.yaml"
        wait_until(saved.exists, "saved metadata")
        self.assertEqual(fs.info(self.cached, "aliases"), "prod\n")
        self.assertEqual(os.listdir(fs.point / "@tree/test"), ["onnx"])

    def assert_gone(self, call, *arguments):
        with self.assertRaises(OSError) as raised:
            call(*arguments)
        self.assertIn(raised.exception.errno, self.gone, raised.exception)

    def check_gone(self, fs):
        self.look_around(fs)
        self.assertIn("state: stale", (fs.point / "@status").read_text())
        self.assert_gone(fs.path(self.listed, "c.txt").read_bytes)
        self.assert_gone(os.listdir, fs.path(self.unseen))
        self.assert_gone(os.stat, fs.point / "deadbeef")
        self.assert_gone(os.stat, fs.point / "unheard")

    def wait_for(self, condition, seconds=LOOK_S):
        """Back to normal in time."""
        def holds():
            try:
                return condition()
            except OSError:
                return False

        wait_until(holds, "the repository's return", seconds)

    def check_back(self, fs):
        self.wait_for(lambda: fs.path(self.unseen, "d.txt").read_bytes() == b"d\n")
        # Bytes that were asked for of what hangs may fail with that, but not for long.
        self.wait_for(lambda: fs.read(self.listed, "c.txt") == b"c\n", WAIT_S)
        wait_until(lambda: "state: ok" in (fs.point / "@status").read_text(), "the state")
        self.look_around(fs)
        self.assertEqual((fs.log().count(LOST), fs.log().count(BACK)), (1, 1))

    def test_in_the_same_mount(self):
        fs = self.mount(self.models, ttl=TTL)
        self.look_around(fs)
        self.go_away()
        for _ in range(self.rounds):
            self.check_gone(fs)
        self.assertEqual((fs.log().count(LOST), fs.log().count(BACK)), (1, 0))
        self.come_back()
        self.check_back(fs)

    def test_after_a_restart(self):
        fs = self.mount(self.models, ttl=TTL)
        self.look_around(fs)
        self.assertEqual(fs.stop(), 0)
        self.go_away()
        fs = self.mount(self.models, name="second", ttl=TTL)
        self.check_gone(fs)
        self.assertEqual(fs.stop(), 0)
        fs = self.mount(self.models, name="third", ttl=TTL)
        self.check_gone(fs)
        self.come_back()
        self.check_back(fs)

    def test_commands(self):
        fs = self.mount(self.models, ttl=TTL)
        self.look_around(fs)
        self.assertEqual(fs.stop(), 0)
        self.go_away()
        commands = ((("resolve", "prod"), self.cached),
                    (("latest", self.cached.split("-", 1)[0]), "1.0.0"),
                    (("versions", self.listed.split("-", 1)[0]), "1.0.0"),
                    (("info", "--name", self.cached), "onnx"),
                    (("resolve", "unheard"), None))
        # Each waits for a silent server: all at once.
        with concurrent.futures.ThreadPoolExecutor(len(commands)) as pool:
            outcomes = pool.map(lambda row: fs.command(*row[0]), commands)
        for (arguments, expected), done in zip(commands, outcomes):
            if expected:
                self.assertEqual((done.returncode, done.stdout), (0, expected + "\n"),
                                 (arguments, done.stderr))
            else:
                self.assertEqual(done.returncode, 1)
                self.assert_sentence(done.stderr, "repository 'models'")

    def test_changes_of_others_are_seen_again(self):
        fs = self.mount(self.models, ttl=TTL)
        self.look_around(fs)
        self.assertEqual(fs.stop(), 0)
        self.models.set_alias("prod", self.listed)
        fs = self.mount(self.models, name="second", ttl=TTL)
        self.assertEqual((fs.point / "prod/current/c.txt").read_bytes(), b"c\n")
        self.assertNotIn(LOST, fs.log())

    def test_damaged_memory(self):
        """What is kept of answers is nobody's trust."""
        fs = self.mount(self.models, ttl=TTL)
        self.look_around(fs)
        self.assertEqual(fs.stop(), 0)
        files = list((fs.cache / ".modelfs/known").iterdir())
        self.assertGreaterEqual(len(files), 4)
        for number, file in enumerate(files):
            content = file.read_bytes()
            file.write_bytes((b"", content[:-1], os.urandom(1000), content + b"x")
                             [number % 4])
        self.go_away()
        fs = self.mount(self.models, name="second", ttl=TTL)
        self.assertEqual(fs.read(self.cached, "a.txt"), b"a\n")
        self.assert_gone(os.stat, fs.point / "prod")
        self.come_back()
        self.wait_for(lambda: (fs.point / "prod").is_dir())
        self.look_around(fs)


class Offline(OfflineCase, MountTest):
    """The repository's folder is moved away and back."""

    gone = (errno.EHOSTUNREACH,)

    def go_away(self):
        self.models.folder.rename(self.models.folder.with_name("away"))

    def come_back(self):
        self.models.folder.with_name("away").rename(self.models.folder)


class ResetCase(BehindProxy):
    """Between us and the server all connections are reset."""

    fault = "reset"
    gone = (errno.ETIMEDOUT, errno.EIO)

    def go_away(self):
        self.proxy.inject(self.fault)

    def come_back(self):
        self.proxy.clear()


class SilentCase(ResetCase):
    """It takes connections and requests, and says nothing."""

    fault = "stall"
    gone = (errno.ETIMEDOUT,)
    rounds = 1  # bytes are waited for for 30 s


class SilentInRepliesCase(SilentCase):
    """It begins each reply, and says nothing more."""

    fault = "stall_body"


class OfflineServer(ResetCase, OnArtifactory, OfflineCase, MountTest):
    pass


class SilentServer(SilentCase, OnArtifactory, OfflineCase, MountTest):
    pass


class SilentInReplies(SilentInRepliesCase, OnArtifactory, OfflineCase, MountTest):
    pass


class OnS3Alone(OnS3):
    """But for what takes place on this machine."""

    test_commands = test_changes_of_others_are_seen_again = test_damaged_memory = None


class OfflineS3(ResetCase, OnS3Alone, OfflineCase, MountTest):
    pass


class SilentS3(SilentCase, OnS3Alone, OfflineCase, MountTest):
    pass


class SilentInRepliesOfS3(SilentInRepliesCase, OnS3Alone, OfflineCase, MountTest):
    pass


class ManyNames(BehindProxy, OnArtifactory, MountTest):
    """As many as there may be, from disk, in memory that is bounded."""

    MODELS, ALIASES = 100_000, 1_000_000

    def wait_until_saved(self, fs, count):
        """It is written behind the answers: until a file of that many names is whole."""
        wait_until(lambda: any(file.suffix != ".new" and file.stat().st_size > count * 8
                               for file in (fs.cache / ".modelfs").glob("known/*")),
                   "saved names")

    def test_after_a_restart(self):
        models = self.repository()
        uid = models.publish({"a.txt": b"a\n"})
        config = self.config(models, ttl=TTL)
        self.servers[models.host].more = {
            "models/_uid": [f"{n:08x}" for n in range(self.MODELS)],
            "models/_alias": [f"alias-{n}" for n in range(self.ALIASES)]}
        fs = self.mount_config(config)
        self.assertEqual(fs.read(uid, "a.txt"), b"a\n")
        wait_until(lambda: self.listed(fs), "the names from the server", 150)
        self.wait_until_saved(fs, self.ALIASES)
        self.assertEqual(fs.stop(), 0)
        self.proxy.inject("stall")
        fs = self.mount_config(config, name="second")
        with watched_memory(fs.worker()) as memory:
            start = time.monotonic()
            self.assertTrue(self.listed(fs))
            seconds = time.monotonic() - start
        print(f"\nfigures: {self.MODELS + self.ALIASES} saved names after {seconds:.1f} s "
              f"of a silent server, {max(memory) >> 10} MiB", file=sys.stderr)
        self.assertLess(max(memory), 64 << 10)
        self.assertEqual(fs.read(uid, "a.txt"), b"a\n")

    def listed(self, fs):
        try:
            return len(os.listdir(fs.point)) > self.MODELS + self.ALIASES
        except OSError:
            return False


@contextlib.contextmanager
def watched_memory(pid):
    """A list of what resident_kib said meanwhile, again and again."""
    stop, seen = threading.Event(), []

    def watch():
        while not stop.wait(0.02):
            seen.append(resident_kib(pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        stop.set()
        watcher.join()
    seen.append(resident_kib(pid))


if __name__ == "__main__":
    unittest.main()
