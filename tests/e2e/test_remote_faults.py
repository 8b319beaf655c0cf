"""A server, or the way to it, that misbehaves: right bytes or a clean error in time, never
a wrong byte, nobody who cannot be ended, and nothing that touches what is cached.

Each kind of fault has a model of its own, and all are read (or published) at once, so that
the deadlines pass together. Once the faults are gone everything works.
"""

import errno
import hashlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import threading
import time
import unittest

import yaml
from artifactory import OnArtifactory
from fault_proxy import BehindProxy
from mounted import MODELFS, MountTest, modelfs
from radosgw import OnS3
from repository import short_id

# Before a reply, in its head, in its body.
KINDS = ["reset", "close", "stall", "lose_reply", "garbage", "flood", "endless", "429",
         "500", "503", "ignore_range", "wrong_range", "etag", "long_length",
         "short_length", "truncate", "reset_body", "stall_body", "trickle"]
STALLS = {"stall", "stall_body", "trickle"}
# Where a reply is whole in itself only a checksum shows that it is not what it says.
LIES = {"endless", "long_length", "short_length"}
UPLOAD_KINDS = ["reset", "close", "stall", "lose_reply", "garbage", "429", "500", "503",
                "reset_upload", "stall_upload", "truncate"]
CLEAN = {errno.EIO, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ESTALE,
         errno.ENOTSUP, errno.EAGAIN}
WAIT_S = 30         # a wait without progress ends
LOOK_S = 3          # a look-up, and the opening of a folder
MARGIN_S = 10       # something may have come before, and the machine may be busy
PATIENCE_S = 60     # with what has many waits

READER = """
import errno, hashlib, json, os, sys, time
def timed(call, *arguments):
    start = time.monotonic()
    try:
        return call(*arguments)
    finally:
        took = "listed" if call is os.listdir else "longest"
        result[took] = max(result[took], time.monotonic() - start)
def read(path):
    with timed(open, path, "rb", 0) as file:
        while data := timed(file.read, 1 << 17):
            yield data
result = {"listed": 0, "longest": 0, "wrong": [], "errno": None, "at": None}
folder, expected = sys.argv[1], json.loads(sys.argv[2])
try:
    result["at"] = "list"
    names = timed(os.listdir, folder)
    if sorted(names) != sorted(expected):
        result["wrong"] = names
    for name, digest in expected.items():
        result["at"] = name
        found = hashlib.sha256()
        for data in read(os.path.join(folder, name)):
            found.update(data)
        if found.hexdigest() != digest:
            result["wrong"].append(name)
except OSError as error:
    result["errno"] = error.errno
print(json.dumps(result))
"""


class Reader:
    """A process that reads a whole model and tells what came of it."""

    def __init__(self, folder, files):
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
        self.process = subprocess.Popen(
            [sys.executable, "-c", READER, str(folder), json.dumps(digests)],
            stdout=subprocess.PIPE, text=True)

    def result(self):
        out, _ = self.process.communicate(timeout=3 * PATIENCE_S)
        return json.loads(out)


class CachedReader(threading.Thread):
    """Reads what is cached again and again: others' trouble is not felt there."""

    def __init__(self, folder, files):
        super().__init__(daemon=True)
        self.folder = folder
        self.files = files
        self.longest = 0.0
        self.failure = None
        self.is_over = threading.Event()
        self.start()

    def run(self):
        while not self.is_over.wait(0.05):
            start = time.monotonic()
            try:
                names = os.listdir(self.folder)
                found = {name: (self.folder / name).read_bytes() for name in names}
            except OSError as error:
                self.failure = error
                return
            if found != self.files:
                self.failure = "wrong bytes"
            self.longest = max(self.longest, time.monotonic() - start)

    def stop(self):
        self.is_over.set()
        self.join()


class Faults(BehindProxy):
    """What holds on every backend; classes in front of it serve the repositories."""

    connections = 64

    def publish(self, repository, number):
        files = {"a.txt": b"text %d\n" % number * 100, "b.bin": os.urandom(150_000),
                 "c.bin": os.urandom(1_500_000)}
        return repository.publish(files, params={"n": number}), files

    def begin(self, names):
        """A mount, a cached model, and one for each name: {name: (ID, files)}."""
        repository = self.repository()
        cached, cached_files = self.publish(repository, -1)
        models = {name: self.publish(repository, i) for i, name in enumerate(names)}
        self.fs = self.mount(repository, hold="64KiB", connections=self.connections)
        for name, data in cached_files.items():
            self.assertEqual(self.fs.read(cached, name), data)
        self.cached = CachedReader(self.fs.path(cached), cached_files)
        self.addCleanup(self.cached.stop)
        return models

    def read_all(self, models):
        """What came of reading each: {name: result}."""
        readers = {name: Reader(self.fs.path(uid), files)
                   for name, (uid, files) in models.items()}
        results = {name: reader.result() for name, reader in readers.items()}
        for name, result in results.items():
            print(name, result, file=sys.stderr)
        for name, result in results.items():
            self.assertEqual(result["wrong"], [], name)
            self.assertLess(result["listed"], 2 * LOOK_S + MARGIN_S, name)
            self.assertLess(result["longest"], WAIT_S + MARGIN_S, name)
            if result["errno"] is not None:
                self.assertIn(result["errno"], CLEAN, (name, result))
        return results

    def unmet(self, models):
        """Those whose kind of fault nobody came to yet. Once one makes the repository count
        as down the others of STALLS and LIES are not met."""
        met = {request.fault for request in self.proxy.seen()} | STALLS | LIES
        return {name: model for name, model in models.items() if split(name)[0] not in met}

    def finish(self, models):
        """The faults were met, they touched nobody else, and when they are gone so is
        the trouble."""
        self.assertEqual(set(self.unmet(models)), set())
        self.assertTrue({request.fault for request in self.proxy.seen()} & (STALLS | LIES))
        self.assertNotIn("was ended by signal", self.fs.log())
        self.cached.stop()
        self.assertIsNone(self.cached.failure)
        print(f"\nfigures: reads of what is cached took {self.cached.longest:.2f} s at most",
              file=sys.stderr)
        self.assertLess(self.cached.longest, LOOK_S + MARGIN_S)
        self.proxy.clear()
        end = time.monotonic() + PATIENCE_S
        left = models
        while left and time.monotonic() < end:
            results = self.read_all(left)
            left = {n: m for n, m in left.items() if results[n]["errno"] is not None}
        self.assertEqual(set(left), set(), "do not recover")

    def inject(self, models, pattern, **options):
        for name, (uid, _) in models.items():
            kind, skip = split(name)
            self.proxy.inject(kind, skip=skip, target=uid[:8] + pattern, **options)

    def test_reading_through_faults_that_pass(self):
        models = self.begin([f"{kind} {skip}" for kind in KINDS for skip in (0, 2)])
        self.inject(models, "", times=1)
        quick = {name: model for name, model in models.items()
                 if split(name)[0] not in STALLS | LIES}
        # Few at once, or a busy machine takes longer than a look-up may.
        names = sorted(quick)
        for first in range(0, len(names), 8):
            results = self.read_all({n: quick[n] for n in names[first:first + 8]})
            self.assertEqual({n: r for n, r in results.items() if r["errno"]}, {})
        # A repository that stalls one request, or lies, may keep others waiting.
        for kinds in (LIES, STALLS):
            self.read_all({name: model for name, model in models.items()
                           if split(name)[0] in kinds})
        self.finish(models)

    def test_reading_through_faults_that_last(self):
        models = self.begin([f"{kind} {skip}" for kind in KINDS for skip in (0, 2)])
        self.inject(models, r".*\.zip")
        self.read_all(models)
        # So many at once take long on a busy machine: some give up before their fault.
        end = time.monotonic() + PATIENCE_S
        while (left := self.unmet(models)) and time.monotonic() < end:
            self.read_all(left)
        self.finish(models)

    def test_readers_of_a_stalled_server_can_be_killed(self):
        models = self.begin(["stall 2", "stall_body 2", "trickle 2", "stall 0"])
        self.inject(models, r".*\.zip")
        readers = [Reader(self.fs.path(uid), files) for uid, files in models.values()]
        wanted = {split(name)[0] for name in models}
        end = time.monotonic() + PATIENCE_S
        while not wanted <= {r.fault for r in self.proxy.seen()}:
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        start = time.monotonic()
        for reader in readers:
            reader.process.send_signal(signal.SIGKILL)
        for reader in readers:
            reader.process.wait(PATIENCE_S)
            reader.process.stdout.close()
        killed = time.monotonic() - start
        # And the mount goes while the server still stalls.
        start = time.monotonic()
        self.cached.stop()
        self.assertEqual(self.fs.stop(), 0)
        stopped = time.monotonic() - start
        print(f"\nfigures: killed after {killed:.2f} s, unmounted after {stopped:.2f} s",
              file=sys.stderr)
        self.assertLess(killed, MARGIN_S)
        self.assertLess(stopped, MARGIN_S)

    def test_half_a_document_is_no_document(self):
        """Metadata cut short by a Content-Length that lies are YAML still: who merged
        something into them would lose the rest."""
        repository = self.repository()
        meta = {f"key {number}": number for number in range(60)}
        uid = repository.publish({"a.txt": b"a"}, meta=meta)
        fs = self.mount(repository)
        self.assertEqual(fs.read(uid, "a.txt"), b"a")
        self.proxy.inject("short_length", method="GET", target=r"meta\.yaml")
        self.assert_fails(errno.EIO, fs.info, uid, "meta.yaml")
        self.assertEqual(fs.command("meta", uid, "{more: 1}").returncode, 1)
        self.proxy.clear()
        self.assertEqual(yaml.safe_load(fs.info(uid, "meta.yaml")), meta)
        self.assertEqual(fs.command("meta", uid, "{more: 1}").returncode, 0)
        self.assertEqual(
            yaml.safe_load(repository.meta_path(*uid.split("-")).read_text()),
            {**meta, "more": 1})

    def test_a_slow_server_is_waited_for_by_commands(self):
        repository = self.repository()
        uid, _ = self.publish(repository, 1)
        config = self.config(repository)
        self.proxy.inject("slow", times=2)
        done = modelfs("ls", config=config)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(uid.split("-")[0], done.stdout)

    def start_publish(self, folder, config, number):
        with open(f"{folder}.log", "wb") as log:
            return subprocess.Popen(
                [MODELFS, "publish", "-c", str(config), "--name", "sent",
                 "--subgroup", "test", "--version", "1.0.0", "--params", f"n: {number}",
                 str(folder)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def publish_all(self, kinds, **options):
        """{kind: (files, exit status, what it said)}; the faults are met."""
        repository = self.repository()
        config = self.config(repository)
        sent, ids = {}, {}
        for number, kind in enumerate(kinds):
            folder = self.folder / f"root {kind}"
            folder.mkdir(exist_ok=True)
            files = {"a.txt": b"text\n", "b.bin": os.urandom(2_000_000)}
            for name, data in files.items():
                (folder / name).write_bytes(data)
            ids[kind] = short_id("sent", {"n": number}, "test")
            self.proxy.inject(kind, target=ids[kind] + options.get("pattern", ""),
                              times=options.get("times"))
            sent[kind] = (files, self.start_publish(folder, config, number))
        results = {}
        for kind, (files, process) in sent.items():
            status = process.wait(4 * PATIENCE_S)
            said = pathlib.Path(f"{self.folder}/root {kind}.log").read_text()
            print(kind, status, said, file=sys.stderr)
            results[kind] = (files, ids[kind], status, said)
        met = {request.fault for request in self.proxy.seen()}
        self.assertEqual(set(kinds) - met, set())
        self.proxy.clear()
        return repository, config, results

    def check_published(self, repository, results):
        """What was published is whole; what was not, is not there."""
        self.is_direct = True
        fs = self.mount(repository, name="direct", cache="direct-cache")
        for kind, (files, ident, status, said) in results.items():
            path = fs.point / ident / "1.0.0"
            if status == 0 or path.exists():
                for name, data in files.items():
                    self.assertEqual((path / name).read_bytes(), data, kind)
            else:
                self.assertEqual(status, 1, (kind, said))
                self.assertTrue(said.strip(), kind)

    def test_publishing_through_faults_that_pass(self):
        self.config(self.repository("other"))
        repository, _, results = self.publish_all(UPLOAD_KINDS, times=1)
        # The whole time that a request has may go by in one silence.
        self.assertEqual({kind: said for kind, (_, _, status, said) in results.items()
                          if status and kind not in ("stall", "stall_upload")}, {})
        self.check_published(repository, results)

    def test_publishing_through_faults_that_last(self):
        self.config(self.repository("other"))
        repository, config, results = self.publish_all(UPLOAD_KINDS)
        self.check_published(repository, results)
        # Without the faults what failed succeeds.
        for number, kind in enumerate(UPLOAD_KINDS):
            if results[kind][2]:
                process = self.start_publish(self.folder / f"root {kind}", config, number)
                self.assertEqual(process.wait(2 * PATIENCE_S), 0, kind)


def split(name):
    kind, skip = name.split(" ")
    return kind, int(skip)


class ArtifactoryFaults(Faults, OnArtifactory, MountTest):
    pass


class S3Faults(Faults, OnS3, MountTest):
    pass


if __name__ == "__main__":
    unittest.main()
