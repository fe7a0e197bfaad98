# SPDX-License-Identifier: MIT
"""Boot, the headless command, and what becomes of a run that goes wrong."""
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import time
import unittest

from rig import codes
from rigtest import HERE, PARVIX, guest_exec, parvix


def children_with(word):
    """Process ids of QEMUs whose command line has this word."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', 'rb') as file:
                if word.encode() in file.read() and int(pid) != os.getpid():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class SelfTest(unittest.TestCase):
    worlds = 'pv', 'pvh', 'native'

    def test_every_facility_is_ok(self):
        status, _, err = guest_exec('true')
        self.assertEqual(status, 0, err)
        lines = re.findall(r'^ +(\S.*?) +(OK|FAIL)\b.*$', err.partition('self-test:')[2], re.M)
        self.assertGreater(len(lines), 5, err)
        for facility, verdict in lines:
            with self.subTest(facility):
                self.assertEqual(verdict, 'OK', err)


class Exec(unittest.TestCase):
    def test_status_and_output(self):
        status, out, err = guest_exec('echo out; echo err >&2; exit 7')
        self.assertEqual((status, out), (7, 'out\nerr\n'), err)

    def test_nothing_printed(self):
        self.assertEqual(guest_exec('exit 0')[:2], (0, ''))

    def test_status_of_a_signal(self):
        status, _, err = guest_exec('kill -9 $$')
        self.assertEqual(status, 128 + 9, err)

    def test_bytes_arrive_as_they_are(self):
        data = bytes(range(256)) * 40
        data = data.replace(b'\x1ek', b'\x1ej')
        with tempfile.TemporaryDirectory() as folder:
            with open(f'{folder}/data', 'wb') as file:
                file.write(data)
            status, out, err = parvix('run', '--add', f'{folder}/data:/data', '--exec', 'cat /data')
        self.assertEqual(status, 0, err)
        self.assertEqual(hashlib.sha1(out).hexdigest(), hashlib.sha1(data).hexdigest())

    def test_much_output(self):
        status, out, err = guest_exec('i=0; while [ $i -lt 3000 ]; do echo "line $i of a long output, a hundred '
                                      'thousand bytes or so"; i=$((i+1)); done')
        self.assertEqual(status, 0, err)
        self.assertEqual(out.splitlines(), [f'line {i} of a long output, a hundred thousand bytes or so'
                                            for i in range(3000)])

    def test_added_folder(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(f'{folder}/d')
            with open(f'{folder}/d/run me', 'w', encoding='ascii') as file:
                file.write('#!/bin/sh\necho added "$@"\n')
            os.chmod(f'{folder}/d/run me', 0o755)
            status, out, err = guest_exec('"/opt/my dir/run me" 1 2', '--add', f'{folder}/d:/opt/my dir')
        self.assertEqual((status, out), (0, 'added 1 2\n'), err)

    def test_a_command_of_several_lines_with_every_quote(self):
        status, out, err = guest_exec('a="x,y"\necho "$a" \'--\' "it\'s" -- `echo 1` $((2+3)) \\\\\n')
        self.assertEqual((status, out), (0, "x,y -- it's -- 1 5 \\\n"), err)

    def test_kernel_arguments(self):
        status, _, err = guest_exec('true', '--append', 'quiet with,comma')
        self.assertEqual(status, 0, err)
        self.assertNotIn('self-test', err)


class Ends(unittest.TestCase):
    worlds = 'pv', 'pvh', 'native'

    def test_crash(self):
        status, _, err = guest_exec('crash')
        self.assertEqual(status, codes.CRASH, err)
        self.assertRegex(err.splitlines()[-1], '^parvix: .*crash')

    def test_timeout(self):
        began = time.monotonic()
        status, out, err = guest_exec('echo before; sleep 1000', '--timeout', '6')
        self.assertEqual((status, out), (codes.TIMEOUT, 'before\n'), err)
        self.assertLess(time.monotonic() - began, codes.scaled(6) + 5)

    def test_power_off_without_a_status(self):
        status, _, err = guest_exec('poweroff -f')
        self.assertEqual(status, codes.NO_VERDICT, err)

    def test_reboot_without_a_status(self):
        status, _, err = guest_exec('reboot -f')
        self.assertEqual(status, codes.NO_VERDICT, err)

    def test_signals_leave_no_machine_behind(self):
        for number, status in ((signal.SIGINT, codes.INTERRUPTED), (signal.SIGTERM, codes.INTERRUPTED),
                               (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(number.name):
                word = f'mark-{os.getpid()}-{number.name}'
                run = subprocess.Popen([PARVIX, 'run', *HERE, '--append', word, '--exec', 'sleep 1000'],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                until = time.monotonic() + codes.scaled(20)
                while len(children_with(word)) < 2 and time.monotonic() < until:
                    time.sleep(0.1)
                self.assertGreater(len(children_with(word)), 1)
                run.send_signal(number)
                self.assertEqual(run.wait(codes.scaled(5)), status)
                time.sleep(0.3)
                self.assertEqual(children_with(word), [])

    def test_two_side_by_side(self):
        runs = [subprocess.Popen([PARVIX, 'run', *HERE, '--exec', f'sleep 1; echo {name}'],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for name in ('one', 'two')]
        self.assertEqual([run.communicate()[0] for run in runs], [b'one\n', b'two\n'])


if __name__ == '__main__':
    unittest.main()
