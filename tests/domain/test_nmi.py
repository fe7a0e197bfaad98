# SPDX-License-Identifier: MIT
"""xl trigger NAME nmi: an answer, whatever the domain is doing."""
from domtest import DomainTest
from rig import domain
from rigtest import build_file


class Nmi(DomainTest):
    def boot_from_memory(self, append=''):
        lines = [f'ramdisk="{self.machine.file(build_file("root.img"))}"']
        return self.boot(disks=(), memory=96, lines=lines, append=append)

    def trigger(self, guest, times=1):
        self.dom0(f'i=0; while [ $i -lt {times} ]; do xl trigger {guest.domain.name} nmi || :; i=$((i + 1)); done')

    def answer(self, guest):
        return guest.console.expect(rb'NMI: this is what it interrupted(.*?)NMI: going on', 20)[1]

    def test_idle(self):
        guest = self.boot_from_memory()
        self.trigger(guest)
        text = self.answer(guest)
        self.assertIn(b'kernel thread idle', text)
        self.assertRegex(text, rb'backtrace:\s+(\x1ek)? *[0-9a-f]{16}  (hypercall|native_idle)')
        self.assertIn(b'trap     vector=2', text)
        self.assertEqual(guest.run('echo on')[1], 'on\n')

    def test_a_program_that_computes(self):
        guest = self.boot_from_memory()
        guest.start('i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; echo $i')
        self.trigger(guest)
        text = self.answer(guest)
        self.assertRegex(text, rb'in process \d+ \(\w*sh\)')
        status, text = guest.finish(90)
        self.assertEqual(status, 0)
        self.assertIn('200000', text)

    def test_many_while_the_kernel_prints(self):
        guest = self.boot_from_memory()
        # Each program that is killed for a fault is a line of the kernel's.
        guest.start('i=0; while [ $i -lt 8 ]; do /usr/tests/t_privileged >/dev/null 2>&1; i=$((i + 1)); done')
        self.trigger(guest, 20)
        guest.finish(90)
        self.trigger(guest)
        self.answer(guest)
        said = guest.messages()
        self.assertGreater(said.count('killed by'), 8)
        self.assertGreaterEqual(said.count('NMI: going on'), 5)
        self.assertNotIn('panic', said)
        self.assertEqual(guest.run('echo on')[1], 'on\n')

    def test_panic_on_nmi(self):
        guest = self.boot_from_memory('panic-on-nmi')
        self.trigger(guest)
        self.assertEqual(guest.domain.wait_end(20), domain.CRASHED)
        self.assertIn(b'panic: an NMI came', bytes(guest.console.text))
