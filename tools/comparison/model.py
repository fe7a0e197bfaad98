# SPDX-License-Identifier: MIT
"""What the runs say: from report.json's raw runs to the figures that are printed and drawn.

A column is a world, or a world and a build where two builds are compared. Only runs without a complaint
count. A document is

  {"format": 1, "run": NAME, "date": ..., "version": ..., "command": ..., "runs_asked": N, "builds": {"A": FILE ...},
   "worlds": [{"name", "title", "system", "place", "rig"} ...], "runs": [as worlds.result() makes them ...]}"""
import collections

from .stats import spread
from .worlds import INSTRUCTIONS, WALL

# Where a boot is over, for the comparison: the first of these marks that a record has.
ENDS = ('shell', 'prompt')
COUNTERS = (('traps', 'traps'), ('pte', 'PTE writes'), ('port_io', 'port I/O'), ('msr_io', 'MSR access'),
            ('irq_flag', 'IRQ flag'))
# Order and names of the operations, as people call them.
OPERATIONS = {
    'null-call': 'null call', 'read-1-byte': 'read 1 byte', 'write-1-byte': 'write 1 byte', 'open-close': 'open and close',
    'stat': 'stat', 'signal': 'signal', 'pipe-self': 'pipe to oneself', 'pipe-ping-pong': 'pipe ping-pong',
    'switch': 'switch, 2 processes', 'switch-8': 'switch, 8 processes', 'switch-32': 'switch, 32 processes',
    'fork-exit-wait': 'fork, exit, wait', 'fork-1m': 'fork with 1 MiB', 'fork-4m': 'fork with 4 MiB',
    'fork-16m': 'fork with 16 MiB', 'fork-exec-wait': 'fork, exec, wait', 'page-fault': 'page fault',
    'mmap-munmap': 'mmap, touch, munmap', 'fork-256-cow': 'fork, 256 COW faults', 'file-read-4k': 'file read 4 KiB, cached',
    'file-write-4k': 'file write 4 KiB, cached', 'file-page-fault': 'page fault in a file', 'create-delete': 'file create, delete',
    'lookup-10': 'look-up among 10', 'lookup-100': 'look-up among 100', 'lookup-1000': 'look-up among 1,000',
    'lookup-10000': 'look-up among 10,000', 'timer-set': 'timer set, cleared', 'timer-late': 'timer, lateness', 'disk-read-4k': 'disk read 4 KiB', 'disk-write-4k': 'disk write 4 KiB'}
# The least number of hypercalls of one operation that the PV interface allows: an iret for each system call, exception
# and return from a signal; one update for each page-table entry of a live table; one multicall for each switch. Of
# fork and exec, how few it can be depends on how tables are made: they have no floor here.
FLOORS = {'null-call': 1, 'read-1-byte': 1, 'write-1-byte': 1, 'open-close': 2, 'stat': 1, 'signal': 3, 'pipe-self': 2, 'pipe-ping-pong': 6, 'switch': 2,
          'switch-8': 2, 'switch-32': 2, 'page-fault': 2, 'mmap-munmap': 5, 'timer-set': 2}
# They end when a device says so. Counted in instructions, the time in which the kernel waited is taken off;
# where it does not say how long that was, there is no figure.
DISK = ('disk-read-4k', 'disk-write-4k')
# What a figure of a boot is of: all of it, without the time in which the kernel waited, or that time.
WHOLE, WORK, WAIT = 'whole', 'work', 'wait'

Column = collections.namedtuple('Column', 'world build title short place system rig')
Operation = collections.namedtuple('Operation', 'value calls kinds counters')


class Comparison:
    """The figures of a document."""

    def __init__(self, document):
        self.document = document
        builds = list(document.get('builds') or {}) or ['']
        self.columns = [
            Column(world['name'], build, f'{world["title"]}{" " + build if build else ""}',
                   f'{world["name"]}{":" + build if build else ""}', world['place'], world['system'], world['rig'])
            for world in document['worlds'] for build in (builds if world['system'] == 'Parvix' else [''])]

    def runs(self, column, clock=None, good=True):
        return [run for run in self.document['runs']
                if (run['world'], run['build']) == (column.world, column.build)
                and clock in (None, run['clock']) and not (good and run['error'])]

    def reason(self, column):
        """Why there are no figures, or None."""
        if self.runs(column):
            return None
        bad = self.runs(column, good=False)
        return bad[-1]['error'] if bad else 'it was not run'

    def parvix(self):
        return [column for column in self.columns if column.system == 'Parvix' and self.runs(column)]

    def with_figures(self):
        return [column for column in self.columns if self.runs(column)]

    def base(self, column=None):
        """The column that ratios are to: the same system's native one, otherwise the first one with figures."""
        system = column.system if column else 'Parvix'
        build = column.build if column else ''
        same = [other for other in self.with_figures() if other.system == system and other.build == build]
        return next((other for other in same if other.place == 'native'), same[0] if same else None)

    # ---- boot ---------------------------------------------------------------------------------------

    @staticmethod
    def _phases(run):
        """The phases of a boot up to its end."""
        found = []
        for phase in (run['record'] or {}).get('phases', []):
            found.append(phase)
            if phase['name'] in ENDS:
                break
        return found

    @staticmethod
    def _unit(clock):
        return 'ticks' if clock == INSTRUCTIONS else 'ns'

    def labels(self, columns=None, clock=INSTRUCTIONS):
        """The marks of all these columns, each where it stands in the records that have it."""
        order = []
        for column in columns or self.parvix():
            for run in self.runs(column, clock)[:1]:
                at = 0
                for phase in self._phases(run):
                    if phase['name'] in order:
                        at = order.index(phase['name']) + 1
                    else:
                        order.insert(at, phase['name'])
                        at += 1
        return order

    def _steps_of_run(self, run, clock, part):
        """[(mark, what it took since the mark before)]"""
        found, before, unit = [], 0, self._unit(clock)
        for phase in self._phases(run):
            if phase.get(unit) is None:
                continue
            # The kernel counts its waiting in ticks; by the clock that is not taken apart.
            wait = (phase.get('counters') or {}).get('idle_ticks', 0) if clock == INSTRUCTIONS else 0
            whole = phase[unit] - before
            before = phase[unit]
            found.append((phase['name'], {WHOLE: whole, WORK: whole - wait, WAIT: wait}[part]))
        return found

    def steps(self, column, clock=INSTRUCTIONS, part=WORK, marks=None):
        """{mark: Spread of what it took since the mark before}; `marks`: as if there were no others."""
        found = {}
        for run in self.runs(column, clock):
            before = 0
            for name, value in self._steps_of_run(run, clock, part):
                before += value
                if marks is None or name in marks:
                    found.setdefault(name, []).append(before)
                    before = 0
        return {name: spread(values) for name, values in found.items()}

    def boot(self, column, clock=INSTRUCTIONS, part=WORK):
        """From the first instruction to the shell (for a foreign image: what the hypervisor says)."""
        runs = self.runs(column, clock)
        if column.system == 'other':
            if clock == INSTRUCTIONS:
                return spread([run.get('cpu_ns') for run in runs])
            return spread([run['times']['begin'] * 1e9 for run in runs if 'begin' in run['times']])
        sums = [self._steps_of_run(run, clock, part) for run in runs]
        return spread([sum(value for _, value in steps) for steps in sums if steps and steps[-1][0] in ENDS])

    def boot_calls(self, column, clock=INSTRUCTIONS):
        """Hypercalls up to the shell."""
        return spread([sum(sum(_privileged(phase)['calls'].values()) for phase in self._phases(run))
                       for run in self.runs(column, clock)])

    def seconds(self, column):
        """By the host's clock: from when the system was let go to its shell."""
        return spread([run['times']['begin'] - run['times'].get('handover', 0.0)
                       for run in self.runs(column, WALL) if 'begin' in run['times']])

    def privileged(self, column, clock=INSTRUCTIONS):
        """{mark: {'calls': {kind: n}, 'traps': n, ...}}, the middle of the runs; None where nobody counted."""
        found = {}
        for run in self.runs(column, clock):
            for phase in self._phases(run):
                found.setdefault(phase['name'], []).append(_privileged(phase))
        return {name: _middle(rows) for name, rows in found.items()}

    def privileged_sum(self, column):
        """The same over the whole boot."""
        rows = list(self.privileged(column).values())
        total = {'calls': {}}
        for row in rows:
            for kind, count in row['calls'].items():
                total['calls'][kind] = total['calls'].get(kind, 0) + count
        for name, _ in COUNTERS:
            values = [row[name] for row in rows if row[name] is not None]
            total[name] = sum(values) if values else None
        return total

    def processes(self, column):
        """{'fork': (how many in a run, Spread of instructions without waiting, Spread of hypercalls) ...} of the record."""
        found, runs = {}, self.runs(column, INSTRUCTIONS)
        for run in runs:
            for row in run['record'].get('processes', []) if run['record'] else []:
                instructions, calls = found.setdefault(row['what'], ([], []))
                # Counted, a nanosecond is an instruction.
                instructions.append(row['ns'] - row.get('counters', {}).get('idle_ticks', 0))
                calls.append(sum(row.get('calls', {}).values()))
        return {what: (len(calls) / len(runs), spread(instructions), spread(calls))
                for what, (instructions, calls) in found.items()}

    # ---- operations ---------------------------------------------------------------------------------

    def operations(self, column, clock=INSTRUCTIONS):
        """{name: Operation}. Every batch of every run is a value."""
        values, rows = {}, {}
        for run in self.runs(column, clock):
            for row in run['operations']:
                rows.setdefault(row['name'], []).append(row)
                values.setdefault(row['name'], []).extend(_values(row, clock))
        values = {name: numbers for name, numbers in values.items() if numbers}
        return {name: Operation(spread(values[name]),
                                None if column.system != 'Parvix' else
                                spread([row['calls'].get('total', 0) for row in rows[name]]),
                                _middle_of([row['calls'] for row in rows[name]]),
                                _middle_of([row['counters'] for row in rows[name]])) for name in values}

    def operation_names(self, columns=None, clock=INSTRUCTIONS):
        there = {name for column in columns or self.with_figures() for name in self.operations(column, clock)}
        return [name for name in OPERATIONS if name in there] + sorted(there - set(OPERATIONS))


def _values(row, clock):
    """The batches' values of a line of lat's."""
    if clock != INSTRUCTIONS:
        return row['ns']
    waited = row.get('waited', [])
    if row['name'] not in DISK:
        return row['ticks']
    return [value - wait for value, wait in zip(row['ticks'], waited)] if any(waited) else []


def _privileged(phase):
    counters = phase.get('counters')
    counted = counters is not None or 'traps' in phase
    counters = counters or {}
    return {
        'calls': {kind: count for kind, count in phase.get('calls', {}).items() if kind != 'total'},
        'traps': sum(phase.get('traps', {}).values()) if counted else None,
        'pte': counters.get('pte_stores', 0) + counters.get('pte_updates', 0) if counted else None,
        'port_io': counters.get('port_io', 0) if counted else None,
        'msr_io': counters.get('msr_io', 0) if counted else None,
        'irq_flag': counters.get('irq_flag', 0) if counted else None}


def _middle_of(rows):
    """Of some {name: n} the {name: middle of n}; a name that is not there is 0."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: spread([row.get(name, 0) for row in rows]).median for name in names}


def _middle(rows):
    out = {'calls': {name: n for name, n in _middle_of([row['calls'] for row in rows]).items() if n}}
    for name, _ in COUNTERS:
        value = spread([row[name] for row in rows])
        out[name] = value.median if value else None
    return out
