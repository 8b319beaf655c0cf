"""A bucket of 100,000 models: listed once per TTL, in little memory.

The bucket is made up: a server that answers listings alone, page by page, as an S3 store
does (putting so many objects takes minutes). It counts what it is asked.
"""

import bisect
import contextlib
import errno
import http.server
import os
import signal
import sys
import threading
import time
import unittest
import urllib.parse

from crowd import INTERRUPTED, Crowd
from fault_proxy import Link
from mounted import IS_SANITIZED, MountTest, modelfs, wait_until
from test_limits import resident_kib

MODELS = 100_000
PAGE = 1000
SHARES_MAX = 8                  # of the names, asked for at once
MARGIN_S = 10                   # of a busy machine; who waits for bytes waits for 30 s


def short_id(i):
    return f"{i * 2654435761 % 2**32:08x}"


class Listings(http.server.BaseHTTPRequestHandler):
    """Keys "_uid/<id>/1.0.0/<id>-1.0.0.header.yaml"; no other object exists."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    idents = sorted(short_id(i) for i in range(MODELS))

    def log_message(self, *_):
        pass

    def answer(self, status, text=""):
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.answer(200 if self.path.split("?")[0] == "/models" else 404)

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        if url.path != "/models":
            return self.answer(404, "<Error><Code>NoSuchKey</Code></Error>")
        prefix = query["prefix"]
        self.server.listed.append(prefix)
        if prefix != "_uid/" or "delimiter" not in query:
            return self.answer(200, "<ListBucketResult></ListBucketResult>")
        with self.server.counted():
            self.list_models(query)

    def list_models(self, query):
        if self.server.is_endless:
            return self.answer(
                200, "<ListBucketResult><IsTruncated>true</IsTruncated>"
                     f"<NextContinuationToken>{len(self.server.listed)}"
                     "</NextContinuationToken></ListBucketResult>")
        self.server.stopped.wait(self.server.pause)
        if len(self.server.listed) > self.server.pages_max:
            return self.answer(403, "<Error><Code>AccessDenied</Code></Error>")
        start = 0
        if "continuation-token" in query:
            start = int(query["continuation-token"])
        elif self.server.knows_start:
            first = query.get("start-after", "").removeprefix("_uid/")
            start = bisect.bisect_left(self.idents, first)
        rows = "".join(
            f"<CommonPrefixes><Prefix>_uid%2F{ident}%2F</Prefix></CommonPrefixes>"
            for ident in self.idents[start:start + PAGE])
        more = start + PAGE < MODELS
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>"
        return self.answer(200, f"<ListBucketResult><IsTruncated>{str(more).lower()}"
                                f"</IsTruncated>{token if more else ''}{rows}"
                                "</ListBucketResult>")


class Server(http.server.ThreadingHTTPServer):
    pause = 0.0                 # seconds before each page of models
    knows_start = True          # begins where it is asked to
    pages_max = 1 << 20         # then it refuses
    is_endless = False          # empty pages, and always another one

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Listings)
        self.listed = []
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.pages = self.most = 0

    @contextlib.contextmanager
    def counted(self):
        """How many pages are asked for at once."""
        with self.lock:
            self.pages += 1
            self.most = max(self.most, self.pages)
        try:
            yield
        finally:
            with self.lock:
                self.pages -= 1


class Many(MountTest):
    is_far_away = False         # 20 ms, and a line of 1 Gbit/s

    def setUp(self):
        super().setUp()
        self.server = Server()
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.addCleanup(self.server.stopped.set)

    def serve(self, host):
        host, port = self.server.server_address
        if not self.is_far_away:
            return "s3", f"http://{host}:{port}"
        link = self.enterContext(Link((host, port), 0.02, 125_000_000))
        return "s3", link.url

    def names(self, mount):
        return {name for name in os.listdir(mount.point) if not name.startswith("@")}

    def test_models(self):
        """The first listing works, and is the only one."""
        self.server.pause = 0.02    # long enough to be asked for others meanwhile
        mount = self.mount(("/s3", "models"), ttl={"listing": "1h"})
        start = time.monotonic()
        self.assertEqual(self.names(mount), set(Listings.idents))
        seconds = time.monotonic() - start
        asked = self.server.listed.count("_uid/")
        print(f"\nfigures: {MODELS} models after {seconds:.2f} s, {asked} pages, "
              f"{self.server.most} at once, {resident_kib(mount.worker()) >> 10} MiB",
              file=sys.stderr)
        # Each share ends, and the next begins, within a page.
        self.assertLessEqual(asked, MODELS // PAGE + 2 * SHARES_MAX)
        self.assertGreater(self.server.most, 1)
        self.assertLessEqual(self.server.most, SHARES_MAX)
        self.assertEqual(self.names(mount), set(Listings.idents))
        self.assertEqual(self.server.listed.count("_uid/"), asked)
        if not IS_SANITIZED:
            self.assertLess(resident_kib(mount.worker()), 64 << 10)

    def test_models_far_away(self):
        self.is_far_away = True
        self.test_models()

    def test_a_store_that_begins_where_it_likes(self):
        self.server.knows_start = False
        mount = self.mount(("/s3", "models"))
        self.assertEqual(self.names(mount), set(Listings.idents))

    def test_a_store_that_refuses_in_the_middle(self):
        self.server.pages_max = 50
        mount = self.mount(("/s3", "models"), ttl={"negative": "10ms"})
        self.assert_fails(errno.EACCES, os.listdir, mount.point)
        self.server.pages_max = 1 << 20

        def is_allowed():
            try:
                return self.names(mount) == set(Listings.idents)
            except PermissionError:     # known for as long as negative answers are
                return False

        wait_until(is_allowed, "all models")

    def test_a_store_without_a_last_page(self):
        """Who lists is told, at the latest after a while; nobody asks on for ever."""
        self.server.is_endless = True
        mount = self.mount(("/s3", "models"), ttl={"negative": "1h"})
        with self.assertRaises(OSError) as raised:
            os.listdir(mount.point)
        self.assertIn(raised.exception.errno, (errno.EIO, errno.ETIMEDOUT))
        wait_until(lambda: "without a name" in (mount.point / "@status").read_text(),
                   "the end")
        asked = 2  # for few models when it was mounted, and for all
        self.assertLess(len(self.server.listed), asked * 1100)

    def test_a_store_that_takes_its_time(self):
        """More than a look-up may: as long as pages come, who lists waits."""
        self.server.pause = 0.4
        mount = self.mount(("/s3", "models"))
        start = time.monotonic()
        self.assertEqual(self.names(mount), set(Listings.idents))
        self.assertGreater(time.monotonic() - start, 3)
        self.assertEqual(mount.log().count("cannot be asked"), 0)

    def test_a_store_that_falls_silent(self):
        self.server.pause = 3600
        mount = self.mount(("/s3", "models"))
        start = time.monotonic()
        self.assert_fails(errno.ETIMEDOUT, os.listdir, mount.point)
        self.assertLess(time.monotonic() - start, 3 + MARGIN_S)

    def test_who_waits_can_be_ended(self):
        """And nobody else waits in that folder."""
        self.server.pause = 1
        mount = self.mount(("/s3", "models"))
        with Crowd([mount.point] * 20) as crowd:
            crowd.wait_until_blocked(crowd.pids)
            self.assertTrue((mount.point / "@status").read_text())
            self.assert_fails(errno.ENOENT, os.stat, mount.point / "no model")
            start = time.monotonic()
            crowd.signal(signal.SIGKILL, crowd.pids[::2])
            crowd.signal(signal.SIGINT, crowd.pids[1::2])
            wait_until(lambda: len(crowd.ended(crowd.pids)) == 20, "the ends")
            self.assertLess(time.monotonic() - start, MARGIN_S)
            self.assertEqual(set(crowd.ended(crowd.pids[::2])), {-signal.SIGKILL})
            self.assertEqual(set(crowd.ended(crowd.pids[1::2])), {INTERRUPTED})
        self.server.pause = 0
        self.assertEqual(self.names(mount), set(Listings.idents))

    def test_command(self):
        self.server.pause = 0.4
        done = modelfs("ls", config=self.config(("/s3", "models")))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(set(done.stdout.split()), set(Listings.idents))


if __name__ == "__main__":
    unittest.main()
