"""What reading costs in requests to a server and in bytes of it, counted."""

import http.server
import os
import random
import re
import subprocess
import sys
import threading
import unittest
import urllib.parse
import zipfile

from artifactory import OnArtifactory
from fault_proxy import BehindProxy
from mounted import MountTest, wait_until
from radosgw import OnS3
from repository import split, write_archive

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30


def list_all(folder):
    subprocess.run(["ls", "-lR", str(folder)], stdout=subprocess.DEVNULL, check=True,
                   timeout=60)


def central_size(path):
    """Bytes of an archive's central directory and end record."""
    with zipfile.ZipFile(path) as archive:
        return path.stat().st_size - archive.start_dir


class RequestsCase:
    """A mount that talked to the server before, but about another model."""

    versions_asked = ["list"]

    def setUp(self):
        super().setUp()
        random.seed(4)
        self.models = self.repository()
        self.other = self.models.publish({"a.txt": b"a\n"}, params={"other": 1})

    def publish(self, files, **keys):
        path = self.folder / "archive.zip"
        write_archive(path, files)
        self.central = central_size(path)
        return self.models.publish({}, archive=path.read_bytes(), **keys)

    def mount_asked(self, ttl="1h", **keys):
        """A mount that asked which models there are, which it does when it starts. It
        does not ask again: a busy machine may take long."""
        before = self.listings()
        mount = self.mount(self.models, ttl={"listing": ttl}, **keys)
        wait_until(lambda: self.listings() > before, "the first listing")
        return mount

    def listings(self):
        return self.asked().count("list") if self.proxy else 0

    def begin(self, name="first", cache="cache", **keys):
        mount = self.mount_asked(name=name, cache=cache, **keys)
        self.assertEqual(mount.read(self.other, "a.txt"), b"a\n")
        # It is saved behind the answer.
        saved = mount.cache.joinpath(*split(self.other)).with_name("1.0.0.meta.yaml")
        wait_until(saved.exists, "metadata")
        self.forget()
        return mount

    def forget(self):
        self.proxy.clear()
        self.connections = self.proxy.connections

    def asked(self):
        """What was asked for since then, in this order and over which connections."""
        def kind(target):
            url = urllib.parse.urlsplit(target)
            if "list-type" in url.query or "/api/storage/" in url.path:
                return "list"
            return url.path.rpartition("-1.0.0.")[2]

        for request in self.proxy.seen():
            print(request, file=sys.stderr)
        return [kind(request.target) for request in self.proxy.seen()]

    def archive_bytes(self):
        return sum(r.sent for r in self.proxy.seen() if r.target.endswith(".zip"))

    def publish_listed(self):
        """A model whose table of contents takes one request, and one whose takes two."""
        short = self.publish({f"{n % 7}/{n}.bin": random.randbytes(5 * KIB)
                              for n in range(100)}, params={"table": "short"})
        self.assertLess(self.central, 64 * KIB)
        yield short, ["zip"]
        long = self.publish({f"folder/{n % 7}/file-{n}.bin": b"" for n in range(2000)},
                            params={"table": "long"})
        self.assertGreater(self.central, 128 * KIB)
        yield long, ["zip", "zip"]

    def check_listing(self, mount, uid, expected):
        self.forget()
        list_all(mount.path(uid))
        self.assertEqual(self.asked(), expected)
        self.assertLessEqual(self.archive_bytes(), self.central + 64 * KIB)

    def test_a_listing_costs_the_header_and_two_at_most(self):
        """By its path, and out of the listing of all."""
        for number, (uid, table) in enumerate(self.publish_listed()):
            for is_listed in (False, True):
                with self.subTest(uid=uid, table=table, is_listed=is_listed):
                    mount = self.begin(f"mount-{number}-{is_listed}", f"{number}{is_listed}")
                    if is_listed:
                        self.assertIn(uid[:8], os.listdir(mount.point))
                    self.check_listing(mount, uid, ["header.yaml", *table])

    def test_a_listing_is_of_use_when_it_is_old(self):
        mount = None
        for uid, table in self.publish_listed():
            mount = mount or self.begin(ttl="1ms")
            if table == ["zip"]:
                os.listdir(mount.point)
                self.check_listing(mount, uid, ["header.yaml", *table])

    def test_what_is_newer_than_the_listing_costs_one_more(self):
        """The first look into a mount's first model costs none."""
        for number, (uid, table) in enumerate(self.publish_listed()):
            mount = self.mount_asked(name=f"mount-{number}", cache=f"cache-{number}")
            self.check_listing(mount, uid, ["header.yaml", *table])
            uid = self.publish({"a.txt": b"a\n"}, params={"new": number})
            self.check_listing(mount, uid, ["list", "header.yaml", "zip"])

    def test_the_first_byte_comes_in_3_round_trips(self):
        """One after the other, on connections that there are; halves would be too small.
        """
        uid = self.publish({f"{n}.bin": random.randbytes(500 * KIB) for n in range(3)})
        mount = self.begin()
        with open(mount.path(uid, "1.bin"), "rb", buffering=0) as file:
            self.assertEqual(len(file.read(1)), 1)
        self.assertEqual(self.asked(), ["header.yaml", "zip", "zip"])
        self.assertEqual(self.proxy.connections, self.connections)

    def test_a_member_comes_in_halves(self):
        """As stores cap each connection. What was asked for before took one at a time; the
        other was opened beside the first table of contents, and waits."""
        content = [random.randbytes(MIB) for n in range(3)]
        uid = self.publish({f"{n}.bin": content[n] for n in range(3)})
        mount = self.begin()
        self.assertEqual(mount.read(uid, "1.bin"), content[1])
        self.assertEqual(self.asked(), ["header.yaml", "zip", "zip", "zip"])
        self.assertEqual(self.proxy.connections, self.connections)
        self.assertLessEqual(self.archive_bytes(), MIB + 128 * KIB)

    def test_neighbours_come_together(self):
        """Whatever the order of the archive is, which audmodel's has from the disk."""
        files = {f"{n:04}.bin": random.randbytes(KIB) for n in range(2000)}
        for order in (list(files), random.sample(list(files), len(files))):
            uid = self.publish({name: files[name] for name in order},
                               name="sorted" if order == list(files) else "mixed")
            mount = self.begin(uid)
            for name, content in files.items():
                self.assertEqual(mount.read(uid, name), content)
            self.assertLessEqual(len(self.asked()), 20 if order == list(files) else 30)

    def test_what_never_changes_is_asked_for_once(self):
        """Another mount of the same cache asks for the versions that there are now, and
        for nothing else."""
        files = {f"{n}.txt": b"text %d\n" % n for n in range(20)}
        uid = self.publish(files)
        for name in ("first", "second"):
            mount = self.begin(name)
            list_all(mount.path(uid))
            for file, content in files.items():
                self.assertEqual(mount.read(uid, file), content)
            self.assertEqual(mount.info(uid, "name"), "onnx\n")
            if name == "second":
                self.assertEqual(self.asked(), self.versions_asked)
            self.assertEqual(mount.stop(), 0)


class RequestsToS3(BehindProxy, OnS3, RequestsCase, MountTest):
    pass


class RequestsToArtifactory(BehindProxy, OnArtifactory, RequestsCase, MountTest):
    versions_asked = ["list", "list"]  # the model's folder, and its version's

    def test_among_many_models(self):
        """None of their listings tells all with one request: a folder is asked for."""
        uid, table = next(self.publish_listed())
        mount = self.begin()
        self.assertEqual(mount.stop(), 0)
        self.servers[self.models.host].more = {
            "models/_uid": [f"{n:08x}" for n in range(2000)]}
        mount = self.begin("second", "other")
        self.check_listing(mount, uid, ["list", "header.yaml", *table])


class SparseStore(http.server.BaseHTTPRequestHandler):
    """The files of a folder, as a bucket without keys to log in with; holes take no
    space, and are not read when nobody asks for them."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def list(self, prefix):
        top = self.server.folder
        keys = sorted(str(p.relative_to(top)) for p in top.rglob("*") if p.is_file())
        rows = "".join(f"<Contents><Key>{key}</Key></Contents>"
                       for key in keys if key.startswith(prefix))
        self.answer(200, f"<ListBucketResult>{rows}</ListBucketResult>".encode())

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        path = self.server.folder / url.path.removeprefix("/models/")
        if "list-type" in query:
            return self.list(query.get("prefix", ""))
        if not path.is_file():
            return self.answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        size = path.stat().st_size
        if not self.headers.get("Range"):
            return self.answer(200, path.read_bytes(), ETag=f'"{size}"')
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers["Range"])
        first, last = found.groups()
        if not first:
            first, last = max(0, size - int(last)), ""
        first, last = int(first), min(int(last or size), size - 1)
        with path.open("rb") as file:
            file.seek(first)
            body = file.read(last + 1 - first)
        return self.answer(206, body, ETag=f'"{size}"',
                           Content_Range=f"bytes {first}-{last}/{size}")


class OnSparseStore:
    """Put in front of a MountTest: its repository is such a bucket."""

    def setUp(self):
        super().setUp()
        self.models = self.repository()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), SparseStore)
        self.server.folder = self.models.folder
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def serve(self, host):
        return "s3", f"http://127.0.0.1:{self.server.server_address[1]}"


class LargeArchive(BehindProxy, OnSparseStore, MountTest):
    """5 GiB; the store is a stand-in, as the real one would hold them in memory."""

    def write(self, path):
        """A hole between two members."""
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("first.bin", self.content)
            hole = zipfile.ZipInfo("hole.bin")
            hole.file_size = hole.compress_size = 5 * GIB
            hole.CRC = 0
            hole.header_offset = archive.fp.tell()
            archive.fp.write(hole.FileHeader(zip64=True))
            archive.fp.seek(5 * GIB, os.SEEK_CUR)
            archive.start_dir = archive.fp.tell()
            archive.filelist.append(hole)
            archive.NameToInfo[hole.filename] = hole
            archive.writestr("last.bin", self.content)
            self.packed = archive.getinfo("last.bin").compress_size

    def test_a_member_costs_its_packed_size(self):
        self.content = random.Random(4).randbytes(MIB) + bytes(MIB)
        uid = self.models.publish({}, archive=self.write)
        for name in ("first.bin", "last.bin"):
            with self.subTest(name):
                mount = self.mount(self.models, name=f"mount-{name}", cache=f"cache-{name}")
                self.proxy.clear()
                self.assertEqual(mount.read(uid, name), self.content)
                self.assertEqual(mount.path(uid, "hole.bin").stat().st_size, 5 * GIB)
                sent = sum(request.sent for request in self.proxy.seen())
                self.assertLessEqual(sent, self.packed + 256 * KIB)


if __name__ == "__main__":
    unittest.main()
