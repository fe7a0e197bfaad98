# SPDX-License-Identifier: MIT
"""Root images that are missing, cut, or damaged: a sentence that says so, and never a hang or a wild crash."""
import os
import random
import re
import struct
import tempfile
import unittest

from rig import codes
from rig.image import Additions, fd_path, open_copy, run_tool
from rigtest import SEED, build_file, parvix

DAMAGED = 10  # damaged images tried
SUPERBLOCK = 1024


class WithImage(unittest.TestCase):
    """What the tests below share."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        with open(build_file('root.img'), 'rb') as file:
            self.image = bytearray(file.read())

    def boot(self, data, *options):
        """Boots with this image until it ends by itself: (status, all that was said)."""
        path = os.path.join(self.folder.name, 'image')
        with open(path, 'wb') as file:
            file.write(data)
        status, out, err = parvix('run', '--image', path, '--timeout', '20', '--no-reboot', *options)
        return status, (out + err).decode(errors='replace')

    def refused(self, data):
        """The kernel says that it has no root file system, and stops."""
        status, said = self.boot(data)
        self.assertEqual(status, codes.CRASH, said[-3000:])
        self.assertIn('no root file system', said)

    def survives(self, data, seed):
        """
        Any end is right but a hang, or a crash other than the refusal of the file system or the loss of init.
        Nothing can be put into a damaged image: the command to run is in it from the start, or missing.
        """
        status, said = self.boot(data, '--append', '-- exec')
        if status == codes.CRASH:
            self.assertRegex(said, r'no root file system|init', f'seed {seed}\n{said[-4000:]}')
        else:
            self.assertNotIn(status, (codes.TIMEOUT, codes.SETUP), f'seed {seed}\n{said[-3000:]}')


class Refused(WithImage):
    """What is no file system at all, or claims to be an impossible one."""

    def test_zeros(self):
        self.refused(bytes(1 << 20))

    def test_tiny(self):
        self.refused(b'\0')

    def test_noise(self):
        self.refused(random.Random(SEED).randbytes(1 << 20))

    def test_wrong_magic(self):
        self.image[SUPERBLOCK + 56] ^= 0xff
        self.refused(self.image)

    def test_cut_in_the_superblock(self):
        self.refused(self.image[:SUPERBLOCK + 100])

    def test_absurd_superblocks(self):
        """Each field that sizes or divisions depend on, with values that must not be believed."""
        fields = {'inodes': 0, 'blocks': 4, 'first block': 20, 'block size': 24, 'blocks per group': 32,
                  'inodes per group': 40}
        for name, offset in fields.items():
            for value in (0, 0xffffffff, 0x7fffffff):
                data = bytearray(self.image)
                if struct.unpack_from('<I', data, SUPERBLOCK + offset)[0] == value:
                    continue
                struct.pack_into('<I', data, SUPERBLOCK + offset, value)
                with self.subTest(f'{name} = {value:#x}'):
                    self.survives(data, SEED)


class Damaged(WithImage):
    """Random damage to the file system's own blocks, while commands walk all over it."""

    COMMAND = ('ls -lR / >/dev/null 2>&1; cat /bin/* >/dev/null 2>&1; cp -r /etc /var 2>/dev/null; mkdir /x 2>/dev/null;'
               'rm -rf /var /etc 2>/dev/null; sync; echo walked')

    def setUp(self):
        super().setUp()
        additions = Additions()
        additions.add_text(f'abcd\n{self.COMMAND}\n', '/etc/exec-command')
        fd = open_copy(build_file('root.img'))
        additions.write_into(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        with open(fd, 'rb') as file:
            self.image = bytearray(file.read())

    def metadata_ranges(self):
        """Byte ranges of group descriptors, bitmaps and inode tables, and of directories' blocks."""
        size = 1024 << struct.unpack_from('<I', self.image, SUPERBLOCK + 24)[0]
        first = struct.unpack_from('<I', self.image, SUPERBLOCK + 20)[0]
        inodes_per_group = struct.unpack_from('<I', self.image, SUPERBLOCK + 40)[0]
        inode_size = struct.unpack_from('<H', self.image, SUPERBLOCK + 88)[0]
        descriptors = (first + 1) * size
        block_bitmap, inode_bitmap, table = struct.unpack_from('<III', self.image, descriptors)
        used = min(inodes_per_group, 400) * inode_size
        ranges = [(descriptors, descriptors + 32), (block_bitmap * size, block_bitmap * size + 512),
                  (inode_bitmap * size, inode_bitmap * size + 64)] + [(table * size, table * size + used)] * 6
        for inode in range(min(inodes_per_group, 400)):
            at = table * size + inode * inode_size
            mode, = struct.unpack_from('<H', self.image, at)
            block, = struct.unpack_from('<I', self.image, at + 40)
            if mode & 0xf000 == 0x4000 and 0 < block * size < len(self.image) - size:
                ranges.append((block * size, block * size + size))
        return ranges

    def test_random_damage(self):
        ranges = self.metadata_ranges()
        for n in range(DAMAGED):
            seed = SEED + n
            numbers = random.Random(seed)
            data = bytearray(self.image)
            for _ in range(numbers.choice((1, 4, 30))):
                start, end = numbers.choice(ranges)
                at = numbers.randrange(start, end)
                data[at] = numbers.choice((0, 0xff, data[at] ^ (1 << numbers.randrange(8)), numbers.randrange(256)))
            with self.subTest(seed=seed):
                self.survives(data, seed)

    def test_cut_image(self):
        for part in (0.3, 0.9):
            with self.subTest(part):
                self.survives(self.image[:int(len(self.image) * part)], part)


class Init(WithImage):
    """An image that is sound but for its first program."""

    def without(self, *pairs, remove=()):
        fd = open_copy(build_file('root.img'))
        self.addCleanup(os.close, fd)
        additions = Additions()
        for name, content in pairs:
            path = os.path.join(self.folder.name, os.path.basename(name))
            with open(path, 'wb') as file:
                file.write(content)
            os.chmod(path, 0o755)
            additions.add(path, name)
        additions.write_into(fd)
        for name in remove:
            run_tool(['debugfs', '-w', '-R', f'rm {name}', fd_path(fd)], [fd])
        os.lseek(fd, 0, os.SEEK_SET)
        with open(os.dup(fd), 'rb') as file:
            return file.read()

    def fails_with(self, data, pattern):
        status, said = self.boot(data)
        self.assertEqual(status, codes.CRASH, said[-3000:])
        self.assertTrue(re.search(pattern, said), said[-3000:])

    def test_no_init(self):
        self.fails_with(self.without(remove=['/sbin/init']), '/sbin/init')

    def test_init_is_not_a_program(self):
        self.fails_with(self.without(('/sbin/init', b'\x7fELF' + bytes(60))), '/sbin/init')

    def test_init_ends(self):
        with open(build_file('user/bin/true'), 'rb') as file:
            program = file.read()
        self.fails_with(self.without(('/sbin/init', program)), 'init')

