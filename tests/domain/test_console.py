# SPDX-License-Identifier: MIT
"""The console of a domain: the ring to xenconsoled, further consoles, the window's size, panics."""
import re
import time

from domtest import PROMPT, DomainTest
from rig import codes
from rigtest import build_file

PASTED = 65536


class ConsoleBackend:
    """console_backend.c, and what the toolstack would write for a console that is plugged in."""

    def __init__(self, test, domain, number):
        self.test, self.domain, self.number = test, domain, number
        self.front = f'/local/domain/{domain.id}/device/console/{number}'
        self.back = f'/local/domain/0/backend/console/{domain.id}/{number}'
        self.said = bytearray()
        self.stream = None

    def plug(self, *options):
        test, front, back = self.test, self.front, self.back
        program = test.machine.file(build_file('tests/domain/console_backend'))
        test.dom0(f'xenstore-write {back}/frontend {front} {back}/frontend-id {self.domain.id} {back}/online 1 '
                  f'{back}/state 2 && xenstore-chmod -r {back} n0 r{self.domain.id}\n'
                  # The toolstack would do this in one transaction; so the name of the backend comes last.
                  f"xenstore-write {front} '' && xenstore-chmod {front} n{self.domain.id} r0 && "
                  f'xenstore-write {front}/backend-id 0 {front}/state 1 && xenstore-write {front}/backend {back}')
        self.wait_state(3)
        ref, port = (test.dom0(f'xenstore-read {front}/{node}').strip() for node in ('ring-ref', 'port'))
        self.stream = test.machine.start(
            f'chmod 755 {program}; exec {program} {self.domain.id} {ref} {port} {" ".join(options)}',
            lambda _kind, data: self.said.extend(data))
        test.dom0(f'xenstore-write {back}/state 4')

    def wait_state(self, *states):
        wanted = '|'.join(str(state) for state in states)
        self.test.dom0(f'n=0; while :; do case "$(xenstore-read {self.front}/state 2>&1)" in {wanted}) exit 0;; esac; '
                       'n=$((n + 1)); [ $n -lt 100 ] || exit 1; usleep 30000; done')

    def expect(self, pattern, seconds=20):
        pattern = re.compile(pattern, re.S)
        self.test.machine.agent.wait_for(lambda: pattern.search(self.said), codes.scaled(seconds))
        match = pattern.search(bytes(self.said))
        self.test.assertTrue(match, f'{pattern.pattern!r} did not come; the last words: {bytes(self.said[-500:])}')
        del self.said[:match.end()]
        return match

    def unplug(self):
        self.test.dom0(f'xenstore-write {self.back}/online 0 {self.back}/state 5')
        self.wait_state(6)
        self.stream.kill()
        self.stream.wait(5)
        self.test.dom0(f'xenstore-write {self.back}/state 6; xenstore-rm {self.front}; xenstore-rm {self.back}')


class Console(DomainTest):
    def boot_from_memory(self, **options):
        """A domain whose root file system is its RAM disk: for this no block device is needed."""
        ramdisk = self.machine.file(build_file('root.img'))
        lines = [f'ramdisk="{ramdisk}"']
        return self.boot(disks=(), memory=96, lines=lines, **options)

    def test_output_of_several_megabytes_to_a_slow_reader(self):
        guest = self.boot_from_memory()
        guest.run('stty -echo')
        naps = iter([0.3] * 20)  # xenconsoled's buffer is 1 MiB; then the program has to wait
        guest.console.on_data = lambda _data: time.sleep(next(naps, 0))
        status, text = guest.run('seq 1 400000', 240)
        self.assertEqual(status, 0)
        self.assertEqual(text.splitlines(), [str(number) for number in range(1, 400001)])

    def test_pasted_text_arrives_complete(self):
        guest = self.boot_from_memory()
        text = ''.join(f'line {number:07d} of what is pasted\n' for number in range(PASTED // 35))
        for echo in ('-echo', 'echo'):
            self.sure(guest, f'stty {echo}')
            guest.start("cat > /tmp/pasted")
            time.sleep(0.5)
            guest.console.send(text + '\x04')
            self.assertEqual(guest.finish(120)[0], 0)
            self.assertEqual(self.sure(guest, 'cksum </tmp/pasted || wc </tmp/pasted').split()[-1], str(len(text)))
            self.sure(guest, 'stty -echo')

    def test_pasted_bytes_arrive_complete_with_a_slow_reader(self):
        guest = self.boot_from_memory()
        data = bytes(range(256)) * (PASTED // 256)
        guest.start('stty raw -echo; echo ready; for i in 1 2 3 4 5 6 7 8; do sleep 0.2; dd bs=1 count=1 2>/dev/null; done '
                    '>/tmp/a; head -c 65528 >>/tmp/a; stty sane; stty -echo')
        guest.console.expect('ready\r*\n')
        guest.console.send(data)
        self.assertEqual(guest.finish(120)[0], 0)

    def test_eight_bits(self):
        guest = self.boot_from_memory()
        self.sure(guest, 'stty -opost')
        guest.start("for a in 0 1 2 3; do for b in 0 1 2 3 4 5 6 7; do for c in 0 1 2 3 4 5 6 7; do printf '%b' \"\\\\0$a$b$c\"; done; done; done")
        guest.console.expect(re.escape(bytes(range(256))))

    def test_size_of_the_window(self):
        guest = self.boot_from_memory(append='winsize=31x97')
        self.assertIn('31 97', self.sure(guest, 'stty size'))
        guest.start("sh -c 'trap \"echo winch\" WINCH; echo ready; sleep 3; stty size'")
        guest.console.expect(rb'\nready\r\n')
        guest.domain.resize(40, 111)
        self.assertIn('winch\n40 111', guest.finish()[1])
        for nonsense in ('0 10', '10', '10 20 30', 'a b', '99999999999 1', '+1 5', '10 20x', '9' * 3000):
            self.dom0(f"xenstore-write /local/domain/{guest.domain.id}/console/winsize '{nonsense}'")
        self.assertIn('40 111', self.sure(guest, 'stty size'))
        guest.domain.resize(25, 81)
        time.sleep(0.5)
        self.assertIn('25 81', self.sure(guest, 'stty size'))

    def test_resize_asks_the_terminal(self):
        guest = self.boot_from_memory()
        guest.start('resize')
        guest.console.expect(r'\x1b\[6n')
        guest.console.send('\x1b[55;133R')
        self.assertIn('COLUMNS=133;', guest.finish()[1])
        self.assertIn('55 133', self.sure(guest, 'stty size'))

    def test_a_panic_is_told_to_the_end(self):
        guest = self.create(disks=(), append='root=nothing')
        self.assertEqual(guest.domain.wait_end(), 'crashed')
        guest.console.expect('no root file system.*backtrace:.*The machine stops here.')

    def test_messages_wait_for_a_slow_daemon(self):
        """The daemon is stopped while the kernel speaks: all of it is there when it goes on."""
        guest = self.create(disks=(), append='root=nothing', paused=True)
        self.addCleanup(self.machine.dom0, 'kill -CONT $(cat /run/xen/xenconsoled.pid)')
        self.dom0('kill -STOP $(cat /run/xen/xenconsoled.pid)')
        self.dom0('xl unpause parvix; sleep 3; kill -CONT $(cat /run/xen/xenconsoled.pid)')
        self.assertEqual(guest.domain.wait_end(), 'crashed')
        guest.console.expect('pvh? world.*self-test.*no root file system.*The machine stops here.')
        self.assertNotIn(b'were lost', bytes(guest.console.text))

    def test_a_dead_daemon_does_not_stop_the_kernel(self):
        """It is stopped for longer than the kernel waits; how much was lost is said when it goes on."""
        guest = self.boot_from_memory()
        self.addCleanup(self.machine.dom0, 'kill -CONT $(cat /run/xen/xenconsoled.pid)')
        self.dom0('kill -STOP $(cat /run/xen/xenconsoled.pid)')
        # Each of these gives a message.
        self.dom0(f'n=0; while [ $n -lt 80 ]; do n=$((n + 1)); '
                  f'xenstore-write /local/domain/{guest.domain.id}/console/winsize x$n; done; sleep 7', 120)
        self.dom0('kill -CONT $(cat /run/xen/xenconsoled.pid); sleep 1; xl sysrq parvix t')
        guest.console.expect(r'\[console: [1-9]\d* bytes were lost here\]')
        self.assertEqual(guest.run('echo alive')[0], 0)

    def test_a_further_console(self):
        guest = self.boot_from_memory(append='-- getty=hvc1')
        self.assertNotIn('hvc1', self.sure(guest, 'ls /dev'))
        for _ in range(2):
            second = ConsoleBackend(self, guest.domain, 1)
            second.plug()
            second.expect(PROMPT)
            second.stream.send(b'tty; echo $((6*7))-answer\n')
            second.expect(rb'/dev/hvc1\r\n42-answer')
            second.expect(PROMPT)
            second.stream.send(b'sleep 1000\n')
            self.assertIn('hvc1', self.sure(guest, 'ls /dev; ps -A'))
            second.stream.send(b'\x03')
            second.expect(PROMPT)
            second.stream.send(b'stty -echo; seq 1 50000; echo do""ne\n')
            text = second.expect(rb'(?:1\r\n2\r\n3.*)done', 60).group().replace(b'\r\n', b'\n')
            self.assertTrue(text.startswith(b'1\n2\n'))
            self.assertEqual(text.split()[:-1], [b'%d' % number for number in range(1, 50001)])
            second.stream.send(b'sleep 1000\n')
            time.sleep(1)
            second.unplug()
            for _ in range(10):
                listing = self.sure(guest, 'sleep 0.5; ls /dev; ps -A').replace('sleep 0.5', '')
                if 'hvc1' not in listing and 'sleep' not in listing:
                    break
            self.assertNotIn('hvc1', listing)
            self.assertNotIn('sleep', listing)

    def test_what_is_open_on_an_unplugged_console_has_ended(self):
        """Whoever reads comes to the end, whoever writes gets EIO."""
        guest = self.boot_from_memory()
        second = ConsoleBackend(self, guest.domain, 1)
        second.plug()
        second.wait_state(4)
        guest.run("(trap '' HUP; exec </dev/hvc1 3>/dev/hvc1; read x; echo r=$? >/tmp/r; echo y >&3; echo w=$? >>/tmp/r) 2>/tmp/err &")
        second.unplug()
        time.sleep(0.5)
        self.assertIn('r=1\nw=1', self.sure(guest, 'cat /tmp/r'))

    def test_indexes_of_nonsense(self):
        guest = self.boot_from_memory(append='-- getty=hvc1')
        second = ConsoleBackend(self, guest.domain, 1)
        second.plug('nonsense')
        time.sleep(5)
        self.assertNotIn('hvc1', self.sure(guest, 'ls /dev'))
        self.assertIn('nonsense', guest.messages() + self.sure(guest, 'cat /proc/xen/devices'))
