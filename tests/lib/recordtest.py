# SPDX-License-Identifier: MIT
"""The boot record of a guest: what must hold in every world."""
import json
import re

from rigtest import guest_exec

PHASES = ['entry', 'traps', 'memory', 'machine', 'pages', 'scheduler', 'rooms', 'self-test', 'threads', 'drivers',
          'root', 'init', 'shell']
SCRIPT = '''cat /proc/hypercalls /proc/counters >/tmp/before
echo sum >/proc/boot
cat /proc/hypercalls /proc/counters >/tmp/after
/bin/true
boottrace -j >/tmp/json
cat /proc/boot >/tmp/boot
for f in before after boot json; do echo "#$f"; cat /tmp/$f; done
echo '#table'; boottrace
echo '#processes'; boottrace -p
echo '#verbose'; boottrace -v
echo '#copy'; cp /proc/boot.record /tmp/copy; boottrace -j /tmp/copy
'''


class RecordTest:
    """A mixin; `options`: of tools/parvix run; `world`, and `phases` after PHASES."""
    options = ()
    world = 'pv'

    @classmethod
    def setUpClass(cls):
        status, out, err = guest_exec(SCRIPT, *cls.options)
        if status:
            raise AssertionError(f'the guest ended with {status}: {err}')
        cls.part = dict(re.findall(r'(?ms)^#(before|after|boot|json|table|processes|verbose|copy)\n(.*?)(?=^#\w+\n|\Z)', out))
        cls.record = json.loads(cls.part['json'])
        cls.phases = cls.record['phases']

    def total(self, kind, name=None, phases=None):
        return sum(n for phase in phases or self.phases for key, n in phase[kind].items() if name in (None, key))

    def numbers(self, part):
        return {name: int(n) for name, n in re.findall(r'(?m)^(\w+) (\d+)', self.part[part])}

    def test_head(self):
        self.assertEqual(self.record['world'], self.world)
        self.assertRegex(self.record['version'], r'^\d+\.\d+')
        self.assertGreater(self.record['tsc_khz'], 100000)
        self.assertIn(self.record['clock'], ('pvclock', 'tsc'))

    def test_labels_are_in_order(self):
        self.assertEqual([phase['name'] for phase in self.phases], [*PHASES, 'sum'])

    def test_time_starts_at_the_first_instruction_and_goes_forwards(self):
        self.assertEqual((self.phases[0]['ns'], self.phases[0]['ticks']), (0, 0))
        self.assertEqual(sum(len(self.phases[0][kind]) for kind in ('counters', 'calls', 'traps', 'events')), 0)
        for before, phase in zip(self.phases, self.phases[1:]):
            self.assertGreater(phase['ticks'], before['ticks'], phase['name'])
            self.assertAlmostEqual(phase['ns'], phase['ticks'] * 1000000 // self.record['tsc_khz'], delta=1)

    def test_differences_add_up_to_the_totals(self):
        """The counters just before the mark `sum` and just after it are bounds of the sum of all phases."""
        before, after = self.numbers('before'), self.numbers('after')
        checked = 0
        for name, most in after.items():
            if match := re.match(r'trap_(\d+)$', name):
                found = self.total('traps', match.group(1))
            elif name in ('total', 'errors'):
                continue
            else:
                found = self.total('calls', name) + self.total('counters', name)
            with self.subTest(name):
                self.assertLessEqual(before.get(name, 0), found)
                self.assertLessEqual(found, most)
                checked += 1
        self.assertGreater(checked, 20)

    def test_classes_agree_with_each_other(self):
        for phase in self.phases:
            with self.subTest(phase['name']):
                def sums(kind, name=None):
                    return self.total(kind, name, [phase])
                self.assertEqual(sums('updates'), sums('counters', 'batches'))
                self.assertEqual(sums('batches'), sums('calls', 'multicall'))
                self.assertEqual(sums('traps'), sums('counters', 'traps'))
                self.assertEqual(sums('events'), sums('counters', 'events'))

    def test_the_short_form_says_the_same(self):
        calls, lines = 0, []
        for phase in self.phases:
            calls += sum(phase['calls'].values())
            lines.append(f"{phase['name']} {phase['ticks']} {calls}")
        self.assertEqual(self.part['boot'].splitlines(), lines)

    def test_a_program_is_forked_executed_and_gone(self):
        rows = self.record['processes']
        self.assertEqual([row['at'] for row in rows], sorted(row['at'] for row in rows))
        self.assertEqual((rows[0]['what'], rows[0]['pid'], rows[0]['name']), ('exec', 1, 'init'))
        pid = next(row['pid'] for row in rows if row['what'] == 'exec' and row['name'] == 'true')
        fork = next(row for row in rows if row['what'] == 'fork' and row['child'] == pid)
        leave = next(row for row in rows if row['what'] == 'exit' and row['pid'] == pid)
        self.assertEqual((fork['counters']['forks'], leave['name']), (1, 'true'))
        for row in rows:
            self.assertGreater(row['ns'], 0, row)
            self.assertNotIn('cut', row)

    def test_devices(self):
        devices = {device['name']: device for device in self.record['devices']}
        self.assertGreater(devices['console']['written'], 0)
        disk = next(device for device in self.record['devices'] if device.get('requests'))
        self.assertGreater(disk['read'], 0)

    def test_tables_are_for_people(self):
        for part in ('table', 'processes', 'verbose'):
            for line in self.part[part].splitlines():
                self.assertLessEqual(len(line), 100, line)
        for name in PHASES:
            self.assertRegex(self.part['table'], rf'(?m)^{name} +\d+\.\d\d\d ')
        self.assertRegex(self.part['processes'], r'(?m)^exec +1 +\. init ')

    def test_a_copy_reads_the_same(self):
        copy = json.loads(self.part['copy'])
        self.assertEqual(copy['phases'], self.phases)
        self.assertNotIn('devices', copy)
