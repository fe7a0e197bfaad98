# SPDX-License-Identifier: MIT
"""The arithmetic, the reading and the writing of tools/compare, with a made-up recording."""
import csv
import io
import json
import os
import re
import struct
import subprocess
import tempfile
import unittest
from xml.etree import ElementTree

from comparison import aims, book, charts, model, others, page, stats, svg, text, worlds
from comparison.stats import Spread, change, spread

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPARE = os.path.join(TREE, 'tools', 'compare')


def phase(name, ticks, calls=None, traps=None, **counters):
    return {'name': name, 'ticks': ticks, 'ns': ticks, 'calls': calls or {}, 'traps': traps or {}, 'counters': counters}


def record(factor=1, calls=True):
    """A boot of 1000 * factor ticks."""
    made = {'mmu_update': 6, 'iret': 4} if calls else {}
    return {'world': 'x', 'phases': [
        phase('entry', 0), phase('machine', 600 * factor, made, {'14': 3, '3': 1}, pte_stores=100, pte_updates=20, msr_io=7),
        phase('root', 700 * factor, port_io=12), phase('shell', 1000 * factor, {'event_channel_op': 2} if calls else {}),
        phase('later', 9000 * factor, {'iret': 1000})]}


def operation(name, *ticks, calls=0.0):
    return {'name': name, 'operations': 10, 'ticks': list(ticks), 'ns': [2 * value for value in ticks],
            'calls': {'total': calls, 'iret': calls} if calls else {}, 'counters': {}}


def run(world, number=1, build='', clock='instructions', factor=1, error=None, calls=True, operations=()):
    return {'world': world, 'build': build, 'clock': clock, 'number': number, 'command': f'tools/parvix run # {world}',
            'seconds': 2.5, 'times': {'handover': 1.0, 'begin': 1.0 + factor}, 'record': None if error else record(factor, calls),
            'operations': list(operations), 'error': error}


def document(runs, systems=('native', 'pv'), builds=None):
    table = {world.name: world for world in worlds.WORLDS + others.LINUX}
    return {'format': 1, 'run': 'R1', 'date': 'a day', 'version': 'Parvix test', 'command': 'tools/compare --runs 2',
            'runs_asked': 2, 'builds': builds or {}, 'runs': runs,
            'worlds': [{'name': name, 'title': table[name].title, 'system': table[name].system, 'place': table[name].place,
                        'rig': table[name].rig} for name in systems]}


def sample():
    """native: 1000; pv: 2000 and 2100; a world that did not run; Linux in two."""
    native = (operation('null-call', 100, 100, 104), operation('page-fault', 1000, 1010))
    pv = (operation('null-call', 250, 260, 255, calls=1.0), operation('page-fault', 2000, 2020, calls=2.02))
    return document(
        [run('native', calls=False, operations=native), run('native', 2, calls=False, operations=native),
         run('pv', factor=2, operations=pv), run('pv', 2, factor=2.1, operations=pv),
         run('pv', clock='wall', factor=3), run('pvh', error='no such <world>'),
         run('linux-native', factor=50, calls=False, operations=(operation('null-call', 400),)),
         run('linux-pv', factor=150, calls=False, operations=(operation('null-call', 1000),))],
        ('native', 'pvh', 'pv', 'linux-native', 'linux-pv'))


def column(comparison, name, build=''):
    return next(c for c in comparison.columns if (c.world, c.build) == (name, build))


class Stats(unittest.TestCase):
    def test_spread(self):
        self.assertEqual(spread([3, 1, 2, None]), Spread(3, 1, 2, 3))
        self.assertEqual(spread([4, 1]), Spread(2, 1, 2.5, 4))
        self.assertIsNone(spread([None]))

    def test_ratio(self):
        self.assertEqual(Spread(2, 10, 20, 40).over(Spread(9, 1, 10, 99)), Spread(2, 1, 2, 4))
        self.assertIsNone(Spread(1, 1, 1, 1).over(Spread(1, 0, 0, 0)))
        self.assertIsNone(Spread(1, 1, 1, 1).over(None))

    def test_change_beyond_noise(self):
        self.assertEqual(change(Spread(3, 99, 100, 101), Spread(3, 109, 110, 111))[1], 'more')
        self.assertEqual(change(Spread(3, 99, 100, 101), Spread(3, 79, 80, 81))[1], 'less')
        self.assertAlmostEqual(change(Spread(3, 99, 100, 101), Spread(3, 79, 80, 81))[0], -0.2)

    def test_no_change(self):
        # The ranges touch; or they do not, but hardly anything has changed.
        self.assertEqual(change(Spread(3, 90, 100, 112), Spread(3, 109, 110, 111))[1], 'same')
        self.assertEqual(change(Spread(1, 10000, 10000, 10000), Spread(1, 10001, 10001, 10001))[1], 'same')
        self.assertEqual(change(Spread(1, 0, 0, 0), Spread(1, 0, 0, 0)), (None, 'same'))
        self.assertEqual(change(Spread(1, 0, 0, 0), Spread(1, 5, 5, 5)), (None, 'more'))
        self.assertEqual(change(None, Spread(1, 5, 5, 5)), (None, 'none'))

    def test_numbers(self):
        self.assertEqual([stats.number(n) for n in (None, 0, 2.02, 17, 17.04, 1234, 12345, 1234567, 123456789, 3.2e9)],
                         ['-', '0', '2.02', '17', '17.0', '1,234', '12.3 k', '1.23 M', '123 M', '3.20 G'])
        self.assertEqual([stats.times(n) for n in (0.5, 12.34, 1234)], ['0.50', '12.3', '1234'])
        self.assertEqual(stats.with_range(Spread(2, 5, 6, 7)), '6 [5 .. 7]')
        self.assertEqual(stats.with_range(Spread(2, 5, 5, 5)), '5')


class Reading(unittest.TestCase):
    OUTPUT = ('noise\n#boot\nentry 0 20\nmachine 500 23\nshell 900 30\n#record\n{"phases":[{"name":"entry","ticks":0}]}\n'
              '#operations\n{"name":"null-call","ticks":[1],"ns":[1],"calls":{},"counters":{}}\nnot json\n#end\n')

    def test_whole(self):
        record_, operations, error = worlds.understand(self.OUTPUT)
        self.assertEqual(record_, {'phases': [{'name': 'entry', 'ticks': 0}]})
        self.assertEqual([row['name'] for row in operations], ['null-call'])
        self.assertIsNone(error)

    def test_marks_of_a_kernel_without_record(self):
        record_ = worlds.understand(self.OUTPUT.replace('{"phases"', 'x{"phases"'))[0]
        self.assertEqual([(p['name'], p['ticks'], p['calls']) for p in record_['phases']],
                         [('entry', 0, {'all kinds': 20}), ('machine', 500, {'all kinds': 3}), ('shell', 900, {'all kinds': 7})])

    def test_record_over_several_lines(self):
        self.assertEqual(worlds.read_record(['{"phases":', '[]}']), {'phases': []})
        for wrong in ([], ['[]'], ['{"phases": 3}'], ['{'], ['null']):
            self.assertIsNone(worlds.read_record(wrong))

    def test_complaints(self):
        self.assertIn('end of its script', worlds.understand(self.OUTPUT.replace('#end', ''))[2])
        self.assertIn('no boot record', worlds.understand('#boot\n#end\n')[2])
        failed = worlds.understand(self.OUTPUT.replace('#end', 'lat: no memory\n#failed\n#end'))[2]
        self.assertIn('lat: no memory', failed)

    def test_last_words(self):
        self.assertEqual(worlds.last_words('x\nparvix: times begin=1\nparvix: it broke\n'), 'it broke')
        self.assertEqual(worlds.last_words(''), 'no word')

    def test_linux_log(self):
        log = ['[    0.000000] Linux version', '[    0.500000] Run /init as init process', '[    0.700001] parvix-compare: shell']
        self.assertEqual([(p['name'], p['ticks']) for p in others.log_as_record(log)['phases']],
                         [('entry', 0), ('init', 500000000), ('shell', 700001000)])
        self.assertIsNone(others.log_as_record(['nothing']))

    def test_notes(self):
        def image(*kinds):
            notes = b''.join(struct.pack('<III4s8s', 4, 8, kind, b'Xen\0', b'') for kind in kinds)
            head = bytearray(64 + 56)
            head[:5] = b'\x7fELF\x02'
            struct.pack_into('<Q', head, 0x20, 64)
            struct.pack_into('<HH', head, 0x36, 56, 1)
            struct.pack_into('<IIQQQQ', head, 64, 4, 4, len(head), 0, 0, len(notes))
            return bytes(head) + notes
        self.assertEqual(others.xen_notes(image(1, 18)), {1, 18})
        self.assertEqual(others.xen_notes(image(18)), {18})
        self.assertEqual(others.xen_notes(image(18)[:-8]), {18})
        self.assertEqual(others.xen_notes(image(18)[:-10]), set())
        self.assertEqual(others.xen_notes(b'MZ' + bytes(100)), set())
        self.assertEqual(others.xen_notes(b'\x7fELF\x02' + bytes(20)), set())


class Model(unittest.TestCase):
    def setUp(self):
        self.comparison = model.Comparison(sample())

    def test_a_boot_ends_at_the_shell(self):
        native, pv = column(self.comparison, 'native'), column(self.comparison, 'pv')
        self.assertEqual(self.comparison.boot(native), Spread(2, 1000, 1000, 1000))
        self.assertEqual(self.comparison.boot(pv), Spread(2, 2000, 2050, 2100))
        self.assertEqual(self.comparison.labels(), ['entry', 'machine', 'root', 'shell'])

    def test_steps_are_differences(self):
        steps = self.comparison.steps(column(self.comparison, 'native'))
        self.assertEqual({name: value.median for name, value in steps.items()},
                         {'entry': 0, 'machine': 600, 'root': 100, 'shell': 300})

    def test_waiting_is_no_work(self):
        row = run('pv')
        row['record']['phases'][2]['counters']['idle_ticks'] = 80  # of the 100 up to `root`
        row['operations'] = [{**operation('disk-read-4k', 1000, 5000), 'waited': [900, 4850]}, {**operation('disk-write-4k', 7)}]
        comparison = model.Comparison(document([row], ('pv',)))
        pv = column(comparison, 'pv')
        self.assertEqual(comparison.steps(pv)['root'].median, 20)
        self.assertEqual(comparison.steps(pv, part=model.WAIT)['root'].median, 80)
        self.assertEqual([comparison.boot(pv, part=part).median for part in (model.WHOLE, model.WORK, model.WAIT)], [1000, 920, 80])
        self.assertEqual(comparison.operations(pv)['disk-read-4k'].value, Spread(2, 100, 125, 150))
        self.assertNotIn('disk-write-4k', comparison.operations(pv))  # nobody says how long it waited

    def test_clocks_are_apart(self):
        self.assertEqual(self.comparison.boot(column(self.comparison, 'pv'), 'wall').median, 3000)
        self.assertEqual(self.comparison.seconds(column(self.comparison, 'pv')).median, 3)
        self.assertIsNone(self.comparison.seconds(column(self.comparison, 'native')))

    def test_base_is_the_same_system_natively(self):
        base = self.comparison.base
        self.assertEqual(base().world, 'native')
        self.assertEqual(base(column(self.comparison, 'linux-pv')).world, 'linux-native')
        without = model.Comparison(document([run('pv')], ('native', 'pv')))
        self.assertEqual(without.base().world, 'pv')

    def test_privileged(self):
        total = self.comparison.privileged_sum(column(self.comparison, 'pv'))
        self.assertEqual(total, {'calls': {'mmu_update': 6, 'iret': 4, 'event_channel_op': 2}, 'traps': 4, 'pte': 120,
                                 'port_io': 12, 'msr_io': 7, 'irq_flag': 0})

    def test_processes(self):
        row = run('pv')
        row['record']['processes'] = [{'what': 'fork', 'ns': 100, 'counters': {'idle_ticks': 30}, 'calls': {'iret': 2, 'mmu_update': 1}},
                                      {'what': 'fork', 'ns': 90, 'counters': {}, 'calls': {}}, {'what': 'exec', 'ns': 5}]
        comparison = model.Comparison(document([row], ('pv',)))
        self.assertEqual(comparison.processes(column(comparison, 'pv')),
                         {'fork': (2, Spread(2, 70, 80, 90), Spread(2, 0, 1.5, 3)), 'exec': (1, Spread(1, 5, 5, 5), Spread(1, 0, 0, 0))})
        self.assertEqual(text.processes(comparison)[1][1], '2: 80 [70 .. 90], 1.50 [0 .. 3] calls')

    def test_aims(self):
        self.assertTrue(aims.calls_kept({'iret': 1.02, 'update_va_mapping': 1, 'total': 2.02}, {'iret': 1, 'update_va_mapping': 1}, 0))
        self.assertFalse(aims.calls_kept({'iret': 2}, {'iret': 1}, 0))
        self.assertFalse(aims.calls_kept({'iret': 1, 'mmu_update': 1}, {'iret': 1}, 0))
        self.assertTrue(aims.calls_kept({'iret': 3, 'mmu_update': 2, 'multicall': 2}, {'iret': 3}, 6))
        rows = aims.rows(self.comparison)[1:]
        self.assertEqual(rows[0][1:], ['PV, xl domain', '2.05', 'no'])
        self.assertEqual(rows[1][1:], ['PV, xl domain', 'iret 1', 'yes'])
        self.assertEqual(len(aims.rows(model.Comparison(document([run('native')], ('native',))))), 1)

    def test_not_counted_is_not_nothing(self):
        marks = {'phases': [{'name': 'entry', 'ticks': 0, 'calls': {'all kinds': 3}}, {'name': 'shell', 'ticks': 9}]}
        row = {**run('pv'), 'record': marks}
        comparison = model.Comparison(document([row], ('pv',)))
        total = comparison.privileged_sum(column(comparison, 'pv'))
        self.assertIsNone(total['traps'])
        self.assertEqual(total['calls'], {'all kinds': 3})

    def test_operations(self):
        found = self.comparison.operations(column(self.comparison, 'pv'))
        self.assertEqual(found['null-call'].value, Spread(6, 250, 255, 260))
        self.assertEqual(found['null-call'].calls.median, 1)
        self.assertEqual(self.comparison.operation_names(), ['null-call', 'page-fault'])

    def test_why_not(self):
        self.assertEqual(text.absent(self.comparison), [('PVH, xl domain', 'no such <world>')])

    def test_some_runs_failed(self):
        comparison = model.Comparison(document([run('pv'), run('pv', 2, error='hung')], ('pv',)))
        self.assertEqual(comparison.boot(column(comparison, 'pv')).n, 1)
        self.assertEqual(text.notes(comparison), ['PV, xl domain: 1 of 2 runs failed: hung'])

    def test_marks_that_only_one_world_has(self):
        more = run('pv')
        more['record']['phases'].insert(2, phase('grants', 650))
        comparison = model.Comparison(document([run('native'), more]))
        self.assertEqual(comparison.labels(), ['entry', 'machine', 'grants', 'root', 'shell'])


class Report(unittest.TestCase):
    def setUp(self):
        self.comparison = model.Comparison(sample())

    def test_every_picture_is_well_formed(self):
        for name, function in charts.ALL:
            with self.subTest(name):
                canvas = function(self.comparison, 'Run R1. Again: a & b')
                root = ElementTree.fromstring(canvas.file())
                words = ''.join(root.itertext())
                self.assertIn('Run R1. Again: a & b', words)
                ElementTree.fromstring(canvas.inline())
                box = [float(part) for part in root.get('viewBox').split()]
                for node in root.iter('{http://www.w3.org/2000/svg}text'):
                    self.assertLess(float(node.get('y')), box[1] + box[3])

    def test_nothing_to_draw(self):
        empty = model.Comparison(document([run('pv', error='no')], ('pv',)))
        self.assertEqual([function(empty, '') for _, function in charts.ALL], [None] * len(charts.ALL))
        self.assertEqual(text.sections(empty), [])

    def test_markers_stand_at_the_ratio(self):
        canvas = charts.operations(self.comparison, '')
        titles = ' '.join(canvas.parts)
        self.assertIn('null call, PV, xl domain: 2.55 [2.50 .. 2.60]', titles)
        self.assertIn('page fault, PV, xl domain: 2.00 [1.99 .. 2.01]', titles)
        self.assertIn('null call, Linux, PV domain: 2.50', titles)

    def test_page_stands_alone(self):
        figures = [(name, function(self.comparison, 'c'), 'tools/compare --again') for name, function in charts.ALL]
        html = page.html(self.comparison, figures)
        self.assertNotRegex(html.replace('http://www.w3.org/2000/svg', ''), r'https?://|<script|<link|@import|url\(')
        self.assertEqual(html.count('<svg'), len(charts.ALL))
        self.assertIn('no such &lt;world&gt;', html)
        self.assertIn('tools/compare --again', html)
        self.assertIn('tools/parvix run # native', html)

    def test_colours_can_be_read(self):
        for theme in (svg.LIGHT, svg.DARK):
            for name in ('t', 'm'):
                self.assertGreaterEqual(svg.contrast(theme[name], theme['bg']), 4.5, name)
            for name in ('native', 'pvh', 'pv', 'other'):
                self.assertGreaterEqual(svg.contrast(theme[name], theme['bg']), 3, name)
        for colour in svg.KINDS:
            self.assertGreaterEqual(svg.contrast(svg.on(colour), colour), 4.5, colour)

    def test_csv(self):
        out = io.StringIO()
        text.write_csv(self.comparison, out)
        rows = {(row['world'], row['clock'], row['what'], row['name'], row['unit']): row
                for row in csv.DictReader(io.StringIO(out.getvalue()))}
        self.assertEqual(rows['pv', 'instructions', 'boot', 'work', 'instructions']['ratio_to_native'], '2.0500')
        self.assertEqual(rows['pv', 'instructions', 'operation', 'null-call', 'instructions']['median'], '255')
        self.assertEqual(rows['pv', 'instructions', 'operation', 'page-fault', 'hypercalls']['median'], '2.02')
        self.assertEqual(rows['pv', 'wall', 'boot', 'let go to shell', 'seconds']['median'], '3')

    def test_terminal(self):
        out = io.StringIO()
        text.terminal(self.comparison, out)
        self.assertRegex(out.getvalue(), r'PV, xl domain +2,050 \[2,000 \.\. 2,100\] +2\.05 +0 +12 +4 +120 ')
        self.assertIn('PVH, xl domain: no figures: no such <world>', out.getvalue())

    def test_two_builds(self):
        slow = (operation('null-call', 120, 121), operation('page-fault', 1000, 1010))
        fast = (operation('null-call', 100, 101), operation('page-fault', 1005, 1012))
        runs = [run('pv', build='A', operations=slow), run('pv', build='B', operations=fast),
                run('linux-native', factor=50)]
        comparison = model.Comparison(document(runs, ('pv', 'linux-native'), {'A': 'old', 'B': 'new'}))
        rows = {row[0]: row for row in text.differences(comparison)[1:]}
        self.assertEqual(rows['null call'][1:], ['PV, xl domain', '120 [120 .. 121]', '100 [100 .. 101]', '-16.60 %', 'less'])
        self.assertEqual(rows['page fault'][-1], '')
        self.assertEqual(rows['boot to the shell'][-2:], ['+0.00 %', ''])
        ElementTree.fromstring(charts.differences(comparison, '').file())

    def test_a_mark_that_only_one_build_has(self):
        more = run('pv', build='B')
        more['record']['phases'].insert(1, phase('grants', 500))
        comparison = model.Comparison(document([run('pv', build='A'), more], ('pv',), {'A': 'old', 'B': 'new'}))
        rows = {row[0]: row for row in text.differences(comparison)[1:]}
        self.assertEqual(rows['machine'][2:], ['600', '600', '+0.00 %', ''])
        self.assertNotIn('grants', rows)

    def test_book(self):
        before = 'a\n<!-- figures: overview -->\nold\n<!-- end of overview -->\nb <!-- figures: run -->\n<!-- end of run -->\n'
        after = book.replace(before, self.comparison)
        self.assertIn('| PV, xl domain | 2,050 [2,000 .. 2,100] | 2.05 | 0 | 12 |', after)
        self.assertNotIn('old', after)
        self.assertEqual(book.replace(after, self.comparison), after)
        with self.assertRaises(ValueError):
            book.replace('<!-- figures: nonsense -->\n<!-- end of nonsense -->', self.comparison)

    def test_the_books_pages_have_known_figures_only(self):
        for name in os.listdir(os.path.join(TREE, 'docs')):
            if name.endswith('.md'):
                with open(os.path.join(TREE, 'docs', name), encoding='utf-8') as file:
                    words = file.read()
                begun = re.findall(r'<!-- figures: ([\w-]+) -->', words)
                self.assertEqual(begun, re.findall(r'<!-- end of ([\w-]+) -->', words), name)
                book.replace(words, self.comparison)


class Program(unittest.TestCase):
    def compare(self, *arguments):
        done = subprocess.run([COMPARE, *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return done.returncode, done.stdout, done.stderr

    def test_an_earlier_run(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, 'report.json')
            with open(source, 'w', encoding='utf-8') as file:
                json.dump(sample(), file)
            status, out, err = self.compare('--from', source, '--out', f'{folder}/again')
            self.assertEqual(status, 0, err)
            self.assertIn('2.55x', out)
            with open(f'{folder}/again/report.json', encoding='utf-8') as file:
                self.assertEqual(json.load(file), sample())
            names = set(os.listdir(f'{folder}/again'))
            self.assertLessEqual({'report.html', 'report.csv', 'phases.svg', 'privileged.svg', 'operations.svg'}, names)

    def test_what_cannot_be_read(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, 'report.json')
            for words in ('', '[]', '{"format": 2}', '{'):
                with open(source, 'w', encoding='utf-8') as file:
                    file.write(words)
                status, _, err = self.compare('--from', source, '--out', f'{folder}/again')
                self.assertEqual(status, 1)
                self.assertRegex(err, r'^compare: .* is not a report: ')

    def test_wrong_usage(self):
        for arguments, words in ((('--runs', '0'), 'at least 1'), (('--worlds', 'mars'), "there is no world mars"),
                                 (('--with', '/nowhere'), 'there is no file /nowhere')):
            status, _, err = self.compare(*arguments)
            self.assertNotEqual(status, 0)
            self.assertIn(words, err)
