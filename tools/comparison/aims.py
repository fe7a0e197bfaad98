# SPDX-License-Identifier: MIT
"""What Parvix aims at under PV, and whether it gets there: the floor that the interface sets, and a boot that is
not much longer than native."""
from .stats import number, times

BOOT_RATIO = 1.5
# A switch, fork or exec may need a few calls beside what is counted here, when a timer's interrupt comes between.
SLACK = 0.1
# (what, operation, {kind: at most so many}, every other kind together at most)
CALLS = (
    ('a system call: one entry and one iret', 'null-call', {'iret': 1}, 0),
    ('a page fault: one update, one iret', 'page-fault', {'iret': 1, 'update_va_mapping': 1}, 0),
    ('a switch: at most one multicall', 'switch', {'iret': 1, 'multicall': 1}, 0),
    ('fork, exit, wait: a bounded handful', 'fork-exit-wait', {'iret': 3}, 6),
    ('fork, exec, wait: a bounded handful', 'fork-exec-wait', {'iret': 5}, 10))


def calls_kept(kinds, most, others):
    """Are these hypercalls of one operation within the aim?"""
    kinds = {kind: n for kind, n in kinds.items() if kind != 'total'}
    rest = sum(n for kind, n in kinds.items() if kind not in most)
    return all(kinds.get(kind, 0) <= n + SLACK for kind, n in most.items()) and rest <= others + SLACK


def rows(comparison):
    """[(aim, world, measured, 'yes' or 'no')] with a heading; nothing but that if nothing was measured."""
    found = [['aim', 'world', 'measured', 'reached']]
    columns = [column for column in comparison.parvix() if column.place == 'pv']
    base = comparison.base()
    for column in columns:
        value, native = comparison.boot(column), comparison.boot(base)
        if value and native and base.place == 'native' and base.build == column.build:
            ratio = value.median / native.median
            found.append([f'boot to the shell: at most {BOOT_RATIO} times the native instructions', column.title, times(ratio),
                          'yes' if ratio <= BOOT_RATIO else 'no'])
    for what, name, most, others in CALLS:
        for column in columns:
            operation = comparison.operations(column).get(name)
            if operation:
                kinds = {kind: n for kind, n in operation.kinds.items() if kind != 'total' and n >= 0.005}
                found.append([what, column.title, ', '.join(f'{kind} {number(n)}' for kind, n in kinds.items()) or 'none',
                              'yes' if calls_kept(operation.kinds, most, others) else 'no'])
    return found
