#!/usr/bin/env python3
"""check_archive.py ARCHIVE FOLDER: is this the archive that publish promises?

Read by Python's zipfile, as audmodel does; see publish/pack.h.
"""
import os
import sys
import time
import zipfile


def main():
    archive_path, folder = sys.argv[1:]
    with zipfile.ZipFile(archive_path) as archive:
        members = archive.infolist()
        assert archive.testzip() is None
        assert archive.comment == b""
        paths = [
            os.path.relpath(os.path.join(root, name), folder)
            for root, _, names in os.walk(folder)
            for name in names
        ]
        assert sorted(paths) == sorted(member.filename for member in members)
        for member in members:
            check_member(archive, member, os.path.join(folder, member.filename))
    order = [
        (m.compress_type != zipfile.ZIP_STORED, m.filename.encode()) for m in members
    ]
    assert order == sorted(order), order
    offsets = [m.header_offset for m in members]
    assert offsets == sorted(offsets)


def check_member(archive, member, path):
    stat = os.stat(path)
    with open(path, "rb") as file:
        assert archive.read(member) == file.read(), path
    assert member.external_attr == stat.st_mode << 16, path
    assert member.create_system == 3, path
    assert member.flag_bits == (0 if member.filename.isascii() else 0x800), path
    assert member.extra == b"" and member.comment == b"", path
    date = list(time.gmtime(stat.st_mtime)[:6])
    date[5] -= date[5] % 2
    assert list(member.date_time) == date, path


main()
