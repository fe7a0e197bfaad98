# SPDX-License-Identifier: MIT
"""A machine with a toolstack, for the runner and for tests:

    with Machine(memory=128) as machine:                    # room for so many MiB of guests
        disk = machine.attach('/tmp/disk.img')               # disk.device is /dev/sda in dom0
        domain = machine.create(machine.parvix('one', append='loglevel=7', disks=[disk]))
        domain.console.expect(r'# ')
        domain.console.send('ls\\n')
        status, output = machine.dom0('xl list')
        assert domain.wait_end(20) == 'off'

What dom0 and the domains say is read all the time by a thread (agent.py); these methods only wait for it.
Every wait is stretched by PARVIX_TIMEOUT_SCALE. A wait that is in vain raises codes.RigError.
"""
import contextlib
import io
import os
import re
import shlex
import time

from . import config, cpio, state
from .codes import CRASH, NO_VERDICT, SETUP, TIMEOUT, RigError, scaled

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TREE, 'build')
# How a domain can have ended.
OFF, REBOOTED, CRASHED, DESTROYED, SUSPENDED, FAILED = 'off', 'rebooted', 'crashed', 'destroyed', 'suspended', 'failed'
# SHUTDOWN_* of Xen's sched.h
REASONS = {0: OFF, 1: REBOOTED, 2: SUSPENDED, 3: CRASHED, 4: CRASHED}
CREATE_TIMEOUT = 30
WORDS_KEPT = 65536


class Disk:
    """A file of the host as a SCSI disk of dom0. What is written to it is in the file at once."""

    def __init__(self, machine, number, device, writable):
        self.machine, self.number, self.device, self.writable = machine, number, device, writable

    def entry(self, name, writable=None):
        """As an entry of `disk=[...]`, under this name (xvda)."""
        return config.disk(self.device, name, self.writable if writable is None else writable)

    def detach(self):
        """Takes it out of dom0. No domain may have it any more."""
        self.machine.detach(self)


class Console:
    """What a domain says and is told. Follows the domain through reboots."""

    def __init__(self, domain):
        self.domain = domain
        self.text = bytearray()
        self.position = 0
        self.stream = None
        self.unsent = b''
        self.on_data = None  # called in the reading thread

    def _data(self, _kind, data):
        self.text += data
        if self.on_data:
            self.on_data(data)

    def _open(self, path):
        self.stream = self.domain.machine.agent.terminal(path, self._data)
        unsent, self.unsent = self.unsent, b''
        if unsent:
            self.stream.send(unsent)

    def send(self, text):
        """Types this."""
        data = text.encode() if isinstance(text, str) else text
        if self.stream is None or self.stream.status is not None:
            self.unsent += data
        else:
            self.stream.send(data)

    def expect(self, pattern, seconds=20):
        """Waits for the pattern; returns the match. Text before its end is used up."""
        pattern = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.S)

        def found():
            return pattern.search(bytes(self.text), self.position)

        agent = self.domain.machine.agent
        agent.wait_for(lambda: found() or self.domain.end, scaled(seconds))
        if not found() and self.domain.end:
            agent.wait_for(found, 0.5)
        match = found()
        if match:
            self.position = match.end()
            return match
        tail = bytes(self.text[self.position:][-1500:]).decode(errors='replace')
        if not self.domain.end:
            raise RigError(TIMEOUT, f'{pattern.pattern!r} did not come within {seconds} s; the last words:\n{tail}')
        code = CRASH if self.domain.end == CRASHED else NO_VERDICT
        raise RigError(code, f'the domain {self.domain.end} before {pattern.pattern!r} came; the last words:\n{tail}')

    def rest(self):
        """What has been said and not been used up by expect()."""
        data = bytes(self.text[self.position:])
        self.position = len(self.text)
        return data


class Domain:
    """A domain made by `xl create -F -p`, which stays and says what becomes of it.

    It is built paused, also by each reboot, and let go when somebody listens to its console: what it says
    would otherwise be lost if it ends at once. With `paused` it is not let go."""

    def __init__(self, machine, name, path, paused=False):
        self.machine, self.name = machine, name
        self.id = None  # changes with each reboot
        self.ids = []
        self.end = None  # OFF ... FAILED, once xl has done with it
        self.reason = None
        self.log = ''  # what xl has said
        self.console = Console(self)
        self.consoles = {}
        self.line = ''
        self.paused = paused
        self.size = None  # of the window, if it has changed since the start
        self.built = False
        self.running = False
        self.started = None  # when it was let go, last
        self.xl_stream = machine.agent.run(f'exec xl create -F -p {shlex.quote(path)}', self._xl, self._ended)

    def _xl(self, _kind, data):
        self.log += data.decode(errors='replace')
        self.line += data.decode(errors='replace')
        *lines, self.line = self.line.split('\n')
        for line in lines:
            if match := re.search(r'Waiting for domain .+ \(domid (\d+)\) to die', line):
                self.id = int(match.group(1))
                self.reason = None
                self.built = True
                self._find_console(0, self.console, self._go)
                for number, console in self.consoles.items():
                    self._find_console(number, console)
            elif match := re.search(r'has shut down, reason code (\d+)', line):
                self.reason = REASONS.get(int(match.group(1)), CRASHED)
            elif 'has been destroyed' in line:
                self.reason = DESTROYED

    def _find_console(self, number, console, then=None):
        def found(stream):
            if stream.status == 0:
                console._open(stream.output.decode().strip())
            if then:
                then()

        self.machine.agent.run(f'console-tty {self.id} {number}', on_end=found)

    def _go(self):
        def gone(_stream):
            self.running = True
            self.started = time.monotonic()
            self.ids.append(self.id)

        if self.paused:
            gone(None)
            return
        size = f'{self._size_command()}; ' if self.size else ''
        self.machine.agent.run(f'{size}xl unpause {self.id}', on_end=gone)

    def release(self):
        """Lets a domain go that was made `paused`."""
        self.paused = self.running = False
        self.ids.pop()
        self._go()
        self.wait_created()

    def _ended(self, _stream):
        self.end = self.reason or DESTROYED if self.built else FAILED

    def open_console(self, number):
        """One of the domain's further consoles (the configuration's `channel=`), by its number from 1."""
        console = self.consoles[number] = Console(self)
        self._find_console(number, console)
        return console

    def wait_created(self, seconds=CREATE_TIMEOUT):
        """Waits until the domain runs; raises with xl's words if it cannot be made."""
        self.machine.agent.wait_for(lambda: self.running or self.end, scaled(seconds))
        if self.end == FAILED:
            raise RigError(SETUP, f'xl cannot create the domain {self.name}: {self.log.strip()}')
        if not self.running:
            raise RigError(TIMEOUT, f'xl did not create the domain {self.name} within {seconds} s: {self.log.strip()}')

    def wait_end(self, seconds=20):
        """Waits until the domain is gone (or crashed, or suspended); returns how."""
        self.machine.agent.wait_for(lambda: self.end, scaled(seconds))
        if not self.end:
            tail = bytes(self.console.text[-1500:]).decode(errors='replace')
            raise RigError(TIMEOUT, f'the domain {self.name} did not end within {seconds} s; its last words:\n{tail}')
        return self.end

    def wait_reboot(self, seconds=20):
        """Waits until the domain runs under a new number."""
        count = len(self.ids)
        self.machine.agent.wait_for(lambda: len(self.ids) > count or self.end, scaled(seconds))
        if len(self.ids) == count:
            raise RigError(TIMEOUT, f'the domain {self.name} did not start again within {seconds} s: {self.log}')

    def xl(self, command, *arguments, seconds=60):
        """`xl COMMAND DOMAIN ARGUMENTS`: (status, output)."""
        words = ' '.join(shlex.quote(str(word)) for word in (command, self.name, *arguments))
        return self.machine.dom0(f'xl {words}', seconds)

    def destroy(self):
        self.xl('destroy')

    def attach(self, disk, name, writable=None):
        """Hot-plugs the disk as xvdX."""
        return self.xl('block-attach', disk.entry(name, writable).replace(' ', ''))

    def detach(self, name, *options):
        """Unplugs xvdX."""
        return self.xl('block-detach', name, *options)

    def xenstore(self, path):
        """The value at this path of the domain's own directory, or None."""
        status, out = self.machine.dom0(f'xenstore-read /local/domain/{self.id}/{path}')
        return out.rstrip('\n') if status == 0 else None

    def resize(self, rows, columns):
        """Tells the domain the size of its console's window, in a node that its console driver watches."""
        self.size = (rows, columns)
        if self.id is not None:
            self.machine.agent.run(self._size_command())

    def _size_command(self):
        return f"xenstore-write /local/domain/{self.id}/console/winsize '{self.size[0]} {self.size[1]}'"


class Machine(contextlib.AbstractContextManager):
    """A running machine with dom0 and no domain yet. `memory`: MiB of all domains together; `pvh`: there
    may be PVH domains."""

    def __init__(self, memory=256, build=BUILD, xen=None, xen_args='', icount=None, gdb_port=None, seed=None, say=None,
                 pvh=False):
        self.build = build
        self.emulator = state.restore(state.Files(build, xen), state.machine_mib(memory), xen_args, icount,
                                      gdb_port, seed, say, pvh)
        self.agent = self.emulator.agent
        self.started = self.emulator.started
        self.qmp = self.emulator.qmp
        self.n_disks = 0
        self.files = {}
        # dom0's clock, and through it the hypervisor's, still shows when the state was saved.
        self.agent.run(f'date -u -s @{time.time():.0f}')

    def dom0(self, command, seconds=60, data=None):
        """Runs a shell command in dom0: (exit status, output and errors as text)."""
        status, out, err = self.agent.command(f'exec 2>&1\n{command}', seconds, data)
        return status, (out + err).decode(errors='replace')

    def start(self, command, on_data=None, on_end=None):
        """Starts a command in dom0 and returns at once: an agent.Stream."""
        return self.agent.run(command, on_data, on_end)

    def put(self, source, path, mode='644'):
        """Copies a file of the host, or bytes, to dom0."""
        if not isinstance(source, bytes):
            try:
                with open(source, 'rb') as file:
                    source = file.read()
            except OSError as error:
                raise RigError(SETUP, f'cannot read {source}: {error.strerror}') from None
        target = shlex.quote(path)
        status, _, err = self.agent.command(f'mkdir -p "$(dirname {target})" && cat >{target} && chmod {mode} {target}',
                                            data=source)
        if status:
            raise RigError(SETUP, f'cannot write {path} in dom0: {err.decode(errors="replace").strip()}')
        return path

    def get(self, path):
        """The bytes of a file in dom0."""
        status, out, err = self.agent.command(f'cat {shlex.quote(path)}')
        if status:
            raise RigError(SETUP, f'cannot read {path} in dom0: {err.decode(errors="replace").strip()}')
        return out

    def attach(self, source, writable=True):
        """Makes a file of the host (a path, or the descriptor of an open file) a disk of dom0.

        Its size must be a multiple of 512. dom0 gets no cache of its own between domain and file; QEMU
        writes into the file's page cache, and a flush of the disk is an fdatasync of the file."""
        opened = None
        if not isinstance(source, int):
            try:
                opened = source = os.open(source, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC)
            except OSError as error:
                raise RigError(SETUP, f'cannot open the disk {source}: {error.strerror}') from None
        try:
            size = os.lseek(source, 0, os.SEEK_END)
            if size == 0 or size % 512:
                raise RigError(SETUP, f'a disk must be a multiple of 512 bytes and not empty, not {size} bytes')
            number = self.n_disks
            self.n_disks += 1
            self.qmp('add-fd', fds=[source], **{'fdset-id': number})
        finally:
            if opened is not None:
                os.close(opened)
        self.qmp('blockdev-add', driver='raw', **{'node-name': f'disk{number}', 'read-only': not writable},
                 discard='unmap',
                 file={'driver': 'file', 'filename': f'/dev/fdset/{number}', 'locking': 'off', 'discard': 'unmap'})
        self.qmp('device_add', driver='scsi-hd', id=f'scsi{number}-0', drive=f'disk{number}', bus='scsi0.0',
                 **{'scsi-id': 0, 'lun': number})
        # The bus tells Linux by itself; it needs a moment to look at the disk.
        status, out = self.dom0(
            f'n=0; while ! d=$(ls /sys/bus/scsi/devices/0:0:0:{number}/block 2>/dev/null) || [ ! -b "/dev/$d" ]; do '
            'n=$((n + 1)); [ $n -lt 400 ] || exit 1; usleep 10000; done; echo "/dev/$d"')
        if status:
            raise RigError(CRASH, 'dom0 does not find a disk that was plugged in')
        return Disk(self, number, out.strip(), writable)

    def detach(self, disk):
        device = os.path.basename(disk.device)
        status, out = self.dom0(f'blockdev --flushbufs {disk.device}; echo 1 >/sys/block/{device}/device/delete')
        if status:
            raise RigError(CRASH, f'dom0 does not give {disk.device} back: {out.strip()}')
        self.qmp('device_del', id=f'scsi{disk.number}-0')
        deadline = time.monotonic() + scaled(10)
        while True:
            try:
                self.qmp('blockdev-del', **{'node-name': f'disk{disk.number}'})
                break
            except RigError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
        self.qmp('remove-fd', **{'fdset-id': disk.number})

    def file(self, source):
        """The path in dom0 of a copy of this file of the host, made on first use."""
        if source not in self.files:
            self.files[source] = self.put(source, f'/run/files/{len(self.files)}-{os.path.basename(source)}')
        return self.files[source]

    def parvix(self, name='parvix', disks=(), memory=64, cpus=1, append='', kernel=None, lines=(), on_reboot='restart',
               world='pv'):
        """The configuration of a Parvix domain. The first of the Disks is the root file system."""
        extra = f'console-mark root=xvda {append}'.strip() if disks else f'console-mark {append}'.strip()
        return config.text(config.domain(
            name, self.file(kernel or os.path.join(self.build, 'parvix')), memory,
            [disk.entry(config.disk_name(number)) for number, disk in enumerate(disks)],
            cpus, extra, on_reboot=on_reboot, world=world), lines)

    def linux(self, name='linux', disks=(), memory=128, cpus=1, append='', script=None, nonce='0', lines=()):
        """The configuration of a Linux domain with the same kernel as dom0. `script`: run this shell script
        between the marks of protocol.py and power off, instead of a shell on the console."""
        if 'vmlinux' not in self.files:
            self.files['vmlinux'] = self.attach(os.path.join(self.build, 'dom0', 'vmlinux'), writable=False).device
        with open(os.path.join(self.build, 'dom0', 'domu.cpio'), 'rb') as file:
            ramdisk = file.read()
        if script is not None:
            ramdisk += b'\0' * (-len(ramdisk) % 512) + script_archive(script, nonce)
        path = self.put(ramdisk, f'/run/files/{name}.cpio')
        return config.text(config.domain(
            name, self.files['vmlinux'], memory,
            [disk.entry(config.disk_name(number)) for number, disk in enumerate(disks)],
            cpus, f'console=hvc0 quiet {append}'.strip(), path), lines)

    def create(self, text, wait=True, paused=False):
        """Creates the domain of this configuration (text, as parvix() and linux() make it)."""
        match = re.search(r'^name\s*=\s*["\']([^"\']+)', text, re.M)
        if not match:
            raise RigError(SETUP, 'the configuration has no name="..."')
        name = match.group(1)
        path = self.put(text.encode(), f'/run/{name}.cfg')
        domain = Domain(self, name, path, paused)
        if wait:
            domain.wait_created()
        return domain

    def words(self):
        """What the hypervisor and dom0's kernel have said."""
        return self.agent.last_words(WORDS_KEPT)

    def close(self):
        self.emulator.close()

    def __exit__(self, *_):
        self.close()



def script_archive(script, nonce):
    """A second initramfs with the script that the Linux guest's init looks for; Linux unpacks both."""
    out = io.BytesIO()
    with cpio.Writer(out) as archive:
        archive.text('/exec', script)
        archive.text('/exec-nonce', f'{nonce}\n')
    return out.getvalue()
