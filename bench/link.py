"""link: first reads from a server that is far away, beside a whole download.

The server is the tests' stand-in for Artifactory; the way to it a proxy that delays and
shapes: 20 ms of round trip and 1 Gbit/s, once clean and once with 30 MiB/s for each
connection, as object stores have it. Both are processes of their own.
"""

import base64
import contextlib
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import urllib.request
import zipfile

import data
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


SERVER = f"""
import sys
from artifactory import Artifactory
with Artifactory({{folder!r}}, {USER!r}, {PASSWORD!r}) as server:
    print(server.front.server_address[1], flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def served(models, connection_rate):
    """The URL of the repository's host, through the link."""
    script = SERVER.format(folder=str(models.repository.host))
    server = subprocess.Popen([sys.executable, "-B", "-c", script], text=True, cwd=E2E,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        port = int(server.stdout.readline())
        with Link(("127.0.0.1", port), ROUND_TRIP_S, RATE, connection_rate) as link:
            yield f"{link.url}/artifactory"
    finally:
        server.communicate()


@contextlib.contextmanager
def mount(models, url, base):
    with tempfile.TemporaryDirectory(dir=base) as name:
        folder = pathlib.Path(name)
        config = folder / "config.yaml"
        config.write_text(
            f"repositories:\n- name: {models.repository.name}\n  host: {url}\n"
            f"  backend: artifactory\ncache: {{root: {folder / 'cache'}}}\n")
        login = {"ARTIFACTORY_USERNAME": USER, "ARTIFACTORY_API_KEY": PASSWORD}
        mounted = ways.mounted.Mount(folder, config, env=login)
        try:
            yield mounted
        finally:
            mounted.stop()


def download(models, uid, url, base, work):
    """All of the archive over one connection, all of it unpacked, then the work."""
    path = models.archive(uid).relative_to(models.repository.host)
    request = urllib.request.Request(f"{url}/{path}",
                                     headers={"Authorization": f"Basic {LOGIN}"})
    with tempfile.TemporaryDirectory(dir=base) as name:
        copy = pathlib.Path(name) / "model.zip"
        with urllib.request.urlopen(request) as reply, open(copy, "wb") as file:
            while block := reply.read(1 << 20):
                file.write(block)
        with zipfile.ZipFile(copy) as archive:
            archive.extractall(pathlib.Path(name) / "model")
        work(pathlib.Path(name) / "model")


def first_byte(name):
    return lambda folder: works.read_first_byte(folder / name)


def through_link(models, base, connection_rate):
    """Seconds by work: (modelfs, whole download)."""
    found = {}
    rows = [
        ("first byte, file of 1 MiB", models.middle, first_byte("model.bin")),
        (f"{data.SMALL_COUNT} small files", models.small, works.read_small_files),
        ("1 GiB, stored", models.big, works.read_sequentially),
    ]
    with served(models, connection_rate) as url:
        for title, uid, work in rows:
            # First, since the server has to hash an archive once before it answers.
            theirs = works.timed(lambda: download(models, uid, url, base, work))
            with mount(models, url, base) as mounted:
                os.stat(mounted.path(models.mixed))     # one connection is there
                ours = works.timed(lambda: work(mounted.path(uid)))
            found[title] = (ours, theirs)
    return found


def measure(models, base, rounds):
    """{(link, work): [(modelfs, whole download), ...]}"""
    found = {}
    for number in range(rounds):
        for title, connection_rate in LINKS:
            print(f"link '{title}', round {number + 1} of {rounds}", file=sys.stderr)
            for work, pair in through_link(models, base, connection_rate).items():
                found.setdefault((title, work), []).append(pair)
    return found


def table(found, shown, times):
    rows = [(f"link: {ROUND_TRIP_S * 1e3:.0f} ms, 1 Gbit/s", "", "modelfs",
             "whole download", "ratio", "")]
    for (link, work), pairs in found.items():
        ours = statistics.median(pair[0] for pair in pairs)
        theirs = statistics.median(pair[1] for pair in pairs)
        note = ""
        if work.startswith("first byte"):
            note = f"{ours / ROUND_TRIP_S:.1f} round trips"
        elif work.startswith("1 GiB"):
            note = f"{data.BIG / ours / RATE * 100:.0f} % of the link"
        rows.append((link, work, shown(ours), shown(theirs), times(ours / theirs), note))
    return rows
