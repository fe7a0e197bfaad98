# SPDX-License-Identifier: MIT
"""The shell on the console, as a person uses it: line editing, job control, window size, reboot."""
import os
import pty
import re
import subprocess
import time
import unittest

from rig import codes
from rig.guest import HALTED, REBOOTED
from rigtest import HERE, PARVIX, PROMPT, booted, parvix


class Shell(unittest.TestCase):
    def setUp(self):
        self.context = booted()
        self.guest = self.context.__enter__()
        self.addCleanup(self.context.__exit__, None, None, None)
        self.guest.expect(PROMPT)

    def command(self, text, pattern, seconds=20):
        """Types a command; waits for the pattern and then for the prompt."""
        self.guest.send(text + '\r')
        match = self.guest.expect(pattern, seconds)
        self.guest.expect(PROMPT, seconds)
        return match

    def test_echo_and_arithmetic(self):
        self.command('echo $((6*7))-answer', '42-answer\r\n')

    def test_line_editing(self):
        self.command('echo wrnog\x7f\x7f\x7f\x7frong', '\nwrong\r\n')
        self.command('\x10', '\nwrong\r\n')  # Ctrl-P: the line before

    def test_interrupt(self):
        self.guest.send('sleep 1000\r')
        self.guest.wait(0.5)
        self.guest.send('\x03')
        self.guest.expect(PROMPT)
        self.command('echo status $?', 'status 130\r\n')

    def test_stop_and_go_on(self):
        self.guest.send('sleep 1000\r')
        self.guest.wait(0.5)
        self.guest.send('\x1a')
        self.guest.expect(r'(Stopped|Suspended)')
        self.guest.expect(PROMPT)
        self.command('jobs', r'sleep 1000')
        self.guest.send('fg\r')
        self.guest.wait(0.5)
        self.guest.send('\x03')
        self.guest.expect(PROMPT)
        self.command('echo alive', '\nalive')

    def test_resize_asks_the_terminal(self):
        self.guest.send('resize\r')
        self.guest.expect(r'\x1b\[999;999H\x1b\[6n')
        self.guest.send('typed before\x1b[40;123R')
        self.guest.expect('COLUMNS=123;\r\nLINES=40;\r\nexport COLUMNS LINES;')
        self.guest.expect(PROMPT)
        self.command('stty size', '40 123\r\n')
        self.guest.send('resize -s 50 100\r')
        self.guest.expect(r'\x1b\[8;50;100t')
        self.guest.expect(r'\x1b\[6n')
        self.guest.send('\x1b[50;100R')
        self.guest.expect(PROMPT)
        self.command('stty size', '50 100\r\n')

    def test_resize_of_a_silent_terminal(self):
        self.command('resize; echo status $?', 'does not answer.*status 1\r\n')

    def test_a_new_size_is_a_signal(self):
        self.command("sh -c 'trap \"echo winch\" WINCH; stty rows 33 cols 44; stty size'", 'winch\r\n33 44|33 44\r\nwinch')

    def test_background(self):
        self.command('sleep 1 & wait; echo waited', 'waited\r\n')

    def test_end_of_file_starts_a_new_shell(self):
        self.guest.send('cat\r')
        self.guest.wait(0.5)
        self.guest.send('some text\r')
        self.guest.expect('some text\r\nsome text\r\n')
        self.guest.send('\x04')
        self.guest.expect(PROMPT)
        self.guest.send('\x04')
        self.guest.expect(PROMPT)
        self.command('echo again', '\nagain')

    def test_raw_input_of_many_characters(self):
        text = ''.join(f'{i:04d}' for i in range(500))
        self.guest.send('cat >/tmp/f\r')
        self.guest.wait(0.3)
        for at in range(0, len(text), 200):
            self.guest.send(text[at:at + 200] + '\r')
        self.guest.send('\x04')
        self.guest.expect(PROMPT, 30)
        self.command('wc -c </tmp/f; tail -c 9 /tmp/f', r'\n *2010\r\n.*04980499\r\n')

    def test_flow_control(self):
        self.guest.send('i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); done\r')
        self.guest.expect('line 3\r')
        self.guest.send('\x13')
        self.guest.wait(1)
        before = len(self.guest.text)
        self.guest.wait(0.5)
        self.assertEqual(len(self.guest.text), before)
        self.guest.send('\x11')
        self.guest.expect('line 399\r\n')
        self.guest.expect(PROMPT)

    def test_editing_in_the_kernel(self):
        self.guest.send('cat | hexdump\r')
        self.guest.wait(0.5)
        self.guest.send('ab\x16\x03c\rone two\x17\x7fx\rgone\x15end\x04\x04')
        self.guest.expect(r'0000000 6261 6303 6f0a 656e 0a78 6e65 0064\s')
        self.guest.expect(PROMPT)

    def test_reading_bytes(self):
        self.guest.send('stty -icanon -echo min 3; head -c 3 | hexdump; stty sane\r')
        self.guest.wait(0.7)
        self.guest.send('x\r\x04')
        self.guest.expect(r'0000000 0a78 0004\s')
        self.guest.expect(PROMPT)
        self.command('stty -icanon min 0 time 3; cat | hexdump; stty sane', r'\n0000000\r\n')

    def test_quit(self):
        self.guest.send('sleep 1000\r')
        self.guest.wait(0.5)
        self.guest.send('\x1c')
        self.guest.expect(PROMPT)
        self.command('echo status $?', 'status 131\r\n')

    def test_more_typed_than_there_is_room_for(self):
        self.guest.send('sleep 2; stty sane\r')
        self.guest.wait(0.3)
        for _ in range(80):
            self.guest.send('x' * 63)
        self.guest.wait(2)
        self.assertIn(b'\a', self.guest.text)
        self.guest.send('\x15\x03')
        self.guest.wait(1)
        self.guest.send('\x03')
        self.guest.expect(PROMPT, 30)
        self.command('echo al""ive', '\nalive')

    def test_fault_of_a_program_is_a_line_and_no_more(self):
        self.command('sh -c \'kill -SEGV $$\'; echo status $?', 'status 139')

    def test_power_off(self):
        self.guest.send('poweroff\r')
        self.assertTrue(self.guest.run_until(lambda: False, 20))
        self.assertEqual(self.guest.end, HALTED)

    def test_reboot(self):
        self.guest.send('reboot\r')
        self.assertTrue(self.guest.run_until(lambda: False, 20))
        self.assertEqual(self.guest.end, REBOOTED)


class Terminal(unittest.TestCase):
    """tools/parvix run on a terminal: a pseudo-terminal here."""

    def start(self, *options):
        pid, fd = pty.fork()
        if pid == 0:
            os.execv(PARVIX, [PARVIX, 'run', *HERE, *options])
        self.addCleanup(os.close, fd)
        self.pid, self.fd, self.seen = pid, fd, b''

    def expect(self, pattern, seconds=20):
        deadline = time.monotonic() + codes.scaled(seconds)
        os.set_blocking(self.fd, False)
        while not (match := re.search(pattern, self.seen)):
            self.assertLess(time.monotonic(), deadline, self.seen[-800:])
            try:
                self.seen += os.read(self.fd, 4096)
            except BlockingIOError:
                time.sleep(0.02)
            except OSError:
                self.fail(f'the run ended: {self.seen[-800:]}')
        self.seen = self.seen[match.end():]

    def stty(self):
        return subprocess.run(['stty', '-g'], stdin=self.fd, capture_output=True, text=True).stdout

    def end(self):
        """Exit status of the runner; what it still prints is thrown away."""
        deadline = time.monotonic() + codes.scaled(20)
        while time.monotonic() < deadline:
            try:
                os.read(self.fd, 4096)
            except OSError:
                pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        return None

    def test_escape_and_the_terminals_mode(self):
        self.start()
        before = self.stty()
        self.expect(b'# ')
        self.assertNotEqual(self.stty(), before)
        os.write(self.fd, b'\x1d')
        self.assertEqual(self.end(), 0)

    def test_window_size(self):
        self.start('--append', '')
        self.expect(b'# ')
        os.write(self.fd, b'stty size\r')
        size = os.get_terminal_size(self.fd)
        if size.lines:
            self.expect(f'{size.lines} {size.columns}'.encode())
        os.write(self.fd, b'\x1d')
        self.assertEqual(self.end(), 0)

    def test_input_from_a_pipe(self):
        status, out, err = parvix('run', '--timeout', '30', stdin=b'echo $((40+2))-answer\npoweroff\n')
        self.assertEqual(status, 0, err)
        self.assertIn(b'42-answer', out)

    def test_reboot_comes_back(self):
        self.start()
        self.expect(b'# ')
        os.write(self.fd, b'reboot\r')
        self.expect(b'self-test')
        self.expect(b'# ')
        os.write(self.fd, b'poweroff\r')
        self.assertEqual(self.end(), 0)


if __name__ == '__main__':
    unittest.main()
