# SPDX-License-Identifier: MIT
"""`tools/parvix run --world native`: QEMU as a PC, without a hypervisor.

The kernel is started by QEMU (`-kernel`, by the entry that PVH guests have too) or, with --grub, by GRUB from
a disk that could be a real one's. Output comes by QEMU's debug port, which the kernel uses if it is there, byte
for byte and in order; input goes by the serial port, whose buffer in QEMU loses nothing.

No hypervisor says how it ended. QEMU does, on its control connection, if the machine was switched off or
reset. After a panic a PC stands still, so that the message stays on the screen: its processor waits for an
interrupt (hlt) with interrupts off. That is what the runner looks for when the guest is silent.
"""
import os
import re
import socket
import time

from . import grub, state
from .codes import SETUP, RigError, scaled
from .domrun import parse_disks
from .guest import CRASHED, HALTED, REBOOTED, Guest
from .image import fd_path
from .machine import CPU_MODEL, Machine, check_arguments, open_readable, special

AHCI_PORTS = 6
ROOT = {'ahci': 'sda', 'virtio': 'vda'}
# Seconds of silence after which the processor is looked at; the first after words that sound like the last.
SILENCE = 0.05, 1.0
LAST_WORDS = re.compile(rb'The machine stops here|Parvix cannot|panic inside a panic')
OFF_BY_HAND = re.compile(rb'the system is halted|cannot switch itself off')
STOPPED = re.compile(r'[ER]FL=([0-9a-f]{8}).*HLT=1', re.S)
EFLAGS_IF = 0x200
ENDS = {'guest-shutdown': HALTED, 'guest-reset': REBOOTED}


def stands_still(qmp):
    """The processor waits for an interrupt and has interrupts off: nothing will ever happen again."""
    try:
        text = qmp('human-monitor-command', **{'command-line': 'info registers'})
    except (RigError, OSError):
        return False  # it is ending by itself
    match = STOPPED.search(text)
    return bool(match) and not int(match.group(1), 16) & EFLAGS_IF


class Pc(Machine):
    """A running QEMU without Xen. `disks`: [(descriptor, writable)]. `image_fd`: a RAM disk, or None. With
    `boot_disk`, the firmware starts what is on the first disk, and there is no `kernel`."""

    input_chunk = 4096

    def __init__(self, kernel=None, image_fd=None, kernel_args='', memory=128, cpus=1, disks=(), disk_driver='ahci',
                 boot_disk=False, icount=None, gdb_port=None, seed=None, qemu_args=()):
        check_arguments(kernel_args)
        if len(disks) > AHCI_PORTS and disk_driver == 'ahci':
            raise RigError(SETUP, f'this machine has {AHCI_PORTS} SATA ports; --disk-driver virtio takes more disks')
        keep, give = [fd for fd, _ in disks], []
        arguments = ['-cpu', CPU_MODEL, '-smp', str(cpus), '-m', str(memory)]
        if boot_disk:
            arguments += ['-device', 'VGA']
        else:
            give = [open_readable(kernel, 'the kernel')]
            arguments += ['-kernel', fd_path(give[0]), '-append', kernel_args]
        if image_fd is not None:
            keep.append(image_fd)
            arguments += ['-initrd', fd_path(image_fd)]
        for number, (fd, writable) in enumerate(disks):
            arguments += self._disk(number, fd, writable, disk_driver)
        qmp, qmp_theirs = socket.socketpair()
        arguments += ['-chardev', f'socket,id=qmp,fd={qmp_theirs.fileno()}', '-mon', 'chardev=qmp,mode=control']
        try:
            self.launch([*arguments, *special(icount, gdb_port, seed), *qemu_args],
                        [*keep, qmp_theirs.fileno()], give)
        except RigError:
            qmp.close()
            raise
        finally:
            qmp_theirs.close()
        self.qmp_socket = qmp
        try:
            self.qmp = state.Qmp(qmp)
        except RigError as error:
            words = self.complaints()
            self.close()
            raise RigError(error.code, f'{error}' + (f': {words}' if words else '')) from None

    @staticmethod
    def _disk(number, fd, writable, driver):
        device = f'ide-hd,bus=ide.{number}' if driver == 'ahci' else 'virtio-blk-pci'
        access = 'off' if writable else 'on'
        return ['-blockdev', f'driver=file,node-name=file{number},filename={fd_path(fd)},locking=off,discard=unmap,'
                f'read-only={access}',
                '-blockdev', f'driver=raw,node-name=disk{number},file=file{number},discard=unmap,read-only={access}',
                '-device', f'{device},drive=disk{number}']

    def how_ended(self):
        """After QEMU's end: the reason that it gave, or None."""
        for event in self.qmp.rest():
            if event.get('event') == 'SHUTDOWN':
                return event['data'].get('reason')
        return None

    def close(self):
        if self.process is not None:
            self.qmp_socket.close()
        super().close()


class PcGuest(Guest):
    """A Guest on a Pc."""

    hypervisor = False

    def __init__(self, machine, nonce=None, on_event=None):
        super().__init__(machine, nonce, on_event)
        self.heard = self.looked = time.monotonic()

    def pump(self, seconds, also=()):
        # A guest that says nothing is looked at, so no wait is longer than the time to that.
        ready = super().pump(min(seconds, SILENCE[1]), also)
        now = time.monotonic()
        if self.machine.out_fd in ready:
            self.heard = self.looked = now
            self._note_time('handover')
        elif self.end is None and not self.machine.pending:
            patience = scaled(SILENCE[0 if LAST_WORDS.search(self.text[-300:]) else 1])
            if now - self.looked >= patience:
                self.looked = now
                if stands_still(self.machine.qmp):
                    self._stopped()
        return ready

    def _stopped(self):
        self._handle(self.demux.finish())
        self._note_time('off')
        self.end = CRASHED
        if OFF_BY_HAND.search(self.text[-300:]):
            self.end = HALTED
        elif b'Parvix cannot' in self.text:
            self.crash_reason = 'the kernel crashed: it cannot run on this machine'
        elif b'panic' not in self.text:
            self.crash_reason = 'the kernel crashed: the processor stands still, and nothing was said'

    def qemu_ended(self):
        how = self.machine.how_ended()
        if how not in ENDS:
            super().qemu_ended()
            return
        self.end = ENDS[how]
        self._note_time('off')


def start(options, image_fd, arguments):
    """The machine, its kernel about to start."""
    common = {'memory': options.memory, 'cpus': options.cpus, 'disk_driver': options.disk_driver,
              'icount': options.icount, 'gdb_port': options.gdb, 'seed': options.seed}
    opened = []
    try:
        for path, writable in parse_disks(options.disk):
            if not writable and options.disk_driver == 'ahci':
                raise RigError(SETUP, f'--disk {path}:ro: a SATA disk of QEMU cannot be read-only; '
                               '--disk-driver virtio has disks that can')
            opened.append((os.open(path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_CLOEXEC), writable))
        if options.grub:
            disk = grub.compose(image_fd, options.kernel, arguments, in_memory=options.ramdisk)
            opened.insert(0, (disk, True))
            return Pc(disks=opened, boot_disk=True, **common)
        if options.ramdisk:
            return Pc(options.kernel, image_fd, arguments, disks=opened, **common)
        return Pc(options.kernel, None, f'root={ROOT[options.disk_driver]} {arguments}'.strip(),
                  disks=[(image_fd, True), *opened], **common)
    finally:
        for fd, _ in opened:
            os.close(fd)
