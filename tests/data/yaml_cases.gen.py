#!/usr/bin/env python3
"""Write yaml_cases.txt: YAML texts, what PyYAML 6.0 reads, and what it dumps of that.

    python3 tests/data/yaml_cases.gen.py > tests/data/yaml_cases.txt

Three lines a case: text, value, print. Text and print are escaped as in C. The value is
null, true, i<int>, f<float>, s'<text>', b'<bytes>', d<date>, t<time>, [list,], (tuple,),
{mapping:value,}, <set:null,>, or "refused".
"""
import datetime

import yaml

SCALARS = r"""
~ null Null NULL nULL yes Yes YES yEs no on off ON Off true TRUE False y n
0 -0 +0 00 08 0o10 010 -017 0b101 0b 0b_ 0b12 0x_ 0xfF -0xff 0xfg 12 +12 -12 1_000 _1 1_ - +
190:20:30 1:60 1:59 1:5 1:005 0:30 0:30. 1:30.5 -1:30 1:30.5e+3 1_:3
1e5 1.0e5 1.0e+5 1.e+5 1. .5 -.5 +.5 .5e-3 ._5 1.5_0 1._ 00.5 685.230_15e+03 1e-2
.inf -.inf +.inf .Inf .INF .iNF .nan .NaN .NAN -.nan 1.0e+400 1.0e-400
123456789012345678901234567890 0x123456789abcdef0123456789abcdef
0777777777777777777777777777 0b1111111111111111111111111111111111111111111111111111111111111111
1:00:00:00:00:00:00:00:00:00:00:00:00:00
2024-01-01 2024-1-1 2024-13-01 2023-02-29 2024-02-29 0000-01-01
2024-01-01T00:00:00Z 2024-1-1t1:02:03 2024-01-01T25:00:00 2024-01-01T00:00:60
2024-01-01T00:00:00+05:30 2024-01-01T00:00:00-5 2024-01-01T00:00:00+24:00
2024-01-01T00:00:00-23:59 2024-01-01T00:00:00.1234567 2024-01-01T00:00:00.Z
= << abc 1.0 1.0.0 3 9999999999:59:59
""".split()

TEXTS = [
    '', '# nothing\n', '---\n', '---\n...\n', '%YAML 1.1\n--- a\n', '\ufeffa: 1\n',
    '--- a\n--- b\n', 'a: b: c', '[a, b', 'a:\n\t- b', 'a: \x01',
    '2024-01-01 00:00:00', '2024-01-01 1:02:03.5 Z', '2024-01-01 00:00:00 +01',
    '"12"', "'yes'", '! "12"', '! 12', '!!str 12', '!!str', '!!int "12"',
    '!!int "0x1F"', '!!int abc', '!!int ""', '!!int "-"', '!!float 3', '!!float 1e5',
    '!!float abc', '!!float inf', '!!float "1:30"', '!!bool YeS', '!!bool maybe',
    '!!null x', '!!timestamp 2024-1-2', '!!timestamp x', '!!seq x', '!!map [1]',
    '!!str [1]', '!<tag:yaml.org,2002:int> 5',
    '!!binary aGVsbG8=', '!!binary aGVsbG8', '!!binary "aGVs\\nbG8="', '!!binary ""',
    '!!binary \xe9', '!!binary "YQ==YQ=="', '!!binary "Y=Q="', '!!binary "==YQ=="',
    'a: !!binary |\n  ' + 'AAECAwQF' * 9 + 'AAEC\n  ' + 'AAECAwQF' * 3 + '\n',
    '!!python/str x', '!!python/unicode x', '!!python/int 5', '!!python/long 5',
    '!!python/float 5', '!!python/bool yes', '!!python/none ""', '!!python/bytes YQ==',
    '!!python/tuple [1, 2]', '!!python/tuple []', '!!python/tuple {a: 1}',
    '!!python/list [1]', '!!python/dict {a: 1}', '!!set {a}', '!!set {}', '!!set [a]',
    '!!omap [a: 1, b: 2]', '!!pairs [a: 1, a: 2]', '!!omap [a]', '!!omap {a: 1}',
    '&a [*a]', '*x', '[&a 1, &a 2]', '[&a x, *a]', '[&a [x], *a, *a]',
    '{a: &x {b: 1}, c: *x}', '[&d 2024-01-01, *d]', '{&k [1]: 2}',
    '{? &t !!python/tuple [1] : a, b: *t}', '[&t !!python/tuple [1], {*t : 2}]',
    '[&a [], &b {}, &c !!python/tuple [], *a, *b, *c]',
    '{<<: {a: 1}, a: 2}', '{a: 2, <<: {a: 1, b: 3}}', '{<<: 1}', '{<<: [1]}', '{<<: []}',
    '{<<: [{a: 1}, {a: 2, b: 4}], c: 1}', '{"<<": 1}', '{<<: {a: 1}, <<: {b: 2}}',
    'base: &b {x: 1, y: [2]}\nd:\n  <<: *b\n  x: 3\n', '[<<]', '{a: <<}', '{a: =}', '{=: 1}',
    '{[1]: 2}', '{{a: 1}: 2}', '{!!set {a}: 2}', '{!!python/tuple [1]: 2}',
    '{!!python/tuple [1, [2]]: 2}', '{!!python/tuple [1, 2]: a, !!python/tuple [1.0, 2]: b}',
    '{1: a, 1.0: b, true: c, yes: d}', '{0: a, false: b, -0.0: c, 0x0: d}',
    '{a: 1, b: 2, a: 3}', '{~: 1, null: 2, : 3}', '{.nan: 1, .nan: 2}',
    '{9007199254740993: a, 9007199254740992.0: b, 9007199254740992: c}',
    '{.inf: 1, 1.0e+400: 2, -.inf: 3, 0: 4}', '{1.5: a, 1.5: b, -1.5: c, 1: d, 2: e}',
    '{-5: a, -5.0: b, -6: c, 4: d, 10: e}',
    '{2024-01-01: a, 2024-01-01: b, 2024-01-01 00:00:00: c}',
    '{2024-01-01 01:00:00+01:00: a, 2024-01-01T00:00:00Z: b, 2024-01-01 00:00:00: c}',
    '{!!binary YQ==: 1, a: 2}', '{a: 1, ? b}', '[a: 1]', '- - - 1', '? a\n: b',
    '"\\x41\\u00e9\\U0001F600\\0"', 'a: |\n  x\n  y\n', 'a: >\n  x\n  y\n\n  z\n',
    "'a''b'", 'a: x\n  y', '{? !!str 1 : 2, "1": 3, 1: 4}',
]

# What dump has to quote, fold or escape.
VALUES = [
    '', ' a', 'a ', 'a\nb\n', 'a\n b', 'a \nb', '\n', 'a\n\n', "it's", '"', '\\', 'a"\xe9',
    'x: y', 'a:', 'a:b', '#a', 'a #b', 'a#b', '- a', '-a', '-', '?', '? a', '?a', ':a', '!x',
    '&a', '*a', '|', '>', '%a', '@a', '`a', '[', ']a', 'a]', '{', 'a,b', '---', '--- a', '...',
    '=', '<<', '\t', 'a\tb', '\r', '\x07\x1b', '\x7f', '\x85', '\xa0', '\u2028', '\u4e2d',
    '\ufeff', '\ufffe', '\U0001F600', 'word ' * 40, 'word ' * 40 + '\xe9', '\xe9' * 60,
    '\xe9 ' * 50, 'a  b ' * 30, 'x' * 100 + ' y', "it's " * 30 + ': ', 'a\xe9 b' * 30,
    {'k' * 122: 1}, {'k' * 123: 1}, {'\xe9' * 122: 1}, {'\xe9' * 123: 1}, {'': 1},
    {'a\nb': 1}, {'k ' * 55 + 'k': 'v ' * 55 + 'v'}, {None: 1, True: 2, 3: 4, 1.5: 5},
    {b'': 1, b'a': 2}, {(): 1, (1,): 2, ((1, 'a'), b''): [3]},
    {datetime.date(2024, 1, 2): {'a': {}}, 'b': [[], [[]], {}, [{}], [{'a': 1, 'b': 2}]]},
    [[[1, 2], [3]], {'a': [1, [2], {'b': [3]}]}], (), (1, (2,)), set(), {1}, [{'a'}], b'',
    b'\0' * 57, b'\0' * 58, [b'', b'a'], 1e16, 1e15, 1e-5, 1.5e-7, -0.0, 5e-324, 0.1,
    {'a': (1, 2), 'b': ((1, 2),), 'c': [(1,)], 'd': {1}},
]

HEADERS = [
    "author: sphinx\ndate: 2024-02-29\nname: onnx\nparameters:\n  model: cnn10\n  data:\n"
    "  - emodb\n  - msppodcast\n  feature: melspec\n  sampling_rate: 16000\n"
    "subgroup: emotion.cnn\nversion: 1.0.0\n",
    "author: '- x'\ndate: 2024-02-29\nname: params\nparameters: {}\nsubgroup: ''\n"
    "version: '1.0'\n",
]


def value(x):
    kind = type(x)
    if x is None:
        return 'null'
    if kind is bool:
        return 'true' if x else 'false'
    if kind is int:
        return f'i{x}'
    if kind is float:
        return f'f{x!r}'
    if kind is str:
        return "s'" + escape(x.encode()) + "'"
    if kind is bytes:
        return "b'" + escape(x) + "'"
    if kind is datetime.date:
        return f'd{x}'
    if kind is datetime.datetime:
        return f't{x}'
    if kind is list:
        return '[' + ''.join(value(item) + ',' for item in x) + ']'
    if kind is tuple:
        return '(' + ''.join(value(item) + ',' for item in x) + ')'
    if kind is dict:
        return '{' + ''.join(f'{value(k)}:{value(v)},' for k, v in x.items()) + '}'
    if kind is set:
        return '<' + ''.join(f'{value(k)}:null,' for k in x) + '>'
    raise TypeError(kind)


def escape(data):
    return ''.join(
        '\\n' if c == 10 else '\\\\' if c == 92 else chr(c) if 32 <= c < 127
        else f'\\x{c:02x}' for c in data)


def main():
    texts = SCALARS + TEXTS + HEADERS
    texts += [yaml.dump(x, sort_keys=False, allow_unicode=True, width=1000)
              for x in VALUES]
    for text in texts:
        print('text: ' + escape(text.encode()))
        try:
            x = yaml.unsafe_load(text)
            as_text = value(x)  # endless for what holds itself, which modelfs refuses
        except (yaml.YAMLError, ValueError, TypeError, AttributeError, KeyError, IndexError,
                RecursionError):
            print('value: refused\n')
            continue
        print('value: ' + as_text)
        print('print: ' + escape(yaml.dump(x, sort_keys=False).encode()))
        print()


main()
