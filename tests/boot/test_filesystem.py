# SPDX-License-Identifier: MIT
"""What the guest writes on its ext2 root, read back and judged on the host by e2fsck and debugfs."""
import hashlib
import os
import random
import re
import struct
import tempfile
import unittest
import zlib

from rig.image import Additions, open_copy, run_tool
from rigtest import HERE, SEED, WORLD, build_file, parvix

BLOCK = 4096
BLOCKDUMP = 'tests/boot/blockdump'  # in the build folder


def unescape(data):
    return re.sub(rb'\x01(.)', lambda match: bytes([match.group(1)[0] - 64]), data, flags=re.S)


def block_sums(data):
    """Four bytes for each block: Adler-32, as blockdump.c computes it."""
    return b''.join(struct.pack('<I', zlib.adler32(data[at:at + BLOCK])) for at in range(0, len(data), BLOCK))


class OnTheHost(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.image = os.path.join(self.folder.name, 'after.img')

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def prepare(self, files):
        """The image to start from, with `files` (guest name -> bytes), as bytes."""
        additions = Additions()
        for number, (guest, data) in enumerate(files.items()):
            with open(self.path(f'add{number}'), 'wb') as file:
                file.write(data)
            additions.add(self.path(f'add{number}'), guest)
        additions.add(build_file(BLOCKDUMP), '/blockdump')
        fd = open_copy(build_file('root.img'))
        additions.write_into(fd)
        os.lseek(fd, 0, os.SEEK_SET)
        with open(fd, 'rb') as file:
            return bytearray(file.read())

    def run_and_check(self, command, **files):
        """Runs the command in a guest; leaves the root image as it was then, found sound, in self.image."""
        image = self.prepare(files)
        with open(self.path('before.img'), 'wb') as file:
            file.write(image)
        with open(self.path('sums'), 'wb') as file:
            file.write(block_sums(image))
        if WORLD == 'native':
            self.run_on_disk(command)
        else:
            self.run_in_memory(command, image)
        done = run_tool(['e2fsck', '-fn', self.image])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def run_on_disk(self, command):
        """What the guest has written is in the disk's file."""
        os.rename(self.path('before.img'), self.image)
        status, out, err = parvix('run', '--image', self.image, '--persist', '--timeout', '120', *HERE, '--exec',
                                  f'(\n{command}\n) >/tmp/log 2>&1 || {{ cat /tmp/log; exit 9; }}')
        self.assertEqual(status, 0, (out[-2000:] + err[-3000:]).decode(errors='replace'))

    def run_in_memory(self, command, image):
        """What the guest has written comes over the console, as blocks whose sums differ from before."""
        status, out, err = parvix(
            'run', '--image', self.path('before.img'), '--add', f"{self.path('sums')}:/sums", '--timeout', '120',
            '--exec', f'(\n{command}\n) >/tmp/log 2>&1 || {{ cat /tmp/log; exit 9; }}; sync; /blockdump /dev/ram0 /sums')
        self.assertEqual(status, 0, (out[-2000:] + err[-3000:]).decode(errors='replace'))
        data = unescape(out)
        self.assertEqual(len(data) % (BLOCK + 4), 0)
        for at in range(0, len(data), BLOCK + 4):
            number, = struct.unpack_from('<I', data, at)
            image[number * BLOCK:(number + 1) * BLOCK] = data[at + 4:at + 4 + BLOCK]
        with open(self.image, 'wb') as file:
            file.write(image)

    def content(self, path):
        out = os.path.join(self.folder.name, 'out')
        run_tool(['debugfs', '-R', f'dump {path} {out}', self.image])
        with open(out, 'rb') as file:
            return file.read()

    def names(self, path):
        """Names in a folder; debugfs prints /inode/mode/uid/gid/name/size/, with inode 0 for a free place."""
        lines = run_tool(['debugfs', '-R', f'ls -p {path}', self.image]).stdout.splitlines()
        entries = [line.split('/') for line in lines if line.count('/') >= 6]
        return sorted(entry[5] for entry in entries if entry[1] != '0' and entry[5] not in ('.', '..'))

    def test_untouched(self):
        self.run_and_check('true')

    def test_files_and_folders(self):
        self.run_and_check('mkdir -p /a/b/c && echo text >/a/b/c/f && ln /a/b/c/f /a/hard && ln -s b/c/f /a/soft && '
                           'mv /a/b/c /a/moved && rmdir /a/b && cp /bin/sh /a/sh && rm /a/moved/f && mkdir /a/empty && '
                           'chmod 640 /a/hard && chown 7:8 /a/hard && cat /a/hard')
        self.assertEqual(self.names('/a'), ['empty', 'hard', 'moved', 'sh', 'soft'])
        self.assertEqual(self.names('/a/moved'), [])
        self.assertEqual(self.content('/a/hard'), b'text\n')
        stat = run_tool(['debugfs', '-R', 'stat /a/hard', self.image]).stdout
        self.assertRegex(stat, r'Mode:  0640 [\s\S]*User: +7 +Group: +8[\s\S]*Links: 1 ')
        self.assertIn('Fast link dest: "b/c/f"', run_tool(['debugfs', '-R', 'stat /a/soft', self.image]).stdout)

    def test_large_file_through_all_indirect_blocks(self):
        data = random.Random(SEED).randbytes(1 << 20)
        # Room for the copy: the image grows to hold what is added, so as much again is added and removed.
        self.run_and_check('rm /big2 && cp /big1 /copy && rm /big1', **{'/big1': data, '/big2': data})
        self.assertEqual(hashlib.sha1(self.content('/copy')).hexdigest(), hashlib.sha1(data).hexdigest())

    def test_many_names_in_a_folder(self):
        self.run_and_check('mkdir /many; i=0; while [ $i -lt 600 ]; do echo $i >/many/a-name-of-some-length-$i; i=$((i+1)); '
                           'done; cd /many; rm *[02468]; mv a-name-of-some-length-1 renamed')
        self.assertEqual(self.names('/many'), sorted(['renamed'] + [f'a-name-of-some-length-{i}'
                                                                    for i in range(3, 600, 2)]))
        self.assertEqual(self.content('/many/a-name-of-some-length-599'), b'599\n')

    def test_sparse_and_truncated(self):
        self.run_and_check('lua -e \'local f = io.open("/sparse", "wb"); f:seek("set", 900000); f:write("end"); f:close()\' '
                           '&& cp /bin/sh /cut && : >/cut && cp /bin/ls /over && echo short >/over')
        sparse = self.content('/sparse')
        self.assertEqual((len(sparse), sparse[-4:]), (900003, b'\0end'))
        self.assertEqual(self.content('/cut'), b'')
        self.assertEqual(self.content('/over'), b'short\n')
        stat = run_tool(['debugfs', '-R', 'stat /sparse', self.image]).stdout
        self.assertLess(int(re.search(r'Blockcount: (\d+)', stat).group(1)), 40)

    def test_everything_at_once(self):
        self.run_and_check(f'STRESS_SECONDS={os.environ.get("STRESS_SECONDS", 15)} /usr/tests/t_stress --seed {SEED}')

    def test_random_operations(self):
        numbers = random.Random(SEED)
        lines = ['mkdir /r', 'cd /r']
        for n in range(400):
            a, b = (f'd{numbers.randrange(4)}/f{numbers.randrange(12)}' for _ in range(2))
            lines.append(numbers.choice((
                f'mkdir -p d{numbers.randrange(4)}', f'head -c {numbers.randrange(30000)} /bin/sh >{a}',
                f'rm -f {a}', f'mv {a} {b}', f'ln {a} {b}', f'ln -s {a} {b}', f'echo {n} >>{a}',
                f'rmdir d{numbers.randrange(4)}', f'cat {a} {b} >t', f'rm -rf d{numbers.randrange(4)}')) + ' 2>/dev/null')
        self.run_and_check('\n'.join(lines) + '\ntrue')


if __name__ == '__main__':
    unittest.main()
