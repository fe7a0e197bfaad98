# SPDX-License-Identifier: MIT
"""Figures with their spread. All that the report says of several runs is computed here."""
import collections
import statistics

# Differences smaller than this part of the value are never called a change: under instruction counting
# two runs of one kernel differ by the moments at which its timer interrupts come.
SMALL = 0.002


class Spread(collections.namedtuple('Spread', 'n low median high')):
    """So many values, the smallest, the middle one and the largest."""

    __slots__ = ()

    def over(self, other):
        """The ratio to the middle of `other`, or None if that is nothing."""
        if other is None or not other.median:
            return None
        return Spread(self.n, self.low / other.median, self.median / other.median, self.high / other.median)

    def scaled(self, factor):
        return Spread(self.n, self.low * factor, self.median * factor, self.high * factor)


def spread(values):
    """The Spread of some numbers; None of none."""
    values = sorted(value for value in values if value is not None)
    if not values:
        return None
    return Spread(len(values), values[0], statistics.median(values), values[-1])


def change(before, after):
    """What has become of a figure: (ratio of the middles - 1, verdict).

    The verdict is 'more' or 'less' if the two ranges do not touch and the middles differ by more than
    SMALL, otherwise 'same': the difference is one that runs of a single kernel show as well."""
    if before is None or after is None:
        return None, 'none'
    if not before.median:
        return None, 'same' if not after.median else 'more'
    part = after.median / before.median - 1
    apart = after.low > before.high or after.high < before.low
    if not apart or abs(part) < SMALL:
        return part, 'same'
    return part, 'more' if part > 0 else 'less'


def number(value):
    """For people: three or four digits that matter."""
    if value is None:
        return '-'
    if value == 0:
        return '0'
    size = abs(value)
    for limit, unit in ((1e9, ' G'), (1e6, ' M'), (1e4, ' k')):
        if size >= limit:
            scaled = value / {' G': 1e9, ' M': 1e6, ' k': 1e3}[unit]
            return f'{scaled:.{0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2}f}{unit}'
    if size >= 100 or value == int(value):
        return f'{value:,.0f}'
    return f'{value:.1f}' if size >= 10 else f'{value:.2f}'


def times(value):
    """A ratio, for people."""
    if value is None:
        return '-'
    return f'{value:.2f}' if value < 10 else f'{value:.1f}' if value < 100 else f'{value:.0f}'


def with_range(value, show=number):
    """The middle, and the ends behind it if they can be told from it."""
    if value is None:
        return '-'
    low, middle, high = show(value.low), show(value.median), show(value.high)
    return middle if low == middle == high else f'{middle} [{low} .. {high}]'
