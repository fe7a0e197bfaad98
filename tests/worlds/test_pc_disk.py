# SPDX-License-Identifier: MIT
"""Disks of the native world, and one that a PC boots from: what the firmware, GRUB and the kernel make of it."""
import os
import re
import shutil
import tempfile
import unittest

from rig import codes, grub
from rig.guest import HALTED
from rig.image import run_tool
from rig.pc import Pc, PcGuest
from rigtest import PROMPT, build_file, parvix

NATIVE = '--world', 'native'


class Native(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def run_it(self, command, *options):
        status, out, err = parvix('run', *NATIVE, *options, '--exec', command)
        return status, out.decode(errors='replace'), err.decode(errors='replace')

    def sound(self, image):
        done = run_tool(['e2fsck', '-fn', image])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


class Disks(Native):
    def make_disk(self, name):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.truncate(4 << 20)
        return path

    def test_more_disks(self):
        for driver, name in (('ahci', 'sdb'), ('virtio', 'vdb')):
            with self.subTest(driver):
                disk = self.make_disk(driver)
                self.assertEqual(run_tool(['mke2fs', '-q', '-F', '-t', 'ext2', disk]).returncode, 0)
                status, out, err = self.run_it(f'mount /dev/{name} /mnt && echo kept >/mnt/file && umount /mnt',
                                               '--disk-driver', driver, '--disk', disk)
                self.assertEqual(status, 0, out + err)
                self.sound(disk)
                self.assertEqual(run_tool(['debugfs', '-R', 'cat /file', disk]).stdout, 'kept\n')

    def test_a_disk_that_cannot_be_written(self):
        disk = self.make_disk('guarded')
        status, out, err = self.run_it('if echo x >/dev/vdb; then exit 9; fi', '--disk-driver', 'virtio', '--disk',
                                       f'{disk}:ro')
        self.assertEqual(status, 0, out + err)
        with open(disk, 'rb') as file:
            self.assertEqual(file.read(), bytes(4 << 20))
        status, _, err = self.run_it('true', '--disk', f'{disk}:ro')
        self.assertEqual(status, codes.SETUP, err)
        self.assertIn('--disk-driver virtio', err)

    def test_root_is_a_copy_unless_asked_otherwise(self):
        image = os.path.join(self.folder, 'root.img')
        shutil.copy(build_file('root.img'), image)
        self.assertEqual(self.run_it('echo lost >/root/file; sync', '--image', image)[0], 0)
        self.assertEqual(self.run_it('[ ! -e /root/file ]', '--image', image)[0], 0)
        self.assertEqual(self.run_it('echo kept >/root/file', '--image', image, '--persist')[0], 0)
        status, out, err = self.run_it('cat /root/file', '--image', image)
        self.assertEqual((status, out), (0, 'kept\n'), err)
        self.sound(image)

    def test_a_root_in_memory(self):
        status, out, err = self.run_it('mount | head -1; ls /dev', '--ramdisk')
        self.assertEqual(status, 0, err)
        self.assertIn('/dev/ram0 on / ', out)
        self.assertNotIn('sda', out)

    def test_refused(self):
        for options, words in ((('--xl', 'a=b'), '--xl needs a dom0'), (('--dom0', 'true'), '--dom0 needs a dom0'),
                               (('--domains', '2'), '--domains needs a dom0'), (('--rig', 'domain'), 'no --rig'),
                               (('--xen-args', 'x'), 'no hypervisor'), (('--disk', '/none'), 'no such file'),
                               (('--grub', '--persist'), 'make grub-image')):
            with self.subTest(options):
                status, _, err = self.run_it('true', *options)
                self.assertEqual(status, codes.SETUP, err)
                self.assertIn(words, err)
        for options in (('--grub',), ('--disk-driver', 'virtio')):
            status, _, err = parvix('run', '--rig', 'initial', *options, '--exec', 'true')
            self.assertEqual(status, codes.SETUP, err)
            self.assertIn(b'--world native', err)


class Grub(Native):
    def test_command(self):
        """The same kernel by another loader: the same output and status, its root a partition or in memory."""
        for options, root in (((), '/dev/sda1'), (('--disk-driver', 'virtio'), '/dev/vda1'), (('--ramdisk',), '/dev/ram0')):
            with self.subTest(root):
                status, out, err = self.run_it(
                    'mount | head -1; cat /proc/cmdline; head -1 /proc/machine; exit 5', '--grub',
                    '--append', 'a,b $x --x={1};', *options)
                self.assertEqual(status, 5, err)
                self.assertIn(f'{root} on / type ext2 (rw)\n', out)
                self.assertIn('loader: multiboot2\n', out)
                self.assertIn(' a,b $x --x={1}; -- exec\n', out)

    def boot(self, disk, menu, *devices):
        """The disk in a PC, started by its firmware; a line of GRUB's menu is chosen by these keys."""
        with Pc(boot_disk=True, qemu_args=devices, disks=[(disk, True)] if not devices else ()) as machine:
            guest = PcGuest(machine)
            # GRUB is silent on the debug port: it is told when it waits, which is for 5 s.
            while not guest.text:
                guest.send(menu)
                guest.run_until(lambda: guest.text, 1)
            guest.expect(PROMPT, 40)
            yield guest
            guest.send('\x15poweroff\r')
            self.assertTrue(guest.run_until(lambda: False, 20))
            self.assertEqual(guest.end, HALTED)

    def make_image(self):
        path = os.path.join(self.folder, 'pc.img')
        status, _, err = parvix('grub-image', '--output', path, '--room', '8')
        self.assertEqual(status, 0, err)
        return path

    def test_a_disk_that_stays(self):
        path = self.make_image()
        fd = os.open(path, os.O_RDWR)
        self.addCleanup(os.close, fd)
        for guest in self.boot(fd, '\r'):
            guest.send('\x15echo kept >/root/file; mount\r')
            guest.expect('/dev/sda1 on / ')
            guest.expect(PROMPT)
        self.sound(f'{path}?offset={grub.START * grub.SECTOR}')
        for guest in self.boot(fd, '\r'):
            guest.send('\x15cat /root/file\r')
            guest.expect('\nkept\r')

    def test_a_usb_stick(self):
        """Which the firmware can read and the kernel cannot: the second line of the menu."""
        path = self.make_image()
        devices = ['-device', 'qemu-xhci', '-drive', f'if=none,id=stick,format=raw,file={path}', '-device',
                   'usb-storage,drive=stick']
        for guest in self.boot(None, 'm', *devices):
            guest.send('\x15mount; ls /dev/sd*\r')  # Ctrl-U: one key too many may have come
            guest.expect('/dev/ram0 on / ')
            guest.expect('No such file')

    def test_partition_table(self):
        path = self.make_image()
        with open(path, 'rb') as file:
            sector = file.read(512)
        self.assertEqual(sector[510:], b'\x55\xaa')
        start, sectors = (int.from_bytes(sector[at:at + 4], 'little') for at in (454, 458))
        self.assertEqual(start, grub.START)
        self.assertEqual((start + sectors) * 512, os.path.getsize(path))
        listed = run_tool(['debugfs', '-R', 'ls -p /boot', f'{path}?offset={start * 512}']).stdout
        self.assertTrue(re.search(r'/parvix/\d', listed), listed)


if __name__ == '__main__':
    unittest.main()
