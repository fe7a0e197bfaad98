# SPDX-License-Identifier: MIT
"""For tests of a domain: a machine with a toolstack, and a shell in a domain of it.

    class Something(DomainTest):
        def test_it(self):
            guest = self.boot()                       # a Guest: domain and shell
            status, text = guest.run('ls /')
            self.assertIn('crashed', self.xl_list())

The machine belongs to the test and goes with it; what the domain and dom0 have said is added to the message
of a test that fails."""
import os
import re
import unittest

from rig import codes, domain, run
from rig.codes import RigError, scaled
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

    @classmethod
    def setUpClass(cls):
        cls.shared = None

    def setUp(self):
        self.fds = []
        self.guests = []
        self.machine = domain.Machine(memory=self.MEMORY)
        self.addCleanup(self.machine.close)
        self.addCleanup(self._say_more)

    def _say_more(self):
        failed = any(error for _, error in self._outcome.errors) if hasattr(self._outcome, 'errors') else True
        result = self._outcome.result
        failed = failed or any(test is self for test, _ in result.failures + result.errors)
        if failed:
            for guest in self.guests:
                print(f'        --- console of {guest.domain.name}, seed {SEED}:')
                for line in bytes(guest.console.text[-3000:]).decode(errors='replace').splitlines()[-40:]:
                    print('        ' + line.replace('\x1ek', ''))
            for line in self.machine.words()[-1500:].splitlines()[-15:]:
                print('        dom0: ' + line)
        for fd in self.fds:
            os.close(fd)

    def root(self, add=(), remove=()):
        """A fresh root disk; `add`: pairs of host path and guest path."""
        fd = open_copy(build_file('root.img'))
        self.fds.append(fd)
        additions = Additions()
        for host, guest in add:
            additions.add(host, guest)
        additions.write_into(fd)
        return self.machine.attach(fd)

    def empty_disk(self, mib):
        """(descriptor, Disk) of zeros."""
        fd = os.memfd_create('disk')
        os.ftruncate(fd, mib << 20)
        self.fds.append(fd)
        return fd, self.machine.attach(fd)

    def create(self, name='parvix', disks=None, **options):
        """A domain, created; not waited for."""
        disks = [self.root()] if disks is None else disks
        paused = options.pop('paused', False)
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
            if words[:1] == [name]:
                return dict(zip(('name', 'id', 'memory', 'vcpus', 'state', 'time'), words))
        return None
