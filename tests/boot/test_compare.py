# SPDX-License-Identifier: MIT
"""tools/compare with a guest: the smallest comparison there is, and what it leaves."""
import csv
import json
import os
import subprocess
import tempfile
import unittest
from xml.etree import ElementTree

import rigtest

COMPARE = os.path.join(rigtest.TREE, 'tools', 'compare')


def compare(folder, *options, names='pv-initial'):
    done = subprocess.run([COMPARE, '--worlds', names, '--runs', '1', '--out', folder, *options],
                          capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stdout, done.stderr


def read(folder, name):
    with open(os.path.join(folder, name), encoding='utf-8') as file:
        return file.read()


class Compare(unittest.TestCase):
    worlds = 'pv',

    def test_boot_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            status, out, err = compare(folder, '--only', 'boot', '--clock', 'instructions', names='native,pv-initial')
            self.assertEqual(status, 0, err)
            self.assertRegex(out, r'PV, initial domain +\d')
            native, run = json.loads(read(folder, 'report.json'))['runs']
            self.assertEqual((native['error'], run['error']), (None, None))
            self.assertEqual((native['record']['world'], run['record']['world']), ('native', 'pv'))
            names = [phase['name'] for phase in run['record']['phases']]
            self.assertEqual(names[0], 'entry')
            self.assertLess(names.index('machine'), names.index('shell'))
            ticks = [phase['ticks'] for phase in run['record']['phases']]
            self.assertEqual(ticks, sorted(ticks))
            # A boot that is not counted in instructions would be another number: a few million it must be.
            whole = ticks[names.index('shell')]
            self.assertTrue(3e6 < whole < 3e8, whole)
            rows = list(csv.DictReader(read(folder, 'report.csv').splitlines()))
            first, boot = [row for row in rows if (row['what'], row['name'], row['clock']) == ('boot', 'whole', 'instructions')]
            self.assertEqual(float(boot['median']), whole)
            self.assertEqual(boot['ratio_to_native'], f"{whole / float(first['median']):.4f}")
            # Natively nobody is called; under PV each frame's entry is checked.
            self.assertFalse(any(phase['calls'] for phase in native['record']['phases']))
            self.assertGreater(sum(phase['counters'].get('pte_stores', 0) for phase in run['record']['phases']), 10000)
            for name in ('phases', 'steps', 'privileged'):
                ElementTree.fromstring(read(folder, f'{name}.svg'))
            self.assertIn('<svg', read(folder, 'report.html'))
            self.assertIn('tools/parvix run --world pv --rig initial', read(folder, 'report.html'))

    def test_operations_by_the_clock(self):
        with tempfile.TemporaryDirectory() as folder:
            status, _, err = compare(folder, '--clock', 'wall')
            self.assertEqual(status, 0, err)
            run, = json.loads(read(folder, 'report.json'))['runs']
            self.assertIsNone(run['error'])
            rows = {row['name']: row for row in run['operations']}
            for name in ('null-call', 'page-fault', 'fork-exit-wait', 'fork-exec-wait', 'switch', 'signal', 'pipe-self',
                         'mmap-munmap', 'timer-set'):
                self.assertGreater(min(rows[name]['ns']), 0, name)
            # What the interface asks for, whatever the clock: an iret for each call, one update for a fault.
            self.assertEqual(round(rows['null-call']['calls']['iret'], 1), 1)
            self.assertEqual(round(rows['page-fault']['counters']['trap_14'], 1), 1)
            self.assertLess(rows['null-call']['calls']['total'], 1.1)
            self.assertLess(run['times']['handover'], run['times']['begin'])

    def test_a_kernel_that_cannot_boot(self):
        with tempfile.TemporaryDirectory() as folder:
            wrong = os.path.join(folder, 'kernel')
            with open(wrong, 'wb') as file:
                file.write(b'\x7fELF' + bytes(5000))
            status, out, err = compare(f'{folder}/report', '--only', 'boot', '--clock', 'wall', '--builds', wrong, wrong)
            self.assertEqual(status, 1, out)
            self.assertIn('PV, initial domain A: no figures: ', out)
            self.assertIn('no world gave any figures', err)
            self.assertIn('no figures', read(f'{folder}/report', 'report.html'))
