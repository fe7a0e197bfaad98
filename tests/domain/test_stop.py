# SPDX-License-Identifier: MIT
"""How a domain ends: from inside, on request, with an init that does nothing; and what control/ hears."""
import os
import subprocess
import tempfile
import time

from rig import codes, domain
from rigtest import parvix
from test_store import FromMemory


class FromInside(FromMemory):
    def end_of(self, command, on_reboot='destroy'):
        guest = self.memory_boot(on_reboot=on_reboot)
        guest.console.send(f'{command}\n')
        return guest, guest.domain.wait_end(30)

    def test_poweroff(self):
        guest, end = self.end_of('poweroff')
        self.assertEqual(end, domain.OFF)
        self.assertIn('powered off by process 1 (init)', guest.messages())

    def test_halt_is_a_power_off(self):
        self.assertEqual(self.end_of('halt')[1], domain.OFF)

    def test_at_once(self):
        guest, end = self.end_of('poweroff -f')
        self.assertEqual(end, domain.OFF)
        self.assertIn('(poweroff)', guest.messages())

    def test_reboot(self):
        self.assertEqual(self.end_of('reboot')[1], domain.REBOOTED)

    def test_reboot_comes_back(self):
        guest = self.memory_boot()
        first = guest.domain.id
        guest.console.send('reboot\n')
        guest.console.expect('restarted by process 1')
        guest.wait_prompt(40)
        self.assertNotEqual(guest.domain.id, first)
        self.assertEqual(self.sure(guest, 'cat /xen/self/domid'), str(guest.domain.id))

    def test_crash(self):
        guest = self.memory_boot()
        guest.console.send('crash\n')
        guest.console.expect('panic: crash on request of process .*The machine stops here')
        self.assertEqual(guest.domain.wait_end(20), domain.CRASHED)


class OnRequest(FromMemory):
    def ask(self, guest, word, node='shutdown'):
        self.dom0(f'xenstore-write {self.path}/control/{node} "{word}"')

    def taken(self, guest, node='shutdown'):
        """Waits until the request has been acknowledged."""
        self.dom0(f'n=0; while [ -n "$(xenstore-read {self.path}/control/{node})" ]; do '
                  'n=$((n + 1)); [ $n -lt 100 ] || exit 1; usleep 50000; done')

    def test_each_word(self):
        for word, end in (('poweroff', domain.OFF), ('halt', domain.OFF), ('reboot', domain.REBOOTED),
                          ('crash', domain.CRASHED)):
            with self.subTest(word):
                guest = self.memory_boot(word, on_reboot='destroy')
                self.ask(guest, word)
                self.assertEqual(guest.domain.wait_end(30), end)

    def test_what_is_offered(self):
        guest = self.memory_boot()
        self.assertEqual(self.sure(guest, 'cd /xen/self/control; for f in poweroff reboot suspend; do cat feature-$f; done'),
                         '110')

    def test_suspend_is_refused(self):
        guest = self.memory_boot()
        self.ask(guest, 'suspend')
        self.taken(guest)
        guest.console.expect('suspend: refused')
        self.sure(guest, 'true')

    def test_nonsense(self):
        guest = self.memory_boot()
        for word in ('nonsense', 'power', 'poweroff ', 'x' * 1900, '\\n'):
            self.ask(guest, word)
            self.taken(guest)
            self.ask(guest, word, 'sysrq')
            self.taken(guest, 'sysrq')
        self.sure(guest, 'true')
        self.assertNotIn('panic', guest.messages())

    def test_processes_are_told(self):
        guest = self.memory_boot()
        self.sure(guest, "(trap 'echo \"the process was told\" >/dev/console; exit' TERM; while :; do sleep 1; done) & sleep 1")
        self.ask(guest, 'poweroff')
        guest.console.expect('the process was told')
        self.assertEqual(guest.domain.wait_end(30), domain.OFF)

    def test_processes_that_do_not_listen(self):
        guest = self.memory_boot()
        self.sure(guest, "(trap '' TERM HUP; while :; do sleep 1; done) & sleep 1")
        began = time.monotonic()
        self.ask(guest, 'poweroff')
        self.assertEqual(guest.domain.wait_end(30), domain.OFF)
        self.assertLess(time.monotonic() - began, codes.scaled(15))

    def boot_with_shell_as_init(self, append=''):
        lines = [f'ramdisk="{self.machine.file(os.path.join(domain.BUILD, "root.img"))}"']
        guest = self.create(disks=(), memory=96, lines=lines, append=f'init=/bin/sh {append}', on_reboot='destroy')
        guest.console.expect('starting /bin/sh')
        self.path = f'/local/domain/{guest.domain.id}'
        guest.console.expect('# ')
        return guest

    def test_an_init_that_cannot_be_told(self):
        guest = self.boot_with_shell_as_init()
        self.ask(guest, 'poweroff')  # by SIGUSR2, for which a shell has no handler
        guest.console.expect('no init that could be told')
        self.assertEqual(guest.domain.wait_end(30), domain.OFF)

    def test_an_init_that_hangs(self):
        guest = self.boot_with_shell_as_init('stop-timeout=2')
        guest.console.send("trap 'echo I heard it' USR2\n")
        time.sleep(1)
        self.ask(guest, 'poweroff')
        guest.console.expect('without it')
        self.assertEqual(guest.domain.wait_end(30), domain.OFF)

    def test_sysrq_while_init_hangs(self):
        guest = self.boot_with_shell_as_init()
        self.ask(guest, 't', 'sysrq')
        guest.console.expect(r'1 +0 \S+ +sh')
        self.ask(guest, 'o', 'sysrq')
        self.assertEqual(guest.domain.wait_end(20), domain.OFF)


class WithDisk(FromMemory):
    def test_the_disk_is_left_clean(self):
        for word, end in (('poweroff', domain.OFF), ('reboot', domain.REBOOTED)):
            with self.subTest(word):
                fd, disk = self.root()
                guest = self.boot(word, [disk], on_reboot='destroy')
                self.sure(guest, 'head -c 300000 /dev/urandom >/root/late; cksum /root/late || wc /root/late')
                self.dom0(f'xenstore-write /local/domain/{guest.domain.id}/control/shutdown {word}')
                self.assertEqual(guest.domain.wait_end(40), end)
                with tempfile.NamedTemporaryFile() as copy:
                    size = os.fstat(fd).st_size
                    copy.write(os.pread(fd, size, 0))
                    copy.flush()
                    done = subprocess.run(['/sbin/e2fsck', '-fn', copy.name], capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stdout)
                    self.assertNotIn('not cleanly', done.stdout)
                    said = subprocess.run(['/sbin/debugfs', '-R', 'stat /root/late', copy.name], capture_output=True,
                                          text=True).stdout
                    self.assertIn('Size: 300000', said)


class ExecMode(FromMemory):
    MEMORY = 64

    def test_stop_as_last_and_as_first_command(self):
        for command, status in (('poweroff', 0), ('echo on; poweroff; sleep 100', 128 + 15)):
            with self.subTest(command):
                began = time.monotonic()
                got, _, err = parvix('run', '--rig', 'domain', '--exec', command)
                self.assertEqual(got, status, err.decode(errors='replace'))
                self.assertLess(time.monotonic() - began, codes.scaled(40))
