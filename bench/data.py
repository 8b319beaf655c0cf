"""data: the models that the benchmark reads, published as audmodel does.

    models = Models(folder)
    models.small    2,000 small deflated files
    models.mixed    the same, and weights of 256 MiB, stored
    models.packed   450 MiB of random float32 weights, deflated
    models.middle   one stored file of 1 MiB
    models.big      1,000 small files around a stored file of 1 GiB (sparse)

Each is a full ID; models.archive(uid) is its archive.
"""

import array
import pathlib
import random
import sys
import zipfile

TOP = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP / "tests/e2e"))
from repository import Repository, split, write_big_archive  # noqa: E402

MIB = 1 << 20
WEIGHTS = 256 * MIB
PACKED = 450 * MIB
BIG = 1024 * MIB
SMALL_COUNT = 2000


def small_file(number):
    """Half noise, half text: about 2 KB, of which deflate leaves 500 bytes."""
    return random.Random(number).randbytes(500) + b"text " * 300


def member(name, method):
    info = zipfile.ZipInfo(name, (2024, 2, 29, 12, 30, 2))
    info.external_attr = 0o100644 << 16
    info.compress_type = method
    return info


def add_small(archive):
    for number in range(SMALL_COUNT):
        archive.writestr(member(f"small/{number:04}.txt", zipfile.ZIP_DEFLATED),
                         small_file(number))


def write_small(path):
    with zipfile.ZipFile(path, "w") as archive:
        add_small(archive)


def write_mixed(path):
    block = random.Random(1).randbytes(MIB)
    with zipfile.ZipFile(path, "w") as archive:
        add_small(archive)
        with archive.open(member("weights.bin", zipfile.ZIP_STORED), "w") as file:
            for _ in range(WEIGHTS // MIB):
                file.write(block)


def weights(size):
    """float32 of a normal distribution, as trained layers have them."""
    choose = random.Random(2)
    return array.array("f", [choose.gauss(0, 0.02) for _ in range(size // 4)]).tobytes()


def write_middle(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member("model.bin", zipfile.ZIP_STORED),
                         random.Random(3).randbytes(MIB))


def write_packed(path):
    block = weights(2 * MIB)
    with zipfile.ZipFile(path, "w", compresslevel=1) as archive:
        with archive.open(member("weights.bin", zipfile.ZIP_DEFLATED), "w") as file:
            for _ in range(PACKED // len(block)):
                file.write(block)


def write_big(path):
    small = {f"small/{number:04}.txt": small_file(0) for number in range(1000)}
    write_big_archive(path, small, "weights.bin", BIG)


class Models:
    def __init__(self, folder):
        self.repository = Repository(folder)
        self.small = self.publish("small", write_small)
        self.mixed = self.publish("mixed", write_mixed)
        self.middle = self.publish("middle", write_middle)
        self.packed = self.publish("packed", write_packed)
        self.big = self.publish("big", write_big)

    def publish(self, kind, write):
        return self.repository.publish({}, params={"kind": kind}, archive=write)

    def archive(self, uid):
        return self.repository.archive_path(*split(uid), "onnx", "test")

    def packed_bytes(self):
        """Offset and size of the deflated data in its archive."""
        with zipfile.ZipFile(self.archive(self.packed)) as archive:
            entry = archive.infolist()[0]
            with open(archive.filename, "rb") as file:
                file.seek(entry.header_offset + 26)
                name, extra = (int.from_bytes(file.read(2), "little") for _ in range(2))
            return entry.header_offset + 30 + name + extra, entry.compress_size
