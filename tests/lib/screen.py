# SPDX-License-Identifier: MIT
"""What a person would see: a terminal as xterm describes it, as far as full-screen programs use it.

    screen = Screen(24, 80)
    screen.feed(guest.text)
    screen.lines()      the rows as text, without the blanks at their ends
"""
import codecs
import re
import unicodedata

ESCAPE = re.compile(r'\x1b(?:\[([?>!]?)([0-9;]*)([@-~])|\][^\x07]*(?:\x07|\x1b\\)|[()](.)|([=>78MDEc]))')
# The beginning of one whose end has not come yet.
UNFINISHED = re.compile(r'\x1b(?:\[[?>!]?[0-9;]*|\][^\x07]*|[()])?$')


class Screen:
    def __init__(self, rows, columns):
        self.decode = codecs.getincrementaldecoder('utf-8')('replace').decode
        self.rest = ''
        self.other = self.saved = None
        self.resize(rows, columns)

    def resize(self, rows, columns):
        """Empties it as well: a program is to draw everything anew."""
        self.rows, self.columns = rows, columns
        self.cells = [self.blank() for _ in range(rows)]
        self.row = self.column = 0
        self.top, self.bottom = 0, rows - 1
        self.other = None

    def blank(self):
        return [' '] * self.columns

    def lines(self):
        return [''.join(row).rstrip() for row in self.cells]

    def feed(self, data):
        text, at = self.rest + self.decode(data), 0
        self.rest = ''
        while at < len(text):
            if text[at] != '\x1b':
                self.character(text[at])
                at += 1
            elif match := ESCAPE.match(text, at):
                self.escape(match)
                at = match.end()
            elif UNFINISHED.match(text, at):
                self.rest = text[at:]
                return
            else:
                raise ValueError(f'unknown sequence {text[at:at + 12]!r}')

    def character(self, c):
        if c == '\r':
            self.column = 0
        elif c == '\n':
            self.line_feed()
        elif c == '\b':
            self.column = max(self.column - 1, 0)
        elif c == '\t':
            self.column = min(self.column // 8 * 8 + 8, self.columns - 1)
        elif c >= ' ':
            self.put(c)

    def put(self, c):
        if unicodedata.combining(c):
            return
        width = 2 if unicodedata.east_asian_width(c) in 'WF' else 1
        if self.column + width > self.columns:
            self.column = 0
            self.line_feed()
        # The second half of a wide character is empty.
        self.cells[self.row][self.column:self.column + width] = [c, ''][:width]
        self.column += width
        self.last = c

    def line_feed(self):
        if self.row == self.bottom:
            self.scroll(self.top, 1)
        elif self.row < self.rows - 1:
            self.row += 1

    def scroll(self, top, n):
        """Rows from `top` to the end of the region go up by n (down, if negative)."""
        for _ in range(min(abs(n), self.rows)):
            self.cells.insert(self.bottom + 1 if n > 0 else top, self.blank())
            del self.cells[top if n > 0 else self.bottom + 1]

    def move(self, row, column):
        self.row = min(max(row, 0), self.rows - 1)
        self.column = min(max(column, 0), self.columns - 1)

    def escape(self, match):
        mark, numbers, final, _, single = match.groups()
        if single == 'M':
            if self.row == self.top:
                self.scroll(self.top, -1)
            else:
                self.move(self.row - 1, self.column)
        elif single == '7':
            self.saved = self.row, self.column
        elif single == '8' and self.saved:
            self.move(*self.saved)
        elif final and not mark:
            values = [int(n) if n else 0 for n in numbers.split(';')]
            self.control(final, values[0], values)
        elif mark == '?' and final in ('h', 'l') and numbers == '1049':
            self.alternate(final == 'h')

    def alternate(self, on):
        if on and not self.other:
            self.other = self.cells, self.row, self.column
            self.cells = [self.blank() for _ in range(self.rows)]
        elif not on and self.other:
            self.cells, self.row, self.column = self.other
            self.other = None

    def control(self, final, value, values):
        n, row = max(value, 1), self.cells[self.row]
        if final in 'Hf':
            self.move(n - 1, max(values[1], 1) - 1 if len(values) > 1 else 0)
        elif final in 'ABCD':
            self.move(self.row + {'A': -n, 'B': n}.get(final, 0), self.column + {'C': n, 'D': -n}.get(final, 0))
        elif final == 'G':
            self.move(self.row, n - 1)
        elif final == 'd':
            self.move(n - 1, self.column)
        elif final in 'JK':
            self.erase(final == 'J', value)
        elif final == 'L':
            self.scroll(self.row, -n)
        elif final == 'M':
            self.scroll(self.row, n)
        elif final in 'ST':
            self.scroll(self.top, n if final == 'S' else -n)
        elif final in 'P@X':
            n = min(n, self.columns - self.column)
            rest = {'P': row[self.column + n:] + [' '] * n, '@': [' '] * n + row[self.column:-n],
                    'X': [' '] * n + row[self.column + n:]}[final]
            row[self.column:] = rest
        elif final == 'b':
            for _ in range(n):
                self.put(self.last)
        elif final == 'r':
            self.top, self.bottom = n - 1, (values[1] if len(values) > 1 and values[1] else self.rows) - 1
            self.move(0, 0)

    def erase(self, display, how):
        row = self.cells[self.row]
        if how == 0:
            row[self.column:] = [' '] * (self.columns - self.column)
        elif how == 1:
            row[:self.column + 1] = [' '] * (self.column + 1)
        else:
            row[:] = self.blank()
        if display:
            for i in range(self.rows):
                if how >= 2 or (how == 0 and i > self.row) or (how == 1 and i < self.row):
                    self.cells[i] = self.blank()
