# SPDX-License-Identifier: MIT
"""Puts recorded figures into the book: pictures into its folder `figures`, tables between marks of its pages.

A page has   <!-- figures: NAME -->  ...  <!-- end of NAME -->   and what stands between is replaced."""
import glob
import os
import re

from . import aims, text

SECTIONS = {
    'overview': text.overview, 'phases': text.phases, 'privileged': text.privileged,
    'operations': lambda comparison: text.operations(comparison, ('Parvix',)),
    'operations-linux': lambda comparison: text.operations(comparison, ('Linux',)), 'kinds': text.kinds, 'aims': aims.rows}


def markdown(rows):
    """A table."""
    def line(cells):
        return '| ' + ' | '.join(str(cell).replace('|', '\\|') for cell in cells) + ' |\n'
    return line(rows[0]) + '|---' * len(rows[0]) + '|\n' + ''.join(line(row) for row in rows[1:])


def block(comparison, name):
    if name == 'run':
        return (f'Recorded in run {comparison.document["run"]} ({comparison.document["date"]}); '
                f'again: `{comparison.document["command"]}`.\n')
    if name == 'absent':
        return ''.join(f'* {title}: no figures in this run: {why}\n' for title, why in text.absent(comparison)) or '\n'
    rows = SECTIONS[name](comparison)
    return markdown(rows) if len(rows) > 1 else 'No figures in this run.\n'


def replace(page, comparison):
    """The page's text with its blocks renewed. A block of a name that nobody knows is an error."""
    def renew(match):
        name = match.group(1)
        if name not in (*SECTIONS, 'run', 'absent'):
            raise ValueError(f'there are no figures called {name!r}')
        return f'<!-- figures: {name} -->\n{block(comparison, name)}<!-- end of {name} -->'
    return re.sub(r'<!-- figures: ([\w-]+) -->\n.*?<!-- end of \1 -->', renew, page, flags=re.S)


def write(comparison, folder, figures):
    os.makedirs(f'{folder}/figures', exist_ok=True)
    for name, canvas, _ in figures:
        with open(f'{folder}/figures/{name}.svg', 'w', encoding='utf-8') as file:
            file.write(canvas.file())
    for path in sorted(glob.glob(f'{folder}/*.md')):
        with open(path, encoding='utf-8') as file:
            before = file.read()
        after = replace(before, comparison)
        if after != before:
            with open(path, 'w', encoding='utf-8') as file:
                file.write(after)
