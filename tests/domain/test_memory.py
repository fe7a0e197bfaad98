# SPDX-License-Identifier: MIT
"""xl mem-set: memory that goes and comes while the domain runs."""
import re

from domtest import DomainTest
from rig.codes import scaled
from rigtest import build_file

MIB = 1024  # KiB


class Balloon(DomainTest):
    MEMORY = 384

    def boot_from_memory(self, memory=96, maxmem=None):
        lines = [f'ramdisk="{self.machine.file(build_file("root.img"))}"']
        if maxmem:
            lines.append(f'maxmem={maxmem}')
        return self.boot(disks=(), memory=memory, lines=lines)

    def values(self, guest):
        _, text = guest.run('cat /proc/xen/memory')
        return dict(line.split() for line in text.splitlines())

    def total(self, guest):
        _, text = guest.run('cat /proc/meminfo')
        return int(re.search(r'MemTotal: +(\d+)', text)[1])

    def listed(self, guest):
        """MiB of the domain as the toolstack sees it."""
        return int(self.dom0(f'xl list {guest.domain.name} | tail -1').split()[2])

    def mem_set(self, guest, mib):
        self.dom0(f'xl mem-set {guest.domain.name} {mib}')

    def wait_listed(self, guest, mib, seconds=15):
        tries = int(scaled(seconds) / 0.2)
        self.dom0(f'n=0; until [ "$(xl list {guest.domain.name} | tail -1 | awk \'{{print $3}}\')" = {mib} ]; do '
                  f'n=$((n + 1)); [ $n -lt {tries} ] || exit 1; usleep 200000; done')

    def test_down_and_up_again(self):
        guest = self.boot_from_memory()
        before = self.total(guest)
        for _ in range(2):
            self.mem_set(guest, 64)
            self.wait_listed(guest, 64)
            self.assertEqual(self.values(guest)['current'], str(64 * MIB))
            self.assertEqual(self.total(guest), before - 32 * MIB)
            self.mem_set(guest, 96)
            self.wait_listed(guest, 96)
            self.assertEqual(self.total(guest), before)
        self.assertEqual(self.values(guest)['balloon'], 'settled')

    def test_up_to_maxmem(self):
        guest = self.boot_from_memory(64, 256)
        before = self.total(guest)
        self.assertEqual(self.values(guest)['largest'], str(256 * MIB))
        self.mem_set(guest, 256)
        self.wait_listed(guest, 256)
        self.assertEqual(self.total(guest), before + 192 * MIB)
        # What has come can be used: all of it is written and read.
        guest.run('mkdir -p /tmp/big; mount -t tmpfs -o size=90% none /tmp/big', 10)
        status, text = guest.run('head -c 150000000 /dev/zero >/tmp/big/a; wc -c </tmp/big/a', 120)
        self.assertEqual((status, text.strip()), (0, '150000000'))
        self.assertNotIn('killed', guest.messages())

    def test_tables_larger_than_the_area_below_the_kernel(self):
        """The p2m and the direct map's tables then lie behind what the domain builder left, and around it."""
        with_disk = self.boot('disk', memory=128, lines=['maxmem=1024'])
        for guest in (with_disk, self.boot_from_memory(128, 1024)):
            status, text = guest.run('head -c 30000000 /dev/zero >/tmp/a && wc -c </tmp/a; rm /tmp/a', 60)
            self.assertEqual((status, text.strip()), (0, '30000000'))

    def test_under_pressure_it_stops_and_goes_on_later(self):
        guest = self.boot_from_memory()
        guest.run('mkdir -p /tmp/big; mount -t tmpfs -o size=90% none /tmp/big; head -c 33000000 /dev/zero >/tmp/big/a', 60)
        self.mem_set(guest, 56)
        guest.console.expect(rb'balloon: memory stays at \d+ KiB', 30)
        status, text = guest.run('wc -c </tmp/big/a; ls /bin >/dev/null && seq 1 1000 | sort -n | tail -n 1')
        self.assertEqual((status, text.split()), (0, ['33000000', '1000']))
        self.assertNotIn('killed', guest.messages())
        self.assertNotIn('out of memory', guest.messages())
        self.assertEqual(self.values(guest)['balloon'], 'stuck')
        guest.run('rm /tmp/big/a')
        self.wait_listed(guest, 56, 70)

    def test_nonsense_as_target(self):
        guest = self.boot_from_memory()
        path = f'/local/domain/{guest.domain.id}/memory/target'
        for value in ('', 'abc', ' -1', '0x10000', '99999999999999999999999', '98304 ', '0'):
            self.dom0(f"xenstore-write {path} '{value}'")
            self.assertEqual(self.values(guest)['current'], str(96 * MIB), value)
        self.dom0(f'xenstore-rm {path}')
        self.assertEqual(self.values(guest)['current'], str(96 * MIB))
        self.dom0(f'xenstore-write {path} {96 * MIB}')  # without one, xl cannot set another
        self.mem_set(guest, 80)
        self.wait_listed(guest, 80)

    def test_more_than_the_host_allows(self):
        guest = self.boot_from_memory(64, 128)
        self.dom0(f'xenstore-write /local/domain/{guest.domain.id}/memory/target {128 * MIB}')
        guest.console.expect(rb'balloon: memory stays at (\d+) KiB[^\n]*the host does not give more', 30)
        self.assertEqual(guest.run('echo alive')[1], 'alive\n')
        self.mem_set(guest, 128)
        self.wait_listed(guest, 128)

    def test_while_programs_run(self):
        guest = self.boot_from_memory()
        guest.start('i=0; while [ $i -lt 25 ]; do seq 1 4000 | sort -n | tail -n 1; i=$((i + 1)); done')
        for mib in (60, 96, 72, 50, 96):
            self.mem_set(guest, mib)
            self.wait_listed(guest, mib)
        status, text = guest.finish(120)
        self.assertEqual((status, text.split()), (0, ['4000'] * 25))
