# SPDX-License-Identifier: MIT
"""The same kernel file, the same programs: the same words in every world. (tools/run-tests compares those of
the test programs in the same way; same.py lists what may differ.)"""
import os
import unittest

import same
from rigtest import TREE, guest_exec

WORLDS = {
    'PV, initial domain': ('--world', 'pv', '--rig', 'initial'),
    'PVH, initial domain': ('--world', 'pvh', '--rig', 'initial'),
    'native, SATA disk': ('--world', 'native'),
    'native, virtio disk': ('--world', 'native', '--disk-driver', 'virtio'),
    'native, RAM disk': ('--world', 'native', '--ramdisk'),
    'PV, xl domain': ('--world', 'pv', '--rig', 'domain'),
    'PVH, xl domain': ('--world', 'pvh', '--rig', 'domain'),
}


class Same(unittest.TestCase):
    def test_ordinary_commands(self):
        script = os.path.join(TREE, 'tests', 'worlds', 'ordinary.sh')
        first = None
        for name, options in WORLDS.items():
            status, out, err = guest_exec('sh /ordinary', '--add', f'{script}:/ordinary', *options)
            with self.subTest(name):
                self.assertEqual(status, 0, err)
                self.assertTrue(out.endswith('== end\n'), out)
                first = first or (name, out)
                self.assertEqual(same.difference(first[1], out, (first[0], name)), '')

    def test_differences_are_seen(self):
        self.assertEqual(same.difference('Parvix pv world on Xen 4.17.7\n', 'Parvix native world on none\n', 'ab'), '')
        for one, other in (('a\nb\n', 'a\n'), ('/dev/null\n', '/dev/zero\n'), ('total 1\n', 'total 2\n')):
            self.assertNotEqual(same.difference(one, other, 'ab'), '')


if __name__ == '__main__':
    unittest.main()
