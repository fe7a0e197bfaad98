# SPDX-License-Identifier: MIT
"""PVH domains: what is theirs alone, and what they must do as PV domains do (the tests of those, again)."""
import os
import random

import test_block
import test_console
import test_lifecycle
import test_memory
import test_nmi
from domtest import DomainTest
from rigtest import SEED

MIB = 1024  # KiB


class Pvh(DomainTest):
    WORLD = 'pvh'
    MEMORY = 384

    def calls(self, guest):
        lines = self.sure(guest, 'cat /proc/hypercalls').splitlines()
        return {name: int(count) for name, count in (line.split() for line in lines if line[0] != '#')}

    def test_the_processor_is_its_own(self):
        guest = self.boot()
        self.assertIn('pvh world on Xen', self.sure(guest, 'uname -a'))
        features = self.sure(guest, 'cat /proc/machine')
        for word in ('auto_translated_physmap', 'writable_page_tables', 'hvm_callback_vector'):
            self.assertIn(word, features)
        self.sure(guest, 'i=0; while [ $i -lt 20 ]; do ls / >/dev/null; i=$((i + 1)); done')
        calls = self.calls(guest)
        for name in ('mmu_update', 'mmuext_op', 'update_va_mapping', 'multicall', 'iret', 'set_trap_table',
                     'stack_switch', 'set_segment_base', 'callback_op'):
            self.assertNotIn(name, calls)
        self.assertGreater(calls['event_channel_op'], 0)
        self.assertGreater(calls['hvm_op'], 0)

    def test_the_selftest_finds_nothing(self):
        guest = self.boot()
        messages = guest.messages()
        self.assertRegex(messages, r'event channels +OK')
        self.assertRegex(messages, r'non-maskable interrupt +OK')
        self.assertRegex(messages, r'grants +OK')
        self.assertNotIn('FAIL', messages)

    def test_beside_a_pv_domain(self):
        pvh, pv = self.boot('one'), self.boot('two', world='pv')
        self.assertIn('pvh world', self.sure(pvh, 'uname -a'))
        self.assertIn('pv world', self.sure(pv, 'uname -a'))
        self.assertEqual(self.sure(pvh, 'wc -c </bin/sh'), self.sure(pv, 'wc -c </bin/sh'))

    def test_less_memory_than_the_map_shows(self):
        """The balloon is there before the first program; all that the domain has can be used."""
        guest = self.boot(memory=64, lines=['maxmem=256'])
        values = dict(line.split() for line in self.sure(guest, 'cat /proc/xen/memory').splitlines())
        self.assertEqual((values['current'], values['largest'], values['balloon']),
                         (str(64 * MIB), str(256 * MIB), 'settled'))
        self.sure(guest, 'mkdir -p /tmp/big; mount -t tmpfs -o size=90% none /tmp/big')
        self.assertEqual(self.sure(guest, 'head -c 40000000 /dev/zero >/tmp/big/a; wc -c </tmp/big/a', 60).strip(),
                         '40000000')
        self.assertEqual(self.dom0('xl list parvix | tail -1').split()[2], '64')

    def test_the_grant_table_grows(self):
        disks = [self.root()[1]] + [self.empty_disk(8)[1] for _ in range(4)]
        guest = self.boot(disks=disks, append='blk.segments=256')
        self.sure(guest, 'for d in a b c d e; do dd if=/dev/xvd$d of=/dev/null bs=1024k count=8 & done; wait', 60)
        grants = dict(line.split() for line in self.sure(guest, 'cat /proc/xen/grants').splitlines())
        self.assertGreater(int(grants['used']), 504)
        self.assertGreater(int(grants['entries']), 512)
        self.assertEqual(int(grants['quarantined']), 0)


# What a PV domain must do is done here, too, by the same code but for its lowest layer. Each run repeats some of it,
# chosen by the seed; PARVIX_TEST_ALL=1 in the environment repeats all.
CLASSES = (test_lifecycle.Stops, test_lifecycle.Crashes, test_lifecycle.Controls, test_lifecycle.Requests,
           test_memory.Balloon, test_nmi.Nmi, test_console.Console, test_block.Plugging)
CHOSEN = CLASSES if os.environ.get('PARVIX_TEST_ALL') else random.Random(SEED).sample(CLASSES, 3)
for chosen in CHOSEN:
    globals()[chosen.__name__] = type(chosen.__name__, (chosen,), {'WORLD': 'pvh', '__module__': __name__})
del chosen
