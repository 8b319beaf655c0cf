"""fault_proxy: stands between a client and an HTTP server, and misbehaves when told to.

    with FaultProxy(("127.0.0.1", port)) as proxy:
        proxy.inject("truncate", method="GET", target=r"\\.zip$", times=1)
        ... the client uses proxy.url ...
        proxy.requests            [Request(method, target, status, fault, ...), ...]

It also makes links: `delay` is a round trip in seconds (a new connection costs one more),
`rate` and `connection_rate` are bytes per second each way, of all and of each connection.
Speaks HTTP/1.1 in plain text, kept connections, bodies of a known length or in chunks.

As a program, for links that must not share a process with what is measured:

    python3 fault_proxy.py HOST PORT DELAY RATE CONNECTION_RATE

prints its port, ends when its input ends, and prints one JSON line for each request.
"""

import asyncio
import contextlib
import dataclasses
import json
import re
import selectors
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

from line import Bucket, Gone, Pipe

BLOCK = 1 << 18
HEAD_MAX = 1 << 16
TRICKLE_S = 0.02


@dataclasses.dataclass
class Request:
    method: str
    target: str
    range: str                  # "bytes=0-99" or None
    connection: int             # counts from 0
    status: int = None          # as the client got it
    received: int = 0           # bytes of the body that the client sent
    sent: int = 0               # bytes of the body that the client got
    fault: str = None
    started: float = 0.0        # when it came
    ended: float = 0.0          # when the last of the reply went on


@dataclasses.dataclass
class Fault:
    """What happens to requests that match; `times` None: to all of them."""
    kind: str
    method: str = None
    target: str = None          # regular expression, searched
    times: int = None
    skip: int = 0               # so many that match go through first
    at: float = 0.5             # where in a body, as a share of it
    retry_after: str = None     # of the kinds that are statuses
    ranges_only: bool = False

    def takes(self, request):
        if (self.method not in (None, request.method)
                or (self.target and not re.search(self.target, request.target))
                or (self.ranges_only and not request.range)):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            if self.times == 0:
                return False
            self.times -= 1
        return True


class Head:
    """A start line and fields, kept as they came."""

    def __init__(self, data):
        self.start, *self.fields = data.decode("latin-1").split("\r\n")[:-2]

    def get(self, name):
        for field in self.fields:
            key, _, value = field.partition(":")
            if key.lower() == name:
                return value.strip()
        return None

    def set(self, name, value):
        """None takes the field out."""
        self.fields = [field for field in self.fields
                       if field.partition(":")[0].lower() != name]
        if value is not None:
            self.fields.append(f"{name}: {value}")

    def encode(self):
        return ("\r\n".join([self.start, *self.fields]) + "\r\n\r\n").encode("latin-1")

    def body_size(self):
        """Bytes, or None for chunks."""
        if (self.get("transfer-encoding") or "").lower() == "chunked":
            return None
        return int(self.get("content-length") or 0)


async def read_head(reader):
    try:
        return Head(await reader.readuntil(b"\r\n\r\n"))
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Gone from error


async def blocks(reader, size):
    """The body as it is on the wire: size bytes, or chunks up to the last."""
    while size is None:
        line = await reader.readline()
        length = int(line.split(b";")[0] or b"0", 16)
        yield line + await reader.readexactly(length + 2)
        if length == 0:
            return
    while size > 0:
        data = await reader.read(min(size, BLOCK))
        if not data:
            raise Gone
        size -= len(data)
        yield data


class Connection:
    """One client and its connection to the server."""

    def __init__(self, proxy, reader, writer, number):
        self.proxy = proxy
        self.reader = reader
        self.writer = writer
        self.number = number
        late = proxy.delay / 2
        self.down = Pipe(writer, late, [proxy.down, Bucket(proxy.connection_rate)])
        self.up = None
        self.server_reader = self.server_writer = None

    async def connect(self):
        if self.server_writer:
            return
        self.server_reader, self.server_writer = await asyncio.open_connection(
            *self.proxy.server, limit=4 * BLOCK)
        self.up = Pipe(self.server_writer, self.proxy.delay / 2,
                       [self.proxy.up, Bucket(self.proxy.connection_rate)])

    async def run(self):
        if self.proxy.delay:
            await asyncio.sleep(self.proxy.delay)   # the handshake
        while True:
            head = await read_head(self.reader)
            method, target, _ = head.start.split(" ", 2)
            request = Request(method, target, head.get("range"), self.number,
                              started=time.monotonic())
            fault = self.proxy.note(request)
            await self.exchange(head, request, fault)

    async def exchange(self, head, request, fault):
        before = getattr(self, f"before_{fault.kind}", None) if fault else None
        if before:
            await before(head, request, fault)
        await self.connect()
        await self.send_request(head, request, fault)
        reply = await self.read_reply_head()
        if fault and fault.kind == "lose_reply":
            await self.reset()
        change = getattr(self, f"change_{fault.kind}", None) if fault else None
        if change:
            await change(reply, request, fault)
        request.status = int(reply.start.split(" ")[1])
        await self.down.write(reply.encode())
        await self.send_body(reply, request, fault)
        request.ended = time.monotonic()
        if (reply.get("connection") or "").lower() == "close":
            await self.finish()

    async def send_request(self, head, request, fault):
        size = head.body_size()
        if (head.get("expect") or "").lower() == "100-continue":
            head.set("expect", None)
            await self.down.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        await self.up.write(head.encode())
        cut = fault.kind in ("reset_upload", "stall_upload") if fault else False
        async for data in blocks(self.reader, size):
            request.received += len(data)
            if cut and request.received >= (size or 0) * fault.at:
                await (self.reset() if fault.kind == "reset_upload" else self.stall())
            await self.up.write(data)

    async def read_reply_head(self):
        while True:
            reply = await read_head(self.server_reader)
            if not reply.start.split(" ")[1].startswith("1"):
                return reply

    async def send_body(self, reply, request, fault):
        if request.method == "HEAD" or request.status in (204, 304):
            return
        size = reply.body_size()
        if fault and fault.kind in ("long_length", "short_length"):
            size = self.true_size
        end = getattr(self, f"body_{fault.kind}", None) if fault else None
        limit = (size or 0) * fault.at if end else None
        async for data in blocks(self.server_reader, size):
            if limit is not None and request.sent + len(data) >= limit:
                share = max(0, int(limit - request.sent))
                request.sent += share
                await self.down.write(data[:share])
                await end(request, data[share:])
                continue
            request.sent += len(data)  # whoever has it finds it counted
            await self.down.write(data)
        if fault and fault.kind == "long_length":
            await self.finish()
        if end and limit == 0:
            await end(request, b"")

    # --- ways to end ---------------------------------------------------------------------

    async def finish(self):
        await self.down.flush()
        raise Gone

    async def reset(self):
        await self.down.flush()
        self.writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Gone

    async def stall(self):
        """Nothing more, until the client has enough of it. What it sends stays unread."""
        while not self.writer.transport.is_closing() and not self.reader.at_eof():
            await asyncio.sleep(0.05)
        raise Gone

    async def repeat(self, data, pause):
        await self.down.flush()
        while True:
            await self.down.write(data)
            await asyncio.sleep(pause)

    async def answer(self, head, request, fault, status, body=b"", retry_after=None):
        request.status = int(status.split(" ")[0])
        request.sent = len(body)
        more = f"Retry-After: {retry_after}\r\n" if retry_after is not None else ""
        await self.down.write(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{more}"
            "Connection: close\r\n\r\n".encode() + body)
        # Read what is on its way, or the reset that an early close makes eats the reply.
        if not head.get("expect"):
            async for data in blocks(self.reader, head.body_size()):
                request.received += len(data)
        await self.finish()

    # --- faults before the server hears of the request -----------------------------------

    async def before_reset(self, head, request, fault):
        await self.reset()

    async def before_close(self, head, request, fault):
        await self.finish()

    async def before_stall(self, head, request, fault):
        await self.stall()

    async def before_slow(self, head, request, fault):
        """Longer than a look-up waits."""
        await asyncio.sleep(SLOW_S)

    async def before_429(self, head, request, fault):
        await self.answer(head, request, fault, "429 Too Many Requests",
                          retry_after=fault.retry_after)

    async def before_500(self, head, request, fault):
        await self.answer(head, request, fault, "500 Internal Server Error",
                          b"<html>oops</html>")

    async def before_503(self, head, request, fault):
        await self.answer(head, request, fault, "503 Slow Down",
                          retry_after=fault.retry_after)

    async def before_garbage(self, head, request, fault):
        await self.down.write(b"\x16\x03\x01\x02 not HTTP at all\r\n\r\n" * 10)
        await self.finish()

    async def before_flood(self, head, request, fault):
        await self.down.write(b"HTTP/1.1 200 OK\r\n")
        await self.repeat(b"X-Flood: " + b"x" * 1000 + b"\r\n", 0)

    async def before_endless(self, head, request, fault):
        """A body without end, of bytes that nobody wants."""
        request.status = 200
        await self.down.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        await self.repeat(b"10000\r\n" + bytes(1 << 16) + b"\r\n", 0)

    async def before_ignore_range(self, head, request, fault):
        head.set("range", None)

    # --- faults in the head of the reply -------------------------------------------------

    async def before_drop_condition(self, head, request, fault):
        """As a store that does not know them. Works where requests are not signed."""
        head.set("if-match", None)
        head.set("if-none-match", None)

    async def change_wrong_range(self, reply, request, fault):
        """The right bytes under the wrong name."""
        found = re.match(r"bytes (\d+)-(\d+)/(\d+)", reply.get("content-range") or "")
        if found:
            first, last, size = (int(group) for group in found.groups())
            shift = 1 if last + 1 < size else -1
            reply.set("Content-Range", None)
            reply.set("content-range", f"bytes {first + shift}-{last + shift}/{size}")

    async def change_etag(self, reply, request, fault):
        if reply.get("etag"):
            reply.set("etag", '"0123456789abcdef0123456789abcdef"')

    async def change_long_length(self, reply, request, fault):
        self.true_size = reply.body_size()
        if self.true_size:
            reply.set("content-length", str(self.true_size + 100))

    async def change_short_length(self, reply, request, fault):
        self.true_size = reply.body_size()
        if self.true_size:
            reply.set("content-length", str(max(0, self.true_size - 100)))

    # --- faults in the body of the reply -------------------------------------------------

    async def body_truncate(self, request, left):
        await self.finish()

    async def body_reset_body(self, request, left):
        await self.reset()

    async def body_stall_body(self, request, left):
        await self.down.flush()
        await self.stall()

    async def body_trickle(self, request, left):
        for byte in left:
            await self.down.write(bytes([byte]))
            request.sent += 1
            await asyncio.sleep(TRICKLE_S)

    async def close(self):
        self.down.close()
        for writer in (self.writer, self.server_writer):
            if writer:
                writer.close()
        if self.up:
            self.up.close()


SLOW_S = 4
KINDS = sorted({name.partition("_")[2] for name in vars(Connection)
                if name.split("_")[0] in ("before", "change", "body")}
               | {"lose_reply", "reset_upload", "stall_upload"})


class FaultProxy:
    def __init__(self, server, delay=0.0, rate=0, connection_rate=0):
        self.server = server
        self.delay = delay
        self.connection_rate = connection_rate
        self.down = Bucket(rate)
        self.up = Bucket(rate)
        self.requests = []
        self.faults = []
        self.connections = 0
        self.lock = threading.Lock()
        # What asyncio takes by default rounds each wait up to whole milliseconds.
        self.loop = asyncio.SelectorEventLoop(
            selectors.SelectSelector() if delay or rate or connection_rate else None)
        self.tasks = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def inject(self, kind, **options):
        assert kind in KINDS, f"{kind} is none of {KINDS}"
        fault = Fault(kind, **options)
        with self.lock:
            self.faults.append(fault)
        return fault

    def clear(self):
        """No faults any more, and nothing was requested yet."""
        with self.lock:
            self.faults.clear()
            self.requests.clear()

    def seen(self, **wanted):
        """The requests so far whose fields are as wanted."""
        with self.lock:
            return [request for request in self.requests
                    if all(getattr(request, k) == v for k, v in wanted.items())]

    def note(self, request):
        with self.lock:
            self.requests.append(request)
            for fault in self.faults:
                if fault.takes(request):
                    request.fault = fault.kind
                    return fault
        return None

    async def serve(self, reader, writer):
        # asyncio does it for what it made itself only; else a head waits for the client's
        # delayed acknowledgement, 40 ms, before its body goes out.
        writer.get_extra_info("socket").setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self, reader, writer, self.connections)
        self.connections += 1
        with contextlib.suppress(Gone, OSError, asyncio.IncompleteReadError,
                                 asyncio.CancelledError):
            try:
                await connection.run()
            finally:
                await connection.close()

    def run(self):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(
            asyncio.start_server(self.serve, sock=self.listener, limit=4 * BLOCK))
        self.loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()


class BehindProxy:
    """Put in front of a MountTest on a server: between mounts and that stands self.proxy,
    but for those made while is_direct."""

    proxy = None
    is_direct = False

    def serve(self, host):
        backend, url = super().serve(host)
        if self.is_direct:
            return backend, url
        where = urllib.parse.urlsplit(url)
        if not self.proxy:
            self.proxy = FaultProxy((where.hostname, where.port))
            self.proxy.__enter__()
            self.addCleanup(self.proxy.__exit__)
        return backend, where._replace(netloc=self.proxy.host).geturl()


class Link:
    """A FaultProxy in a process of its own, without faults; requests are known after it
    was closed."""

    def __init__(self, server, delay=0.0, rate=0, connection_rate=0):
        self.process = subprocess.Popen(
            [sys.executable, __file__, *map(str, (*server, delay, rate, connection_rate))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.host}"
        self.requests = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        out, _ = self.process.communicate()
        self.requests = [Request(**json.loads(line)) for line in out.splitlines()]


def main(host, port, delay, rate, connection_rate):
    with FaultProxy((host, int(port)), float(delay), float(rate),
                    float(connection_rate)) as proxy:
        print(proxy.port, flush=True)
        sys.stdin.read()
        for request in proxy.seen():
            print(json.dumps(dataclasses.asdict(request)))


if __name__ == "__main__":
    main(*sys.argv[1:])
