"""repository: makes repositories as audmodel does, from its rules alone.

Nothing here knows modelfs. Layout, YAML, archives, alias lists and IDs follow what was
observed of audmodel 1.4.1: documents by PyYAML's dump with insertion order kept, archives
by zipfile with every member deflated, IDs from MD5 of Python's repr of the parameters.
"""

import datetime
import hashlib
import os
import pathlib
import struct
import zipfile

import yaml

DATE = datetime.date(2024, 2, 29)


def short_id(name, params, subgroup=""):
    ordered = dict(sorted(params.items()))
    text = f"{subgroup}.{name}{ordered}"
    return hashlib.md5(text.encode()).hexdigest()[-8:]


def legacy_id(name, params, version, subgroup="", private=False):
    group = "com.audeering.models." + (subgroup + "." if subgroup else "") + name
    where = "models-private-local" if private else "models-public-local"
    text = f"{params}{group}lookup{version}{where}"
    digest = hashlib.md5(text.encode()).hexdigest()
    cuts = (0, 8, 12, 16, 20, 32)
    return "-".join(digest[a:b] for a, b in zip(cuts, cuts[1:]))


def dump(value):
    return yaml.dump(value, sort_keys=False, default_flow_style=False)


class Repository:
    """The folder <host>/<name>."""

    def __init__(self, host, name="models"):
        self.host = pathlib.Path(host)
        self.name = name
        self.folder = self.host / name
        self.folder.mkdir(parents=True, exist_ok=True)

    def path(self, base_folder, base, version, suffix):
        return self.folder / base_folder / base / version / f"{base}-{version}{suffix}"

    def header_path(self, ident, version):
        return self.path("_uid", ident, version, ".header.yaml")

    def meta_path(self, ident, version):
        return self.path("_uid", ident, version, ".meta.yaml")

    def list_path(self, uid):
        """Each version has a list of its own."""
        ident, version = split(uid)
        return self.path("_uid", f"{ident}.aliases", version, ".yaml")

    def alias_path(self, alias):
        return self.path("_alias", alias, "1.0.0", ".alias.yaml")

    def archive_path(self, ident, version, name, subgroup=""):
        folder = "/".join([part for part in subgroup.split(".") if part] + [name])
        return self.path(folder, ident, version, ".zip")

    def publish(self, files, name="onnx", version="1.0.0", params=None, subgroup="test",
                author="sphinx", date=DATE, meta=None, alias=None, ident=None,
                archive=None):
        """Publishes files and returns the full ID.

        files: path -> bytes, or (bytes, mode); archive: the archive's bytes (or a
        callable that writes it to a path) in place of one made of files; ident: in place
        of the computed short ID, for legacy IDs.
        """
        params = {} if params is None else params
        ident = ident or short_id(name, params, subgroup)
        header = {"author": author, "date": date, "name": name, "parameters": params,
                  "subgroup": subgroup, "version": version}
        write(self.header_path(ident, version), dump(header))
        write(self.meta_path(ident, version), dump(meta))
        path = self.archive_path(ident, version, name, subgroup)
        path.parent.mkdir(parents=True, exist_ok=True)
        if callable(archive):
            archive(path)
        elif archive is not None:
            path.write_bytes(archive)
        else:
            with path.open("wb") as file:
                write_archive(file, files)
        if alias:
            write(self.alias_path(alias), dump({"uid": f"{ident}-{version}"}))
            write(self.list_path(f"{ident}-{version}"), dump({"aliases": [alias]}))
        return f"{ident}-{version}"

    def set_alias(self, alias, uid):
        """uid: a full ID with a short or a legacy ID in front."""
        before = self.alias_path(alias)
        if before.exists():
            old = yaml.safe_load(before.read_text())["uid"]
            left = [a for a in self.aliases_of(old) if a != alias]
            write(self.list_path(old), dump({"aliases": left}))
        names = sorted(set(self.aliases_of(uid)) | {alias})
        write(self.list_path(uid), dump({"aliases": names}))
        write(before, dump({"uid": uid}))

    def aliases_of(self, uid):
        path = self.list_path(uid)
        if not path.exists():
            return []
        return yaml.safe_load(path.read_text())["aliases"]


def split(uid):
    """A full ID as its (short or legacy) ID and version."""
    size = 36 if len(uid) > 36 and uid[36] == "-" and uid[8] == "-" else 8
    return uid[:size], uid[size + 1:]


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def write_archive(path, files, method=zipfile.ZIP_DEFLATED, mtime=(2024, 2, 29, 12, 30, 2)):
    """A zip as Python's zipfile makes it of a folder; files in the order given."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            content, mode = content if isinstance(content, tuple) else (content, 0o644)
            member = zipfile.ZipInfo(name, mtime)
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = method
            archive.writestr(member, content)


def write_big_archive(path, small, big_name, big_size):
    """Small members around one stored member of zeros, without writing the zeros.

    The hole costs neither time nor disk: the archive is sparse. Only its CRC-32 has to be
    computed, block by block.
    """
    import zlib

    block = bytes(1 << 20)
    crc = 0
    for _ in range(big_size >> 20):
        crc = zlib.crc32(block, crc)
    assert big_size % len(block) == 0

    central = []
    with open(path, "wb") as out:
        for name, content in [*small.items(), (big_name, None)]:
            size = big_size if content is None else len(content)
            checksum = crc if content is None else zlib.crc32(content)
            fields = (20, 0, 0, 0x6000, 0x585D, checksum, size, size)
            offset = out.tell()
            encoded = name.encode()
            out.write(struct.pack("<IHHHHHIIIHH", 0x04034B50, *fields, len(encoded), 0))
            out.write(encoded)
            if content is None:
                out.seek(size, os.SEEK_CUR)
            else:
                out.write(content)
            central.append(
                struct.pack("<IHHHHHHIIIHHHHHII", 0x02014B50, 0x0314, *fields,
                            len(encoded), 0, 0, 0, 0, 0o100644 << 16, offset) + encoded)
        start = out.tell()
        out.write(b"".join(central))
        size = out.tell() - start
        out.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(central), len(central),
                              size, start, 0))


# --- a model that an ONNX runtime can run -------------------------------------------------


def onnx_model(weight=2.0):
    """The bytes of a model that computes y = x * weight for x of four floats.

    Protobuf by hand: a field is its number and wire type (0 varint, 2 bytes), then the
    value.
    """
    tensor = (integer(1, 1) + integer(2, 1) + text(8, "w")
              + field(9, struct.pack("<f", weight)))
    node = text(1, "x") + text(1, "w") + text(2, "y") + text(3, "scale") + text(4, "Mul")
    graph = (field(1, node) + text(2, "graph") + field(5, tensor)
             + field(11, value_info("x")) + field(12, value_info("y")))
    opset = text(1, "") + integer(2, 13)
    return (integer(1, 8) + text(2, "sample-repository") + field(7, graph)
            + field(8, opset))


def value_info(name):
    dimension = field(1, integer(1, 4))
    tensor_type = integer(1, 1) + field(2, dimension)
    return text(1, name) + field(2, field(1, tensor_type))


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def integer(number, value):
    return varint(number << 3) + varint(value)


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def text(number, value):
    return field(number, value.encode())
