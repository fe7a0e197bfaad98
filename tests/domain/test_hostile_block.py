# SPDX-License-Identifier: MIT
"""A block backend that lies (badblk.c), against a running domain: the disk is broken or refused, whoever reads
from it gets an error, and everything else goes on. docs/hostile.md says what is checked where."""
import os
import random
import re
import shlex
import unittest

from domtest import DomainTest
from rig.codes import scaled
from rigtest import SEED, build_file

DEV = 51728  # xvdb
ROUNDS = 8
BEGUN = 12  # requests: the search for partitions is over
CONTENT = random.Random(SEED).randbytes(1 << 20)
# Many requests at once; ends with the first error. And the same without an end but the time.
LOAD = '/usr/bench/disk -t {} -j 8 /dev/xvdb random-read-4k-jobs'
# What a frontend need not survive with a working disk, but with its domain.
ABSURD = ('0', '3', '1099511627776', '-1', '99999999999999999999', 'text', '', ' 512', '512x', '0x200')
EVIL = ('id-range', 'id-range=4096', 'id-unused', 'twice', 'prod-over', 'prod-over=5', 'prod-forward', 'prod-back',
        'prod-back=4000', 'operation', 'operation=6', 'status', 'status=-77', 'status=1', 'scribble', 'indices')


class Backend:
    """badblk, running in dom0 for one disk of one guest."""

    def __init__(self, test, guest, *options):
        self.test, self.said = test, ''
        self.command = f'badblk {guest.domain.id} ' + ' '.join(shlex.quote(option) for option in options)
        self.stream = test.machine.start(f'echo $$ >/run/badblk.pid; exec {self.command}', self._data)

    def _data(self, _kind, data):
        self.said += data.decode(errors='replace')

    def wait(self, words, seconds=10):
        agent = self.test.machine.agent
        return agent.wait_for(lambda: re.search(words, self.said) or self.stream.status is not None, scaled(seconds))

    def stop(self):
        """Closes the device as a toolstack does; the counters of the whole."""
        self.test.dom0('kill -TERM $(cat /run/badblk.pid) 2>/dev/null; true')
        self.test.assertIsNotNone(self.stream.wait(scaled(20)), f'{self.command}: {self.said}')
        # One that died has left them.
        self.test.dom0(f'xenstore-rm /local/domain/{self.test.guest.domain.id}/device/vbd/{DEV} 2>/dev/null; '
                       f'xenstore-rm /local/domain/0/backend/badblk/{self.test.guest.domain.id}/{DEV} 2>/dev/null; true')
        return {name: int(value) for name, value in re.findall(r'(\w+)=(\d+)', self.said.rpartition('stats')[2])}


class HostileTest(DomainTest):
    """One guest for all tests of a class: what one of them breaks, the next one finds."""
    def setUp(self):
        super().setUp()
        self.running = None
        self.machine.put(build_file('tests/domain/badblk'), '/bin/badblk', '755')
        path = os.path.join(os.path.dirname(build_file('x')), 'tests', 'content')
        with open(path, 'wb') as file:
            file.write(CONTENT)
        self.guest = self.boot(disks=[self.root(add=[(path, '/root/content')])[1]])
        # The root disk has grown what it keeps by then.
        self.good_disk()
        self.grants = self.grants_used()

    def grants_used(self):
        text = self.sure(self.guest, 'cat /proc/xen/grants')
        return tuple(int(re.search(rf'{word} (\d+)', text).group(1)) for word in ('used', 'quarantined'))

    def grants_back(self):
        """What the disks have had is given back, at once or when it is looked at again."""
        agent = self.machine.agent
        for _ in range(40):
            if self.grants_used() == self.grants:
                return
            agent.wait_for(lambda: False, 0.5)
        self.assertEqual(self.grants_used(), self.grants)

    def backend(self, *options):
        # A subtest that failed has left its own.
        if self.running and self.running.stream.status is None:
            self.running.stop()
            self.gone()
        self.running = Backend(self, self.guest, *options)
        return self.running

    def alive(self, what):
        """The domain and its other disk work."""
        text = self.sure(self.guest, f'echo {what} >/root/alive && sync && cat /root/alive', 30)
        # What readers that are still at it have to say may come in between.
        self.assertIn(f'{what}\n', text)

    def wait_disk(self):
        status, _ = self.guest.run('n=0; until [ -b /dev/xvdb ] || [ $n = 40 ]; do n=$((n+1)); sleep 0.1; done; '
                                   '[ -b /dev/xvdb ]', 60)
        return status == 0

    def gone(self):
        """The disk has been unplugged, and nothing of it is left."""
        self.sure(self.guest, 'n=0; while grep -q 51728 /proc/xen/devices && [ $n != 100 ]; do n=$((n+1)); '
                              'sleep 0.1; done; [ ! -e /dev/xvdb ]', 60)

    def good_disk(self):
        """After all that, an honest backend finds an honest frontend."""
        self.machine.put(CONTENT, '/run/content')
        backend = self.backend('--file', '/run/content')
        self.assertTrue(self.wait_disk(), backend.said)
        self.sure(self.guest, 'cmp /root/content /dev/xvdb')
        backend.stop()
        self.gone()

    def exercise(self, *options, load=LOAD.format(6), fails=True):
        """Reads as hard as it can from a disk of this backend's. `fails`: the reader must get an error, else it may."""
        with self.subTest(' '.join(options)):
            backend = self.backend('--patience', '500', *options)
            backend.wait('frontend state [4-6]', 10)
            self.wait_disk()
            self.guest.start(load)
            if fails == 'unplugged':
                backend.wait('evil', 20)
                backend.stop()
            status, text = self.guest.finish(60)
            if fails:
                self.assertNotEqual(status, 0, f'{text}\n{backend.said}')
            self.alive('exercise')
            backend.stop()
            self.gone()


class Honest(HostileTest):
    """The same program without a lie: every feature that a backend may offer."""

    def test_features(self):
        content = CONTENT
        for options in ('', '--order 4 --indirect 256', '--indirect 17', '--persistent',
                        '--queues 4 --order 1 --indirect 32 --persistent', '--reorder --hold 4', '--no-flush',
                        '--discard', '--sector 4096', '--delay 3'):
            with self.subTest(options or 'plain'):
                self.machine.put(content, '/run/content')
                backend = self.backend('--file', '/run/content', *options.split())
                self.assertTrue(self.wait_disk(), backend.said)
                self.sure(self.guest, 'cmp /root/content /dev/xvdb', 60)
                self.sure(self.guest, '/usr/bench/disk -w -b -t 0.1 /dev/xvdb random-write-4k && '
                                      'cat /root/content >/dev/xvdb && sync', 60)
                self.sure(self.guest, 'cmp /root/content /dev/xvdb', 60)
                stats = backend.stop()
                self.gone()
                self.assertEqual(stats['errors'], 0, backend.said)
                # At most one event a batch, so never more than one a request.
                self.assertLessEqual(stats['events'], stats['requests'] + 4, backend.said)
                self.assertEqual(self.machine.get('/run/content'), content)
        self.grants_back()

    def test_read_only(self):
        backend = self.backend('--read-only')
        self.assertTrue(self.wait_disk(), backend.said)
        self.sure(self.guest, 'head -c 100000 /dev/xvdb >/dev/null')
        self.assertNotEqual(self.guest.run('echo x >/dev/xvdb')[0], 0)
        self.assertEqual(backend.stop()['errors'], 0)
        self.gone()


class Rings(HostileTest):
    def test_lies_in_the_ring(self):
        for evil in EVIL:
            # A few answers taken back before anybody has seen them are no lie that can be told from silence: then
            # the unplugging ends it.
            fails = 'unplugged' if evil == 'prod-back' else True
            self.exercise('--evil', f'{evil}@{BEGUN}', '--hold', '4', '--seed', str(SEED), fails=fails)
        self.good_disk()
        self.grants_back()

    def test_errors_of_the_disk_break_nothing(self):
        """An error is an answer: the reader is told, the disk stays."""
        backend = self.backend('--evil', f'error@{BEGUN}')
        self.assertTrue(self.wait_disk())
        self.assertNotEqual(self.guest.run('cat /dev/xvdb >/dev/null')[0], 0)
        self.sure(self.guest, 'cat /dev/xvdb >/dev/null')
        backend.stop()
        self.gone()
        self.exercise('--evil', f'unsupported@{BEGUN}')

    def test_events_without_end(self):
        self.exercise('--evil', f'storm=3000@{BEGUN}', load=LOAD.format(1), fails=False)
        self.good_disk()

    def test_no_answer(self):
        for evil in ('silent', 'close', 'vanish', 'unplug', 'late', 'exit', 'state=6', 'state=1', 'state=0', 'state=99'):
            self.exercise('--evil', f'{evil}@{BEGUN}', fails='unplugged')
        self.good_disk()
        self.grants_back()

    def test_grants_kept(self):
        """Pages that the other side still maps are nobody's until it lets go."""
        backend = self.backend('--evil', f'keep@{BEGUN}', '--patience', '500')
        self.assertTrue(self.wait_disk())
        self.assertNotEqual(self.guest.run(LOAD.format(5))[0], 0)
        self.alive('kept')
        self.assertGreater(self.grants_used()[1], 0)
        backend.stop()
        self.gone()
        # Looked at again now and then, and when grants are wanted.
        self.good_disk()
        self.sure(self.guest, 'n=0; until grep -q "quarantined 0" /proc/xen/grants || [ $n = 60 ]; do n=$((n+1)); '
                              'sleep 0.5; done; grep -q "quarantined 0" /proc/xen/grants', 90)


class Nodes(HostileTest):
    @staticmethod
    def some(values, count):
        """Not all every time: each takes seconds."""
        return random.Random(SEED + len(values)).sample(values, count)

    def refused(self, *options):
        """No disk comes of it, or one that works; the domain lives."""
        with self.subTest(' '.join(options)):
            backend = self.backend('--patience', '300', *options)
            backend.wait('frontend state [3-6]', 1)
            self.guest.run('sleep 0.2; [ -b /dev/xvdb ] && timeout -s KILL 5 head -c 4096 /dev/xvdb >/dev/null', 20)
            self.alive('refused')
            backend.stop()
            self.gone()

    def test_geometry(self):
        for node in ('sector-size', 'sectors', 'info', 'physical-sector-size'):
            for value in self.some(ABSURD, 4):
                self.refused('--node', f'{node}={value}')
        for node in ('sector-size', 'sectors'):
            self.refused('--node', f'{node}!')
        self.good_disk()

    def test_wrong_sizes_give_no_disk(self):
        for node, values in (('sector-size', ('0', '3', '1099511627776', '-1', 'text')),
                             ('sectors', ('0', '-1', '36893488147419103232', 'x'))):
            for value in values:
                with self.subTest(f'{node}={value}'):
                    backend = self.backend('--patience', '300', '--node', f'{node}={value}')
                    self.assertTrue(backend.wait('frontend state [56]', 10), backend.said)
                    self.assertNotEqual(self.guest.run('[ -e /dev/xvdb ]')[0], 0)
                    self.assertIn(node, self.guest.messages())
                    backend.stop()
                    self.gone()

    def test_features(self):
        for node in ('max-ring-page-order', 'multi-queue-max-queues', 'feature-max-indirect-segments'):
            for value in self.some(ABSURD + ('31', '32', '64', '65535'), 5):
                self.refused('--node', f'{node}={value}')
        for node in ('feature-flush-cache', 'feature-persistent', 'feature-discard', 'discard-granularity',
                     'discard-alignment', 'max-ring-pages'):
            self.refused('--node', f'{node}=99999999999999999999')
        self.good_disk()

    def test_the_other_side(self):
        for value in ('', '/', 'x', '/local/domain/0', '/local/domain/99/backend/vbd/1/1', '/' + 'y' * 900, '..', '//'):
            self.refused('--front', f'backend={value}')
        for value in ('', '-1', '1', '32767', '65535', '4294967296', 'zero'):
            self.refused('--front', f'backend-id={value}')
        self.refused('--front', 'virtual-device=999999999999')
        self.refused('--front', 'device-type=cdrom')
        self.good_disk()

    def test_states(self):
        numbers = random.Random(SEED)
        for states in ('4', '2,4', '6,2,5,1', '8,7,3', 'x,,99,-1,4', '2,2,4,2,4', '5,6,5,6',
                       ','.join(str(numbers.randrange(9)) for _ in range(12))):
            self.refused('--states', states, '--step', '60')
        self.good_disk()

    def test_a_device_that_is_none(self):
        base = f'/local/domain/{self.guest.domain.id}/device/vbd'
        for name in ('x', '-1', '99999999999', '51728x'):
            self.dom0(f'xenstore-write -- {base}/{name}/state 1 {base}/{name}/backend /nowhere')
        self.dom0(f'xenstore-write {base} nonsense /local/domain/{self.guest.domain.id}/device/nosuchtype/0/state 1')
        self.alive('none')
        self.dom0(f'for d in x -1 99999999999 51728x; do xenstore-rm -- {base}/$d; done')
        self.good_disk()


class Sequences(HostileTest):
    def test_random_sequences(self):
        for n in range(ROUNDS):
            seed = SEED + n
            numbers = random.Random(seed)
            options = ['--seed', str(seed % (1 << 31)), '--hold', str(numbers.choice((1, 1, 4, 8)))]
            options += numbers.choice(([], ['--order', '2'], ['--queues', '2'], ['--persistent'], ['--indirect', '32'],
                                       ['--queues', '4', '--order', '1', '--persistent', '--indirect', '64']))
            if numbers.random() < 0.4:
                options += ['--node', numbers.choice(('sectors', 'sector-size', 'max-ring-page-order',
                                                      'multi-queue-max-queues')) + '=' + numbers.choice(ABSURD)]
            for _ in range(numbers.choice((1, 2, 4))):
                evil = numbers.choice(EVIL + ('error', 'storm=300', 'late', 'keep', 'close', 'silent', 'vanish',
                                              'state=' + str(numbers.randrange(9)), 'resize=' + numbers.choice(
                                                  ('0', '8', '99999999999999'))))
                options += ['--evil', f'{evil}@{numbers.choice((0, 1, 1, 2, 9, 40))}']
            with self.subTest(seed=seed):
                backend = self.backend('--patience', '300', *options)
                backend.wait('frontend state [4-6]', 2)
                self.guest.start('timeout -s KILL 3 ' + LOAD.format(1))
                backend.wait('evil', 2)
                backend.stop()
                self.guest.finish(60)
                self.alive('sequence')
                self.gone()
        self.good_disk()


if __name__ == '__main__':
    unittest.main()
