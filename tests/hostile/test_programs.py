# SPDX-License-Identifier: MIT
"""ELF programs that are cut, damaged or absurd: execve says ENOEXEC or the program dies; the kernel lives."""
import os
import random
import struct
import tempfile
import unittest

from rigtest import SEED, build_file, guest_exec

DAMAGED = 150


class Programs(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with open(build_file('user/bin/true'), 'rb') as file:
            self.good = file.read()

    def write(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, 'wb') as file:
            file.write(data)
        os.chmod(path, 0o755)

    def run_all(self):
        """Runs every file written; returns what the guest said. One that loops is killed."""
        command = ('for f in /hostile/*; do timeout -s KILL 2 "$f" >/dev/null 2>&1; '
                   'echo "${f##*/} $?"; done; echo alive')
        status, out, err = guest_exec(command, '--add', f'{self.folder.name}:/hostile', '--timeout', '400')
        self.assertEqual(status, 0, out[-1000:] + err[-3000:])
        self.assertTrue(out.endswith('alive\n'), out[-1000:])
        return dict(line.rsplit(' ', 1) for line in out.splitlines()[:-1])

    def test_cut(self):
        sizes = [0, 1, 4, 63, 64, 100, 120, 500, 4095, 4096, 4097, len(self.good) // 2, len(self.good) - 1]
        for size in sizes:
            self.write(f'cut-{size:06d}', self.good[:size])
        self.write('whole', self.good)
        ends = self.run_all()
        self.assertEqual(ends['whole'], '0')
        # A file of 0 bytes is an empty script to a shell; a header that is cut is no program.
        for size in (63, 64, 100):
            self.assertIn(ends[f'cut-{size:06d}'], ('126', '127', '1', '2'))

    def test_absurd_headers(self):
        """Header fields one by one, with values that must not be believed."""
        fields = {'type': (16, 'H'), 'machine': (18, 'H'), 'entry': (24, 'Q'), 'phoff': (32, 'Q'),
                  'phentsize': (54, 'H'), 'phnum': (56, 'H')}
        segment = struct.unpack_from('<Q', self.good, 32)[0]
        fields |= {'p_type': (segment, 'I'), 'p_offset': (segment + 8, 'Q'), 'p_vaddr': (segment + 16, 'Q'),
                   'p_filesz': (segment + 32, 'Q'), 'p_memsz': (segment + 40, 'Q'), 'p_align': (segment + 48, 'Q')}
        values = {'H': (0, 1, 0x7fff, 0xffff), 'I': (0, 2, 0xffffffff),
                  'Q': (0, 1, 0xfff, 0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xffffffffc0200000,
                        0x7ffffffffffffff0, 0xffffffffffffffff)}
        for name, (offset, form) in fields.items():
            for value in values[form]:
                data = bytearray(self.good)
                struct.pack_into('<' + form, data, offset, value)
                self.write(f'{name}-{value:x}', data)
        self.run_all()

    def test_damaged_headers(self):
        numbers = random.Random(SEED)
        for n in range(DAMAGED):
            data = bytearray(self.good)
            for _ in range(numbers.choice((1, 2, 8))):
                data[numbers.randrange(64 + 56 * 4)] = numbers.choice((0, 1, 0x7f, 0x80, 0xff, numbers.randrange(256)))
            self.write(f'damaged-{n:03d}', data)
        self.run_all()


if __name__ == '__main__':
    unittest.main()
