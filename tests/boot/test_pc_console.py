# SPDX-License-Identifier: MIT
"""The consoles of a PC: what stands on the screen (read from the adapter's memory) and what the keys do."""
import os
import re
import socket
import tempfile
import time
import unittest

from rig.codes import scaled
from rigtest import PROMPT
from test_pc import PATIENCE, Pc

ROWS, COLUMNS = 25, 80
TEXT_MEMORY = 0xb8000
GREY, REVERSE, BOLD_RED = 0x07, 0x70, 0x0c
KEYS = {' ': 'spc', '\n': 'ret', '-': 'minus', '/': 'slash', '.': 'dot', ';': 'semicolon', '|': 'shift-backslash',
        '"': 'shift-apostrophe', '\\': 'backslash', '[': 'bracket_left', '$': 'shift-4', '(': 'shift-9', ')': 'shift-0',
        '>': 'shift-dot', '+': 'shift-equal', '=': 'equal', '_': 'shift-minus'}
HELLO = re.escape('Welcome to Parvix.')
SHELL = PROMPT.rstrip() + '$'


class ScreenPc(Pc):
    """A PC with a screen and a keyboard, both reached through QEMU's monitor."""

    def __init__(self, *options, append=''):
        self.folder = tempfile.TemporaryDirectory()
        path = os.path.join(self.folder.name, 'monitor')
        super().__init__('-M', 'q35', '-vga', 'std', '-monitor', f'unix:{path},server,nowait', *options, append=append)
        self.monitor = socket.socket(socket.AF_UNIX)
        end = time.monotonic() + scaled(PATIENCE)
        while self.monitor.connect_ex(path):
            if time.monotonic() > end:
                raise AssertionError('QEMU has no monitor')
            time.sleep(0.05)
        self.monitor.settimeout(scaled(PATIENCE))
        self.reply()

    def __exit__(self, *unused):
        super().__exit__()
        self.monitor.close()
        self.folder.cleanup()

    def reply(self):
        data = b''
        while not data.endswith(b'(qemu) '):
            data += self.monitor.recv(4096)

    def tell(self, line):
        self.monitor.sendall(line.encode() + b'\n')
        self.reply()

    def cells(self):
        """(character, attribute) by row and column."""
        path = os.path.join(self.folder.name, 'screen')
        self.tell(f'pmemsave {TEXT_MEMORY:#x} {2 * ROWS * COLUMNS} "{path}"')
        with open(path, 'rb') as file:
            data = file.read()
        return [[(chr(data[2 * i]), data[2 * i + 1]) for i in range(row * COLUMNS, (row + 1) * COLUMNS)]
                for row in range(ROWS)]

    def rows(self):
        return [''.join(character for character, _ in row).rstrip() for row in self.cells()]

    def await_screen(self, pattern):
        """The rows, once they look so."""
        end = time.monotonic() + scaled(PATIENCE)
        while not re.search(pattern, '\n'.join(rows := self.rows()), re.M):
            if time.monotonic() > end:
                raise AssertionError(f'{pattern!r} is not on the screen:\n' + '\n'.join(rows))
            self.read(0.1)
        return rows

    def keys(self, *names):
        for name in names:
            self.tell(f'sendkey {name} 20')
            time.sleep(0.05)

    def type(self, text):
        self.keys(*(KEYS.get(c) or (f'shift-{c.lower()}' if c.isupper() else c) for c in text))


class Screen(unittest.TestCase):
    worlds = 'pv',

    def boot(self, *options, append=''):
        pc = ScreenPc(*options, append=append)
        self.addCleanup(pc.__exit__)
        return pc

    def test_both_show_everything_and_either_gives_input(self):
        pc = self.boot()
        begin = pc.expect(PROMPT)
        self.assertIn('console: com1 vga\n', begin)
        pc.await_screen(HELLO)
        pc.command('clear')
        pc.send('echo from the serial line\n')
        pc.expect(PROMPT)
        pc.type('echo from "The" keyboard\n')
        self.assertIn('\nfrom The keyboard\n', pc.expect(PROMPT))
        rows = pc.await_screen(r'\A.*# echo from the serial line\nfrom the serial line\n.*# echo from "The" keyboard\n'
                               r'from The keyboard\n.*#$')
        self.assertEqual(rows[5:], [''] * (ROWS - 5))

    def test_keys_that_edit_and_interrupt(self):
        pc = self.boot()
        pc.expect(PROMPT)
        pc.type('echo abcdef')
        pc.keys('left', 'left', 'left', 'delete', 'home', 'delete', 'e', 'end', 'backspace', 'caps_lock', 'x', 'caps_lock',
                'ret')
        pc.expect(r'^abceX$')
        pc.type('sleep 1000\n')
        time.sleep(scaled(0.5))
        pc.keys('ctrl-c')
        pc.expect(PROMPT)
        pc.type('echo $(expr 6 + 7)\n')
        pc.expect(r'^13$')

    def test_a_full_screen_program(self):
        pc = self.boot()
        pc.expect(PROMPT)
        pc.type('nano /etc/profile\n')
        pc.await_screen(r'^\^X Exit')
        title = pc.cells()[0]
        self.assertEqual({attribute for _, attribute in title}, {REVERSE})
        self.assertIn('/etc/profile', ''.join(character for character, _ in title))
        pc.keys('down', 'end')
        pc.type(' Hello')
        pc.await_screen(r'^export PATH=.* Hello$')
        pc.keys('ctrl-x')
        pc.type('n')
        rows = pc.await_screen(HELLO)  # the other screen is back
        self.assertNotIn('^X Exit', '\n'.join(rows))

    def test_colours_and_scrolling(self):
        pc = self.boot()
        pc.expect(PROMPT)
        pc.command(r'clear; printf "\033[31;1mred\033[m plain\n"')
        pc.await_screen(r'\Ared plain')
        row = pc.cells()[0]
        self.assertEqual([attribute for _, attribute in row[:9]], [BOLD_RED] * 3 + [GREY] * 6)
        pc.command('seq 1 3000')
        rows = pc.await_screen(r'^3000\n.*#')
        self.assertEqual(rows[:ROWS - 1], [str(n) for n in range(3001 - (ROWS - 1), 3001)])

    def test_the_screen_alone(self):
        pc = self.boot(append='console=vga')
        pc.await_screen(SHELL)
        pc.type('stty size; resize\n')
        pc.await_screen(r'^25 80\nCOLUMNS=80;\nLINES=25;')
        self.assertEqual(pc.text, '')

    def test_the_serial_line_alone(self):
        pc = self.boot(append='console=com1,com3')
        begin = pc.expect(PROMPT)
        self.assertIn("console: 'com1,com3' is not com1, vga", begin)
        self.assertIn('console: com1\n', begin)
        self.assertNotIn('Parvix', '\n'.join(pc.rows()))

    def test_a_serial_port_that_takes_nothing(self):
        """The other end of the line is there, and reads nothing: boot goes on, and what is lost is said."""
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as line:
            line.bind(os.path.join(folder, 'line'))
            line.listen(1)
            pc = self.boot('-chardev', f'socket,id=line,path={folder}/line', '-device', 'isa-serial,chardev=line,index=0')
            end, _ = line.accept()
            with end:
                pc.await_screen(SHELL)
                pc.type('echo alive\n')
                pc.await_screen(r'^alive$')
                end.settimeout(scaled(5))
                data = b''
                while b'bytes were lost here]' not in data:
                    data += end.recv(4096)
                    pc.keys('ret')

    def test_a_panic_is_everywhere_and_waits_for_no_lock(self):
        pc = self.boot(append='panic-on-nmi')
        pc.expect(PROMPT)
        pc.send('yes\n')
        pc.expect('y\ny\n')
        pc.tell('nmi')
        pc.expect('The machine stops here.')
        pc.await_screen('The machine stops here.')
