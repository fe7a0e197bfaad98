# SPDX-License-Identifier: MIT
"""Started wrongly, or where it cannot run: a sentence on the serial port, and then the processor stands still."""
import os
import re
import select
import socket
import subprocess
import tempfile
import time
import unittest

from rig import codes, domain, pc, state
from rig.guest import CRASHED, Guest
from rig.image import open_copy
from rig.machine import CPU_MODEL, Machine
from rigtest import TREE, build_file

SOURCE = os.path.join(TREE, 'tests', 'worlds', 'start.s')
KERNEL_BASE = 0xffffffffc0000000
MULTIBOOT2 = 0x36d76289
PVH = 0x336ec578
PATIENCE = 20
UNKNOWN = 'Parvix cannot start: started by something unknown'
NO_MAP = 'Parvix cannot start: the loader has left no map of memory'


def entry(name):
    """The physical address of a symbol of the kernel's."""
    with open(build_file('parvix.sym'), encoding='ascii') as file:
        return int(re.search(rf'^(\w+) \w {name}$', file.read(), re.M).group(1), 16) - KERNEL_BASE


class Starts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def says(self, sentence, *options):
        """A PC without QEMU's debug port: all that is said, once it stands still."""
        ours, theirs = socket.socketpair()
        with ours:
            process = subprocess.Popen(
                ['qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-display', 'none', '-nodefaults',
                 '-no-user-config', '-no-reboot', '-serial', 'stdio', '-chardev', f'socket,id=qmp,fd={theirs.fileno()}',
                 '-mon', 'chardev=qmp,mode=control', *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, pass_fds=[theirs.fileno()])
            theirs.close()
            try:
                qmp = state.Qmp(ours)
                text, deadline = b'', time.monotonic() + codes.scaled(PATIENCE)
                while True:
                    while select.select([process.stdout], [], [], 0.1)[0]:
                        data = os.read(process.stdout.fileno(), 4096)
                        text += data
                        if not data:
                            self.fail(f'QEMU ended: {text!r} {process.communicate()[1]}')
                    if text and pc.stands_still(qmp):
                        break
                    self.assertLess(time.monotonic(), deadline, f'it goes on: {text!r}')
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
                process.stderr.close()
        self.assertIn(sentence, text.decode(errors='replace'))

    def plain(self, sentence, *options):
        self.says(sentence, '-kernel', build_file('parvix'), *options)

    def loaded(self, sentence, name, eax, ebx=None, info='', memory=64):
        """By the loader of start.s, with these registers or this information."""
        with open(os.path.join(self.folder, 'info.s'), 'w', encoding='ascii') as file:
            file.write(f'{info}\n')
        stub = os.path.join(self.folder, 'stub')
        values = {'ENTRY': entry(name), 'EAX': eax} | ({} if ebx is None else {'EBX': ebx})
        defined = [word for key, value in values.items() for word in ('--defsym', f'{key}={value:#x}')]
        subprocess.run(['as', '--32', *defined, '-I', self.folder, '-o', f'{stub}.o', SOURCE], check=True)
        subprocess.run(['ld', '-m', 'elf_i386', '-Ttext=0x100000', '-o', stub, f'{stub}.o'], check=True,
                       stderr=subprocess.DEVNULL)
        self.says(sentence, '-cpu', CPU_MODEL, '-m', str(memory), '-kernel', stub,
                  '-device', f'loader,file={build_file("parvix")}')

    # ---- processors and memory ----

    def test_processors_that_lack_something(self):
        for cpu, sentence in (('qemu32', 'no 64-bit mode'), ('qemu64,-lm', 'no 64-bit mode'),
                              ('qemu64,-nx', 'cannot protect pages from execution'),
                              ('qemu64,-syscall', 'no SYSCALL instruction')):
            with self.subTest(cpu):
                self.plain(sentence, '-cpu', cpu, '-m', '64')

    def test_too_little_memory(self):
        """The image ends beyond 3 MiB. With less than that, QEMU's firmware does not start anything."""
        self.plain('less memory than the kernel', '-cpu', CPU_MODEL, '-m', '3')

    # ---- loaders ----

    def test_no_information(self):
        self.loaded(UNKNOWN, 'pvh_start', 0, 0)
        self.loaded(UNKNOWN, 'multiboot2_start', MULTIBOOT2, 0)

    def test_wrong_magic(self):
        self.loaded(UNKNOWN, 'multiboot2_start', 0x2badb002, info='.long 0x2badb002, 1, 0, 0')
        self.loaded(UNKNOWN, 'pvh_start', 0, info=f'.long {PVH ^ 1:#x}, 1, 0, 0\n.zero 40')

    def test_information_where_no_memory_is(self):
        self.loaded(UNKNOWN, 'pvh_start', 0, 0xe0000000)
        self.loaded(UNKNOWN, 'pvh_start', 0, 0xfffffffd)

    def test_no_map_of_memory(self):
        self.loaded(NO_MAP, 'pvh_start', 0, info=f'.long {PVH:#x}, 0, 0, 0\n.zero 24')
        self.loaded(NO_MAP, 'pvh_start', 0, info=f'.long {PVH:#x}, 1, 0, 0\n.zero 40')
        self.loaded(NO_MAP, 'multiboot2_start', MULTIBOOT2, info='.long 16, 0, 0, 8')
        self.loaded(NO_MAP, 'multiboot2_start', MULTIBOOT2, info='.long 0, 0')

    def test_absurd_sizes_of_tags(self):
        self.loaded(NO_MAP, 'multiboot2_start', MULTIBOOT2, info='.long 0x1000, 0, 6, 0xffffffff, 24, 0')
        self.loaded(NO_MAP, 'multiboot2_start', MULTIBOOT2, info='.long 0x1000, 0, 6, 32, 0, 0, 0, 0, 0, 8')
        self.loaded(NO_MAP, 'multiboot2_start', MULTIBOOT2, info='.long 0xffffffff, 0, 1, 3')

    @staticmethod
    def pvh_map(*ranges, modules='.long 0, 0', count=0):
        """start_info with a map: (address, size, type)."""
        entries = ''.join(f'.quad {at:#x}, {size:#x}\n.long {kind}, 0\n' for at, size, kind in ranges)
        return (f'.long {PVH:#x}, 1, 0, {count}\n{modules}\n.quad 0, 0\n.long map, 0, {len(ranges)}, 0\n'
                f'map: {entries}')

    def test_a_map_without_memory(self):
        self.loaded('map of memory has no memory in it', 'pvh_start', 0, info=self.pvh_map((0, 64 << 20, 2)))
        self.loaded('map of memory', 'pvh_start', 0, info=self.pvh_map((0, 2 << 20, 1)))
        self.loaded('map of memory', 'pvh_start', 0, info=self.pvh_map((32 << 20, 32 << 20, 1)))
        self.loaded('map of memory', 'pvh_start', 0,
                    info=self.pvh_map((0, 64 << 20, 1), (0x280000, 0x1000, 2)))
        self.loaded('map of memory', 'pvh_start', 0, info=self.pvh_map((0xfffffffffffff000, 0x2000, 1)))

    def test_a_module_where_no_memory_is(self):
        for at, size in ((0x1000001, 4096), (0x4000000, 4096), (0x1000000, 0x8000000), (1 << 62, 1 << 62)):
            with self.subTest(f'{at:#x}'):
                self.loaded('the boot module is not at a page boundary, or outside of memory', 'pvh_start', 0,
                            info=self.pvh_map((0, 64 << 20, 1), modules='.long module, 0', count=1)
                            + f'module: .quad {at:#x}, {size:#x}, 0, 0')

    # ---- domains ----

    def test_pvh_without_the_processors_help(self):
        """An initial domain: Xen refuses, and the run says so."""
        fd = open_copy(build_file('root.img'))
        self.addCleanup(os.close, fd)
        with Machine(xen=build_file('xen'), kernel=build_file('parvix'), image_fd=fd, kernel_args='', memory=64, pvh=True,
                     qemu_args=['-cpu', CPU_MODEL]) as machine:
            guest = Guest(machine)
            self.assertTrue(guest.run_until(lambda: False, 30))
        self.assertEqual(guest.end, CRASHED)
        self.assertIn(b'Error creating d0', b''.join(guest.xen_log))

    def test_pvh_domain_without_the_processors_help(self):
        """An ordinary one: xl refuses."""
        with domain.Machine(memory=64) as machine:
            with self.assertRaises(codes.RigError) as caught:
                machine.create(machine.parvix(world='pvh'))
        self.assertIn('cannot create the domain', str(caught.exception))


if __name__ == '__main__':
    unittest.main()
