# SPDX-License-Identifier: MIT
"""The block frontend against Linux's backend: every feature on and off, several disks, plugging."""
import os
import re
import struct
import subprocess
import time

from domtest import DomainTest, Guest
from rig import config
from rig.codes import scaled
from rigtest import SEED, build_file

SECTOR = 512
REGION = 2048  # sectors of one job of disk_model
MASK = (1 << 64) - 1
PROGRAMS = [(build_file('tests/boot/disk_model'), '/bin/disk_model')]


def modelled(seed, number, operations, most):
    """What disk_model's job leaves of its region: sector -> operation."""
    state = (seed * 0x2545f4914f6cdd1d + number + 1) & MASK
    last = {}

    def following():
        nonlocal state
        state ^= state << 13 & MASK
        state ^= state >> 7
        state ^= state << 17 & MASK
        return state

    for operation in range(1, operations + 1):
        what = following()
        at = following() % REGION
        size = min(1 + following() % most, REGION - at)
        if what % 2:
            last.update(dict.fromkeys(range(at, at + size), operation))
    return last


def sector_bytes(seed, operation, sector):
    first = (seed << 40 | operation << 16 | sector) * 0x9e3779b97f4a7c15
    return struct.pack('<64Q', *((first + n) & MASK for n in range(64)))


def checked(image):
    """e2fsck's exit status and words about an image that nobody uses."""
    done = subprocess.run(['/usr/sbin/e2fsck', '-fn', image], capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def partition_table(*partitions):
    """A master boot record; partitions: (first sector, sectors)."""
    record = bytearray(SECTOR)
    for number, (first, sectors) in enumerate(partitions):
        struct.pack_into('<BBBBBBBBII', record, 446 + 16 * number, 0, 0, 0, 0, 0x83, 0, 0, 0, first, sectors)
    record[510:] = b'\x55\xaa'
    return bytes(record)


class BlockTest(DomainTest):
    def boot_with(self, *disks, name='parvix', append='', **options):
        fd, root = self.root(add=PROGRAMS)
        guest = self.boot(name, [root, *disks], append=append, **options)
        guest.root_fd = fd
        self.sure(guest, 'stty -echo')
        return guest

    def end(self, guest):
        """Power off; the root file system must be clean."""
        guest.console.send('poweroff\n')
        self.assertEqual(guest.domain.wait_end(30), 'off')
        self.fsck(guest.root_fd)

    def fsck(self, fd):
        status, words = checked(f'/proc/{os.getpid()}/fd/{fd}')
        self.assertEqual(status, 0, words)

    def described(self, guest, disk):
        """The two lines on this disk in /proc/xen/devices."""
        text = self.sure(guest, 'cat /proc/xen/devices')
        match = re.search(rf'^{disk}: .*\n.*', text, re.M)
        self.assertTrue(match, text)
        return match.group()

    def number(self, text, name):
        return int(re.search(rf'\b{name} (\d+)', text)[1])

    def check_model(self, fd, seed, operations, jobs=4, kib=256):
        data = os.pread(fd, jobs * REGION * SECTOR, 0)
        for job in range(jobs):
            last = modelled(seed, job, operations, 2 * kib)
            for sector in range(REGION):
                at = (job * REGION + sector) * SECTOR
                operation = last.get(sector)
                wanted = sector_bytes(seed * 64 + job, operation, sector) if operation else bytes(SECTOR)
                if data[at:at + SECTOR] != wanted:
                    self.fail(f'seed {seed}: job {job}, sector {sector} is not what operation {operation} wrote')


class Features(BlockTest):
    MATRIX = (
        ('', r'queues 1, ring pages 1, segments 256, data by copy, flush flush, discard yes'),
        ('blk.persistent=0', r'segments 256, data by grant'),
        ('blk.indirect=0', r'segments 11, data by copy'),
        ('blk.indirect=0 blk.persistent=0 blk.pages=16', r'ring pages 16, segments 11, data by grant'),
        ('blk.indirect=32 blk.pages=2 blk.batch=0', r'ring pages 2, segments 32,'),
        ('blk.pages=4 blk.pool=16 blk.barrier=1', r'ring pages 4, .* flush barrier'),
        ('blk.pages=8 blk.flush=0 blk.discard=0', r'ring pages 8, .* flush none, discard no'),
        ('blk.queues=4', r'queues 4,'),
        ('blk.queues=3 blk.pages=2 blk.persistent=0', r'queues 3, ring pages 2, .* data by grant'),
    )

    def test_every_feature_on_and_off(self):
        self.dom0('echo 4 >/sys/module/xen_blkback/parameters/max_queues')
        for number, (append, wanted) in enumerate(self.MATRIX):
            with self.subTest(append=append):
                self.one_set(number, append, wanted)

    def one_set(self, number, append, wanted):
        seed = SEED + number
        fd, disk = self.empty_disk(8)
        guest = self.boot_with(disk, name=f'set{number}', append=append, cpus=2 if 'queues' in append else 1)
        self.sure(guest, f'disk_model /dev/xvdb {seed} 120', 120)
        text = self.described(guest, 'xvdb')
        self.assertRegex(text, wanted)
        self.assertEqual('grants 0 ' in text, 'data by copy' in text)
        # At most one notification for a batch of requests, at most one event for a batch of responses.
        self.assertLessEqual(self.number(text, 'notifications'), self.number(text, 'requests'))
        self.end(guest)
        self.check_model(fd, seed, 120)


class Disks(BlockTest):
    def test_four_disks_at_once(self):
        pairs = [self.empty_disk(8) for _ in range(3)]
        guest = self.boot_with(*(disk for _, disk in pairs), memory=96)
        self.sure(guest, 'cd /dev; for d in xvdb xvdc xvdd; do disk_model /dev/$d 9 100 2 >/tmp/$d & done; '
                         'disk_model /dev/xvdb 9 1 0; wait; cat /tmp/xvd?; [ $(cat /tmp/xvd? | grep -c as.it.should) = 3 ]', 120)
        self.end(guest)
        for fd, _ in pairs:
            self.check_model(fd, 9, 100, jobs=2)

    def test_partitions(self):
        fd, disk = self.empty_disk(16)
        os.pwrite(fd, partition_table((2048, 8192), (10240, 16384)), 0)
        guest = self.boot_with(disk)
        self.assertIn('xvdb1', self.sure(guest, 'ls /dev'))
        self.assertEqual(self.sure(guest, 'blockdev --getsize64 /dev/xvdb1; blockdev --getsize64 /dev/xvdb2').split(),
                         [str(8192 * SECTOR), str(16384 * SECTOR)])
        self.sure(guest, 'disk_model /dev/xvdb1 3 60; disk_model /dev/xvdb2 4 60', 60)
        self.end(guest)
        for seed, first in ((3, 2048), (4, 10240)):
            part = os.memfd_create('part')
            os.pwrite(part, os.pread(fd, 4 * REGION * SECTOR, first * SECTOR), 0)
            self.check_model(part, seed, 60)
            os.close(part)
        self.assertEqual(os.pread(fd, SECTOR, 0), partition_table((2048, 8192), (10240, 16384)))

    def test_a_partition_of_the_toolstack_and_disks_with_high_numbers(self):
        (first, one), (second, two) = self.empty_disk(4), self.empty_disk(4)
        _, root = self.root(add=PROGRAMS)
        entries = [root.entry('xvda'), one.entry('xvdc3'), two.entry('xvdzz')]
        guest = Guest(self.machine.create(self.machine.parvix(disks=[root], lines=[f'disk={config.quote(entries)}'])))
        self.guests.append(guest)
        guest.wait_prompt()
        self.sure(guest, 'disk_model /dev/xvdc3 5 40; disk_model /dev/xvdzz 6 40', 60)
        self.check_model(first, 5, 40)
        self.check_model(second, 6, 40)

    def test_read_only(self):
        fd, disk = self.empty_disk(4)
        os.pwrite(fd, b'words on a disk', 0)
        guest = self.boot_with()
        self.assertEqual(guest.domain.attach(disk, 'xvdb', writable=False)[0], 0)
        self.wait_for(guest, '[ -e /dev/xvdb ]')
        self.assertIn('read-only', self.described(guest, 'xvdb'))
        self.assertIn('words on a disk', self.sure(guest, 'head -c 15 /dev/xvdb'))
        status, text = guest.run('echo other words >/dev/xvdb')
        self.assertNotEqual(status, 0)
        self.assertIn('ead-only', text)
        self.end(guest)
        self.assertEqual(os.pread(fd, 15, 0), b'words on a disk')

    def test_discard(self):
        fd, disk = self.empty_disk(8)
        os.pwrite(fd, b'x' * (4 << 20), 0)
        guest = self.boot_with(disk)
        self.sure(guest, f'blkdiscard -o {1 << 20} -l {2 << 20} /dev/xvdb')
        self.assertNotEqual(guest.run(f'blkdiscard -o {8 << 20} -l 4096 /dev/xvdb')[0], 0)
        self.end(guest)
        self.assertEqual(os.pread(fd, 1, (1 << 20) - 1), b'x')
        self.assertEqual(os.pread(fd, 1, 3 << 20), b'x')
        self.assertEqual(os.pread(fd, 2 << 20, 1 << 20), bytes(2 << 20))

    def wait_for(self, guest, condition, seconds=20):
        tries = int(scaled(seconds) * 5)
        self.sure(guest, f'n=0; until {condition}; do n=$((n + 1)); [ $n -lt {tries} ] || exit 1; sleep 0.2; done', seconds * 2)

    def test_a_file_system_on_another_disk(self):
        fd, disk = self.empty_disk(32)
        subprocess.run(['/usr/sbin/mke2fs', '-q', '-t', 'ext2', f'/proc/{os.getpid()}/fd/{fd}'], check=True)
        guest = self.boot_with(disk)
        self.sure(guest, 'mount /dev/xvdb /mnt 2>&1 || { mkdir -p /mnt; mount -t ext2 /dev/xvdb /mnt; }')
        self.sure(guest, 'cp -r /bin /mnt/bin && cp -r /mnt/bin /mnt/twice && sync && rm -r /mnt/bin', 120)
        before = self.number(self.described(guest, 'xvdb'), 'requests')
        self.sure(guest, 'for f in /bin/*; do [ -f $f ] || continue; cmp $f /mnt/twice/${f#/bin/} || exit 1; done', 120)
        self.assertGreaterEqual(self.number(self.described(guest, 'xvdb'), 'requests'), before)
        self.sure(guest, 'umount /mnt')
        self.end(guest)
        self.fsck(fd)

    def test_a_disk_that_grows(self):
        fd, disk = self.empty_disk(4)
        guest = self.boot_with(disk)
        self.machine.qmp('block_resize', **{'node-name': f'disk{disk.number}', 'size': 6 << 20})
        self.dom0(f'echo 1 >/sys/block/{os.path.basename(disk.device)}/device/rescan')
        self.sure(guest, 'head -c 512 /dev/xvdb >/dev/null')  # the backend looks when it has something to do
        self.wait_for(guest, f'[ $(blockdev --getsize64 /dev/xvdb) = {6 << 20} ]')
        self.sure(guest, f'tail -c 512 /dev/xvdb | wc -c')
        self.end(guest)


class Plugging(BlockTest):
    wait_for = Disks.wait_for

    def test_plugged_and_unplugged(self):
        fd, disk = self.empty_disk(8)
        guest = self.boot_with()
        for seed in (11, 12, 13):
            os.ftruncate(fd, 0)
            os.ftruncate(fd, 8 << 20)
            self.assertEqual(guest.domain.attach(disk, 'xvdb')[0], 0)
            self.wait_for(guest, '[ -e /dev/xvdb ]')
            self.sure(guest, f'disk_model /dev/xvdb {seed} 40', 60)
            status, text = guest.domain.detach('xvdb')
            self.assertEqual(status, 0, text)
            self.wait_for(guest, '[ ! -e /dev/xvdb ]')
            self.check_model(fd, seed, 40)
        grants = self.sure(guest, 'cat /proc/xen/grants')
        self.assertRegex(grants, r'quarantined 0', grants)
        self.end(guest)

    def test_unplugged_in_the_middle_of_requests(self):
        _, disk = self.empty_disk(32)
        guest = self.boot_with()
        for turn in range(3):
            self.assertEqual(guest.domain.attach(disk, 'xvdb')[0], 0)
            self.wait_for(guest, '[ -e /dev/xvdb ]')
            guest.start('/usr/bench/disk -w -t 20 -j 8 /dev/xvdb random-write-4k-jobs')
            time.sleep(scaled(1))
            self.machine.dom0(f'xl block-detach --force {guest.domain.id} xvdb', 90)
            status, text = guest.finish(90)
            self.assertNotEqual(status, 0, f'turn {turn}: {text}')
            self.wait_for(guest, '[ ! -e /dev/xvdb ]')
        self.sure(guest, 'echo alive')
        self.end(guest)

    def test_a_mounted_disk_stays_until_it_is_free(self):
        fd, disk = self.empty_disk(8)
        subprocess.run(['/usr/sbin/mke2fs', '-q', '-t', 'ext2', f'/proc/{os.getpid()}/fd/{fd}'], check=True)
        guest = self.boot_with()
        self.assertEqual(guest.domain.attach(disk, 'xvdb')[0], 0)
        self.wait_for(guest, '[ -e /dev/xvdb ]')
        self.sure(guest, 'mkdir -p /mnt; mount -t ext2 /dev/xvdb /mnt; echo before >/mnt/file')
        detach = self.machine.start(f'xl block-detach {guest.domain.id} xvdb')
        time.sleep(scaled(2))
        self.sure(guest, 'echo after >>/mnt/file; sync; cat /mnt/file; umount /mnt')
        self.wait_for(guest, '[ ! -e /dev/xvdb ]')
        self.machine.agent.wait_for(lambda: detach.status is not None, scaled(30))
        self.end(guest)
        self.fsck(fd)

    # What the toolstack and the hotplug script have written for a backend.
    KEPT = ('frontend', 'frontend-id', 'params', 'script', 'online', 'removable', 'bootable', 'dev', 'type', 'mode',
            'device-type', 'discard-enable', 'physical-device', 'physical-device-path', 'hotplug-status')

    def test_backend_gone_and_back_in_the_middle_of_requests(self):
        for append in ('', 'blk.persistent=0', 'blk.indirect=0 blk.pages=4'):
            with self.subTest(append=append):
                self.gone_and_back(append)

    def gone_and_back(self, append):
        fd, disk = self.empty_disk(8)
        guest = self.boot_with(disk, append=append)
        node = f'/local/domain/0/backend/vbd/{guest.domain.id}/51728'
        guest.start('disk_model /dev/xvdb 21 1500')
        for _ in range(2):
            values = {name: self.dom0(f'xenstore-read {node}/{name}').strip() for name in self.KEPT}
            self.dom0(f'xenstore-rm {node}')
            time.sleep(scaled(0.3))
            nodes = ' '.join(f"{node}/{name} '{value}'" for name, value in values.items())
            self.dom0(f'xenstore-write {node}/state 1 {nodes} && xenstore-chmod -r {node} n0 r{guest.domain.id}; n=0; '
                      f'until [ "$(xenstore-read {node}/state)" = 4 ]; do n=$((n + 1)); [ $n -lt 200 ] || exit 1; usleep 50000; done')
        status, text = guest.finish(120)
        self.assertEqual(status, 0, text)
        self.assertIn('connected 3 times', self.described(guest, 'xvdb'))
        self.assertIn('quarantined 0', self.sure(guest, 'cat /proc/xen/grants'))
        self.end(guest)
        self.check_model(fd, 21, 1500)
