"""artifactory: a stand-in for an Artifactory server, over a folder.

    with Artifactory(folder, password="secret") as server:
        server.url              "http://127.0.0.1:.../artifactory"
        server.requests         [Request(method, path, status, received, sent), ...]

Written from what was observed of the requests that audbackend makes and of the replies it
relies on; nothing here knows modelfs. It wants credentials with every request, says 404
only in the words that count, compares X-Checksum-Md5 with what arrived, and knows no
conditional writes. The repositories are the folders below `folder`.
"""

import base64
import dataclasses
import datetime
import email.utils
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import tempfile
import threading
import time
import urllib.parse

from mounted import MINUTE, wait_until

BLOCK = 1 << 20
HIDDEN = ".arriving"


@dataclasses.dataclass
class Request:
    """Noted when it comes: whoever has the reply finds it."""
    method: str
    path: str
    login: str
    status: int = 0
    received: int = 0           # bytes of the body
    sent: int = 0               # bytes of the reply's


class Refused(Exception):
    def __init__(self, status, message):
        super().__init__(message)
        self.status = status
        self.message = message


def iso(seconds):
    time_ = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return time_.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Artifactory:
    """The server: a thread for each connection, on a free port of loopback."""

    def __init__(self, folder, user="me", password="secret", redirects=False,
                 digests=True, serves_ranges=True):
        self.folder = pathlib.Path(folder)
        self.logins = {f"Basic {user}:{password}"}
        self.redirects = redirects      # downloads come from another host
        self.digests = digests          # replies to downloads carry X-Checksum-*
        self.serves_ranges = serves_ranges
        self.more = {}                  # path -> names of folders that are nowhere else
        self.requests = []
        self.lock = threading.Lock()
        self.known = {}                 # (path, mtime, size) -> digests
        self.created = {}
        self.connections = 0            # that were taken, and are not closed
        self.is_down = False
        self.hides_repositories = False # files may be read and written, no more
        self.echoes = False             # a refusal quotes the request, as some proxies do
        self.front = serve(Front, self)
        self.cdn = serve(Cdn, self)
        self.url = f"http://127.0.0.1:{self.front.server_address[1]}/artifactory"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        for server in (self.front, self.cdn):
            server.shutdown()
            server.server_close()

    def allow(self, *logins):
        """Others than these are refused from now on: "Basic user:password", "Bearer t",
        "X-JFrog-Art-Api k", or "" for anybody."""
        with self.lock:
            self.logins = set(logins)

    def note(self, request):
        with self.lock:
            self.requests.append(request)
        return request

    def forget(self):
        with self.lock:
            self.requests = []

    def count(self, method=None, pattern=""):
        with self.lock:
            return sum(1 for r in self.requests
                       if method in (None, r.method) and re.search(pattern, r.path))

    def sent(self):
        with self.lock:
            return sum(r.sent for r in self.requests)

    def settle(self):
        """What clients asked for that are gone is done, or never will be."""
        # An answer comes after all connections before it were taken.
        last = http.client.HTTPConnection(*self.front.server_address, timeout=MINUTE)
        last.request("GET", "/")
        last.getresponse().read()
        last.close()
        wait_until(lambda: self.connections == 0, "the end of all connections")

    def digests_of(self, path):
        status = os.stat(path)
        key = (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
        if key not in self.known:
            found = {name: hashlib.new(name) for name in ("md5", "sha1", "sha256")}
            with open(path, "rb") as file:
                for block in iter(lambda: file.read(BLOCK), b""):
                    for digest in found.values():
                        digest.update(block)
            self.known[key] = {name: d.hexdigest() for name, d in found.items()}
        return self.known[key]


class OnArtifactory:
    """In front of a MountTest: its repositories are served by a stand-in.

        class PublishOnArtifactory(OnArtifactory, PublishCase, MountTest): pass
    """

    leaves_folders = True
    # Each publish takes its time without conditional writes.
    kills = 6

    def serve(self, host):
        servers = self.__dict__.setdefault("servers", {})
        if host not in servers:
            servers[host] = Artifactory(host)
            self.addCleanup(servers[host].stop)
        # A process of its own runs each test.
        os.environ.update(ARTIFACTORY_USERNAME="me", ARTIFACTORY_API_KEY="secret")
        return "artifactory", servers[host].url

    def settle(self):
        for server in self.servers.values():
            server.settle()


def serve(handler, owner):
    class Server(http.server.ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128
        artifactory = owner

        def process_request(self, request, client_address):
            with owner.lock:
                owner.connections += 1
            super().process_request(request, client_address)

        def shutdown_request(self, request):
            super().shutdown_request(request)
            with owner.lock:
                owner.connections -= 1

        def handle_error(self, request, client_address):
            pass  # a client that went away

    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "Artifactory/7.0"
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def log_message(self, *_):
        pass

    def handle_expect_100(self):
        answered = super().handle_expect_100()
        self.wfile.flush()
        return answered

    @property
    def owner(self):
        return self.server.artifactory

    def reply(self, status, body=b"", headers=None, size=None):
        """Head and body; size: of a body that follows."""
        self.seen.status = status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if size is None else size))
        self.end_headers()
        self.write(body)

    def write(self, data):
        if self.command != "HEAD" and data:
            self.seen.sent += len(data)
            self.wfile.write(data)

    def reply_file(self, path, headers):
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            first, last, status = self.wanted_range(size)
            if status == 416:
                raise Refused(416, "Requested range not satisfiable")
            headers = {"Content-Type": "application/octet-stream", **headers}
            if status == 206:
                headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            self.reply(status, headers=headers, size=last - first + 1)
            file.seek(first)
            left = last - first + 1
            while left and self.command != "HEAD":
                block = file.read(min(BLOCK, left))
                self.write(block)
                left -= len(block)

    def wanted_range(self, size):
        """First and last byte, and the status."""
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if not found or not self.owner.serves_ranges or found.group(0) == "bytes=-":
            return 0, size - 1, 200
        if found.group(1):
            first = int(found.group(1))
            last = min(int(found.group(2)), size - 1) if found.group(2) else size - 1
        else:
            first, last = max(size - int(found.group(2)), 0), size - 1
        return (0, 0, 416) if first >= size or last < first else (first, last, 206)


class Cdn(Handler):
    """Where downloads are sent to: no credentials, no digests."""

    def do_GET(self):
        _, number, path = self.path.split("/", 2)
        path = urllib.parse.unquote("/" + path)
        login = self.headers.get("Authorization") or self.headers.get("X-JFrog-Art-Api")
        self.seen = self.owner.note(Request("CDN", self.path, login))
        try:
            self.reply_file(path, {"ETag": f'"{number}"'})
        except Refused as refused:
            self.reply(refused.status)


class Front(Handler):
    def do_GET(self):
        self.answer(self.get)

    do_HEAD = do_GET

    def do_PUT(self):
        self.answer(self.put)

    def do_DELETE(self):
        self.answer(self.delete)

    def answer(self, act):
        self.has_body = self.command == "PUT"
        login = self.login()
        self.seen = self.owner.note(Request(self.command, self.path, login))
        try:
            if self.owner.is_down:
                raise Refused(503, "Service unavailable")
            self.check_login(login)
            act(urllib.parse.unquote(self.path.partition("?")[0]))
        except Refused as refused:
            self.refuse(refused)

    def refuse(self, refused):
        if self.has_body:  # what was not read ends the connection
            self.close_connection = True
        errors = [{"status": refused.status, "message": refused.message}]
        body = json.dumps({"errors": errors}, indent=2).encode()
        headers = {"Content-Type": "application/json"}
        if refused.status == 401:
            headers["WWW-Authenticate"] = 'Basic realm="Artifactory Realm"'
        self.reply(refused.status, body, headers)

    def login(self):
        key = self.headers.get("X-JFrog-Art-Api")
        if key:
            return f"X-JFrog-Art-Api {key}"
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if kind == "Basic":
            value = base64.b64decode(value).decode()
        return f"{kind} {value}".strip()

    def check_login(self, login):
        with self.owner.lock:
            allowed = self.owner.logins
        if "" not in allowed and login not in allowed:
            heads = f": {self.headers}" if self.owner.echoes else ""
            raise Refused(401, f"Bad credentials{heads}")

    def split(self, path):
        """What is asked for, repository and path in it."""
        prefix, _, rest = path.partition("/artifactory/")
        if prefix or not rest:
            raise Refused(404, "No such page")
        for area in ("api/storage/", "api/repositories/"):
            if rest.startswith(area):
                repository, _, below = rest[len(area):].partition("/")
                return area, repository, below
        repository, _, below = rest.partition("/")
        return "", repository, below

    def place(self, repository, below):
        parts = below.strip("/").split("/") if below.strip("/") else []
        if any(part in ("", ".", "..") for part in parts):
            raise Refused(400, "Bad path")
        return self.owner.folder.joinpath(repository, *parts)

    def has(self, repository):
        return repository not in ("", ".", "..") and (
            self.owner.folder / repository).is_dir()

    def get(self, path):
        area, repository, below = self.split(path)
        if area == "api/repositories/":
            if self.owner.hides_repositories:
                raise Refused(403, "Forbidden")
            if not self.has(repository):
                raise Refused(400, "Bad Request")
            return self.reply_json(200, {"key": repository, "rclass": "local",
                                         "packageType": "generic"})
        place = self.place(repository, below)
        if not self.has(repository) or not place.exists():
            if f"{repository}/{below}".strip("/") not in self.owner.more:
                raise Refused(404, "Unable to find item" if area else "File not found.")
        if area:
            return self.get_item(repository, below.strip("/"), place)
        return self.get_file(repository, below, place)

    def get_item(self, repository, below, place):
        about = {"repo": repository, "path": f"/{below}"}
        if place.is_file():
            about |= self.about_file(repository, below, place)
        else:
            about |= {"created": iso(0), "lastModified": iso(0), "lastUpdated": iso(0),
                      "children": self.children(repository, below, place)}
        quoted = urllib.parse.quote(below)
        about["uri"] = f"{self.owner.url}/api/storage/{repository}/{quoted}"
        self.reply_json(200, about)

    def about_file(self, repository, below, place):
        status = place.stat()
        modified = iso(status.st_mtime)
        with self.owner.lock:
            created = self.owner.created.get(str(place), modified)
        quoted = urllib.parse.quote(below)
        return {
            "created": created, "createdBy": "me", "lastModified": modified,
            "modifiedBy": "me", "lastUpdated": modified,
            "downloadUri": f"{self.owner.url}/{repository}/{quoted}",
            "mimeType": "application/octet-stream", "size": str(status.st_size),
            "checksums": self.owner.digests_of(place),
        }

    def children(self, repository, below, place):
        found = []
        if place.is_dir():
            with os.scandir(place) as entries:
                found = [{"uri": f"/{e.name}", "folder": e.is_dir()} for e in entries
                         if not e.name.startswith(HIDDEN)]
        names = self.owner.more.get(f"{repository}/{below}".strip("/"), ())
        return found + [{"uri": f"/{name}", "folder": True} for name in names]

    def reply_json(self, status, value):
        # Indented as the real one's, but where that takes seconds.
        indent = None if len(value.get("children", ())) > 1000 else 2
        self.reply(status, json.dumps(value, indent=indent).encode(),
                   {"Content-Type": "application/json"})

    def get_file(self, repository, below, place):
        if place.is_dir():
            return self.reply(200, b"<html>Index of folder</html>",
                              {"Content-Type": "text/html"})
        status = place.stat()
        if self.owner.redirects:
            port = self.owner.cdn.server_address[1]
            where = urllib.parse.quote(str(place.resolve()))
            return self.reply(302, headers={
                "Location": f"http://127.0.0.1:{port}/{status.st_mtime_ns}{where}"})
        headers = {"Last-Modified": email.utils.formatdate(status.st_mtime, usegmt=True),
                   "Accept-Ranges": "bytes"}
        if self.owner.digests:
            digests = self.owner.digests_of(place)
            headers["ETag"] = digests["sha1"]
            for name, digest in digests.items():
                headers[f"X-Checksum-{name.capitalize()}"] = digest
        return self.reply_file(place, headers)

    def put(self, path):
        area, repository, below = self.split(path)
        if area or not self.has(repository):
            raise Refused(404, "Unable to find item")
        place = self.place(repository, below)
        if below.endswith("/"):
            place.mkdir(parents=True, exist_ok=True)
            self.read_body(None)
            return self.reply_json(201, {"repo": repository, "path": f"/{below}"})
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=place.parent, prefix=HIDDEN,
                                         delete=False) as file:
            os.chmod(file.name, 0o644)
            try:
                digest = self.read_body(file)
                self.check_digest(below, digest)
                file.close()
                with self.owner.lock:
                    if not place.exists():
                        self.owner.created[str(place)] = iso(time.time())
                os.replace(file.name, place)
            except BaseException:
                os.unlink(file.name)
                raise
        return self.reply_json(201, {"repo": repository, "path": f"/{below}",
                                     **self.about_file(repository, below, place)})

    def read_body(self, file):
        left = int(self.headers.get("Content-Length", 0))
        digest = hashlib.md5()
        while left:
            block = self.rfile.read(min(BLOCK, left))
            if not block:
                raise ConnectionError("the body ends too early")
            left -= len(block)
            self.seen.received += len(block)
            digest.update(block)
            if file:
                file.write(block)
        self.has_body = False
        return digest.hexdigest()

    def check_digest(self, below, digest):
        wanted = self.headers.get("X-Checksum-Md5")
        if wanted and wanted != digest:
            raise Refused(409, f"Checksum error for '{below}': received '{wanted}' but "
                               f"actual is '{digest}'")

    def delete(self, path):
        area, repository, below = self.split(path)
        place = self.place(repository, below)
        if area or not below or not place.exists():
            raise Refused(404, f"Could not locate artifact '{repository}:{below}' "
                               "(Nothing to delete).")
        if place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
        self.reply(204)
