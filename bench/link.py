"""link: first reads from servers that are far away, beside a whole download.

The servers are Ceph's S3 gateway, where it is installed, and the tests' stand-in for
Artifactory; the way to them is a proxy that delays and shapes: 20 ms of round trip and
1 Gbit/s, once clean and once with 30 MiB/s for each connection, as object stores have it.
All are processes of their own. A mount has talked to its server before, about another
model: as in a mount in use there are connections, one, or as many as several readers made.
"""

import base64
import concurrent.futures
import contextlib
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import zipfile

import data
import radosgw
import ways
import works
from fault_proxy import Link

E2E = pathlib.Path(__file__).resolve().parent.parent / "tests/e2e"
ROUND_TRIP_S = 0.02
RATE = 125_000_000              # bytes/s: 1 Gbit/s
CAP = 30 << 20                  # bytes/s of each connection
USER, PASSWORD = "bench", "secret"
LOGIN = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

# Title, bytes/s of a connection (0: what the link has).
LINKS = [("clean", 0), ("30 MiB/s a connection", CAP)]


class OnArtifactory:
    name = "Artifactory"
    kind = "artifactory"
    login = {"ARTIFACTORY_USERNAME": USER, "ARTIFACTORY_API_KEY": PASSWORD}
    script = f"""
import sys
from artifactory import Artifactory
with Artifactory({{folder!r}}, {USER!r}, {PASSWORD!r}) as server:
    print(server.front.server_address[1], flush=True)
    sys.stdin.read()
"""

    def __init__(self, models):
        self.models = models
        self.works = works_on(models)

    def __enter__(self):
        script = self.script.format(folder=str(self.models.repository.host))
        self.process = subprocess.Popen(
            [sys.executable, "-B", "-c", script], text=True, cwd=E2E,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.communicate()

    def host(self, link):
        return f"{link.url}/artifactory"

    def request(self, link, path):
        return urllib.request.Request(f"{self.host(link)}/{path}",
                                      headers={"Authorization": f"Basic {LOGIN}"})


class OnS3:
    name = "S3"
    kind = "s3"
    login = {"MINIO_ACCESS_KEY": USER, "MINIO_SECRET_KEY": PASSWORD}

    def __init__(self, models):
        self.models = models
        self.works = works_on(models)

    def __enter__(self):
        import boto3

        self.folder = tempfile.mkdtemp(prefix="modelfs-bench-radosgw-")
        server = radosgw.shared(self.folder)
        server.add_tenant("bench", USER, PASSWORD)
        self.port = server.port
        url = f"http://127.0.0.1:{server.port}"
        self.client = boto3.client("s3", endpoint_url=url, aws_access_key_id=USER,
                                   aws_secret_access_key=PASSWORD,
                                   region_name="us-east-1")
        self.client.create_bucket(Bucket=self.models.repository.name)
        for uid in {uid for _, *uids, _, _ in self.works for uid in uids}:
            self.upload(uid)
        return self

    def upload(self, uid):
        repository = self.models.repository
        ident, version = data.split(uid)
        for path in (repository.header_path(ident, version),
                     repository.meta_path(ident, version), self.models.archive(uid)):
            # In parts where it is large, as audmodel does it.
            self.client.upload_file(str(path), repository.name,
                                    str(path.relative_to(repository.folder)))

    def __exit__(self, *_):
        radosgw.stop_shared(self.folder)
        shutil.rmtree(self.folder, ignore_errors=True)

    def host(self, link):
        return link.url

    def request(self, link, path):
        bucket, key = str(path).split("/", 1)
        url = self.client.generate_presigned_url(
            "get_object", Params={"Bucket": bucket, "Key": key})
        where = urllib.parse.urlsplit(url)
        return urllib.request.Request(where._replace(netloc=link.host).geturl(),
                                      headers={"Host": where.netloc})


def first_byte(name):
    return lambda folder: works.read_first_byte(folder / name)


def files_below(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def keep_one(folder):
    """One connection: nothing is asked for at once."""
    os.listdir(folder.parent.parent)    # which the mount asks for when it starts
    works.read_first_byte(files_below(folder)[0])
    time.sleep(0.3)     # neighbours that came along are written


def keep_several(folder):
    """Files that do not come by one request."""
    files = files_below(folder)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        list(pool.map(works.read_first_byte, files[::len(files) // 4 or 1]))
    time.sleep(0.3)     # the same


def works_on(models):
    """Title, the model, another one, how that is read before, and what is done."""
    first = first_byte("model.bin")
    return [
        ("first byte, file of 1 MiB, 1 connection kept", models.middle, models.small,
         keep_one, first),
        ("first byte, file of 1 MiB, several kept", models.middle, models.small,
         keep_several, first),
        (f"{data.SMALL_COUNT} small files", models.small, models.middle, keep_several,
         works.read_small_files),
        ("1 GiB, stored", models.big, models.middle, keep_several,
         works.read_sequentially),
    ]


@contextlib.contextmanager
def mount(server, link, base):
    repository = server.models.repository
    with ways.fresh(base) as folder:
        config = folder / "config.yaml"
        config.write_text(
            f"repositories:\n- name: {repository.name}\n  host: {server.host(link)}\n"
            f"  backend: {server.kind}\ncache: {{root: {folder / 'cache'}}}\n")
        mounted = ways.mounted.Mount(folder, config, env=server.login)
        try:
            yield mounted
        finally:
            mounted.stop()


def download(server, link, uid, base, work):
    """All of the archive over one connection, all of it unpacked, then the work."""
    path = server.models.archive(uid).relative_to(server.models.repository.host)
    with ways.fresh(base) as folder:
        copy = folder / "model.zip"
        with urllib.request.urlopen(server.request(link, path)) as reply, \
                open(copy, "wb") as file:
            while block := reply.read(1 << 20):
                file.write(block)
        with zipfile.ZipFile(copy) as archive:
            archive.extractall(folder / "model")
        work(folder / "model")


def through_link(server, base, connection_rate):
    """Seconds by work: (modelfs, whole download)."""
    found = {}
    where = ("127.0.0.1", server.port)
    with Link(where, ROUND_TRIP_S, RATE, connection_rate) as link:
        for title, uid, other, keep, work in server.works:
            # First, since a server may have to hash an archive once before it answers.
            theirs = works.timed(lambda: download(server, link, uid, base, work))
            with mount(server, link, base) as mounted:
                keep(mounted.path(other))
                ours = works.timed(lambda: work(mounted.path(uid)))
            found[title] = (ours, theirs)
    return found


def servers():
    return [OnArtifactory] if radosgw.missing() else [OnS3, OnArtifactory]


def measure(models, base, rounds):
    """{(server, link, work): [(modelfs, whole download), ...]}"""
    found = {}
    with contextlib.ExitStack() as stack:
        running = [stack.enter_context(kind(models)) for kind in servers()]
        for number in range(rounds):
            for server in running:
                for title, connection_rate in LINKS:
                    print(f"{server.name}, link '{title}', round {number + 1} of {rounds}",
                          file=sys.stderr)
                    pairs = through_link(server, base, connection_rate)
                    for work, pair in pairs.items():
                        found.setdefault((server.name, title, work), []).append(pair)
    return found


def table(found, shown, times):
    rows = [(f"link: {ROUND_TRIP_S * 1e3:.0f} ms, 1 Gbit/s", "", "", "modelfs",
             "whole download", "ratio", "")]
    for (server, link, work), pairs in found.items():
        ours = statistics.median(pair[0] for pair in pairs)
        theirs = statistics.median(pair[1] for pair in pairs)
        note = ""
        if work.startswith("first byte"):
            note = f"{ours / ROUND_TRIP_S:.1f} round trips"
        elif work.startswith("1 GiB"):
            note = f"{data.BIG / ours / RATE * 100:.0f} % of the link"
        rows.append((server, link, work, shown(ours), shown(theirs), times(ours / theirs),
                     note))
    return rows
