# SPDX-License-Identifier: MIT
"""The pictures: each function draws one from a Comparison, or returns None if there is nothing to draw."""
import math
import re

from . import model
from .stats import change, number, times, with_range
from .svg import KINDS, Canvas, text_width

WIDTH = 960
LEFT = 148  # where names end and figures begin
SIGNS = {'initial': 'square', 'domain': 'circle', 'pc': 'circle'}


def sign(column):
    """Shape and colour of a column's marker."""
    shape = 'diamond' if column.system != 'Parvix' else SIGNS.get(column.rig, 'circle')
    return (shape, column.place if column.system != 'other' else 'other')


def start(title, explanation):
    """A canvas with its heading; returns it and the y below."""
    canvas = Canvas(WIDTH, title)
    canvas.text(0, 22, title, 't', 17, weight='bold')
    return canvas, canvas.lines(0, 42, explanation, WIDTH, 'm', 12, 16) + 6


def finish(canvas, y, caption):
    """Says where the figures are from."""
    canvas.reach(y)
    canvas.caption = caption
    return canvas


def legend(canvas, y, columns):
    """Signs and names of columns in rows; returns the y below."""
    x = 6
    for column in columns:
        width = text_width(column.title, 12) + 34
        if x + width > WIDTH:
            x, y = 6, y + 19
        canvas.marker(x, y - 4, *sign(column))
        canvas.text(x + 11, y, column.title, 't', 12)
        x += width
    return y + 14


def nice_step(span, count):
    """A round step that divides the span into at most about `count` parts."""
    raw = span / count
    power = 10 ** math.floor(math.log10(raw))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * 0.999)


class Linear:
    """A scale from 0."""

    def __init__(self, high, left, right):
        self.high, self.left, self.right = high or 1, left, right

    def at(self, value):
        return self.left + (self.right - self.left) * max(0, value) / self.high

    def ticks(self):
        step = nice_step(self.high, 8)
        return [step * n for n in range(int(self.high / step * 1.0001) + 1)]


class Logarithmic:
    """A scale of powers of ten, with marks at 1, 2 and 5 if they have room."""

    def __init__(self, low, high, left, right):
        self.low = low if low > 0 else 1e-3
        self.high = max(high, self.low * 2)
        self.left, self.right = left, right

    def at(self, value):
        part = (math.log(max(value, self.low)) - math.log(self.low)) / (math.log(self.high) - math.log(self.low))
        return self.left + (self.right - self.left) * min(1, part)

    def ticks(self):
        decades = math.log10(self.high / self.low)
        factors = (1, 2, 3, 5) if decades < 2 else (1, 2, 5) if decades < 3.2 else (1,)
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        values = [factor * 10.0 ** power for power in range(first, last + 1) for factor in factors]
        return [value for value in values if self.low * 0.999 <= value <= self.high * 1.001]


def axis(canvas, scale, top, bottom, show):
    """Grid lines with their values above and below."""
    for value in scale.ticks():
        x = scale.at(value)
        canvas.line(x, top, x, bottom, 'g')
        text = re.sub(r'(\.\d*?)0+(?=$| )', r'\1', show(value)).replace('. ', ' ').rstrip('.')
        for y in (top - 5, bottom + 14):
            canvas.text(x, y, text, 'm', 10.5, 'middle')


# ---- (a) phases -------------------------------------------------------------------------------------


def timeline(comparison, caption):
    """One bar a world, to scale; equal marks of neighbours are joined."""
    columns = [column for column in comparison.parvix() if len(comparison.steps(column)) > 1]
    if not columns:
        return None
    rows = [(column, _reached(comparison.steps(column))) for column in columns]
    labels = [label for label in comparison.labels() if any(label in reached for _, reached in rows)]
    canvas, y = start('Boot, from the first instruction to the shell',
                      'Instructions, whoever executes them: kernel or hypervisor. The time in which the kernel waits, for a device or for '
                      'dom0, is left out; how much it was stands below the sum. Each piece ends at the mark that it is named after; the '
                      'same marks are joined from world to world.')
    y = kind_legend(canvas, y + 8, labels[1:])
    scale = Linear(max(reached[label][1] for _, reached in rows for label in reached), LEFT, WIDTH - 112)
    top, height, gap = y + 22, 34, 30
    bottom = top + len(rows) * (height + gap) - gap + 6
    axis(canvas, scale, top - 4, bottom, number)
    for index, (column, reached) in enumerate(rows):
        at = top + index * (height + gap)
        canvas.marker(8, at + height / 2, *sign(column))
        canvas.text(20, at + height / 2 + 4, column.short, 't', 13)
        end = _timeline_bar(canvas, at, height, column, reached, labels, scale)
        canvas.text(end + 7, at + height / 2 + (-1 if _waits(comparison, column) else 4), number(comparison.boot(column).median), 't',
                    12.5, weight='bold')
        canvas.text(end + 7, at + height / 2 + 12, _waits(comparison, column), 'm', 9.5)
        if index + 1 < len(rows):
            _join(canvas, at + height, gap, reached, rows[index + 1][1], scale)
    return finish(canvas, bottom + 20, caption)


def _waits(comparison, column):
    wait = comparison.boot(column, part=model.WAIT)
    return f'+ {number(wait.median)} waiting' if wait and wait.median else ''


def _reached(steps_):
    """{mark: (start, end)} of steps one behind the other."""
    found, before = {}, 0
    for label, value in steps_.items():
        found[label] = (before, before + value.median)
        before += value.median
    return found


def _timeline_bar(canvas, at, height, column, reached, labels, scale):
    """Draws it; returns where it ends."""
    x = end = scale.at(0)
    for label in labels:
        if label not in reached or reached[label][0] == reached[label][1]:
            continue
        kind = (labels.index(label) - 1) % len(KINDS)
        before, value = reached[label]
        x, end = scale.at(before), scale.at(value)
        canvas.rect(x, at, end - x, height, f'k{kind} sep', f'{column.title}: {label}: {number(value - before)} instructions, '
                    f'reached at {number(value)}', stroke_width=0.7)
        if text_width(label, 11) + 8 < end - x:
            canvas.text((x + end) / 2, at + height / 2 + 4, label, f'kt{kind}', 11, 'middle')
    return end


def _join(canvas, y, gap, upper, lower, scale):
    for label, (_, value) in upper.items():
        if label in lower and value + lower[label][1] > 0:
            canvas.line(scale.at(value), y + 1, scale.at(lower[label][1]), y + gap - 1, 'a', 1, '3 3')


def kind_legend(canvas, y, names, start_at=0):
    """Coloured squares and names; returns the y below."""
    x = 0
    for index, name in enumerate(names):
        width = text_width(name, 11.5) + 28
        if x + width > WIDTH:
            x, y = 0, y + 18
        canvas.rect(x, y - 10, 12, 12, f'k{(start_at + index) % len(KINDS)}')
        canvas.text(x + 17, y, name, 't', 11.5)
        x += width
    return y + 12


# ---- dots with ranges -------------------------------------------------------------------------------


def dots(canvas, y, rows, scale, show, reference=None):
    """Rows of (name, note below it, [(column, Spread, text beside it)]): a lane for each column of a row.

    The marker is at the middle, the line reaches from the smallest to the largest."""
    lane, pad = 15, 9
    height = sum(max(len(points), 2) * lane + pad for _, _, points in rows)
    axis(canvas, scale, y + 16, y + 20 + height, show)
    if reference is not None:
        x = scale.at(reference)
        canvas.line(x, y + 16, x, y + 20 + height, 'a', 1.6)
    y += 20
    for number_, (name, note, points) in enumerate(rows):
        size = max(len(points), 2) * lane + pad
        if number_:
            canvas.line(0, y, WIDTH, y, 'g', 0.6)
        canvas.text(0, y + 18, name, 't', 12.5)
        canvas.text(0, y + 33, note, 'm', 10)
        for index, (column, value, beside) in enumerate(points):
            at = y + pad / 2 + lane * (index + 0.5)
            shape, place = sign(column)
            low, high = scale.at(value.low), scale.at(value.high)
            if high - low > 1:
                canvas.line(low, at, high, at, f'l-{place}', 2.2)
            canvas.marker(scale.at(value.median), at, shape, place,
                          f'{name}, {column.title}: {with_range(value, show)} (n = {value.n})')
            strong = beside.endswith((' more', ' less'))
            canvas.text(max(high, scale.at(value.median)) + 10, at + 3.6, beside, 't' if strong else 'm', 10,
                        weight='bold' if strong else None)
        y += size
    return y + 18


def steps(comparison, caption):
    """Each phase of the boot, world beside world."""
    columns = comparison.parvix()
    base = comparison.base()
    tables = {column: comparison.steps(column) for column in columns}
    waits = {column: comparison.steps(column, part=model.WAIT) for column in columns}
    rows = []
    for label in comparison.labels():
        points = [(column, tables[column][label]) for column in columns if label in tables[column]]
        points = [(column, value) for column, value in points if value.median > 0]
        first = tables.get(base, {}).get(label)
        if points:
            rows.append((label, '', [(column, value, _beside(value, first, column is base) + _waiting(waits[column][label], value))
                                     for column, value in points]))
    if not rows:
        return None
    values = [value for _, _, points in rows for _, value, _ in points]
    canvas, y = start('What each phase of the boot costs',
                      f'Instructions from the mark before to this one without waiting, on a logarithmic scale; in brackets the ratio '
                      f'to {base.title}, and how long was waited if that is more than a tenth.')
    y = legend(canvas, y + 8, columns)
    scale = Logarithmic(10 ** math.floor(math.log10(max(min(v.low for v in values), 1))),
                        max(v.high for v in values) * 1.3, LEFT, WIDTH - 110)
    y = dots(canvas, y + 4, rows, scale, number)
    return finish(canvas, y, caption)


def _waiting(wait, work):
    return f' + {number(wait.median)} waiting' if wait.median > work.median / 10 else ''


def _beside(value, base, is_base):
    text = number(value.median)
    return text if is_base or not base or not base.median else f'{text} ({times(value.median / base.median)}×)'


def operations(comparison, caption, systems=('Parvix', 'Linux')):
    """Operation costs as ratios to the same system's native ones."""
    columns = [column for column in comparison.with_figures() if column.system in systems]
    tables = {column: comparison.operations(column) for column in columns}
    rows = []
    for name in comparison.operation_names(columns):
        points = []
        for column in columns:
            base = comparison.base(column)
            if name not in tables[column] or name not in tables.get(base, {}):
                continue
            value = tables[column][name].value.over(tables[base][name].value)
            if value and (column != base or column.place != 'native'):
                points.append((column, value, f'{times(value.median)}×{_calls(tables[column][name])}'))
        if points:
            base = comparison.base()
            first = tables.get(base, {}).get(name)
            note = f'{number(first.value.median)} = 1' if first else ''
            if name in model.FLOORS:
                note += f' · PV floor {model.FLOORS[name]}'
            rows.append((model.OPERATIONS.get(name, name), note, points))
    if not rows:
        return None
    base = comparison.base()
    values = [value for _, _, points in rows for _, value, _ in points]
    canvas, y = start('What an operation costs',
                      f'Instructions as ratio to {base.title if base else "nothing"} (Linux: to Linux there). The marker is the '
                      'middle of all batches of all runs, the line goes from the smallest to the largest; beside it the hypercalls of '
                      'one operation. Below each name: what 1 is, in instructions, and the least number of calls that PV '
                      'can do with.')
    shown = [column for column in columns if any(point[0] == column for _, _, points in rows for point in points)]
    y = legend(canvas, y + 8, shown)
    scale = Logarithmic(min(0.5, min(v.low for v in values)), max(max(v.high for v in values) * 1.2, 4), LEFT, WIDTH - 160)
    y = dots(canvas, y + 4, rows, scale, times, reference=1)
    return finish(canvas, y, caption)


def _calls(operation):
    if not operation.calls:
        return ''
    calls = operation.calls.median
    return f' · {number(calls)} call{"" if calls == 1 else "s"}' if calls >= 0.005 else ' · no call'


def totals(comparison, caption):
    """The whole boot of everything that was run."""
    rows = []
    for column in comparison.with_figures():
        value = comparison.boot(column)
        base = comparison.boot(comparison.base(column)) if comparison.base(column) else None
        if value:
            first = column == comparison.base(column)
            rows.append((column.short, column.system if column.system != 'other' else 'by processor time',
                         [(column, value, _beside(value, base, first))]))
    if not rows:
        return None
    canvas, y = start('Boot to the shell, as a whole',
                      'Instructions on a logarithmic scale, without waiting; in brackets the ratio to the same system natively. Linux '
                      'counts from when its own clock runs, waiting included; of an image of which nothing is known, the processor time that it got.')
    values = [points[0][1] for _, _, points in rows]
    scale = Logarithmic(10 ** math.floor(math.log10(max(1, min(v.low for v in values)))),
                        max(v.high for v in values) * 1.5, LEFT, WIDTH - 120)
    return finish(canvas, dots(canvas, y + 4, rows, scale, number), caption)


# ---- (b) privileged operations ----------------------------------------------------------------------


def privileged(comparison, caption):
    """Per phase and world: hypercalls by kind, and the privileged operations that are none."""
    columns = comparison.parvix()
    tables = {column: comparison.privileged(column) for column in columns}
    totals_ = {}
    for table in tables.values():
        for row in table.values():
            for kind, count in row['calls'].items():
                totals_[kind] = totals_.get(kind, 0) + count
    kinds = sorted(totals_, key=lambda kind: -totals_[kind])
    if len(kinds) > len(KINDS):
        kinds = kinds[:len(KINDS) - 1] + ['other']
    labels = [label for label in comparison.labels() if any(_something(table.get(label)) for table in tables.values())]
    if not labels:
        return None
    canvas, y = start('Privileged operations, phase by phase',
                      'Left the calls into the hypervisor by kind, to scale; right what the processor or memory sees, as bars on a '
                      'logarithmic scale. A dash: not counted there. A phase ends at the mark that it is named after.')
    y = legend(canvas, y + 8, columns)
    y = kind_legend(canvas, y + 8, kinds)
    return finish(canvas, _privileged_rows(canvas, y + 22, labels, columns, tables, kinds), caption)


def _something(row):
    return row is not None and (row['calls'] or any(row[name] for name, _ in model.COUNTERS))


def _privileged_rows(canvas, y, labels, columns, tables, kinds):
    lane, pad, panel = 15, 9, 92
    right = WIDTH - panel * len(model.COUNTERS)
    rows = [row for table in tables.values() for label, row in table.items() if label in labels]
    calls = Linear(max([sum(row['calls'].values()) for row in rows] or [1]), LEFT, right - 52)
    scales = {}
    canvas.text(LEFT, y, 'hypercalls', 't', 12, weight='bold')
    for index, (name, title) in enumerate(model.COUNTERS):
        x = right + index * panel
        canvas.text(x, y, title, 't', 11 if len(title) < 14 else 9.2, weight='bold')
        scales[name] = (x, max([row[name] or 0 for row in rows] or [1]))
    y += 8
    for label in labels:
        canvas.line(0, y, WIDTH, y, 'g', 0.8)
        canvas.text(0, y + 18, label, 't', 12.5)
        for index, column in enumerate(columns):
            row = tables[column].get(label)
            at = y + pad / 2 + lane * index
            canvas.marker(LEFT - 12, at + lane / 2, *sign(column), title=column.title, size=4)
            if row:
                _calls_bar(canvas, at, lane, row['calls'], kinds, calls, f'{label}, {column.title}')
                for name, title in model.COUNTERS:
                    _count_bar(canvas, at, lane, row[name], scales[name], column, f'{label}, {column.title}: {title}', panel)
        y += max(len(columns), 2) * lane + pad
    canvas.line(0, y, WIDTH, y, 'g', 0.8)
    return y


def _calls_bar(canvas, at, lane, counts, kinds, scale, where):
    sums = {}
    for kind, count in counts.items():
        name = kind if kind in kinds else 'other'
        sums[name] = sums.get(name, 0) + count
    before = 0
    for index, kind in enumerate(kinds):
        if kind in sums:
            x, end = scale.at(before), scale.at(before + sums[kind])
            canvas.rect(x, at + 2, end - x, lane - 4, f'k{index} sep', f'{where}: {kind} {number(sums[kind])}', stroke_width=0.5)
            before += sums[kind]
    canvas.text(scale.at(before) + 4, at + lane - 4, number(before), 't' if before else 'm', 10)


def _count_bar(canvas, at, lane, value, scale, column, where, panel):
    x, high = scale
    if value is None:
        canvas.text(x, at + lane - 4, '-', 'm', 10)
        return
    width = (panel - 48) * math.log10(1 + value) / math.log10(1 + high) if high else 0
    shape, place = sign(column)
    if width:
        canvas.rect(x, at + 3, width, lane - 6, f'{"o" if shape == "square" else "w"}-{place}', f'{where} {number(value)}',
                    stroke_width=1.2)
    canvas.text(x + width + (4 if width else 0), at + lane - 4, number(value), 't' if value else 'm', 10)


# ---- two builds -------------------------------------------------------------------------------------


def differences(comparison, caption):
    """What build B costs beside build A: the ratio of the middles; the line is the range of B's values to A's middle."""
    rows = []
    for name, title, pairs in two_builds(comparison):
        points = [(column, after.over(before), f'{part * 100:+.1f} %{"" if verdict == "same" else "  " + verdict}')
                  for column, before, after, part, verdict in pairs if part is not None and before.median]
        if points:
            rows.append((title, name, points))
    if not rows:
        return None
    values = [value for _, _, points in rows for _, value, _ in points]
    canvas, y = start('Build B beside build A',
                      'Instructions (or calls) of B as part of the middle of A; 1 is no change. "more" and "less": the ranges of the '
                      'two do not touch, and their middles differ by more than two thousandths.')
    columns = list(dict.fromkeys(point[0] for _, _, points in rows for point in points))
    y = legend(canvas, y + 8, columns)
    scale = Logarithmic(min(0.8, min(v.low for v in values) * 0.98), max(1.25, max(v.high for v in values) * 1.02), LEFT + 20, WIDTH - 120)
    scale.ticks = lambda: [value for value in (0.1, 0.2, 0.5, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 2, 3, 5, 10)
                           if scale.low <= value <= scale.high]
    return finish(canvas, dots(canvas, y + 4, rows, scale, times, reference=1), caption)


def two_builds(comparison):
    """[(kind, title, [(column of A, A, B, part, verdict)])] for the boot, its phases and the operations."""
    pairs = [(a, b) for a in comparison.with_figures() for b in comparison.with_figures()
             if (a.world, a.build, b.build) == (b.world, 'A', 'B')]
    rows = [('boot', 'boot to the shell', [(a, comparison.boot(a), comparison.boot(b)) for a, b in pairs])]
    rows.append(('boot', 'hypercalls of the boot', [(a, comparison.boot_calls(a), comparison.boot_calls(b)) for a, b in pairs]))
    labels = comparison.labels([column for pair in pairs for column in pair])
    # Marks that only one of the builds has would make the other's next phase look longer.
    shared = [set(comparison.steps(a)) & set(comparison.steps(b)) for a, b in pairs]
    for label in labels:
        rows.append(('phase', label, [(a, comparison.steps(a, marks=marks).get(label), comparison.steps(b, marks=marks).get(label))
                                      for (a, b), marks in zip(pairs, shared)]))
    for name in comparison.operation_names([column for pair in pairs for column in pair]):
        values = []
        for a, b in pairs:
            before, after = comparison.operations(a).get(name), comparison.operations(b).get(name)
            values.append((a, before and before.value, after and after.value))
        rows.append(('operation', model.OPERATIONS.get(name, name), values))
        calls = []
        for a, b in pairs:
            before, after = comparison.operations(a).get(name), comparison.operations(b).get(name)
            if before and after and change(before.calls, after.calls)[1] in ('more', 'less'):
                calls.append((a, before.calls, after.calls))
        rows.append(('hypercalls', model.OPERATIONS.get(name, name) + ': hypercalls', calls))
    return [(kind, title, [(a._replace(title=a.title.removesuffix(' A')), before, after, *change(before, after)) for a, before, after in values if before and after and (before.high or after.high)])
            for kind, title, values in rows]


ALL = (('phases', timeline), ('steps', steps), ('privileged', privileged), ('operations', operations), ('boot', totals))
BUILDS = (('differences', differences), *ALL[:1], *ALL[2:3])
