# SPDX-License-Identifier: MIT
"""xenstore and the bus as a domain sees them: xenstored slow, gone and back; floods; devices that never come."""
import re
import time
import unittest

from domtest import DomainTest
from rig import codes, domain
from rigtest import build_file

XENSTORED = '$(cat /run/xen/xenstored.pid)'
# The client waits so long for a reply, the bus for a backend, boot for all devices (xs.h, xenbus.h, start.c).
REPLY_SECONDS, HANDSHAKE_SECONDS, BOOT_SECONDS = 20, 30, 5


class XenstoreTest(DomainTest):
    def counts(self, guest):
        """The numbers of /proc/xen/store."""
        return {name: int(value) for name, value in
                re.findall(r'^([\w-]+) (\d+)$', self.sure(guest, 'cat /proc/xen/store'), re.M)}

    def devices(self, guest):
        """The lines of /proc/xen/devices: node -> (phase, our state, the backend's)."""
        return {node: (phase, ours, theirs) for node, phase, ours, theirs in
                re.findall(r'^(\S+) (\w+) ours (\w+) backend (\w+)', self.sure(guest, 'cat /proc/xen/devices'), re.M)}

    def wait_device(self, guest, number, wanted, seconds=20):
        """Until the disk's phase is this; None: it is gone."""
        deadline = time.monotonic() + codes.scaled(seconds)
        while True:
            phase = self.devices(guest).get(f'device/vbd/{number}', (None,))[0]
            if phase == wanted:
                return
            self.assertLess(time.monotonic(), deadline, f'disk {number} is {phase}, not {wanted}')
            time.sleep(0.2)

    def front(self, guest, number):
        return f'/local/domain/{guest.domain.id}/device/vbd/{number}'

    def back(self, guest, number):
        return f'/local/domain/0/backend/vbd/{guest.domain.id}/{number}'

    def make_device(self, guest, number, state='2', backend=None, backend_id='0', features=''):
        """What the toolstack would write for a disk, with nobody behind it."""
        front, back, domid = self.front(guest, number), self.back(guest, number), guest.domain.id
        self.dom0(f'xenstore-write {back}/frontend {front} {back}/frontend-id {domid} {back}/online 1 '
                  f'{back}/state "{state}" {features} && xenstore-chmod -r {back} n0 r{domid}\n'
                  f'xenstore-write {front}/state 1 && xenstore-chmod -r {front} n{domid} r0 && '
                  f'xenstore-write {front}/backend-id {backend_id} && xenstore-write {front}/backend {backend or back}')


class Daemon(XenstoreTest):
    """What xenstored does, or does not do."""

    def test_slow(self):
        guest = self.boot()
        for seconds in (0.5, 2):
            self.dom0(f'kill -STOP {XENSTORED}')
            guest.start('xenstore read domid')
            time.sleep(seconds)
            self.assertNotIn(b'END%d=' % guest.count, bytes(guest.console.text))
            self.dom0(f'kill -CONT {XENSTORED}')
            self.assertEqual(guest.finish(), (0, f'{guest.domain.id}\n'))
        self.assertEqual(self.counts(guest)['time-outs'], 0)

    def test_stopped_for_longer_than_anybody_waits(self):
        guest = self.boot()
        self.dom0(f'kill -STOP {XENSTORED}')
        # Many at once: more than a ring holds. A killed one must not leave half a request behind.
        path = 'data/' + 'x' * 900
        guest.start(f'for i in 1 2 3 4 5; do xenstore write {path} $i & done; sleep 1; kill %1; '
                    'sleep 21; wait; xenstore read domid')
        status, text = guest.finish(5 * REPLY_SECONDS)
        self.assertNotEqual(status, 0)
        self.assertRegex(text, '(?i)time')
        # Neither the disk nor the processes need xenstored.
        self.sure(guest, 'echo x > /root/file; sync; cat /root/file')
        self.dom0(f'kill -CONT {XENSTORED}')
        for _ in range(20):
            self.assertEqual(self.sure(guest, 'xenstore read domid'), f'{guest.domain.id}\n')
        counts = self.counts(guest)
        self.assertGreater(counts['time-outs'], 0)
        self.assertEqual((counts['nonsense'], counts['resets'], counts['in-flight']), (0, 0, 0))
        self.assertEqual(guest.domain.xl('shutdown', '-w')[0], 0)
        self.assertEqual(guest.domain.wait_end(), domain.OFF)

    def test_killed_and_started_again(self):
        guest = self.boot()
        self.spoilt = True  # the new xenstored does not even know dom0's own nodes
        domid, port = guest.domain.id, guest.domain.xenstore('store/port')
        self.machine.put(build_file('tests/domain/introduce'), '/run/introduce', '755')
        self.dom0(f'kill -9 {XENSTORED}; sleep 0.2; rm -f /run/xen/xenstored.pid')
        status, text = guest.run('xenstore read domid', 2 * REPLY_SECONDS)
        self.assertNotEqual(status, 0)
        self.assertRegex(text, '(?i)time')
        self.sure(guest, 'echo x > /root/file; sync; cat /root/file')
        # The new one knows nothing: neither the domain nor what was written.
        self.dom0('xenstored --pid-file /run/xen/xenstored.pid; '
                  'n=0; while ! xenstore-ls / >/dev/null 2>&1; do n=$((n + 1)); [ $n -lt 100 ] || exit 1; usleep 50000; done')
        home = f'/local/domain/{domid}'
        self.dom0(f'/run/introduce {domid} {port} && xenstore-write {home}/domid {domid} {home}/control/shutdown "" '
                  f'{home}/name again && xenstore-chmod -r {home}/control n{domid} && '
                  f'xenstore-chmod {home} n0 r{domid} && xenstore-chmod {home}/domid n0 r{domid}')
        self.assertEqual(self.sure(guest, 'xenstore read domid', 2 * REPLY_SECONDS), f'{domid}\n')
        counts = self.counts(guest)
        self.assertEqual((counts['resets'], counts['nonsense']), (1, 0))
        # The watches have been set again by the domain itself.
        self.dom0(f'xenstore-write {home}/control/shutdown poweroff')
        guest.domain.console.expect('power-off', 30)

    def test_a_flood_of_events(self):
        guest = self.boot()
        home = f'/local/domain/{guest.domain.id}'
        self.dom0(f'xenstore-write {home}/data/flood 0; xenstore-chmod -r {home}/data n{guest.domain.id}')
        guest.start('xenstore watch -n 200 data > /tmp/seen & xenstore watch -n 2 data; wait; wc -l < /tmp/seen')
        guest.console.expect(rb'\ndata\r?\n')  # the first comes at once
        # 1,000 paths below `device`, which the bus watches; then until a program has seen 200 of its own.
        self.dom0(f'xenstore-write $(for i in $(seq 1000); do echo {home}/device/flood/$i $i; done)')
        noise = self.machine.start(f'while :; do xenstore-write $(for i in $(seq 50); do echo {home}/data/$i $i; done); done')
        status, text = guest.finish(60)
        noise.kill()
        self.assertEqual(status, 0)
        self.assertRegex(text, r'200\n$')
        counts = self.counts(guest)
        self.assertGreater(counts['events'], 1000)
        self.assertEqual((counts['nonsense'], counts['time-outs']), (0, 0))
        # And afterwards the bus still hears of devices.
        _, disk = self.empty_disk(4)
        guest.domain.attach(disk, 'xvdb')
        self.wait_device(guest, 51728, 'up')

    def test_what_is_not_ours(self):
        guest = self.boot()
        for command in ('write /local/domain/0/parvix 1', 'write /vm 1', 'rm /local', 'chmod domid n1'):
            status, text = guest.run(f'xenstore {command}')
            self.assertNotEqual(status, 0, command)
            self.assertRegex(text, '(?i)permi|denied|allowed', command)
        status, text = guest.run('xenstore read nowhere/at-all')
        self.assertNotEqual(status, 0)
        self.assertRegex(text, '(?i)no such')
        self.sure(guest, 'xenstore read domid')


class Bus(XenstoreTest):
    def test_transactions_that_dom0_disturbs(self):
        """Whoever is disturbed begins anew (-EAGAIN)."""
        guest = self.boot()
        _, disk = self.empty_disk(4)
        noise = self.machine.start(f'while :; do xenstore-write {self.front(guest, 51728)}-noise $((n += 1)) '
                                   f'/local/domain/{guest.domain.id}/data/noise $n; done')
        try:
            for _ in range(3):
                guest.domain.attach(disk, 'xvdb')
                self.wait_device(guest, 51728, 'up', 60)
                guest.domain.detach('xvdb')
                self.wait_device(guest, 51728, None, 60)
        finally:
            noise.kill()
        self.assertEqual(self.counts(guest)['time-outs'], 0)

    def test_plugged_in_and_out_leaves_nothing(self):
        guest = self.boot()
        _, disk = self.empty_disk(4)
        before = None
        for _ in range(4):
            guest.domain.attach(disk, 'xvdb')
            self.wait_device(guest, 51728, 'up')
            guest.domain.detach('xvdb')
            self.wait_device(guest, 51728, None)
            now = self.counts(guest)['watches']
            self.assertIn(before, (None, now))
            before = now

    def test_a_backend_that_never_answers_disturbs_nobody(self):
        guest = self.boot()
        self.make_device(guest, 51760, '1')
        self.wait_device(guest, 51760, 'waiting')
        _, disk = self.empty_disk(4)
        guest.domain.attach(disk, 'xvdb')
        self.wait_device(guest, 51728, 'up')
        # What it waits for is said with path and states.
        guest.console.expect(rb'device/vbd/51760: nothing has happened for 30 s: '
                             rb'/local/domain/0/backend/vbd/\d+/51760 is in state 1 \(Initialising\), '
                             rb'we are in state 1 \(Initialising\)', HANDSHAKE_SECONDS + 20)
        self.dom0(f'xenstore-rm {self.front(guest, 51760)}')
        self.wait_device(guest, 51760, None)

    def test_boot_with_a_backend_that_never_answers(self):
        guest = self.create(paused=True)
        self.make_device(guest, 51760, '1')
        self.assertEqual(guest.domain.xl('unpause')[0], 0)
        guest.wait_prompt(BOOT_SECONDS + 20)
        devices = self.devices(guest)
        self.assertEqual(devices['device/vbd/51712'][0], 'up')
        self.assertEqual(devices['device/vbd/51760'][0], 'waiting')

    def test_a_handshake_that_stops_half_way(self):
        guest = self.boot()
        self.make_device(guest, 51760, '2')
        self.wait_device(guest, 51760, 'connecting')
        guest.console.expect(rb'device/vbd/51760: handshake waits for 30 s: \S+ is in state 2 \(InitWait\), '
                             rb'we are in state 3 \(Initialised\)', HANDSHAKE_SECONDS + 20)
        self.wait_device(guest, 51760, 'broken')
        # The backend is started again: a second try. Then it goes for good.
        self.dom0(f'xenstore-write {self.back(guest, 51760)}/state 6')
        self.dom0(f'sleep 1; xenstore-write {self.back(guest, 51760)}/state 2')
        self.wait_device(guest, 51760, 'connecting')
        self.dom0(f'xenstore-rm {self.back(guest, 51760)}')
        self.wait_device(guest, 51760, 'down')
        self.dom0(f'xenstore-rm {self.front(guest, 51760)}')
        self.wait_device(guest, 51760, None)

    def test_another_backend_is_another_device(self):
        """Also when only its domain is another one: that gets the event channel then."""
        guest = self.boot()
        self.make_device(guest, 51760, '2')
        self.wait_device(guest, 51760, 'connecting')
        self.dom0(f'xenstore-write {self.front(guest, 51760)}/backend-id 999')
        deadline = time.monotonic() + codes.scaled(20)
        while 'domain 999' not in self.sure(guest, 'cat /proc/xen/events'):
            self.assertLess(time.monotonic(), deadline, self.sure(guest, 'cat /proc/xen/events'))
            time.sleep(0.2)
        self.dom0(f'xenstore-rm {self.front(guest, 51760)}')
        self.wait_device(guest, 51760, None)

    def test_nonsense(self):
        guest = self.boot()
        number = 51760
        for options in ({'state': 'hello'}, {'state': '9'}, {'state': '+1'}, {'state': '99999999999999999999'},
                        {'backend_id': 'x'}, {'backend_id': '70000'}, {'backend': '/local//domain'},
                        {'backend': 'x' * 200}):
            with self.subTest(**options):
                self.make_device(guest, number, **options)
                self.wait_device(guest, number, 'broken')
                text = self.sure(guest, 'cat /proc/xen/devices')
                self.assertRegex(text, f'device/vbd/{number} broken[^\n]*\n +error: ')
                self.dom0(f'xenstore-rm {self.front(guest, number)}; xenstore-rm {self.back(guest, number)}')
                self.wait_device(guest, number, None)
        self.dom0(f'xenstore-write {self.front(guest, "what")}/x 1 /local/domain/{guest.domain.id}/device/odd/1/x 1')
        self.sure(guest, 'true')
        self.assertEqual(set(self.devices(guest)), {'device/vbd/51712'})


if __name__ == '__main__':
    unittest.main()
