"""line: one direction of a connection that is long and narrow, for fault_proxy.py."""

import asyncio
import time

IN_FLIGHT_MAX = 8 << 20


class Gone(Exception):
    """The connection is over."""


class Bucket:
    """Bytes per second; 0: no limit."""

    def __init__(self, rate):
        self.rate = rate
        self.free_at = 0.0

    def delay(self, size):
        """Takes the line for size bytes; seconds until the last of them is through."""
        if not self.rate:
            return 0.0
        now = time.monotonic()
        self.free_at = max(self.free_at, now) + size / self.rate
        return self.free_at - now


class Pipe:
    """One direction of a connection: late by half a round trip, and no faster than its
    buckets."""

    def __init__(self, writer, late, buckets):
        self.writer = writer
        self.late = late
        self.buckets = [bucket for bucket in buckets if bucket.rate]
        self.is_direct = not late and not self.buckets
        self.queue = asyncio.Queue()
        self.in_flight = 0
        self.moved = asyncio.Event()
        self.task = None if self.is_direct else asyncio.create_task(self.run())

    async def write(self, data):
        if self.is_direct:
            self.writer.write(data)
            await self.writer.drain()
            return
        while self.in_flight > IN_FLIGHT_MAX:
            self.moved.clear()
            await self.moved.wait()
        if self.task.done():
            raise Gone
        self.in_flight += len(data)
        wait = max([bucket.delay(len(data)) for bucket in self.buckets], default=0.0)
        self.queue.put_nowait((time.monotonic() + self.late + wait, data))
        # Whoever sends faster than the line takes has to wait: the line is its own window.
        if wait > 0.05:
            await asyncio.sleep(wait - 0.05)

    async def run(self):
        try:
            while True:
                due, data = await self.queue.get()
                wait = due - time.monotonic()
                if wait > 0:
                    await asyncio.sleep(wait)
                self.writer.write(data)
                await self.writer.drain()
                self.in_flight -= len(data)
                self.moved.set()
        finally:
            self.moved.set()

    async def flush(self):
        while self.in_flight and not self.task.done():
            self.moved.clear()
            await self.moved.wait()

    def close(self):
        if self.task:
            self.task.cancel()
