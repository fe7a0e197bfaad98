# SPDX-License-Identifier: MIT
"""The same kernel on PCs that differ in what their firmware tells and what they have: QEMU without Xen."""
import os
import re
import select
import signal
import subprocess
import time
import unittest

from rig.codes import scaled
from rigtest import PROMPT, build_file

PATIENCE = 60


class Pc:
    """A QEMU that boots the kernel by -kernel; its first serial port is ours."""

    def __init__(self, *options, append=''):
        self.text = ''
        self.process = subprocess.Popen(
            ['qemu-system-x86_64', '-accel', 'tcg', '-m', '128', '-display', 'none', '-nodefaults', '-no-user-config',
             '-no-reboot', '-serial', 'stdio', '-kernel', build_file('parvix'), '-initrd', build_file('root.img'),
             '-append', append, *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self, seconds):
        """False: there is no more."""
        if not select.select([self.process.stdout], [], [], seconds)[0]:
            return True
        data = os.read(self.process.stdout.fileno(), 65536)
        self.text += data.decode(errors='replace').replace('\r', '')
        return bool(data)

    def expect(self, pattern):
        """What was printed up to the pattern and with it; it is gone from the text then."""
        end = time.monotonic() + scaled(PATIENCE)
        while not (match := re.search(pattern, self.text, re.M)):
            if time.monotonic() > end or not self.read(1):
                raise AssertionError(f'{pattern!r} does not come after:\n{self.text}')
        before, self.text = self.text[:match.end()], self.text[match.end():]
        return before

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def command(self, line):
        self.send(line + '\n')
        return self.expect(PROMPT)

    def status(self):
        """Waits for its end."""
        end = time.monotonic() + scaled(PATIENCE)
        while self.read(1):
            if time.monotonic() > end:
                raise AssertionError(f'it does not end after:\n{self.text}')
        return self.process.wait(scaled(PATIENCE))


class Platform(unittest.TestCase):
    """What each kind of machine makes of the platform; a shell, a clock that runs, and the off switch."""
    worlds = 'pv',


    def boots(self, *options, append='', ends=True):
        with Pc(*options, append=append) as pc:
            begin = pc.expect(PROMPT)
            self.assertNotRegex(begin, r'\bFAIL\b')
            machine = pc.command('cat /proc/machine')
            before = int(pc.command('date +%s').splitlines()[1])
            pc.command('sleep 2')
            after = int(pc.command('date +%s').splitlines()[1])
            self.assertIn(after - before, range(2, 2 + int(scaled(8))))
            if ends:
                pc.send('poweroff\n')
                self.assertEqual(pc.status(), 0)
            return begin, machine, before

    def test_q35(self):
        begin, machine, date = self.boots('-M', 'q35')
        self.assertNotRegex(begin, 'acpi:|clock:|interrupts:')
        self.assertRegex(machine, r'acpi: .*FACP.*APIC')
        self.assertRegex(machine, r'measured by the ACPI timer')
        self.assertRegex(machine, r'I/O APIC: at 0xfec00000')
        self.assertLess(abs(date - time.time()), scaled(30))

    def test_i440fx(self):
        _, machine, _ = self.boots('-M', 'pc')
        self.assertRegex(machine, r'measured by the ACPI timer')

    def test_without_acpi(self):
        begin, machine, _ = self.boots('-M', 'pc', '-no-acpi', ends=False)
        self.assertIn('acpi: not used', begin)
        self.assertRegex(machine, r'measured by the PIT')

    def test_told_to_do_without_acpi(self):
        begin, machine, _ = self.boots('-M', 'q35', append='noacpi')
        self.assertIn('noacpi', begin)
        self.assertRegex(machine, r'acpi: none')

    def test_hardware_reduced_acpi(self):
        _, machine, _ = self.boots('-M', 'microvm')
        self.assertRegex(machine, r'measured by the PIT')

    def test_memory_above_four_gigabytes(self):
        self.boots('-M', 'q35', '-m', '5G')

    def test_every_feature_of_the_processor(self):
        self.boots('-M', 'q35', '-cpu', 'max')

    def test_the_date_is_the_battery_clocks(self):
        with Pc('-M', 'q35', '-rtc', 'base=2031-12-31T22:00:00') as pc:
            pc.expect(PROMPT)
            self.assertIn('Dec 31 22:00:', pc.command('date'))

    def test_a_deadline_beyond_the_timers_range(self):
        """The local APIC's counter ends after 69 seconds. Time passes as fast as QEMU can while nothing runs."""
        with Pc('-M', 'q35', '-icount', 'shift=0,sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm') as pc:
            pc.expect(PROMPT)
            before = int(pc.command('date +%s').splitlines()[1])
            pc.command('sleep 3000')
            self.assertIn(int(pc.command('date +%s').splitlines()[1]) - before, range(3000, 3003))

    def test_nothing_to_measure_time_against(self):
        with Pc('-M', 'microvm,pit=off,pic=off,rtc=off') as pc:
            begin = pc.expect(PROMPT)
            self.assertIn('clock: neither', begin)
            self.assertIn('it is 1970', begin)
            self.assertIn('1970', pc.command('date'))

    def test_no_local_apic(self):
        with Pc('-M', 'q35', '-cpu', 'qemu64,-apic') as pc:
            pc.expect('no local APIC')


class End(unittest.TestCase):
    """-no-reboot makes QEMU end where a PC would start again."""
    worlds = 'pv',


    def reboots(self, *options, append=''):
        with Pc(*options, append=append) as pc:
            pc.expect(PROMPT)
            pc.send('reboot\n')
            self.assertEqual(pc.status(), 0)

    def test_reset_register(self):
        self.reboots('-M', 'q35')

    def test_reset_port(self):
        self.reboots('-M', 'pc', append='noacpi')

    def test_triple_fault(self):
        self.reboots('-M', 'microvm,acpi=off')

    def panics(self, *options, append=''):
        pc = Pc('-M', 'q35', *options, append=f'init=/nosuch {append}')
        self.addCleanup(pc.__exit__)
        pc.expect('The machine stops here.')
        return pc

    def test_a_panic_stops(self):
        pc = self.panics()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            self.assertTrue(pc.read(0.5), 'it has ended')
        self.assertEqual(pc.text.strip(), '')

    def test_a_panic_switches_off_if_told_to(self):
        self.assertEqual(self.panics(append='panic=off').status(), 0)

    def test_a_panic_restarts_if_told_to(self):
        self.assertEqual(self.panics(append='panic=reboot').status(), 0)

    def test_a_panic_is_seen_outside(self):
        pc = self.panics('-device', 'pvpanic', '-action', 'panic=exit-failure')
        self.assertEqual(pc.status(), 1)
