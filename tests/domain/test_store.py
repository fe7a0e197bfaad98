# SPDX-License-Identifier: MIT
"""xenstore as files at /xen/store, the xenstore command, /proc/xen, the domain's name and time."""
import re
import tempfile
import time

from domtest import DomainTest
from rigtest import build_file


class FromMemory(DomainTest):
    """Domains whose root file system is their RAM disk: no block device is needed."""

    def memory_boot(self, name='parvix', **options):
        lines = [f'ramdisk="{self.machine.file(build_file("root.img"))}"']
        guest = self.boot(name, disks=(), memory=96, lines=lines, **options)
        guest.run('stty -echo; cd /xen/self/data')
        self.path = f'/local/domain/{guest.domain.id}'
        return guest

    def write_many(self, count):
        """So many nodes below data, by few programs: starting one takes long in the emulator."""
        for first in range(0, count, 100):
            self.dom0('xenstore-write ' + ' '.join(f'{self.path}/data/some-longer-name-{i} {i}'
                                                   for i in range(first, min(first + 100, count))))


class Files(FromMemory):
    def test_values_in_both_directions(self):
        guest = self.memory_boot()
        self.sure(guest, 'echo from the guest >a; printf "two\\nlines\\n\\n" >b; printf plain >c')
        for node, value in (('a', 'from the guest'), ('b', 'two\nlines\n'), ('c', 'plain')):
            self.assertEqual(self.dom0(f'xenstore-read -R {self.path}/data/{node}'), value)
        self.dom0(f'xenstore-write {self.path}/data/d "from dom0"')
        self.assertEqual(self.sure(guest, 'cat d; echo; cat d.value; echo'), 'from dom0\nfrom dom0\n')
        self.assertEqual(self.sure(guest, 'cat /xen/self/domid'), str(guest.domain.id))
        self.assertEqual(self.sure(guest, f'cat /xen/store{self.path}/name'), 'parvix')

    def test_every_byte(self):
        guest = self.memory_boot()
        self.sure(guest, "for a in 0 1 2 3; do for b in 0 1 2 3 4 5 6 7; do for c in 0 1 2 3 4 5 6 7; do "
                  "printf '%b' \"\\\\0$a$b$c\"; done; done; done >/tmp/all; cp /tmp/all all.value; cmp /tmp/all all.value",
                  60)
        text = self.dom0(f'xenstore-read -R {self.path}/data/all | od -An -v -tx1')
        self.assertEqual(bytes.fromhex(text.replace('\n', '')), bytes(range(256)))
        # The last byte is no newline: the other name of the value keeps all of them as well.
        self.sure(guest, 'cp /tmp/all all; cmp /tmp/all all.value; printf "x\\n\\n" >nl.value')
        self.assertEqual(self.dom0(f'xenstore-read -R {self.path}/data/nl'), 'x\n\n')

    def test_a_value_is_replaced_whole(self):
        guest = self.memory_boot()
        self.sure(guest, 'echo a long old value >v; echo new >v')
        self.assertEqual(self.sure(guest, 'cat v.value'), 'new')
        self.sure(guest, 'printf er >>v')
        self.assertEqual(self.sure(guest, 'cat v'), 'newer')
        self.sure(guest, '{ printf one; printf two; printf three; } >v')
        self.assertEqual(self.sure(guest, 'cat v'), 'onetwothree')
        # Watchers see the values that were written, and no empty one in between.
        guest.start('xenstore watch -n 3 data/v | while read p; do xenstore read $p; done')
        time.sleep(1)
        self.dom0(f'xenstore-write {self.path}/data/v 1; sleep 0.5; xenstore-write {self.path}/data/v 2')
        self.assertEqual(guest.finish()[1].split(), ['onetwothree', '1', '2'])

    def test_what_does_not_fit(self):
        guest = self.memory_boot()
        self.assertIn('No space left', guest.run('head -c 2500 /dev/zero >/tmp/z; cat /tmp/z >big')[1])  # xenstored's limit
        self.assertIn('too large', guest.run('head -c 4096 /dev/zero >/tmp/z; cat /tmp/z >big')[1])
        self.assertIn('too large', guest.run('head -c 5000 /dev/zero >/tmp/z; cat /tmp/z >big')[1])
        self.sure(guest, 'test ! -e big')
        self.assertEqual(self.sure(guest, 'head -c 1900 /dev/zero >/tmp/z; cp /tmp/z big; wc -c <big.value').strip(), '1900')

    def test_directories(self):
        guest = self.memory_boot()
        self.sure(guest, 'mkdir d d/e; echo 1 >d/e/f; echo 2 >d/g; test -d d && test -f d/g')
        self.assertEqual(self.dom0(f'xenstore-list {self.path}/data/d').split(), ['e', 'g'])
        self.assertEqual(self.sure(guest, 'cd d/e; pwd -P; cd ../..; ls d').split(),
                         [f'/xen/store{self.path}/data/d/e', 'e', 'g'])
        self.assertIn('not empty', guest.run('rmdir d')[1])
        self.sure(guest, 'rm -r d; test ! -e d')
        # A value and children: both can be had.
        self.sure(guest, 'echo v >n; echo w >n.dir/c; test -d n')
        self.assertEqual(self.sure(guest, 'cat n.value; cat n/c'), 'vw')
        self.assertEqual(self.dom0(f'xenstore-read {self.path}/data/n {self.path}/data/n/c').split(), ['v', 'w'])
        # Empty, it is a directory to look at and a file to write to.
        self.sure(guest, ': >m; test -d m; echo now >m; test -f m')

    def test_many_names(self):
        guest = self.memory_boot()
        self.write_many(300)
        self.assertEqual(self.sure(guest, 'ls | wc -l').strip(), '300')
        self.assertEqual(self.sure(guest, 'cat * | wc -c').strip(), str(sum(len(str(i)) for i in range(300))))
        self.sure(guest, 'rm *', 60)
        self.assertEqual(self.sure(guest, 'ls'), '')

    def test_errors(self):
        guest = self.memory_boot()
        for command, word in (('cat nothing', 'No such file'), ('echo x >a.b', 'Invalid'), ('mkdir a+b', 'Invalid'),
                              ('ls /xen/store', 'Permission'), ('echo 1 >/xen/self/name', 'Permission'),
                              ('echo 1 >/xen/store/local/domain/0/x', 'Permission'), ('mkfifo p || mknod p p', 'Not owner'),
                              ('mkdir d; ln -s d e', 'Not owner'), ('echo 1 >f; mv f g', 'Not owner'),
                              ('chmod 600 f', 'Not owner'), ('cat d', 'directory'), ('ls f.nonsense', 'No such file'),
                              ('cd /; umount /xen/store', ''), ('ls /xen/self/', 'No such file')):
            with self.subTest(command):
                self.assertIn(word, guest.run(command)[1])
        self.sure(guest, 'mount -t xenstore xenstore /xen/store; ls /xen/self/domid')

    def test_permissions(self):
        guest = self.memory_boot()
        own = guest.domain.id
        self.sure(guest, f'echo 1 >p; echo n{own} r0 b7 >p.perms')
        self.assertEqual(self.sure(guest, 'cat p.perms'), f'n{own} r0 b7\n')
        self.assertIn(f'(n{own},r0,b7)', self.dom0(f'xenstore-ls -p {self.path}/data'))
        self.assertIn('Invalid', guest.run('echo nonsense >p.perms')[1])


class Watches(FromMemory):
    def test_a_read_waits_for_a_change(self):
        guest = self.memory_boot()
        guest.start('{ read first; echo got $first; read second; echo got $second; } </xen/self/data.watch')
        guest.console.expect(rb'got (\S+/data)\r\n')
        time.sleep(0.5)
        self.assertNotIn(b'got', guest.console.rest())
        self.dom0(f'xenstore-write {self.path}/data/deep/below 1')
        self.assertRegex(guest.finish()[1], r'got \S+/data/deep')

    def test_what_does_not_exist_yet(self):
        guest = self.memory_boot()
        guest.start('xenstore watch -n 3 data/later')
        guest.console.expect(rb'data/later\r\n')
        self.dom0(f'xenstore-write {self.path}/data/later 1; sleep 0.3; xenstore-rm {self.path}/data/later')
        self.assertEqual(guest.finish()[1].split(), ['data/later'] * 2)

    def test_signals_end_the_wait(self):
        guest = self.memory_boot()
        self.assertEqual(guest.run('timeout 1 cat /xen/self/data.watch')[0], 124)
        guest.start('cat /xen/self/data.watch')
        guest.console.expect(rb'/data\r\n')
        guest.console.send('\x03')
        guest.wait_prompt()
        self.assertRegex(self.sure(guest, 'cat /proc/xen/store'), r'(?m)^watches \d$')

    def test_several_at_once(self):
        guest = self.memory_boot()
        guest.start('xenstore watch -n 4 data/a data/b')
        guest.console.expect(rb'data/a\r\n.*data/b\r\n|data/b\r\n.*data/a\r\n')
        self.dom0(f'xenstore-write {self.path}/data/b 1; sleep 0.3; xenstore-write {self.path}/data/a 1')
        self.assertEqual(guest.finish()[1].split(), ['data/b', 'data/a'])

    def test_a_slow_reader_is_told_once_more(self):
        guest = self.memory_boot()
        self.sure(guest, 'exec 7</xen/self/data.watch')
        self.write_many(400)
        text = guest.run('sleep 4; timeout 2 cat <&7; exec 7<&-')[1].split()
        self.assertEqual(text[0], f'{self.path}/data')
        self.assertGreaterEqual(text.count(f'{self.path}/data'), 2)
        self.assertLess(len(text), 400)

    def test_not_more_than_so_many(self):
        guest = self.memory_boot()
        text = guest.run('for i in $(seq 70); do sleep 30 </xen/self/data.watch & done 2>/tmp/err; sleep 2; '
                         'grep -c "No space left" /tmp/err; kill $(jobs -p); wait', 60)[1]
        self.assertIn('6', text.split())
        self.sure(guest, 'timeout 1 cat /xen/self/data.watch; [ $? = 124 ]')


class Command(FromMemory):
    def test_formats_are_those_of_dom0(self):
        guest = self.memory_boot()
        self.sure(guest, 'echo v >n; echo w >n.dir/c; printf "\\t\\001\\377\\\\\\n\\n" >odd; echo "0123456789 the quick brown '
                  'fox jumps over the lazy dog and so on until the line is long enough" >long; mkdir empty')
        for options in ('', '-f', '-p', '-fp'):
            with self.subTest(options):
                dom0 = self.dom0(f'xenstore-ls {options} {self.path}')
                own = self.sure(guest, f'xenstore-ls {options} {self.path} | cat')
                # Names come sorted here, and as they lie there.
                self.assertEqual(sorted(line.rstrip() for line in own.splitlines()),
                                 sorted(line.rstrip() for line in dom0.splitlines()))
        for command in ('read {0}/data/n', 'read -p {0}/data/n {0}/data/odd', 'read -R {0}/data/odd', 'list {0}/data',
                        'list -p {0}/data {0}/data/n', 'list {0}/data/long', 'exists {0}/data/n', 'exists {0}/data/no'):
            with self.subTest(command):
                text = command.format(self.path)
                status, dom0 = self.machine.dom0(f'xenstore-{text}')
                own, said = guest.run(f'xenstore-{text}')
                self.assertEqual((own, sorted(said.splitlines())), (status, sorted(dom0.splitlines())))

    def test_changes(self):
        guest = self.memory_boot()
        self.sure(guest, "xenstore write data/a/b/c '1\\t2\\x41\\101' data/a/d ''; xenstore-write -R data/raw 'a\\tb'")
        self.assertEqual(self.dom0(f'xenstore-read {self.path}/data/a/b/c'), '1\\t2AA\n')
        self.assertEqual(self.dom0(f'xenstore-read -R {self.path}/data/raw'), 'a\\tb')
        self.sure(guest, 'xenstore exists data/a/d && xenstore rm data/a/d && ! xenstore exists data/a/d')
        self.sure(guest, 'xenstore rm -t data/a/b/c; ! xenstore exists data/a && xenstore exists data')
        self.sure(guest, 'xenstore write data/t/u/v 1; xenstore-rm data/t; ! xenstore exists data/t/u')
        own = guest.domain.id
        self.sure(guest, f'xenstore write data/p/q 1; xenstore chmod -r data/p n{own} r0')
        self.assertEqual(self.dom0(f'xenstore-ls -p {self.path}/data/p').count(f'(n{own},r0)'), 1)
        for wrong in ('', 'write data/x', 'nonsense', 'chmod data', 'chmod data z9', 'watch -n x data'):
            self.assertNotEqual(guest.run(f'xenstore {wrong}')[0], 0, wrong)
        self.assertEqual(guest.run('xenstore read data/no')[0], 1)


class OfTheDomain(FromMemory):
    def test_proc_xen(self):
        guest = self.memory_boot('alpha', lines=())
        self.assertEqual(self.sure(guest, 'cat /proc/xen/domid /proc/xen/name'), f'{guest.domain.id}\nalpha\n')
        uuid = self.dom0('xl list -v alpha').split()
        self.assertIn(self.sure(guest, 'cat /proc/xen/uuid').strip(), uuid)
        self.assertEqual(self.sure(guest, 'cat /proc/xen/capabilities'), '')
        self.assertRegex(self.sure(guest, 'cat /proc/xen/grants'), r'(?m)^quarantined 0$')
        self.assertRegex(self.sure(guest, 'cat /proc/xen/events'), r'domain 0 port \d+ +xenstore')
        self.assertRegex(self.sure(guest, 'cat /proc/xen/store'), r'connection up\n')
        self.assertRegex(self.sure(guest, 'cat /proc/xen/memory'), r'total \d+\ntarget 98304\nstatic-max 98304\n')
        self.sure(guest, 'cat /proc/xen/devices; cd /proc/xen; ls ..; pwd; test -d /proc/xen')
        self.assertIn('No such file', guest.run('ls /proc/xen/nothing')[1])

    def memory_boot(self, name='parvix', lines=(), **options):
        return super().memory_boot(name, **options)

    def test_host_name(self):
        guest = self.memory_boot('beta')
        self.assertEqual(self.sure(guest, 'uname -n; hostname').split(), ['beta', 'beta'])

    def test_date_and_uptime(self):
        guest = self.memory_boot()
        began = time.time()
        inside, up = self.sure(guest, 'date +%s; cat /proc/uptime').split()[:2]
        self.assertLess(abs(int(inside) - began), 30)
        self.assertLess(float(up), 60)
        # The host's clock is set: ours follows, and time that passed does not jump.
        self.addCleanup(self.dom0, 'date -s @$(($(date +%s) - 3600)) >/dev/null')
        self.dom0('date -s @$(($(date +%s) + 3600)) >/dev/null; sleep 1')
        later, up2 = self.sure(guest, 'date +%s; cat /proc/uptime').split()[:2]
        self.assertGreater(int(later) - int(inside), 3500)
        self.assertLess(float(up2) - float(up), 60)


class HostName(DomainTest):
    def test_a_file_has_the_last_word(self):
        with tempfile.NamedTemporaryFile('w') as file:
            file.write('gamma\n')
            file.flush()
            guest = self.boot(disks=[self.root(add=[(file.name, '/etc/hostname')])[1]])
        self.assertTrue(re.search('gamma', self.sure(guest, 'uname -n')))
