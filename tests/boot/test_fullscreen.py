# SPDX-License-Identifier: MIT
"""Programs that take the whole screen, as a person at the console sees them: editor, pager, manual, top, what
stands behind each when the window changes."""
import re
import unittest

from rigtest import PROMPT, booted
from screen import Screen

ROWS, COLUMNS = 24, 80


class Seen(unittest.TestCase):
    def setUp(self):
        self.context = booted()
        self.guest = self.context.__enter__()
        self.addCleanup(self.context.__exit__, None, None, None)
        self.guest.expect(PROMPT)
        self.fed = len(self.guest.text)
        self.screen = Screen(ROWS, COLUMNS)

    def lines(self):
        text, self.fed = self.guest.text[self.fed:], len(self.guest.text)
        self.screen.feed(text)
        return self.screen.lines()

    def see(self, row, pattern, seconds=20):
        """Waits until the row of the screen shows the pattern; row None: any."""
        def seen():
            lines = self.lines()
            return any(re.search(pattern, line) for line in (lines if row is None else [lines[row]]))
        self.guest.run_until(seen, seconds)
        self.assertTrue(seen(), f'{pattern!r} is not in row {row} of\n' + '\n'.join(self.screen.lines()))

    def type(self, text):
        self.guest.send(text)

    def leave(self, keys):
        """These end the program; the screen is the shell's again."""
        self.guest.position = len(self.guest.text)
        self.type(keys)
        self.guest.expect(PROMPT)
        self.lines()
        self.assertFalse(self.screen.other, 'the program has left its screen behind')
        self.shell('echo after', r'\nafter\r\n')

    def shell(self, text, pattern):
        self.type(f'{text}\r')
        self.guest.expect(pattern)
        self.guest.expect(PROMPT)

    def resize_later(self, rows, columns):
        """What the next program runs in will have another size in a moment."""
        self.shell('', '\n')
        self.type(f'(sleep 3; stty rows {rows} cols {columns}) </dev/tty &\r')
        self.guest.expect(PROMPT)


class FullScreen(Seen):
    def test_editor(self):
        self.type('nano /tmp/new\r')
        self.see(0, r'GNU nano .* /tmp/new')
        self.see(ROWS - 1, r'\^X Exit')
        self.type('First one\rSecond\x08\x08nd line\r\rlast')
        self.see(1, '^First one$')
        self.see(2, '^Second line$')
        self.see(0, 'Modified')
        self.type('\x17Sec\r\x0b')  # search, cut the line
        self.see(2, '^$')
        self.see(3, '^last$')
        self.type('\x15\x15')  # twice back
        self.see(3, '^Second line$')
        self.type('\x0f\r')
        self.see(None, r'\[ Wrote 5 lines \]')
        self.leave('\x18')
        self.shell('head -n 2 /tmp/new; wc -l </tmp/new', r'\nFirst one\r\nSecond line\r\n *5\r\n')

    def test_editor_in_a_window_that_changes(self):
        self.resize_later(12, 50)
        self.type('nano /etc/passwd\r')
        self.see(ROWS - 1, r'\^X Exit')
        self.screen.resize(12, 50)
        self.see(11, r'\^X Exit')
        self.see(0, r'GNU nano .*/etc/passwd$')
        self.see(1, '^root:')
        self.leave('\x18')
        self.shell('stty size', '12 50\r\n')

    def test_suspended_editor(self):
        self.type('nano /tmp/new\r')
        self.see(0, 'GNU nano')
        self.type('text')
        self.see(1, '^text$')
        self.type('\x14\x1a')  # execute, suspend
        self.guest.expect('Suspended|Stopped')
        self.guest.expect(PROMPT)
        self.shell('stty -a | grep -c -- -icanon', r'\n0\r\n')
        self.type('fg\r')
        self.guest.expect('GNU nano')
        self.see(1, '^text$')
        self.leave('\x18n')

    def test_pager(self):
        self.type('clear; seq 1000 | less\r')
        self.see(0, '^1$')
        self.see(ROWS - 2, '^23$')
        self.see(ROWS - 1, '^:$')
        self.type(' ')
        self.see(0, '^24$')
        self.type('j')
        self.see(ROWS - 2, '^47$')
        self.type('k')
        self.see(0, '^24$')
        self.type('b')
        self.see(0, '^1$')
        self.type('/77\r')
        self.see(0, '^77$')
        self.type('n')
        self.see(0, '^177$')
        self.type('N')
        self.see(0, '^77$')
        self.type('G')
        self.see(ROWS - 2, '^1000$')
        self.type('500g')
        self.see(0, '^500$')
        self.leave('q')

    def test_pager_in_a_window_that_changes(self):
        self.resize_later(10, 40)
        self.type('seq 1000 | less\r')
        self.see(ROWS - 2, '^23$')
        self.screen.resize(10, 40)
        self.see(8, '^9$')
        self.see(9, '^:$')
        self.type(' ')
        self.see(0, '^10$')
        self.leave('q')

    def test_manual(self):
        self.type('man sleep\r')
        self.see(None, r'^SLEEP\(1\) .* SLEEP\(1\)$')
        self.see(None, 'sleep – ')
        self.type('/SEE\r')
        self.leave('q')

    def test_top(self):
        self.type('top\r')
        self.see(0, '^top: up .* load')
        self.see(4, r'^ *PID USER .* COMMAND$')
        self.see(None, '-sh$')
        self.see(None, r' top$')
        self.leave('q')

    def test_tput_and_reset(self):
        self.shell('tput cols; tput lines; tput bold | hexdump', r'\n80\r\n24\r\n0000000 5b1b 6d31')
        self.shell('tput -T nonsense cols; echo status $?', r'unknown terminal.*\r\nstatus 3\r\n')
        self.type('stty -echo -onlcr -icrnl; reset\n')
        self.guest.expect(PROMPT)
        self.shell('stty', r'rows 24; columns 80;')
        self.shell('stty -a', r' icrnl .* onlcr .* echo ')


class Characters(Seen):
    """Of several bytes and columns. Typed, they need a console of eight bits: Xen's own has seven."""
    worlds = ('native',)

    def test_in_the_editor(self):
        self.type('nano /tmp/new\r')
        self.see(0, 'GNU nano')
        self.type('ä€日本x\x7f\x7f.')
        self.see(1, '^ä€日.$')
        self.type('\x0f\r')
        self.see(None, r'\[ Wrote 1 line \]')
        self.leave('\x18')
        self.shell('hexdump /tmp/new', r'0000000 a4c3 82e2 e6ac a597 0a2e\s')

    def test_in_the_shell(self):
        self.type("echo 'a€日本x'\x7f\x7f\x7f\x02y\r")
        self.see(None, "^(.*# )?echo 'a€y日$")
        self.type("'\r")  # its quote had gone
        self.see(None, '^a€y日$')


if __name__ == '__main__':
    unittest.main()
