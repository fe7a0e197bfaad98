# SPDX-License-Identifier: MIT
"""The report as tables: rows of cells, for the terminal, for the HTML page and for the book."""
import csv

from . import aims, charts, model
from .stats import number, times, with_range
from .worlds import INSTRUCTIONS, WALL


def table(rows, out):
    """Columns lined up: names to the left, figures to the right."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[n]) for row in rows) for n in range(len(rows[0]))]
    for row in rows:
        print('  ' + '  '.join(cell.ljust(width) if n == 0 else cell.rjust(width)
                               for n, (cell, width) in enumerate(zip(row, widths))).rstrip(), file=out)
    print(file=out)


def overview(comparison):
    """What was run, and how its boot went."""
    rows = [['world', 'boot, instructions', 'ratio', 'and waiting', 'hypercalls', 'traps', 'PTE writes', 'boot, seconds', 'runs']]
    for column in comparison.columns:
        good = comparison.runs(column)
        if not good:
            continue
        base = comparison.base(column)
        value, first = comparison.boot(column), comparison.boot(base) if base else None
        total = comparison.privileged_sum(column)
        counted = column.system == 'Parvix'
        wait = comparison.boot(column, part=model.WAIT)
        seconds = comparison.seconds(column)
        rows.append([column.title, with_range(value), times(value.median / first.median) if value and first else '-',
                     number(wait.median) if wait and counted else '-',
                     number(sum(total['calls'].values())) if counted else '-', number(total['traps']),
                     number(total['pte']), with_range(seconds, lambda s: f'{s:.2f}') if seconds else '-', len(good)])
    return rows


def absent(comparison):
    """[(world, why)] of those without figures."""
    return [(column.title, comparison.reason(column)) for column in comparison.columns if comparison.reason(column)]


def phases(comparison):
    """Instructions of each phase."""
    columns = comparison.parvix()
    steps = [comparison.steps(column) for column in columns]
    rows = [['up to the mark', *[column.title for column in columns]]]
    for label in comparison.labels():
        if any(label in table_ and table_[label].median for table_ in steps):
            rows.append([label, *[with_range(table_.get(label)) for table_ in steps]])
    rows.append(['the whole', *[with_range(comparison.boot(column)) for column in columns]])
    return rows


def privileged(comparison):
    """Privileged operations over the whole boot, kind by kind."""
    columns = comparison.parvix()
    sums = [comparison.privileged_sum(column) for column in columns]
    kinds = {}
    for total in sums:
        for kind, count in total['calls'].items():
            kinds[kind] = kinds.get(kind, 0) + count
    rows = [['to the shell', *[column.title for column in columns]]]
    rows += [[title, *[number(total[name]) for total in sums]] for name, title in model.COUNTERS]
    rows.append(['hypercalls', *[number(sum(total['calls'].values())) for total in sums]])
    rows += [[f'- {kind}', *[number(total['calls'].get(kind, 0)) for total in sums]]
             for kind in sorted(kinds, key=lambda kind: -kinds[kind])]
    return rows


def processes(comparison):
    """Forks, execs and exits of the boot: how many, what one takes."""
    columns = comparison.parvix()
    tables = [comparison.processes(column) for column in columns]
    rows = [['until the record was read', *[column.title for column in columns]]]
    for what in ('fork', 'exec', 'exit'):
        if any(what in table_ for table_ in tables):
            rows.append([what, *[f'{number(table_[what][0])}: {with_range(table_[what][1])}, '
                                 f'{with_range(table_[what][2])} calls' if what in table_ else '-' for table_ in tables]])
    return rows


def operations(comparison, systems=('Parvix', 'Linux'), clock=INSTRUCTIONS):
    """What each operation costs, the ratio to the native ones, hypercalls."""
    columns = [column for column in comparison.with_figures()
               if column.system in systems and comparison.operations(column, clock)]
    tables = [comparison.operations(column, clock) for column in columns]
    bases = [comparison.operations(comparison.base(column), clock) for column in columns]
    rows = [['operation', *[column.title for column in columns]]]
    for name in comparison.operation_names(columns, clock):
        row = [model.OPERATIONS.get(name, name)]
        for column, table_, base in zip(columns, tables, bases):
            row.append(_operation_cell(column, table_.get(name), base.get(name), comparison.base(column) == column, clock))
        rows.append(row)
    return rows if len(rows) > 1 else []


def _operation_cell(column, operation, base, is_base, clock):
    if operation is None:
        return '-'
    words = [number(operation.value.median) if clock == INSTRUCTIONS else number(operation.value.median / 1000)]
    if not is_base and base:
        ratio = operation.value.over(base.value)
        if ratio:
            words.append(f'{times(ratio.median)}x')
    if clock == INSTRUCTIONS and column.system == 'Parvix' and column.place != 'native' and operation.calls:
        words.append(f'{number(operation.calls.median)} calls')
    return ', '.join(words)


def kinds(comparison):
    """Hypercalls of one operation by kind, of those that make any, and the least that PV needs."""
    rows = [['operation', 'world', 'all', 'floor', 'by kind']]
    for name in comparison.operation_names(comparison.parvix()):
        for column in comparison.parvix():
            operation = comparison.operations(column).get(name)
            made = {kind: n for kind, n in operation.kinds.items() if kind != 'total' and n >= 0.005} if operation else {}
            if made:
                floor = model.FLOORS.get(name, '-') if column.place == 'pv' else '-'
                rows.append([model.OPERATIONS.get(name, name), column.title, number(sum(made.values())), floor,
                             ', '.join(f'{kind} {number(n)}' for kind, n in sorted(made.items(), key=lambda item: -item[1]))])
    return rows if len(rows) > 1 else []


def differences(comparison):
    """Build B beside build A."""
    rows = [['what', 'world', 'A', 'B', 'change', '']]
    for _, title, pairs in charts.two_builds(comparison):
        for column, before, after, part, verdict in pairs:
            rows.append([title, column.title, with_range(before), with_range(after),
                         f'{part * 100:+.2f} %' if part is not None else '-', '' if verdict == 'same' else verdict])
    return rows if len(rows) > 1 else []


def sections(comparison):
    """[(title, rows)] of the whole report."""
    found = []
    if comparison.document.get('builds'):
        found.append(('Build B beside build A (instructions; "more" and "less": beyond what differs by itself)',
                      differences(comparison)))
    found.append(('Boot, from the first instruction to the shell', overview(comparison)))
    if comparison.parvix():
        found.append(('Phases of the boot (instructions, without waiting)', phases(comparison)))
        found.append(('Privileged operations of the boot', privileged(comparison)))
        found.append(('Forks, execs and exits of the boot (how many: instructions of one without waiting, hypercalls)',
                      processes(comparison)))
    if not comparison.document.get('builds'):
        found.append(('Operations (instructions, ratio to the native ones, hypercalls)', operations(comparison)))
        found.append(('Aims', aims.rows(comparison)))
        found.append(('Operations by the emulator\'s clock (microseconds, ratio to the native ones)',
                      operations(comparison, clock=WALL)))
    return [(title, rows) for title, rows in found if len(rows) > 1]


def terminal(comparison, out):
    print(f'Run {comparison.document["run"]}, {comparison.document["version"]}\n', file=out)
    for title, rows in sections(comparison):
        print(title, file=out)
        table(rows, out)
    for title, why in absent(comparison):
        print(f'{title}: no figures: {why}', file=out)
    for note in notes(comparison):
        print(note, file=out)


def notes(comparison):
    """Runs that failed beside others that did not."""
    return [f'{column.title}: {len(comparison.runs(column, good=False)) - len(comparison.runs(column))} of '
            f'{len(comparison.runs(column, good=False))} runs failed: '
            f'{next(run["error"] for run in comparison.runs(column, good=False) if run["error"])}'
            for column in comparison.columns
            if 0 < len(comparison.runs(column)) < len(comparison.runs(column, good=False))]


def write_csv(comparison, file):
    """One figure a line, for a spreadsheet."""
    out = csv.writer(file, lineterminator='\n')
    out.writerow(['run', 'world', 'build', 'clock', 'what', 'name', 'unit', 'values', 'min', 'median', 'max', 'ratio_to_native'])
    run = comparison.document['run']
    for column in comparison.with_figures():
        base = comparison.base(column)

        def line(clock, what, name, unit, value, first):
            if value:
                ratio = value.median / first.median if first and first.median else ''
                out.writerow([run, column.world, column.build, clock, what, name, unit, value.n,
                              *(f'{number_:.6g}' if number_ < 1e6 else f'{number_:.0f}' for number_ in value[1:]),
                              ratio and f'{ratio:.4f}'])

        for clock, unit in ((INSTRUCTIONS, 'instructions'), (WALL, 'ns')):
            for part in (model.WHOLE, model.WORK) if clock == INSTRUCTIONS else (model.WHOLE,):
                line(clock, 'boot', part, unit, comparison.boot(column, clock, part), base and comparison.boot(base, clock, part))
                first = comparison.steps(base, clock, part) if base else {}
                for name, value in comparison.steps(column, clock, part).items():
                    line(clock, f'phase, {part}', name, unit, value, first.get(name))
            first = comparison.operations(base, clock) if base else {}
            for name, operation in comparison.operations(column, clock).items():
                line(clock, 'operation', name, unit, operation.value, first.get(name) and first[name].value)
                if clock == INSTRUCTIONS and operation.calls:
                    line(clock, 'operation', name, 'hypercalls', operation.calls, None)
        line(WALL, 'boot', 'let go to shell', 'seconds', comparison.seconds(column), base and comparison.seconds(base))
