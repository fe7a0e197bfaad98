# SPDX-License-Identifier: MIT
"""What an administrator does to a domain with xl, and what the domain does to itself."""
import os
import re
import tempfile
import time
import unittest

from domtest import DomainTest, PROMPT
from rig import codes, domain
from rig.image import fd_path, run_tool


class Stops(DomainTest):
    """Each way to an end: how the toolstack sees it, and what is on the disk afterwards."""

    def begin(self, **options):
        fd, disk = self.root()
        guest = self.boot(disks=[disk], **options)
        self.sure(guest, 'echo not synced > /root/late')
        return guest, fd

    def check_disk(self, fd, dirty=False):
        """The file system is sound and has the file."""
        done = run_tool(['e2fsck', '-p' if dirty else '-n', '-f', fd_path(fd)], [fd])
        self.assertIn(done.returncode, (0, 1) if dirty else (0,), done.stdout + done.stderr)
        with tempfile.NamedTemporaryFile() as out:
            run_tool(['debugfs', '-R', f'dump /root/late {out.name}', fd_path(fd)], [fd])
            self.assertEqual(out.read(), b'not synced\n')

    def test_shutdown_from_outside(self):
        guest, fd = self.begin()
        self.assertRegex(self.listed()['state'], '^[rb-]+$')
        status, text = guest.domain.xl('shutdown', '-w')
        self.assertEqual(status, 0, text)
        self.assertEqual(guest.domain.wait_end(), domain.OFF)
        self.assertIsNone(self.listed())
        self.assertIn('power-off', guest.messages())
        self.check_disk(fd)

    def test_poweroff_from_inside(self):
        guest, fd = self.begin()
        guest.start('poweroff')
        self.assertEqual(guest.domain.wait_end(), domain.OFF)
        self.check_disk(fd)

    def test_reboot_from_outside(self):
        guest, _ = self.begin()
        before = guest.domain.id
        status, text = guest.domain.xl('reboot')
        self.assertEqual(status, 0, text)
        guest.domain.wait_reboot(30)
        guest.wait_prompt()
        self.assertGreater(guest.domain.id, before)
        self.assertEqual(self.sure(guest, 'cat /root/late'), 'not synced\n')

    def test_reboot_from_inside(self):
        guest, _ = self.begin()
        guest.start('reboot')
        guest.domain.wait_reboot(30)
        guest.wait_prompt()
        self.assertEqual(self.sure(guest, 'cat /root/late'), 'not synced\n')

    def test_destroy(self):
        guest, fd = self.begin()
        self.sure(guest, 'sync')
        guest.domain.destroy()
        self.assertEqual(guest.domain.wait_end(), domain.DESTROYED)
        self.assertIsNone(self.listed())
        self.check_disk(fd, dirty=True)

    def test_a_process_that_ignores_signals_does_not_hold_up_the_end(self):
        guest, fd = self.begin()
        self.sure(guest, 'sh -c "trap \'\' TERM HUP INT; while :; do sleep 1; done" >/dev/null 2>&1 &')
        guest.domain.xl('shutdown', '-w')
        self.assertEqual(guest.domain.wait_end(), domain.OFF)
        self.check_disk(fd)

    def test_shutdown_while_it_boots(self):
        guest = self.create()
        guest.domain.xl('shutdown', '-w', seconds=40)
        self.assertEqual(guest.domain.wait_end(40), domain.OFF)


class Crashes(DomainTest):
    def crashed(self, guest, words):
        self.assertEqual(guest.domain.wait_end(), domain.CRASHED)
        text = guest.messages()
        self.assertRegex(text, words)
        return text

    def test_a_panic_is_preserved_with_its_words(self):
        guest = self.boot()
        guest.start('crash')
        self.crashed(guest, r'panic')
        self.assertIn('c', self.listed()['state'])
        guest.domain.destroy()
        self.assertIsNone(self.listed())

    def test_on_crash_restart(self):
        guest = self.boot(lines=['on_crash="restart"'])
        guest.start('crash')
        guest.domain.wait_reboot(30)
        guest.wait_prompt()
        self.sure(guest, 'true')

    def test_on_crash_destroy(self):
        guest = self.boot(lines=['on_crash="destroy"'])
        guest.start('crash')
        guest.domain.wait_end()
        self.assertIsNone(self.listed())

    def test_no_disk(self):
        guest = self.create(disks=[])
        self.crashed(guest, 'no root file system')

    def test_corrupt_roots_say_why(self):
        fd, disk = self.empty_disk(4)
        with self.subTest('zeros'):
            guest = self.create('zeros', [disk])
            self.crashed(guest, 'no root file system')
            guest.domain.destroy()
        with self.subTest('cut superblock'):
            os.pwrite(fd, os.pread(self.root()[0], 3000, 0), 0)
            os.pwrite(fd, b'\xff' * 300, 1024 + 90)
            guest = self.create('cut', [disk])
            self.crashed(guest, 'no root file system')


class Controls(DomainTest):
    def test_pause(self):
        guest = self.boot()
        guest.domain.xl('pause')
        self.assertIn('p', self.listed()['state'])
        guest.start('echo awake')
        time.sleep(codes.scaled(1.5))
        self.assertNotIn(b'awake\r', bytes(guest.console.text))
        guest.domain.xl('unpause')
        self.assertEqual(guest.finish(), (0, 'awake\n'))
        self.assertLess(abs(int(self.sure(guest, 'date +%s')) - int(self.dom0('date +%s'))), 3)

    def test_rename(self):
        guest = self.boot()
        self.assertEqual(guest.domain.xl('rename', 'other')[0], 0)
        self.assertIsNotNone(self.listed('other'))
        self.sure(guest, 'true')
        guest.domain.name = 'other'
        guest.domain.xl('shutdown', '-w')
        self.assertEqual(guest.domain.wait_end(), domain.OFF)

    def test_non_maskable_interrupt(self):
        guest = self.boot()
        self.assertEqual(guest.domain.xl('trigger', 'nmi')[0], 0)
        guest.console.expect(rb'(?i)\x1ek[^\n]*(nmi|non-maskable)')
        self.sure(guest, 'true')

    def test_time(self):
        guest = self.boot()
        self.assertLess(abs(int(self.sure(guest, 'date +%s')) - time.time()), 3)

    def test_name_and_uuid(self):
        uuid = '12345678-9abc-def0-1122-334455667788'
        guest = self.boot('fancy', lines=[f'uuid="{uuid}"'])
        self.assertEqual(self.sure(guest, 'hostname'), 'fancy\n')
        self.assertIn(uuid, self.sure(guest, 'cat /proc/xen/domain; xenstore read vm'))

    def test_a_second_domain_beside(self):
        one, two = self.boot('one'), self.boot('two')
        self.sure(one, 'echo 1 > /root/which; sync')
        self.sure(two, 'echo 2 > /root/which; sync')
        self.assertEqual(self.sure(one, 'cat /root/which'), '1\n')
        one.domain.destroy()
        self.assertEqual(self.sure(two, 'cat /root/which'), '2\n')

    def test_two_processors_are_given(self):
        guest = self.boot(cpus=2)
        self.sure(guest, 'true')
        guest.domain.xl('shutdown', '-w')
        self.assertEqual(guest.domain.wait_end(), domain.OFF)

    def test_memory_sizes(self):
        for mib in (16, 33, 150):
            with self.subTest(mib=mib):
                guest = self.boot(f'm{mib}', memory=mib)
                kib = int(re.search(r'MemTotal: +(\d+)', self.sure(guest, 'cat /proc/meminfo')).group(1))
                self.assertLess(kib, mib * 1024)
                self.assertGreater(kib, mib * 1000 - 8 * 1024)
                guest.domain.destroy()

    def test_too_little_memory_is_said(self):
        guest = self.create(memory=9)  # with less than 8 the toolstack itself gives up
        try:
            guest.wait_prompt(20)
        except codes.RigError:
            self.assertEqual(guest.domain.wait_end(), domain.CRASHED)
            self.assertRegex(bytes(guest.console.text).decode(errors='replace'), '(?i)memory')

    def test_balloon(self):
        guest = self.boot(memory=64, lines=['maxmem=128'])
        self.sure(guest, 'cat /proc/meminfo')
        for mib in (48, 100, 64):
            with self.subTest(mib=mib):
                status, text = guest.domain.xl('mem-set', f'{mib}')
                self.assertEqual(status, 0, text)
                for _ in range(50):
                    if abs(int(self.listed()['memory']) - mib) <= 1:
                        break
                    time.sleep(0.2)
                self.assertLessEqual(abs(int(self.listed()['memory']) - mib), 1)
                free = int(re.search(r'MemTotal: +(\d+)', self.sure(guest, 'cat /proc/meminfo')).group(1))
                self.assertLess(abs(free - mib * 1024), 24 * 1024)
        self.sure(guest, 'ls -lR / >/dev/null 2>&1; true')


class Requests(DomainTest):
    """xl sysrq: every key says something, and does it."""

    def key(self, guest, key, words, seconds=20):
        status, text = guest.domain.xl('sysrq', key)
        self.assertEqual(status, 0, text)
        guest.console.expect(rb'\x1ek[^\n]*' + words, seconds)

    def test_keys_that_tell(self):
        guest = self.boot()
        for key, words in (('h', b'sysrq:.*sync'), ('m', rb'sysrq: \d+ KiB'), ('t', rb'sysrq: \d+ processes'),
                           ('l', b'sysrq: CPU 0'), ('p', b'user registers'), ('w', rb'sysrq: \d+ blocked'),
                           ('s', b'sync: done'), ('0', b'off the console'), ('9', b'on the console'),
                           ('z', b'sysrq:.*sync')):
            with self.subTest(key):
                self.key(guest, key, words)
        self.sure(guest, 'true')

    def test_terminate_and_kill(self):
        guest = self.boot()
        for key in 'ei':
            with self.subTest(key):
                guest.start('sleep 1000')
                self.key(guest, key, b'to all but init')
                guest.console.expect(PROMPT)
                self.sure(guest, 'true')

    def test_remount_read_only(self):
        guest = self.boot()
        self.key(guest, 'u', b'are read-only')
        status, _ = guest.run('echo x > /root/x')
        self.assertNotEqual(status, 0)

    def test_crash(self):
        guest = self.boot()
        guest.domain.xl('sysrq', 'c')
        self.assertEqual(guest.domain.wait_end(), domain.CRASHED)
        self.assertIn('crash on request', guest.messages())

    def test_power_off_now(self):
        guest = self.boot()
        guest.domain.xl('sysrq', 'o')
        self.assertEqual(guest.domain.wait_end(), domain.OFF)

    def test_restart_now(self):
        guest = self.boot()
        guest.domain.xl('sysrq', 'b')
        guest.domain.wait_reboot(30)
        guest.wait_prompt()


class ControlNode(DomainTest):
    """control/shutdown with what no toolstack writes."""

    def test_nonsense(self):
        guest = self.boot()
        node = f'/local/domain/{guest.domain.id}/control'
        for value in ('x', 'poweroffnow', 'P' * 2000, '\\x01\\x02', 'suspend'):
            self.dom0(f'xenstore-write {node}/shutdown "{value}"; xenstore-write {node}/sysrq "{value}"')
        self.dom0(f'xenstore-write {node}/.. ""; xenstore-rm {node}/sysrq; xenstore-write {node}/sysrq ""; true')
        self.sure(guest, 'sleep 1')
        for value in ('0', '-1', 'x', '99999999999999999999', '4294967296', '1'):
            self.dom0(f'xenstore-write -- /local/domain/{guest.domain.id}/memory/target "{value}"')
        self.dom0(f'xenstore-write /local/domain/{guest.domain.id}/console/winsize "99999999 -1"')
        self.sure(guest, 'sleep 1; ls / >/dev/null')
        self.dom0(f'xenstore-rm {node}; xenstore-rm /local/domain/{guest.domain.id}/device')
        self.sure(guest, 'sleep 1; echo still here')


if __name__ == '__main__':
    unittest.main()
