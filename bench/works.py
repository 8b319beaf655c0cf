"""works: what is timed. A work takes the folder of a model's files and returns seconds."""

import os
import pathlib
import subprocess
import time

from data import SMALL_COUNT

RANDOM_READS = 200_000
OPENS = 5_000
STATS = 200_000
PROBE = None  # set by run


def probe(kind, path, *numbers, cwd=None):
    out = subprocess.run([PROBE, kind, str(path), *map(str, numbers)], cwd=cwd,
                         check=True, capture_output=True, text=True).stdout
    return float(out)


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def list_all(folder):
    return timed(lambda: subprocess.run(["ls", "-lR", str(folder / "small")],
                                        stdout=subprocess.DEVNULL, check=True))


def read_small_files(folder):
    def work():
        for number in range(SMALL_COUNT):
            with open(folder / f"small/{number:04}.txt", "rb", buffering=0) as file:
                file.read()

    return timed(work)


def open_read_close(folder):
    return probe("open", folder / "small/0000.txt", OPENS)


def stat_one(folder):
    return probe("stat", folder / "small/0000.txt", STATS)


def read_sequentially(folder):
    return probe("sequential", folder / "weights.bin")


def read_at_random(folder):
    return probe("random", folder / "weights.bin", RANDOM_READS)


def read_a_map(folder):
    return probe("map", folder / "weights.bin")


def read_first_byte(path):
    def work():
        fd = os.open(path, os.O_RDONLY)
        os.read(fd, 1)
        os.close(fd)

    return timed(work)


def read_all(folder):
    def work():
        for path, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(path, name), "rb", buffering=0) as file:
                    while file.read(1 << 20):
                        pass

    return timed(work)


def read_by_four(folder):
    """Four processes at once; until the last is done."""
    def work():
        readers = [subprocess.Popen([PROBE, "sequential", str(folder / "weights.bin")],
                                    stdout=subprocess.DEVNULL) for _ in range(4)]
        for reader in readers:
            assert reader.wait() == 0

    return timed(work)


def drop_caches():
    """What was read before must not help; only root may."""
    os.sync()
    try:
        pathlib.Path("/proc/sys/vm/drop_caches").write_text("3")
    except OSError:
        pass


# The ways that reach any offset at once; the others unpack from the start to get there.
RANDOM_ACCESS = ("plain files", "modelfs", "no passthrough", "tmpfs")

# Title, work, number of operations, is it quick for all ways.
WARM = [
    (f"ls -lR of {SMALL_COUNT} files", list_all, 1, True),
    (f"{SMALL_COUNT} small files", read_small_files, SMALL_COUNT, True),
    ("open + read + close", open_read_close, OPENS, True),
    ("stat", stat_one, STATS, True),
    ("sequential read", read_sequentially, 1, True),
    ("random 4 KiB reads", read_at_random, RANDOM_READS, False),
    ("mmap, every page", read_a_map, 1, False),
]
