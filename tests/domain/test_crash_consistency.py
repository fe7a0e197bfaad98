# SPDX-License-Identifier: MIT
"""A domain that is destroyed at any moment: what was synced before is there after e2fsck -p, with its contents.
And disks that come and go while they are used."""
import os
import random
import re
import tempfile
import time
import unittest

from domtest import DomainTest
from rig import domain
from rig.codes import scaled
from rig.image import fd_path, run_tool
from rigtest import SEED

ROUNDS = 3
ENOUGH = 60  # seconds; no round begins after that
UNPLUGS = 4

# Files of many sizes, each reported once it has been synced, by fsync or by sync; old ones go. Beside that, names
# and blocks of other files come and go all the time.
SCRIPT = r'''
(while :; do cp -r /bin /mnt/churn; rm -rf /mnt/churn; done >/dev/null 2>&1) &
i=0
while :; do
	if [ $((i % 3)) = 0 ]; then
		yes $i | head -c $((i * 7919 % 60000 + 1)) >/mnt/f$i && sync
	else
		yes $i | head -c $((i * 7919 % 60000 + 1)) | dd of=/mnt/f$i bs=4k conv=fsync 2>/dev/null
	fi || break
	echo S''AFE $i
	[ $i -lt 8 ] || { echo G''ONE $((i - 8)); rm /mnt/f$((i - 8)); }
	i=$((i + 1))
done
'''


def content(i):
    line = f'{i}\n'.encode()
    size = i * 7919 % 60000 + 1
    return (line * (size // len(line) + 1))[:size]


class Destroyed(DomainTest):
    def check(self, fd, said):
        safe = {int(n) for n in re.findall(rb'SAFE (\d+)\r?\n', said)}
        gone = {int(n) for n in re.findall(rb'GONE (\d+)', said)}
        done = run_tool(['e2fsck', '-p', '-f', fd_path(fd)], [fd])
        self.assertIn(done.returncode, (0, 1), done.stdout + done.stderr)
        done = run_tool(['e2fsck', '-n', '-f', fd_path(fd)], [fd])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with tempfile.TemporaryDirectory() as folder:
            for i in sorted(safe - gone):
                path = os.path.join(folder, f'f{i}')
                run_tool(['debugfs', '-R', f'dump /f{i} {path}', fd_path(fd)], [fd])
                self.assertTrue(os.path.exists(path), f'f{i} was synced and is not there')
                with open(path, 'rb') as file:
                    found, wanted = file.read(), content(i)
                if found != wanted:
                    at = next((n for n, (a, b) in enumerate(zip(found, wanted)) if a != b), min(len(found), len(wanted)))
                    self.fail(f'f{i} was synced and has other contents: {len(found)} bytes of {len(wanted)}, from {at} '
                              f'on {found[at:at + 16]!r}')
        return len(safe - gone)

    def test_at_a_random_moment(self):
        began = time.monotonic()
        rounds, files = 0, 0
        for n in range(ROUNDS):
            if time.monotonic() - began > scaled(ENOUGH):
                break
            seed = SEED + n
            wait = random.Random(seed).uniform(0.2, 4)
            with self.subTest(seed=seed, seconds=round(wait, 2)):
                fd, disk = self.empty_disk(16, file_system=True)
                guest = self.boot(f'round{n}', [self.root()[1], disk])
                self.sure(guest, 'mount -t ext2 /dev/xvdb /mnt')
                start = guest.console.position
                guest.start(SCRIPT)
                guest.console.expect(rb'SAFE 0', 30)
                self.machine.agent.wait_for(lambda: False, scaled(wait))
                guest.domain.destroy()
                self.assertEqual(guest.domain.wait_end(), domain.DESTROYED)
                self.machine.dom0(f'blockdev --flushbufs {disk.device}')
                files += self.check(fd, bytes(guest.console.text[start:]))
                rounds += 1
        print(f'        {rounds} rounds, {files} files', flush=True)
        self.assertGreater(rounds, 0)


class Unplugged(DomainTest):
    """xl block-attach and block-detach, with readers and writers at work."""

    def wait_disk(self, guest, there):
        test = '[ -b /dev/xvdb ]' if there else '[ ! -e /dev/xvdb ]'
        self.sure(guest, f'n=0; until {test} || [ $n = 100 ]; do n=$((n+1)); sleep 0.1; done; {test}', 60)

    def test_under_load(self):
        numbers = random.Random(SEED)
        guest = self.boot()
        fd, disk = self.empty_disk(8)
        for n in range(UNPLUGS):
            with self.subTest(seed=SEED, n=n):
                self.assertEqual(guest.domain.attach(disk, 'xvdb')[0], 0)
                self.wait_disk(guest, True)
                probe = numbers.choice(('random-read-4k-jobs', '-w random-write-4k-jobs', 'read-1m', '-w write-64k'))
                flags, _, name = probe.rpartition(' ')
                guest.start(f'/usr/bench/disk {flags} -t 30 -j 4 /dev/xvdb {name}')
                self.machine.agent.wait_for(lambda: False, scaled(numbers.uniform(0.1, 1.5)))
                status, text = self.machine.dom0(f'xl block-detach --force {guest.domain.id} xvdb')
                self.assertEqual(status, 0, text)
                self.assertNotEqual(guest.finish(60)[0], 0)
                self.wait_disk(guest, False)
                self.sure(guest, 'echo x >/root/x; sync; cat /root/x')
        self.assertEqual(guest.domain.attach(disk, 'xvdb')[0], 0)
        self.wait_disk(guest, True)
        self.sure(guest, 'cat /dev/xvdb >/dev/null')
        self.assertEqual(guest.domain.detach('xvdb')[0], 0)
        self.wait_disk(guest, False)


if __name__ == '__main__':
    unittest.main()
