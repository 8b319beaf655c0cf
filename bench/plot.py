"""plot: a table of ratios as an SVG, by gnuplot."""

import shutil
import subprocess

HEAD = """\
set terminal svg size 900,420 dynamic font 'sans-serif,13' background 'white'
set output
set title '{title}' noenhanced
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.85 border -1
set boxwidth 0.9
set logscale y
set ylabel 'time, plain files = 1 (lower is better)'
set grid ytics
set key outside top center horizontal noenhanced
set xtics rotate by -25 noenhanced
plot {series}
"""


def quoted(text):
    return '"' + text.replace('"', "") + '"'


def svg(title, columns, rows):
    """rows: (name, ratio of each column or None). None where gnuplot is missing."""
    if not shutil.which("gnuplot"):
        return None
    block = ["$ratios << END", " ".join(["work", *map(quoted, columns)])]
    for name, ratios in rows:
        block.append(" ".join([quoted(name), *("?" if ratio is None else f"{ratio:.4f}"
                                               for ratio in ratios)]))
    block.append("END\nset datafile missing '?'\n")
    series = ", ".join(
        f"$ratios using {i + 2}{':xtic(1)' if i == 0 else ''} title {quoted(column)}"
        for i, column in enumerate(columns))
    script = "\n".join(block) + HEAD.format(title=title.replace("'", ""), series=series)
    done = subprocess.run(["gnuplot"], input=script, capture_output=True, text=True,
                          check=True, timeout=60)
    return done.stdout
