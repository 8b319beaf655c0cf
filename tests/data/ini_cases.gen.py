#!/usr/bin/env python3
"""Write ini_cases.txt: texts, and what Python's configparser 3.11 reads in them.

    python3 tests/data/ini_cases.gen.py > tests/data/ini_cases.txt

A case: "text <flags> <text>" (1: keys without value, 2: interpolation), then "refused", or
for each key "get <section>|<key>|=<value>", "...|none" for a key that stands alone,
"...|refused", "...|absent". All texts are escaped as in C.
"""
import configparser
import random

TEXTS = [
    "", "\n", "# nothing\n", "a = 1\n", "  a = 1\n", "[s]\n", "[s]", "[]\n", "[s]\n[]\n",
    "[s]\na = 1\n", "[s]\na: 1\n", "[s]\na:1=2\n", "[s]\na=1:2\n", "[s]\n  a  =  1  \n",
    "[s]\na=\n", "[s]\na\n", "[s]\n=1\n", "[s]\n:1\n", "[s]\na = 1 # no comment\n",
    "[s]\na = 1 ; no comment\n", "[s]\n# c\n ; c\na = 1\n", "[s]\na = 1\n  2\n  3\nb = 4\n",
    "[s]\na = 1\n\n  2\n\n\nb = 3\n", "[s]\na = 1\n  # c\n  2\n", "[s]\na =\n  1\n",
    "[s]\na\n  1\n", "[s]\n  a = 1\n b = 2\n", "[s]\n  a = 1\n   b = 2\n", "[s]\n a = 1\n[t]\n",
    "[s]\n a = 1\n  [t]\n", "  [s]\n a = 1\n", "[s]\n\n  a = 1\n", "[s]\na = 1\n\tb = 2\n",
    "[s] x\na = 1\n", "[s]t]\na = 1\n", "[[s]]\na = 1\n", "[ s ]\na = 1\n", "[s\na = 1\n",
    "[s]\n[t\na = 1\n", "[s]\nA = 1\n", "[s]\na = 1\nA = 2\n", "[s]\na = 1\n[s]\nb = 2\n",
    "[s]\na = 1\n[t]\na = 2\n", "[DEFAULT]\na = 1\n[s]\nb = 2\n", "[s]\n[DEFAULT]\na = 1\n",
    "[DEFAULT]\na = 1\n[s]\na = 2\n", "[DEFAULT]\na = 1\n[DEFAULT]\nb = 2\n[s]\n",
    "[DEFAULT]\na = 1\n[DEFAULT]\na = 2\n[s]\n", "[default]\na = 1\n[s]\n", "[S]\na = 1\n",
    "[s]\r\na = 1\r\n  2\r\n", "[s]\ra = 1\r", "[s]\na = 1\n\r\n2 = 3\n", "[s]\na = \x1f1\x1c\n",
    "[s]\na = \v1\f\n", "[s]\na = 'q'\nb = \"q\"\n", "[s]\naccess key = 1\n",
    "[s]\na = \u00e9\n", "[s]\nrem x\nRem = y\n", "[s]\na = \\n\n",
    "[s]\na = %\n", "[s]\na = %%\n", "[s]\na = %%%\n", "[s]\na = 1%%2\n", "[s]\na = %x\n",
    "[s]\na = %(b)s\nb = 1\n", "[s]\na = x%(B)sy%(b)s\nb = 1\n", "[s]\na = %(b)\nb = 1\n",
    "[s]\na = %(b)d\nb = 1\n", "[s]\na = %()s\n", "[s]\na = %(b\n", "[s]\na = %(\n",
    "[s]\na = %(c)s\n", "[s]\na = %(a)s\n", "[s]\na = %(b)s\nb = %(a)s\n",
    "[s]\na = %(b)s\nb = 1%%2\n", "[s]\na = %(b)s\nb = %(c)s\nc = 3\n", "[s]\na = %(b)s\nb\n",
    "[DEFAULT]\nb = 1\n[s]\na = %(b)s\n", "[DEFAULT]\na = %(b)s\n[s]\nb = 1\n[t]\nb = 2\n",
    "[s]\na = %( b )s\n b = 1\n", "[s]\na = %(b)s\nb =\n", "[s]\na = 1\n  %(b)s\nb = 2\n",
    "[s]\n" + "".join(f"a{i} = %(a{i + 1})s\n" for i in range(11)) + "a11 = x\n",
    "[play.min.io:9000]\naccess_key = Q3AM3UQ867SPQQA43P2F\nsecret_key = zuf+tfteSlswRu7BJ86w\n"
    "secure =\n",
    "[https://artifactory.example.com/artifactory]\nusername = u\npassword = p%%w=:#;\n",
    "[default]\naws_access_key_id = A\ns3 =\n  max_concurrent_requests = 20\n"
    "  max_queue_size = 100\nregion = eu-west-1\n",
    "[profile a b]\nregion = x\n", "[a]\nsecret_key = " + "x" * 3000 + "\n",
]


def escaped(text):
    out = []
    for byte in text.encode():
        char = chr(byte)
        plain = 32 <= byte < 127 and char not in "\\|"
        out.append(char if plain else f"\\x{byte:02x}")
    return "".join(out)


def reading(parser, section, key):
    if not parser.has_section(section) or not parser.has_option(section, key):
        return "absent"
    try:
        value = parser.get(section, key)
    except (configparser.Error, TypeError):
        return "refused"
    return "none" if value is None else "=" + escaped(value)


def write(text, flags):
    parser = configparser.ConfigParser(
        allow_no_value=bool(flags & 1),
        interpolation=configparser.BasicInterpolation() if flags & 2 else None)
    print(f"text {flags} {escaped(text)}")
    try:
        # Line ends as in a file that is opened as text.
        parser.read_string(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (configparser.Error, AttributeError):
        print("refused")
        return
    for section in parser.sections() + ["s"]:
        keys = list(parser[section]) if parser.has_section(section) else []
        for key in sorted(set(keys + ["a"])):
            print(f"get {escaped(section)}|{escaped(key)}|{reading(parser, section, key)}")


def main():
    for text in TEXTS:
        for flags in range(4):
            write(text, flags)
    source = random.Random(1)
    alphabet = ["\n"] * 6 + ["[s]", "[t]", "[DEFAULT]", "[", "]", "a", "b", "A", "=", ":", " ",
                             "  ", "\t", "#", ";", "%", "%(a)s", "%(b)s", "%%", "\r", "=1", "= x"]
    for _ in range(600):
        text = "[s]\n" + "".join(source.choices(alphabet, k=source.randrange(1, 14)))
        write(text, source.randrange(4))


main()
