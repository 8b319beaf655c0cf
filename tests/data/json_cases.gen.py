#!/usr/bin/env python3
"""Write json_cases.txt: texts, and what Python's json 3.11 reads in them.

    python3 tests/data/json_cases.gen.py > tests/data/json_cases.txt

A case: "text <text>", then "refused", or in the order of the text "value <path>|<kind>|<text>"
for each value and "value <path>|end|" for the end of each object and array. All texts are
escaped as in C. NaN, Infinity, NUL and lone surrogates, which Python takes, are refused.
"""
import json
import random
import re

TEXTS = [
    b"", b" ", b"null", b" true ", b"false\n", b"nul", b"nulll", b"True", b"NaN", b"Infinity",
    b"-Infinity", b"0", b"-0", b"-", b"01", b"-01", b"1.", b".5", b"1.5", b"1e5", b"1E+5",
    b"1e-5", b"1e", b"1e+", b"1.e5", b"+1", b"0x1", b"1 2", b"1,", b"12345678901234567890123",
    b'""', b'"a"', b'"a', b'a"', b"'a'", b'"\\"\\\\\\/\\b\\f\\n\\r\\t"', b'"\\a"', b'"\\',
    b'"\\u00e9"', b'"\\u00E9\\u20ac"', b'"\\ud83d\\ude00"', b'"\\ud83d"', b'"\\ude00"',
    b'"\\ud83dx"', b'"\\ud83d\\n"', b'"\\ud83d\\u0041"', b'"\\ud83d\\ud83d\\ude00"', b'"\\u12"',
    b'"\\u12g4"', b'"\\u0000"', b'"\xc3\xa9"', b'"\xc3"', b'"\xed\xa0\xbd"', b'"\xff"',
    b'"\x01"', b'"\n"', b'"\t"', b'"\x7f"', b"\xef\xbb\xbf1", b"1\x00", b"\x001", b"tru\x00e",
    b'"a\x00b"', b"[]", b"[ ]", b"[1]", b"[1,2]", b"[1,]", b"[,1]", b"[1 2]", b"[", b"]", b"[}",
    b"[[],[[]]]", b"{}", b"{ }", b'{"a":1}', b'{"a" : 1 , "b":2}', b'{"a":1,}', b'{"a"}',
    b'{"a":}', b'{a:1}', b'{1:2}', b'{"a":1 "b":2}', b'{"a":1]', b"{", b'{"a":1', b'{"":1}',
    b'{"a.b":1}', b'{"a b":1}', b'{"a[]":1}', b'{"\\u0061":1}', b'{"a":1,"a":2}',
    b'{"a":{"b":[{"c":1},{"c":2}]},"d":[[1],[2]]}', b"[1]x", b"[1]]", b"// c\n1", b"1 // c",
    b'{"' + b"k" * 64 + b'":1}', b'{"' + b"k" * 65 + b'":1}', b"[" * 32 + b"]" * 32,
    b'{"repo":"models","path":"/a","children":[{"uri":"/b","folder":true},'
    b'{"uri":"/c.zip","folder":false}],"uri":"http://x/api/storage/models/a"}',
    b'{\n  "errors" : [ {\n    "status" : 404,\n    "message" : "Unable to find item"\n  } ]\n}',
    b'{"size":"12","checksums":{"sha1":"a","md5":"b","sha256":"c"},"downloadUri":"d"}',
]


class Pairs(list):
    """An object, with keys that come twice."""


def escaped(data):
    return "".join(
        chr(b) if 32 <= b < 127 and chr(b) not in "\\|" else f"\\x{b:02x}" for b in data)


def refuse(word):
    raise ValueError(word)


def lines_of(value, path):
    kind, text = "", b""
    if value is None or isinstance(value, bool):
        kind = {None: "null", True: "true", False: "false"}[value]
    elif isinstance(value, tuple):
        kind, text = "number", value[0].encode()
    elif isinstance(value, str):
        kind, text = "string", value.encode()
        if b"\0" in text:
            raise ValueError("NUL")
    elif isinstance(value, Pairs):
        kind = "end"
        for key, item in value:
            key.encode()
            name = key if re.fullmatch("[A-Za-z0-9_-]{1,64}", key) else "?"
            yield from lines_of(item, f"{path}.{name}" if path else name)
    else:
        kind = "end"
        for item in value:
            yield from lines_of(item, path + "[]")
    yield f"value {path}|{kind}|{escaped(text)}"


def write(data):
    print("text", escaped(data))
    try:
        value = json.loads(
            data.decode(), object_pairs_hook=Pairs, parse_constant=refuse,
            parse_int=lambda text: (text,), parse_float=lambda text: (text,))
        print("\n".join(lines_of(value, "")))
    except ValueError:
        print("refused")


def main():
    for data in TEXTS:
        write(data)
    source = random.Random(1)
    tokens = [b"[", b"]", b"{", b"}", b",", b":", b'"a"', b'"b"', b'"', b"\\", b"1", b"-", b".",
              b"e", b"0", b"true", b"null", b" ", b'"a":', b"\\u00e9", b"\xc3\xa9", b"\n"]
    seeds = [text for text in TEXTS if 2 < len(text) < 80]
    for _ in range(500):
        data = source.choice(seeds)
        at = source.randrange(len(data))
        write(data[:at] + source.choice(tokens) + data[at + source.randrange(3):])


main()
