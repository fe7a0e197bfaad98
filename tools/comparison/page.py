# SPDX-License-Identifier: MIT
"""The report as one HTML page: nothing is loaded from anywhere, and no script is needed to read it."""
from html import escape

from . import text
from .svg import style

CSS = '''
:root { color-scheme: light dark; --bg: #fff; --text: #1b1f24; --muted: #57606a; --line: #d8dee4; --panel: #f6f8fa; --link: #1f6fbf }
@media (prefers-color-scheme: dark) { :root { --bg: #15181d; --text: #e6edf3; --muted: #9aa7b4; --line: #30363d; --panel: #1c2128; --link: #6cb0f5 } }
@media print { :root { --bg: #fff; --text: #1b1f24; --muted: #57606a; --line: #d8dee4; --panel: #f6f8fa; color-scheme: light } }
* { box-sizing: border-box }
body { margin: 0; background: var(--bg); color: var(--text); font: 15px/1.5 'DejaVu Sans', Verdana, 'Segoe UI', sans-serif }
main { max-width: 1060px; margin: 0 auto; padding: 28px 20px 60px }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 6px } h2 { font-size: 19px; margin: 44px 0 8px }
p { margin: 8px 0; max-width: 78ch } .muted, figcaption { color: var(--muted); font-size: 13px }
code { font-family: 'DejaVu Sans Mono', Menlo, Consolas, monospace; font-size: 12.5px; background: var(--panel); padding: 1px 5px; border-radius: 4px;
  overflow-wrap: anywhere }
figure { margin: 34px -13px 0; break-inside: avoid } figure svg { display: block; width: 100%; height: auto }
figcaption { border-top: 1px solid var(--line); padding: 7px 0 0; margin: 0 13px }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(180px, 1fr)); gap: 12px; margin: 22px 0 }
.card { background: var(--panel); border: 1px solid var(--line); border-left: 5px solid var(--line); border-radius: 6px; padding: 10px 14px }
.card b { display: block; font-size: 24px; line-height: 1.25 } .card span { color: var(--muted); font-size: 12.5px }
.c-native { border-left-color: #1f6fbf } .c-pvh { border-left-color: #0b9a6d } .c-pv { border-left-color: #d8631a } .c-other { border-left-color: #7a4fb5 }
.scroll { overflow-x: auto } table { border-collapse: collapse; font-size: 13px; margin: 6px 0 12px; font-variant-numeric: tabular-nums }
th, td { padding: 4px 14px 4px 0; border-bottom: 1px solid var(--line); text-align: right; vertical-align: top; white-space: nowrap }
th:first-child, td:first-child, td.left, th.left { text-align: left } th { font-weight: 600 } td.wrap { white-space: normal }
tr.more td:last-child { color: #b3261e; font-weight: 600 } tr.less td:last-child { color: #0b7f5a; font-weight: 600 }
@media (prefers-color-scheme: dark) { tr.more td:last-child { color: #ff8a80 } tr.less td:last-child { color: #4fd1a1 } }
.absent { border: 1px solid var(--line); border-left: 5px solid #b8860b; background: var(--panel); border-radius: 6px; padding: 8px 14px; margin: 14px 0 }
details { margin: 10px 0 } summary { cursor: pointer }
@media print { body { font-size: 11pt } main { max-width: none; padding: 0 } details:not([open]) { display: none } h2 { break-after: avoid } }
'''


def _table(rows, left=()):
    head, *body = rows
    out = ['<div class="scroll"><table><thead><tr>']
    out += [f'<th{" class=left" if n in left else ""}>{escape(str(cell))}</th>' for n, cell in enumerate(head)]
    out.append('</tr></thead><tbody>')
    for row in body:
        verdict = str(row[-1])
        out.append(f'<tr class="{verdict}">' if verdict in ('more', 'less') else '<tr>')
        out += [f'<td{" class=left" if n in left else ""}>{escape(str(cell))}</td>' for n, cell in enumerate(row)]
        out.append('</tr>')
    return ''.join(out) + '</tbody></table></div>'


def _cards(comparison):
    """The boots at a glance."""
    out = ['<div class="cards">']
    for row, column in zip(text.overview(comparison)[1:], comparison.with_figures()):
        place = column.place if column.system != 'other' else 'other'
        value = row[1].split(' [')[0]
        beside = [f'{row[2]} × native' if comparison.base(column).place == 'native' and comparison.base(column) != column else '',
                  f'{row[4]} hypercalls' if row[4] != '-' else '']
        out.append(f'<div class="card c-{place}"><span>{escape(column.title)}</span><b>{escape(value)}</b>'
                   f'<span>instructions to the shell<br>{"<br>".join(escape(word) for word in beside if word) or "&nbsp;"}</span></div>')
    return ''.join(out) + '</div>'


def _runs(document):
    rows = [['world', 'clock', 'run', 'seconds', 'command', 'result']]
    for run in document['runs']:
        rows.append([run['world'] + (f':{run["build"]}' if run['build'] else ''), run['clock'], run['number'],
                     run['seconds'] or '-', run['command'], run['error'] or 'good'])
    return _table(rows, left=(1, 4, 5))


def html(comparison, figures):
    """`figures`: [(name, canvas, command)]."""
    document = comparison.document
    builds = document.get('builds')
    title = 'Two builds of Parvix' if builds else 'One image, several worlds'
    out = [f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}: {escape(document["run"])}</title>',
           '<meta name="viewport" content="width=device-width, initial-scale=1">',
           f'<style>{CSS}{style()}</style></head><body><main><h1>{title}</h1>',
           f'<p class="muted">Run {escape(document["run"])} · {escape(document["version"])} · {escape(document["date"])} · '
           f'again: <code>{escape(document["command"])}</code></p>']
    if builds:
        out.append('<p>' + ' · '.join(f'{name}: <code>{escape(path)}</code>' for name, path in builds.items()) + '</p>')
    else:
        out.append('<p>The same kernel file, booted natively, as a PVH guest and as a PV guest of Xen in one emulated machine. '
                   'Figures in instructions are counted by the emulator, in the kernel and in the hypervisor together: they repeat, '
                   'and say how much work there is, not how long a real processor takes for it. Seconds are the '
                   'emulator\'s, good for ratios at most.</p>')
    out.append(_cards(comparison))
    for name, why in text.absent(comparison):
        out.append(f'<div class="absent"><b>{escape(name)}</b>: no figures. {escape(why)}</div>')
    for note in text.notes(comparison):
        out.append(f'<div class="absent">{escape(note)}</div>')
    for name, canvas, command in figures:
        out.append(f'<figure id="{name}">{canvas.inline()}<figcaption>Run {escape(document["run"])}. This figure again: '
                   f'<code>{escape(command)}</code>. As a file: <code>{name}.svg</code></figcaption></figure>')
    out.append('<h2>The figures</h2>')
    for heading, rows in text.sections(comparison):
        out.append(f'<h3>{escape(heading)}</h3>{_table(rows, left=(1, 2) if rows[0][0] == "aim" else (1,) if rows[0][1] == "world" else ())}')
    rows = text.kinds(comparison)
    if rows:
        out.append(f'<details open><summary>Hypercalls of one operation, by kind</summary>{_table(rows, left=(1, 4))}</details>')
    out.append(f'<h2>How it was measured</h2><p>{METHOD}</p><details><summary>All runs, each with its command</summary>'
               f'{_runs(document)}</details></main></body></html>\n')
    return '\n'.join(out)


METHOD = ('A counted run is one boot under QEMU\'s <code>-icount shift=0</code>: each instruction takes one nanosecond of the '
          'guest\'s time, and the guest\'s time-stamp counter counts them. While everybody waits, time jumps to the next timer or '
          'device, so a wait counts with its length. The guest prints its boot record and then runs <code>/usr/bench/lat</code>, '
          'which does each operation in batches; the reports give the middle of all batches of all runs, and the smallest and the largest. '
          'Linux is Debian\'s, with a busybox initramfs and the same program compiled for it; its phases are stamps of its log. '
          'A range in square brackets goes from the smallest to the largest value.')
