"""A bucket of 100,000 models: listed once per TTL, in little memory.

The bucket is made up: a server that answers listings alone, page by page, as an S3 store
does (putting so many objects takes minutes). It counts what it is asked.
"""

import http.server
import os
import pathlib
import re
import threading
import unittest
import urllib.parse

from mounted import IS_SANITIZED, MountTest, wait_until

MODELS = 100_000
PAGE = 1000


def short_id(i):
    return f"{i * 2654435761 % 2**32:08x}"


class Listings(http.server.BaseHTTPRequestHandler):
    """Keys "_uid/<id>/1.0.0/<id>-1.0.0.header.yaml"; no other object exists."""

    protocol_version = "HTTP/1.1"
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
        start = int(query.get("continuation-token", "0"))
        rows = "".join(
            f"<CommonPrefixes><Prefix>_uid%2F{ident}%2F</Prefix></CommonPrefixes>"
            for ident in self.idents[start:start + PAGE])
        more = start + PAGE < MODELS
        token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>"
        return self.answer(200, f"<ListBucketResult><IsTruncated>{str(more).lower()}"
                                f"</IsTruncated>{token if more else ''}{rows}"
                                "</ListBucketResult>")


class Many(MountTest):
    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listings)
        self.server.listed = []
        thread = threading.Thread(target=self.server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)

    def serve(self, host):
        return "s3", f"http://127.0.0.1:{self.server.server_address[1]}"

    def names(self, mount):
        """None while it is not known yet."""
        try:
            return {name for name in os.listdir(mount.point) if not name.startswith("@")}
        except TimeoutError:
            return None

    def test_models(self):
        mount = self.mount(("/s3", "models"), ttl={"listing": "1h"})
        wait_until(lambda: self.names(mount) is not None, "the listing")
        self.assertEqual(self.names(mount), set(Listings.idents))
        self.assertEqual(self.server.listed.count("_uid/"), MODELS // PAGE)
        if not IS_SANITIZED:
            status = pathlib.Path(f"/proc/{mount.worker()}/status").read_text()
            used = sum(int(kib) for kib in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+)", status))
            self.assertLess(used, 64 << 10)


if __name__ == "__main__":
    unittest.main()
