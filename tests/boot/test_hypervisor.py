# SPDX-License-Identifier: MIT
"""Grants, events and NMIs, as far as the initial domain has them: with itself as the peer."""
import re
import unittest

from rigtest import guest_exec


class Hypervisor(unittest.TestCase):
    worlds = 'pv',

    def test_what_the_self_test_leaves_behind(self):
        status, out, err = guest_exec('cat /proc/machine /proc/counters /proc/hypercalls', '--rig', 'initial')
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r'(?m)^grants: 0 used, 504 free, 0 set aside; table of 512, at most \d+$')
        frames, most = map(int, re.search(r'(?m)^memory: (\d+) frames, at most (\d+)$', out).groups())
        self.assertEqual(frames, most)
        names = re.findall(r'(?m)^  port +\d+ +\d+  (.*?)  +(.*)$', out)
        self.assertIn(('virq 0', 'timer'), names)
        self.assertNotIn('self-test', [name for _, name in names])  # its ports are closed
        for counter, count in (('nmis', 1), ('grants', 1), ('grants_aside', 0)):
            self.assertRegex(out, rf'(?m)^{counter} {count} ', counter)
