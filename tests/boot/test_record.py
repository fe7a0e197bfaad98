# SPDX-License-Identifier: MIT
"""The boot record in the initial domain."""
import unittest

from recordtest import RecordTest
from rigtest import guest_exec


class InitialDomain(RecordTest, unittest.TestCase):
    def test_page_tables_of_the_direct_map_are_the_memory_phase(self):
        memory = next(phase for phase in self.phases if phase['name'] == 'memory')
        self.assertGreaterEqual(memory['counters']['pte_stores'], 32768)  # 128 MiB in pages of 4 KiB
        self.assertEqual((memory['counters']['pins'], memory['counters']['unpins']), (1, 1))

    def test_the_timer_is_a_source_of_events(self):
        self.assertGreater(self.total('events', 'timer'), 0)


class Program(unittest.TestCase):
    def test_what_it_refuses(self):
        status, out, _ = guest_exec('boottrace /etc/passwd 2>&1; echo $?; boottrace -x 2>&1; echo $?; '
                                    'boottrace /none 2>&1; echo $?; echo >/proc/boot; echo $?')
        self.assertEqual(status, 0)
        self.assertIn('boottrace: /etc/passwd: not a boot record\n1\n', out)
        self.assertRegex(out, r'usage: boottrace .*\n2\n')
        self.assertRegex(out, r'/none: No such file.*\n1\n[^\0]*\n1\n$')
