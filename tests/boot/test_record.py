# SPDX-License-Identifier: MIT
"""The boot record in the initial domain, PV and PVH, and on a PC."""
import unittest

from recordtest import RecordTest
from rigtest import guest_exec


class InitialDomain(RecordTest, unittest.TestCase):
    worlds = 'pv',

    def test_page_tables_of_the_direct_map_are_the_memory_phase(self):
        memory = next(phase for phase in self.phases if phase['name'] == 'memory')
        self.assertGreaterEqual(memory['counters']['pte_stores'], 32768)  # 128 MiB in pages of 4 KiB
        self.assertEqual((memory['counters']['pins'], memory['counters']['unpins']), (1, 1))

    def test_the_timer_is_a_source_of_events(self):
        self.assertGreater(self.total('events', 'timer'), 0)


class InitialDomainPvh(RecordTest, unittest.TestCase):
    worlds = 'pv',
    options = ('--world', 'pvh', '--rig', 'initial')
    world = 'pvh'

    def test_page_tables_are_ours(self):
        self.assertEqual(self.total('counters', 'pte_updates') + self.total('counters', 'pins'), 0)
        self.assertGreater(self.total('calls'), 0)


class Pc(RecordTest, unittest.TestCase):
    worlds = 'pv',
    options = ('--world', 'native')
    world = 'native'

    def test_nobody_is_called(self):
        self.assertEqual(self.total('calls'), 0)
        self.assertEqual((self.record['hypervisor'], self.record['clock']), ('none', 'tsc'))

    def test_what_would_be_calls_is_done_by_instructions(self):
        machine = next(phase for phase in self.phases if phase['name'] == 'machine')
        self.assertGreater(machine['counters']['port_io'], 100)  # the clock is measured
        self.assertGreater(self.total('counters', 'msr_io'), 0)
        self.assertGreater(self.total('events', 'ahci'), 0)


class Program(unittest.TestCase):
    worlds = 'pv',

    def test_what_it_refuses(self):
        status, out, _ = guest_exec('boottrace /etc/passwd 2>&1; echo $?; boottrace -x 2>&1; echo $?; '
                                    'boottrace /none 2>&1; echo $?; echo >/proc/boot; echo $?')
        self.assertEqual(status, 0)
        self.assertIn('boottrace: /etc/passwd: not a boot record\n1\n', out)
        self.assertRegex(out, r'usage: boottrace .*\n2\n')
        self.assertRegex(out, r'/none: No such file.*\n1\n[^\0]*\n1\n$')
