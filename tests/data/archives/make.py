#!/usr/bin/env python3
"""Makes the archives of this folder, good and hostile, and cases.h, what is to be made of them.

    python3 tests/data/archives/make.py

All are put together from their records here, so that each field can lie. What zipfile
reads from the good ones is the expected value. Of each hostile one there is a part of the
sentence that must refuse it. The output depends on this file alone.
"""
import os
import struct
import sys
import zipfile
import zlib

HERE = os.path.dirname(os.path.abspath(__file__))
TIME = (2024, 2, 29, 12, 34, 56)
UNIX_TIME = 1709210096


class Member:
    """One member with every field free to lie."""

    def __init__(self, name, data=b"", **fields):
        self.raw_name = name if isinstance(name, bytes) else name.encode()
        self.data = data
        self.flags = 0 if self.raw_name.isascii() else 0x800
        self.method = 8
        self.made_by = 3 << 8 | 20
        self.mode = 0o100644
        self.date = (TIME[0] - 1980) << 9 | TIME[1] << 5 | TIME[2]
        self.time = TIME[3] << 11 | TIME[4] << 5 | TIME[5] // 2
        self.extra = b""          # in the central directory
        self.local_extra = b""
        self.local_name = None
        self.comment = b""
        self.disk = 0
        self.descriptor = False
        self.fixed_offset = None  # of another member's header; this one has none
        self.listed_offset = None
        self.crc = self.size = self.packed_size = None
        self.__dict__.update(fields)

    def packed(self):
        if self.method != 8:
            return self.data
        deflate = zlib.compressobj(6, zlib.DEFLATED, -15)
        return deflate.compress(self.data) + deflate.flush()


def build(members, comment=b"", prefix=b"", gap=b"", suffix=b"", **end):
    """The bytes of an archive; end overrides fields of the end record."""
    body, directory = prefix, b""
    for m in members:
        packed = m.packed()
        crc = zlib.crc32(m.data) if m.crc is None else m.crc
        size = len(m.data) if m.size is None else m.size
        packed_size = len(packed) if m.packed_size is None else m.packed_size
        offset = len(body) if m.fixed_offset is None else m.fixed_offset
        flags = m.flags | (8 if m.descriptor else 0)
        numbers = (0, 0, 0) if m.descriptor else (crc, packed_size, size)
        name = m.raw_name if m.local_name is None else m.local_name
        if m.fixed_offset is None:
            body += struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, flags, m.method, m.time, m.date,
                                *(n & 0xffffffff for n in numbers), len(name), len(m.local_extra))
            body += name + m.local_extra + packed
            if m.descriptor:
                body += struct.pack("<IIII", 0x08074b50, crc, packed_size, size)
        directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, m.made_by, 20, flags, m.method,
                                 m.time, m.date, crc, packed_size, size, len(m.raw_name),
                                 len(m.extra), len(m.comment), m.disk, 0, m.mode << 16,
                                 offset if m.listed_offset is None else m.listed_offset)
        directory += m.raw_name + m.extra + m.comment
    body += gap
    fields = dict(disk=0, directory_disk=0, here=len(members), count=len(members),
                  size=len(directory), first=len(body), comment_size=len(comment))
    zip64 = end.pop("zip64", None)
    fields.update(end)
    between = b""
    if zip64 is not None:
        first64 = len(body) + len(directory)
        f64 = dict(disk=0, directory_disk=0, here=len(members), count=len(members),
                   size=len(directory), first=len(body), locator_disk=0, offset=first64, disks=1,
                   record_size=44, signature=0x06064b50, between=b"")
        f64.update(zip64)
        between = struct.pack("<IQHHIIQQQQ", f64["signature"], f64["record_size"], 45, 45,
                              f64["disk"], f64["directory_disk"], f64["here"], f64["count"],
                              f64["size"], f64["first"])
        between += f64["between"]
        between += struct.pack("<IIQI", 0x07064b50, f64["locator_disk"], f64["offset"], f64["disks"])
    tail = struct.pack("<IHHHHIIH", 0x06054b50, fields["disk"], fields["directory_disk"],
                       fields["here"], fields["count"], fields["size"], fields["first"],
                       fields["comment_size"])
    return body + directory + between + tail + comment + suffix


def zip64_field(*numbers):
    return struct.pack("<HH", 1, 8 * len(numbers)) + struct.pack("<%dQ" % len(numbers), *numbers)


A = b"alpha " * 40
B = bytes(range(256)) * 3
MAX32 = 0xffffffff
NO_FIELDS = dict(here=0xffff, count=0xffff, size=MAX32, first=MAX32)


def two(**end):
    return build([Member("a.txt", A), Member("log/b.bin", B, method=0)], **end)


def good():
    """Name and bytes of what must be accepted."""
    yield "empty", build([])
    yield "two", two()
    yield "comment", two(comment=b"a comment")
    yield "comment-with-signature-apart", two(comment=b"PK\5")
    yield "zip64-end", two(zip64={}, **NO_FIELDS)
    yield "zip64-end-not-needed", two(zip64={})
    yield "zip64-end-disks-zero", two(zip64={"disks": 0})
    yield "zip64-sizes", build([Member("a", A, method=0, size=MAX32, packed_size=MAX32,
                                       extra=zip64_field(len(A), len(A)),
                                       local_extra=zip64_field(len(A), len(A)))])
    yield "zip64-offset", build([Member("a", A), Member("b", B, method=0, listed_offset=MAX32,
                                                        extra=zip64_field(42))])
    yield "zip64-more-than-needed", build([Member("a", A, method=0, size=MAX32,
                                                  extra=zip64_field(len(A), len(A), 0),
                                                  local_extra=zip64_field(len(A), len(A)))])
    yield "descriptor", build([Member("a", A, descriptor=True), Member("b", B, descriptor=True)])
    yield "aligned", build([Member("a", A, method=0, local_extra=b"\0\0"),
                            Member("b", B, method=0, local_extra=b"\x35\xd9\x05\0" + bytes(5))])
    yield "gap-before-directory", two(gap=bytes(100))
    yield "extra-padding", build([Member("a", A, extra=b"\0\0\0")])
    yield "extra-foreign", build([Member("a", A, extra=b"UT\5\0\1abcd", comment=b"of a member")])
    yield "folders", build([Member("x/", mode=0o040755, method=0), Member("x/a", A),
                            Member("y/z/", mode=0o040755)])
    yield "folder-after-its-file", build([Member("x/a", A), Member("x/", method=0)])
    yield "folder-implied-deep", build([Member("1/2/3/4/5/6/7/8/9/a", A), Member("1/2/b", B)])
    yield "order-of-bytes", build([Member(n, n.encode()) for n in
                                   ("a.b", "a/x", "a-b", "a0", "B", "a b", "b/a", "a/X", "b.x/y")])
    yield "utf8", build([Member("gr\u00fc\u00df/\u6a21\u578b.txt", A)])
    yield "utf8-flag-on-ascii", build([Member("a", A, flags=0x800)])
    yield "cp437", build([Member(bytes(range(128, 192)), A, flags=0),
                           Member(bytes(range(192, 256)), A, flags=0)])
    yield "control-characters", build([Member(b"a\nb\x01\x7f", A)])
    yield "backslash", build([Member("back\\slash", A), Member("x\\..y/...\\z", B)])
    yield "dot-names", build([Member(n, A) for n in ("...", ".a", "..a", "a.", "x/.hidden", "a..")])
    yield "name-of-255", build([Member("n" * 255, A)])
    yield "path-of-4095", build([Member("/".join(["p" * 255] * 15 + ["q" * 255]), A)])
    yield "depth-of-256", build([Member("/".join(["d"] * 256), A)])
    yield "executable", build([Member("run", A, mode=0o100755), Member("not", A, mode=0o100644),
                               Member("group", A, mode=0o100610),
                               Member("dos", A, mode=0o100755, made_by=20)])
    yield "special-files", build([Member("link", b"target", mode=0o120777, method=0),
                                  Member("device", b"", mode=0o060644), Member("fifo", mode=0o010644)])
    yield "encrypted", build([Member("a", A, flags=1), Member("b", B)])
    yield "other-methods", build([Member("bzip2", A, method=12), Member("xz", A, method=95),
                                  Member("strong", A, flags=0x40), Member("patch", A, flags=0x20)])
    yield "bad-dates", build([Member("month-0", A, date=0), Member("month-13", A, date=13 << 5 | 1),
                              Member("day-31", A, date=44 << 9 | 2 << 5 | 31),
                              Member("hour-31", A, time=31 << 11)])
    yield "first", build([Member("a", A, date=0 << 9 | 1 << 5 | 1, time=0)])
    yield "last", build([Member("a", A, date=127 << 9 | 12 << 5 | 31, time=23 << 11 | 59 << 5 | 29)])
    yield "not-in-order", reorder(two())
    yield "empty-members", build([Member("stored", method=0), Member("deflated")])


def reorder(data):
    """Two members, their entries in the central directory swapped."""
    at = data.rindex(b"PK\5\6")
    size, first = struct.unpack("<II", data[at + 12:at + 20])
    directory = data[first:first + size]
    second = directory.index(b"PK\1\2", 4)
    return data[:first] + directory[second:] + directory[:second] + data[first + size:]


def hostile():
    """Name, part of the sentence, bytes."""
    base = two()
    end = len(base) - 22
    first = struct.unpack("<I", base[end + 16:end + 20])[0]
    yield "no-bytes", "no zip archive", b""
    yield "text", "no zip archive", b"this is no archive at all, only text\n"
    yield "end-cut", "no zip archive", base[:-1]
    yield "head-cut", "central directory does not end", base[10:]
    yield "trailing-byte", "no zip archive", build([], suffix=b"\0")[1:]
    yield "trailing-data", "bytes behind it", two(suffix=b"trailing")
    yield "comment-cut", "comment of the archive is cut", two(comment_size=5)
    yield "comment-holds-end", "comment of the archive is cut", two(comment=build([]) + b"x")
    yield "comment-holds-archive", "central directory does not end", two(comment=build([]))
    yield "prepended", "central directory does not end", b"#!/bin/sh\n" + base
    yield "prepended-adjusted", "bytes stand before it", \
        build([Member("a.txt", A)], prefix=b"#!/bin/sh\n")
    yield "before-empty", "before an empty archive", build([], gap=b"hidden")
    yield "split-disk", "several disks", two(disk=1)
    yield "split-directory", "several disks", two(directory_disk=1)
    yield "split-counts", "several disks", two(here=1)
    yield "entry-on-disk", "another disk", build([Member("a", A, disk=1)])
    yield "count-too-large", "cannot hold", two(count=30000, here=30000)
    yield "count-by-one-more", "damaged at entry 2", \
        build([Member("a", A, comment=bytes(50)), Member("b", B)], count=3, here=3)
    yield "count-by-one-less", "more than its 1 entries", two(count=1, here=1)
    yield "count-limit", "more than the limit", \
        two(zip64={"count": 1 << 40, "here": 1 << 40}, **NO_FIELDS)
    yield "size-wrong", "does not end", two(size=20)
    yield "size-limit", "does not end", two(zip64={"size": (1 << 64) - 1}, **NO_FIELDS)
    yield "offset-wrong", "does not end", two(first=first - 1)
    yield "offset-wraps", "does not end", two(zip64={"first": (1 << 64) - 1}, **NO_FIELDS)
    yield "zip64-locator-elsewhere", "not right before", two(zip64={"offset": 3})
    yield "zip64-between", "not right before", two(zip64={"between": b"hidden"})
    yield "zip64-signature", "zip64 end record is damaged", two(zip64={"signature": 1})
    yield "zip64-record-size", "zip64 end record is damaged", two(zip64={"record_size": 1 << 63})
    yield "zip64-disagrees", "disagree", two(zip64={"count": 1, "here": 1})
    yield "zip64-disks", "several disks", two(zip64={"disks": 2})
    yield "zip64-disk", "several disks", two(zip64={"locator_disk": 1})
    yield "entry-signature", "damaged at entry 0", base[:first] + b"PK\1\3" + base[first + 4:]
    yield "name-past-end", "damaged at entry 1", patch(base, base.rindex(b"PK\1\2") + 28, "<H", 60000)
    yield "extra-cut", "extra fields that are cut", build([Member("a", A, extra=b"\x07\0\x20\0ab")])
    yield "zip64-missing", "lacks its zip64", build([Member("a", A, size=MAX32)])
    yield "zip64-cut", "zip64 field that is cut", \
        build([Member("a", A, size=MAX32, packed_size=MAX32, extra=zip64_field(5))])
    yield "zip64-says-else", "says something else", \
        build([Member("a", A, size=MAX32, extra=zip64_field(len(A), 5))])
    yield "zip64-twice", "two zip64", \
        build([Member("a", A, size=MAX32, extra=zip64_field(len(A)) * 2)])
    yield "zip64-huge", "limit of 1 PiB", \
        build([Member("a", A, method=12, size=MAX32, extra=zip64_field(1 << 60))])
    yield "zip64-packed-huge", "reaches past", \
        build([Member("a", A, packed_size=MAX32, extra=zip64_field((1 << 64) - 1))])
    yield "offset-past-directory", "reaches past", \
        build([Member("a", A), Member("b", B, fixed_offset=100000)])
    yield "offset-into-directory", "reaches past", \
        build([Member("a", A), Member("b", b"", fixed_offset=60)])
    yield "packed-into-directory", "reaches past", build([Member("a", A, packed_size=5000)])
    yield "overlap-same", "overlaps", build([Member("a", A), Member("b", A, fixed_offset=0)])
    yield "overlap-inside", "overlaps", \
        build([Member("a", B, method=0), Member("b", b"x", method=0, fixed_offset=100)])
    yield "overlap-by-one", "overlaps", build([Member("a", A, method=0, packed_size=len(A) + 1,
                                                      size=len(A) + 1), Member("b", B)])
    yield "overlap-quine", "overlaps", build([Member("%d" % i, A, **({} if i == 0 else
                                             {"fixed_offset": 0})) for i in range(10)])
    yield "stored-other-size", "another size", build([Member("a", A, method=0, size=3)])
    yield "bomb", "cannot have", build([Member("a", A, size=1 << 31)])
    yield "folder-with-content", "is a folder, but", build([Member("a/", A)])
    for name, raw, reason in (
            ("absolute", b"/etc/passwd", "absolute"),
            ("slash", b"/", "absolute"),
            ("parent", b"../a", "'.' or '..'"),
            ("parent-inside", b"a/../../b", "'.' or '..'"),
            ("parent-last", b"a/..", "'.' or '..'"),
            ("parent-folder", b"../", "'.' or '..'"),
            ("dot", b"./a", "'.' or '..'"),
            ("dot-alone", b".", "'.' or '..'"),
            ("double-slash", b"a//b", "empty part"),
            ("double-slash-last", b"a//", "empty part"),
            ("backslash-absolute", b"\\b", "written with backslashes"),
            ("backslash-drive", b"c:\\b", "written with backslashes"),
            ("backslash-parent", b"..\\b", "written with backslashes"),
            ("backslash-parent-inside", b"x/a\\..\\..\\b", "written with backslashes"),
            ("backslash-parent-last", b"a\\..", "written with backslashes"),
            ("empty", b"", "empty name"),
            ("nul", b"a\0b", "NUL"),
            ("nul-last", b"a.txt\0", "NUL"),
            ("part-of-256", b"n" * 256, "255 bytes"),
            ("part-of-256-utf8", "\u00fc".encode() * 128, "255 bytes"),
            ("path-of-4097", b"/".join([b"p" * 255] * 16 + [b"q"]), "4095 bytes"),
            ("depth-of-257", b"/".join([b"d"] * 257), "256 folders deep")):
        yield "name-" + name, reason, \
            build([Member("ok", B), Member(raw, b"" if raw[-1:] == b"/" else A)])
    yield "name-backslash-of-dos", "has a backslash", build([Member("a\\b", A, made_by=20)])
    yield "name-cp437-grows", "255 bytes", build([Member(b"\xb0" * 100, A, flags=0)])
    for name, raw in (("bare", b"a\xff"), ("overlong", b"\xc0\xaf"), ("surrogate", b"\xed\xa0\x80"),
                      ("cut", b"\xe6\xa8"), ("high", b"\xf5\x80\x80\x80")):
        yield "utf8-" + name, "not UTF-8", build([Member(raw, A, flags=0x800)])
    yield "twice", "is there twice", build([Member("x/a", A), Member("b", A), Member("x/a", B)])
    yield "twice-folder", "is there twice", build([Member("x/"), Member("x/")])
    yield "twice-decoded", "is there twice", \
        build([Member("\u00fc", A), Member(b"\x81", A, flags=0)])
    yield "file-and-folder", "is there twice", build([Member("x", A), Member("x/")])
    yield "file-as-folder", "needs it as a folder", \
        build([Member("x/y/z", A), Member("x-", A), Member("x.a", A), Member("x/y", A)])


def patch(data, at, form, value):
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form):]


def c_string(raw):
    return '"' + "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else "\\%03o" % b
                         for b in raw) + '"'


def is_unsupported(info):
    return info.flag_bits & 0x2061 or info.compress_type not in (0, 8)


def unix_time(info):
    import calendar
    import datetime
    try:
        datetime.datetime(*info.date_time)
    except ValueError:
        return 0
    return calendar.timegm(info.date_time + (0, 0, 0))


def write(name, data):
    with open(os.path.join(HERE, name + ".zip"), "wb") as file:
        file.write(data)


def main():
    lines = ["/* cases.h: made by make.py; what zipfile of Python %d.%d reads from the archives, and what"
             % sys.version_info[:2],
             " * must be said of the hostile ones. */", "/* clang-format off */",
             "#ifndef TESTS_DATA_ARCHIVES_CASES_H", "#define TESTS_DATA_ARCHIVES_CASES_H", "",
             "static const struct good_member {", "    const char *archive, *path;",
             "    unsigned long long size, packed_size, first;",
             "    unsigned crc32, flags;", "    int method; /* -1: unsupported */",
             "    long long mtime_s;", "    unsigned execute_bits;", "} good_members[] = {"]
    archives = []
    for name, data in good():
        write(name, data)
        with zipfile.ZipFile(os.path.join(HERE, name + ".zip")) as archive:
            infos = archive.infolist()
        archives.append((name, sum(not i.is_dir() for i in infos)))
        for info in infos:
            if info.is_dir():
                continue
            lines.append('    {"%s", %s, %d, %d, %d, 0x%xu, 0x%xu, %d, %dLL, 0%o},' % (
                name, c_string(info.filename.encode()), info.file_size, info.compress_size,
                info.header_offset, info.CRC, info.flag_bits,
                -1 if is_unsupported(info) else info.compress_type, unix_time(info),
                info.external_attr >> 16 & 0o111 if info.create_system == 3 else 0))
    lines += ["};", "", "static const struct good_archive {", "    const char *archive;",
              "    unsigned files;", "} good_archives[] = {"]
    lines += ['    {"%s", %d},' % row for row in archives]
    lines += ["};", "", "static const struct hostile_archive {", "    const char *archive;",
              "    const char *sentence; /* part of it */", "} hostile_archives[] = {"]
    for name, sentence, data in hostile():
        write("hostile-" + name, data)
        lines.append('    {"hostile-%s", %s},' % (name, c_string(sentence.encode())))
    lines += ["};", "", "#endif"]
    with open(os.path.join(HERE, "cases.h"), "w") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
