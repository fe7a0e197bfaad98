# SPDX-License-Identifier: MIT
"""For tests of a domain: a machine with a toolstack, and a shell in a domain of it.

    class Something(DomainTest):
        def test_it(self):
            guest = self.boot()                       # a Guest: domain and shell
            status, text = guest.run('ls /')
            self.assertIn('crashed', self.xl_list())

The machine is shared by the tests of a class, the domains and disks are each test's own. Of a test that
fails, what its domains and dom0 have said last is printed."""
import os
import re
import unittest

from rig import domain
from rig.codes import RigError
from rig.image import Additions, fd_path, open_copy, run_tool
from rigtest import SEED, build_file

PROMPT = rb'\w+@\w+:\S*[#$] '
_KERNEL = re.compile(rb'\x1ek([^\n]*)\n')


class Guest:
    """A Parvix domain whose console is a root shell."""

    def __init__(self, dom):
        self.domain, self.console = dom, dom.console
        self.count = 0

    def wait_prompt(self, seconds=30):
        self.console.expect(PROMPT, seconds)

    def start(self, command):
        """Types the command, to be finished by finish()."""
        self.count += 1
        self.console.send(f"{{ {command}\n}} 2>&1; echo E''ND{self.count}=$?\n")

    def finish(self, seconds=30):
        """The status and the output of the command that start() began, without the kernel's messages."""
        start = self.console.position
        match = self.console.expect(rb'END%d=(\d+)' % self.count, seconds)
        said = bytes(self.console.text[start:match.start()])
        text = _KERNEL.sub(b'', said).replace(b'\r\n', b'\n')
        echo = b"E''ND%d=$?" % self.count
        if echo in text:
            text = text[text.rindex(echo) + len(echo):]
        return int(match.group(1)), text.decode(errors='replace').lstrip('\r\n')

    def run(self, command, seconds=30):
        self.start(command)
        return self.finish(seconds)

    def messages(self):
        """What the kernel has said so far."""
        return b'\n'.join(_KERNEL.findall(bytes(self.console.text))).decode(errors='replace')


class DomainTest(unittest.TestCase):
    MEMORY = 256  # MiB of all domains of a test
    WORLD = 'pv'  # of the domains, unless a test says otherwise

    @classmethod
    def setUpClass(cls):
        cls.machine = domain.Machine(memory=cls.MEMORY, pvh=cls.WORLD == 'pvh')

    @classmethod
    def tearDownClass(cls):
        cls.machine.close()

    def setUp(self):
        if self.machine.agent.broken:
            # A test before this one has broken it; that one has failed for it.
            self._new_machine()
        self.spoilt = False  # set by a test after which nobody else can use the machine
        self.disks = []
        self.guests = []
        self.addCleanup(self._clean_up)

    @classmethod
    def _new_machine(cls):
        cls.machine.close()
        cls.machine = domain.Machine(memory=cls.MEMORY, pvh=cls.WORLD == 'pvh')

    def _clean_up(self):
        if not self._outcome.success:
            self._say_more()
        if self.machine.agent.broken:
            return
        if self.spoilt:
            for fd, _ in self.disks:
                os.close(fd)
            self._new_machine()
            return
        for guest in self.guests:
            if guest.domain.end in (None, domain.CRASHED):
                guest.domain.destroy()
        for fd, disk in self.disks:
            try:
                disk.detach()
            except RigError as error:
                print(f'        a disk cannot be taken from dom0: {error}')
            os.close(fd)

    def _say_more(self):
        for guest in self.guests:
            print(f'        --- console of {guest.domain.name}, seed {SEED}:')
            text = bytes(guest.console.text[-3000:]).decode(errors='replace').replace('\x1ek', '').replace('\r', '')
            for line in text.splitlines()[-40:]:
                print('        ' + line)
        for line in self.machine.words()[-1500:].splitlines()[-15:]:
            print('        dom0: ' + line)

    def root(self, add=()):
        """A fresh root disk, (descriptor, Disk); `add`: pairs of host path and guest path."""
        fd = open_copy(build_file('root.img'))
        additions = Additions()
        for host, guest in add:
            additions.add(host, guest)
        additions.write_into(fd)
        return self._keep(fd)

    def empty_disk(self, mib, file_system=False):
        """(descriptor, Disk) of zeros, or with an empty ext2 file system."""
        fd = os.memfd_create('disk')
        os.ftruncate(fd, mib << 20)
        if file_system:
            done = run_tool(['mke2fs', '-q', '-F', '-t', 'ext2', fd_path(fd)], [fd])
            self.assertEqual(done.returncode, 0, done.stderr)
        return self._keep(fd)

    def _keep(self, fd):
        pair = fd, self.machine.attach(fd)
        self.disks.append(pair)
        return pair

    def create(self, name='parvix', disks=None, **options):
        """A domain, created; not waited for."""
        disks = [self.root()[1]] if disks is None else disks
        paused = options.pop('paused', False)
        options.setdefault('world', self.WORLD)
        guest = Guest(self.machine.create(self.machine.parvix(name, disks, **options), paused=paused))
        self.guests.append(guest)
        return guest

    def boot(self, name='parvix', disks=None, **options):
        """A domain at its prompt."""
        guest = self.create(name, disks, **options)
        guest.wait_prompt()
        return guest

    def sure(self, guest, command, seconds=30):
        """The output of a command that must succeed."""
        status, text = guest.run(command, seconds)
        self.assertEqual(status, 0, f'{command}: {text}')
        return text

    def dom0(self, command, seconds=60):
        """The output of a command in dom0 that must succeed."""
        status, text = self.machine.dom0(command, seconds)
        self.assertEqual(status, 0, f'{command}: {text}')
        return text

    def listed(self, name='parvix'):
        """The domain's line of `xl list` as a dictionary, or None."""
        _, text = self.machine.dom0(f'xl list {name}')
        for line in text.splitlines():
            words = line.split()
            if words[:1] == [name] and len(words) == 6:
                return dict(zip(('name', 'id', 'memory', 'vcpus', 'state', 'time'), words))
        return None
