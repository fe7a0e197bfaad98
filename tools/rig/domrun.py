# SPDX-License-Identifier: MIT
"""`tools/parvix run --rig domain`: the guest as an ordinary domain, seen as run.py sees the initial one."""
import os
import select
import stat
import sys
import time

from . import config, domain
from .codes import SETUP, RigError, tell
from .guest import CRASHED, HALTED, REBOOTED, Guest
from .image import fd_path, open_copy
from .machine import check_arguments

ENDS = {domain.OFF: HALTED, domain.REBOOTED: REBOOTED, domain.CRASHED: CRASHED,
        domain.DESTROYED: 'was destroyed', domain.SUSPENDED: 'was suspended', domain.FAILED: CRASHED}
# What still comes from the console after the toolstack has said that the domain is at its end.
LAST_WORDS_TIME = 0.3


class DomainMachine:
    """What run.py and Guest want of a machine, for a domain of a machine with a toolstack."""

    def __init__(self, machine):
        self.machine = machine
        self.started = machine.started
        self.domain = None

    def wait(self, seconds, also=()):
        """Waits for something from the console, or one of `also`; returns which of `also` are ready."""
        agent = self.machine.agent
        with agent.changed:
            if self.domain.console.text or self.domain.end or agent.broken:
                seconds = 0
        ready = select.select([agent.wake_fd, *also], [], [], max(0, seconds))[0]
        if agent.wake_fd in ready:
            agent.woken()
        return [fd for fd in ready if fd != agent.wake_fd]

    def read(self):
        """Console output; None if there is none now."""
        with self.machine.agent.changed:
            text = self.domain.console.text
            data = bytes(text)
            # What has been handed out is not kept: a run may go on for days.
            del text[:]
        return data or None

    def write(self, data):
        self.domain.console.send(data)

    def resize(self, size):
        if size:
            self.domain.resize(*size)

    def complaints(self):
        return self.machine.emulator.complaints() if self.machine.emulator.process else ''

    def close(self):
        self.machine.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class DomainGuest(Guest):
    """A Guest whose console is a domain's and whose end the toolstack tells."""

    hypervisor = False

    def __init__(self, machine, nonce=None, on_event=None):
        super().__init__(machine, nonce, on_event)
        self.ended_at = None
        if machine.domain.started:
            self.times['handover'] = machine.domain.started - machine.started

    def pump(self, seconds, also=()):
        machine = self.machine
        ready = machine.wait(min(seconds, 0.05) if self.demux.held or self.ended_at else seconds, also)
        data = machine.read()
        agent = machine.machine.agent
        self._handle(self.demux.feed(data) if data else self.demux.idle())
        if agent.broken:
            self.xen_log = [line + b'\n' for line in agent.words.split(b'\n')][-60:]
            self.crash_reason = agent.broken
            self.end = CRASHED
        elif machine.domain.end and not data:
            now = time.monotonic()
            self.ended_at = self.ended_at or now
            if now - self.ended_at > LAST_WORDS_TIME or self.status is not None:
                self._handle(self.demux.finish())
                self._note_time('off')
                self.end = ENDS[machine.domain.end]
        return ready


def parse_disks(texts):
    """[(file, writable)] of the --disk options."""
    disks = []
    for text in texts:
        writable = not text.endswith(':ro')
        path = text if writable else text[:-3]
        if not os.path.exists(path):
            raise RigError(SETUP, f'--disk {path}: there is no such file; `truncate -s 64M {path}` makes an empty disk')
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
            raise RigError(SETUP, f'--disk {path}: it is neither a file nor a block device')
        if not os.access(path, os.W_OK if writable else os.R_OK):
            raise RigError(SETUP, f'--disk {path}: it cannot be {"written; add :ro to it" if writable else "read"}')
        for other, other_writable in disks:
            if os.path.samefile(path, other) and (writable or other_writable):
                raise RigError(SETUP, f'--disk {path} is there twice: two disks that do not know of each other would '
                                      'write to one file. Add :ro to both')
        disks.append((path, writable))
    return disks


def start(options, image_fd, arguments):
    """The machine with the domain running in it."""
    disks = parse_disks(options.disk)
    check_arguments(arguments)
    for line in options.xl:
        if '\n' in line or '=' not in line:
            raise RigError(SETUP, f'--xl takes a line of the domain\'s configuration, KEY=VALUE, not {line!r}')
        if line.split('=')[0].strip() in ('extra', 'cmdline', 'root'):
            raise RigError(SETUP, f'--xl {line!r} would take away arguments that the runner itself gives the kernel; '
                                  '--append adds some')
    if options.domains < 1 or options.memory < 1:
        raise RigError(SETUP, '--domains and --memory must be at least 1')
    machine = domain.Machine(memory=options.memory * options.domains, xen=options.xen, xen_args=options.xen_args,
                             icount=options.icount, gdb_port=options.gdb, seed=options.seed, pvh=options.world == 'pvh')
    try:
        return _create(options, machine, image_fd, arguments, disks)
    except BaseException:
        machine.close()
        raise


def _configuration(options, machine, name, root, more_disks, arguments, on_reboot):
    """The configuration of a domain whose root file system is on the disk `root`."""
    disks, ramdisk = more_disks, root.device
    if not options.ramdisk:
        disks, ramdisk = [root.entry('xvda'), *more_disks], None
        arguments = f'root=xvda {arguments}'.strip()
    values = config.domain(name, machine.file(options.kernel), options.memory, disks, options.cpus, arguments,
                           ramdisk, on_reboot, options.world)
    return config.text(values, options.xl)


def _copies(image_fd, number):
    """Descriptors of so many more copies of the root image."""
    return [open_copy(fd_path(image_fd)) for _ in range(number)]


def _create(options, machine, image_fd, arguments, disks):
    result = DomainMachine(machine)
    if options.verbose:
        end = b'\r\n' if sys.stderr.isatty() else b'\n'
        machine.agent.on_words = lambda data: os.write(2, data.replace(b'\r\n', end))
    copies = _copies(image_fd, options.domains - 1)
    root = machine.attach(image_fd)
    entries = [machine.attach(path, writable).entry(config.disk_name(number))
               for number, (path, writable) in enumerate(disks, 1)]
    on_reboot = 'destroy' if options.exec is not None or not options.reboot else 'restart'
    text = _configuration(options, machine, 'parvix', root, entries, arguments, on_reboot)
    if options.verbose:
        tell(text, '')
    # The first one waits for the others: its command may be over soon.
    result.domain = machine.create(text, wait=False, paused=bool(options.gdb or copies))
    if options.gdb:
        _wait_for_debugger(options, machine, result.domain)
    result.domain.wait_created()
    for number, fd in enumerate(copies, 2):
        other = machine.attach(fd)
        os.close(fd)
        machine.create(_configuration(options, machine, f'parvix{number}', other, [], options.append, 'restart'))
    if copies and not options.gdb:
        result.domain.release()
    return result


def _wait_for_debugger(options, machine, guest):
    """Everything stands still until gdb says `continue`; then the domain, built and paused, is let go."""
    guest.wait_created()
    machine.qmp('stop')
    machine.agent.run(f'xl unpause {guest.name}')
    tell(f'the domain is built, the machine stands still. In gdb: target remote :{options.gdb}, '
         'hbreak kernel_main, continue')


def dom0_commands(options, machine):
    """Runs the --dom0 commands; the first status that is not 0."""
    result = 0
    limit = options.timeout or 60
    for command in options.dom0:
        status, out, err = machine.machine.agent.command(command, limit)
        sys.stdout.buffer.write(out)
        sys.stdout.buffer.flush()
        sys.stderr.buffer.write(err)
        sys.stderr.buffer.flush()
        result = result or status
    return result
