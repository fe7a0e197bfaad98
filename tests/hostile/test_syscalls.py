# SPDX-License-Identifier: MIT
"""Hostile programs, each in a guest of its own: wild pointers, random calls, exhaustion."""
import re
import unittest

from rigtest import SEED, build_file, guest_exec

FOLDER = 'tests/hostile'


class HostilePrograms(unittest.TestCase):
    def run_program(self, name, *options):
        """Runs it; every test in it is a subtest. The kernel's messages are shown when something failed."""
        status, out, err = guest_exec(f'/{name} --seed {SEED}; s=$?; echo alive; exit $s',
                                      '--add', f'{build_file(FOLDER)}/{name}:/{name}', '--timeout', '300', *options)
        kernel = [line for line in err.splitlines() if 'killed by' not in line and 'killing process' not in line]
        said = out[-4000:] + '\n--- kernel:\n' + '\n'.join(kernel[-40:])
        self.assertIn('alive', out, said)
        tests = re.findall(r'^(ok|not ok) (\w+)$', out, re.M)
        self.assertRegex(out, rf'(?m)^end {len(tests)}$', said)
        for verdict, test in tests:
            with self.subTest(test):
                self.assertEqual(verdict, 'ok', said)
        self.assertIn(status, (0, 1), said)
        self.assertNotIn('panic', err)

    def test_wild_pointers(self):
        self.run_program('wild')

    def test_random_calls(self):
        self.run_program('random')

    def test_structured_calls(self):
        self.run_program('structured')

    def test_limits(self):
        self.run_program('limits', '--memory', '64')


if __name__ == '__main__':
    unittest.main()
