# SPDX-License-Identifier: MIT
"""The parts of the domain rig that need no machine: configuration, archive, ELF reading, state, options."""
import io
import os
import struct
import subprocess
import sys
import tempfile
import unittest

from rig import config, cpio, domrun, elf, protocol, state
from rig.codes import SETUP, RigError

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARVIX = os.path.join(TREE, 'tools', 'parvix')


def parvix(*arguments):
    done = subprocess.run([PARVIX, 'run', *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr


class Config(unittest.TestCase):
    def test_values(self):
        self.assertEqual(config.quote(3), '3')
        self.assertEqual(config.quote(True), '1')
        self.assertEqual(config.quote('a b'), '"a b"')
        self.assertEqual(config.quote('say "hi" \\'), '"say \\"hi\\" \\\\"')
        self.assertEqual(config.quote(['a', 'b,c']), '[ "a", "b,c" ]')
        with self.assertRaises(ValueError):
            config.quote('a\nb')

    def test_disk_names(self):
        self.assertEqual([config.disk_name(n) for n in (0, 1, 25, 26, 27)], ['xvda', 'xvdb', 'xvdz', 'xvdaa', 'xvdab'])

    def test_disk(self):
        self.assertEqual(config.disk('/dev/sda', 'xvdb', False), 'format=raw, vdev=xvdb, access=ro, target=/dev/sda')

    def test_line_replaces_value(self):
        text = config.text(config.domain('d', '/k', 64), ['memory=32', 'on_crash = "destroy"'])
        self.assertIn('\nmemory=32\n', text)
        self.assertNotIn('memory=64', text)
        self.assertEqual(text.count('on_crash'), 1)

    def test_line_adds_to_value(self):
        text = config.text(config.domain('d', '/k', 64, ['one']), ['disk += [ "two" ]'])
        self.assertIn('disk=[ "one" ]', text)
        self.assertTrue(text.endswith('disk += [ "two" ]\n'))

    def test_domain(self):
        text = config.text(config.domain('d', '/k', 64, extra='root=xvda', cpus=2))
        for line in ('name="d"', 'type="pv"', 'vcpus=2', 'extra="root=xvda"', 'tsc_mode="native"', 'on_reboot="restart"'):
            self.assertIn(line + '\n', text)
        self.assertNotIn('ramdisk', text)


def entries(data):
    """[(name, mode, contents)] of a newc archive."""
    found, at = [], 0
    while True:
        assert data[at:at + 6] == b'070701', data[at:at + 6]
        fields = [int(data[at + 6 + 8 * n:at + 14 + 8 * n], 16) for n in range(13)]
        name = data[at + 110:at + 110 + fields[11] - 1].decode()
        at += (110 + fields[11] + 3) & ~3
        found.append((name, fields[1], data[at:at + fields[6]]))
        at += (fields[6] + 3) & ~3
        if name == 'TRAILER!!!':
            assert at == len(data)
            return found[:-1]


class Cpio(unittest.TestCase):
    def archive(self, fill):
        out = io.BytesIO()
        with cpio.Writer(out) as archive:
            fill(archive)
        return out.getvalue()

    def test_contents(self):
        def fill(archive):
            archive.text('/etc/xen/a', 'text')
            archive.text('/b', b'\0\1\2', 0o755)
            archive.link('/etc/l', 'xen/a')
        self.assertEqual(entries(self.archive(fill)), [
            ('etc', 0o40755, b''), ('etc/xen', 0o40755, b''), ('etc/xen/a', 0o100644, b'text'),
            ('b', 0o100755, b'\0\1\2'), ('etc/l', 0o120777, b'xen/a')])

    def test_same_bytes(self):
        def fill(archive):
            archive.file('/self', __file__)
        self.assertEqual(self.archive(fill), self.archive(fill))

    def test_unclean_names(self):
        for name in ('relative', '/a/../b', '/a//b', '/a/'):
            with self.subTest(name), self.assertRaises(ValueError):
                self.archive(lambda archive, name=name: archive.text(name, ''))

    def test_only_whole_files(self):
        with tempfile.TemporaryDirectory() as folder:
            path = f'{folder}/x.cpio'
            with self.assertRaises(FileNotFoundError), cpio.Writer(path) as archive:
                archive.file('/a', f'{folder}/missing')
            self.assertEqual(os.listdir(folder), [])

    def test_linux_unpacks_it(self):
        """By an independent reader, where there is one."""
        try:
            done = subprocess.run(['cpio', '-it', '--quiet'], capture_output=True,
                                  input=self.archive(lambda archive: archive.text('/a/b', 'x' * 5)))
        except FileNotFoundError:
            self.skipTest('no cpio on this machine')
        self.assertEqual((done.returncode, done.stdout), (0, b'a\na/b\n'), done.stderr)


class Elf(unittest.TestCase):
    def test_python(self):
        dynamic = elf.dynamic(os.path.realpath(sys.executable))
        self.assertIn('libc.so.6', dynamic.needed)
        self.assertEqual(dynamic.interpreter, '/lib64/ld-linux-x86-64.so.2')

    def write(self, data):
        file = tempfile.NamedTemporaryFile()
        self.addCleanup(file.close)
        file.write(data)
        file.flush()
        return file.name

    def test_nonsense(self):
        head = b'\x7fELF\x02\x01' + b'\0' * 26 + struct.pack('<Q', 1 << 40) + b'\0' * 14 + struct.pack('<HH', 56, 3)
        for data in (b'', b'#!/bin/sh\n', head, head[:40]):
            with self.subTest(data[:8]), self.assertRaises(elf.Malformed):
                elf.dynamic(self.write(data))

    def test_not_a_kernel(self):
        with self.assertRaises(elf.Malformed):
            elf.unpack_bzimage(self.write(b'\0' * 4096))


class State(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.files = state.Files(self.folder)
        os.mkdir(f'{self.folder}/dom0')
        for path in (self.files.xen, self.files.vmlinux, self.files.dom0):
            self.write(path, 'old')

    @staticmethod
    def write(path, text):
        with open(path, 'w', encoding='ascii') as file:
            file.write(text)

    def key(self, command=('qemu', '-m', '768'), version='QEMU 7'):
        return state.state_key(self.files, list(command), version)

    def test_same(self):
        key = self.key()
        os.utime(self.files.dom0, (1, 1))
        self.assertEqual(self.key(), key)

    def test_each_part_counts(self):
        keys = {self.key(), self.key(version='QEMU 8'), self.key(command=('qemu', '-m', '1280'))}
        for path in (self.files.xen, self.files.vmlinux, self.files.dom0):
            self.write(path, 'new')
            keys.add(self.key())
        self.assertEqual(len(keys), 6)

    def test_missing_file(self):
        os.unlink(self.files.dom0)
        with self.assertRaises(RigError) as caught:
            self.key()
        self.assertEqual(caught.exception.code, SETUP)
        self.assertIn('make dom0', str(caught.exception))

    def test_complete(self):
        self.assertFalse(state.is_complete(self.folder))
        for name in ('ram', 'state'):
            self.write(f'{self.folder}/{name}', 'x')
        self.write(f'{self.folder}/complete', '{"ram": 1, "state": 1}')
        self.assertTrue(state.is_complete(self.folder))
        self.write(f'{self.folder}/state', '')
        self.assertFalse(state.is_complete(self.folder))
        self.write(f'{self.folder}/complete', '{"ram')
        self.assertFalse(state.is_complete(self.folder))

    def test_machine_size(self):
        self.assertEqual(state.machine_mib(64), state.USUAL_MIB)
        self.assertGreaterEqual(state.machine_mib(1024), 1024 + state.DOM0_MIB)


class Options(unittest.TestCase):
    def test_disks(self):
        with tempfile.NamedTemporaryFile() as file, tempfile.NamedTemporaryFile() as other:
            self.assertEqual(domrun.parse_disks([file.name, f'{other.name}:ro', f'{other.name}:ro']),
                             [(file.name, True), (other.name, False), (other.name, False)])

    def test_mistakes(self):
        for arguments, words in (
                (['--disk', '/nowhere'], 'no such file'),
                (['--disk', '/'], 'neither a file'),
                (['--xl', 'nonsense'], 'KEY=VALUE'),
                (['--domains', '0'], '--domains'),
                (['--rig', 'initial', '--xl', 'a=1'], '--rig domain'),
                (['--rig', 'initial', '--persist'], '--rig domain'),
                (['--rig', 'moon'], 'domain and initial')):
            with self.subTest(arguments):
                status, err = parvix(*(arguments if '--rig' in arguments else ['--rig', 'domain', *arguments]))
                self.assertEqual(status, SETUP, err)
                self.assertIn(words, err)


class Voices(unittest.TestCase):
    def test_no_hypervisor(self):
        """On an ordinary domain's console a line like the hypervisor's is a program's."""
        demux = protocol.Demux('ab', hypervisor=False)
        events = demux.feed(b'(XEN) not really\n(\x1ekword\nrest') + demux.finish()
        self.assertEqual(b''.join(data for voice, data in events if voice == protocol.TEXT), b'(XEN) not really\n(rest')
        self.assertEqual([data for voice, data in events if voice == protocol.KERNEL], [b'word\n'])


if __name__ == '__main__':
    unittest.main()
