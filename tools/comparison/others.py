# SPDX-License-Identifier: MIT
"""Other systems beside Parvix: Debian's Linux with a busybox initramfs, and any image for Xen.

Linux measures itself by the same program, compiled for it; where it is in its boot it says in its own
log. It has no counters of hypercalls. An image of which nothing is known is a domain that is timed from
`xl unpause` until it says a given text, or ends; beside the host's clock stands the processor time that
the hypervisor gave it, which is instructions where QEMU counts them."""
import collections
import io
import os
import re
import secrets
import selectors
import shlex
import struct
import subprocess
import time

from rig import config, cpio, domain
from rig.codes import RigError, scaled
from rig.machine import CPU_MODEL

from . import worlds
from .worlds import INSTRUCTIONS, World

BUILD = os.path.join(worlds.TREE, 'build')
MEMORY = 192
# Marks of the same names as Parvix has, and what Linux says there.
LINUX_MARKS = (('machine', r'Calibrating delay loop'), ('drivers', r'Freeing unused kernel image \(initmem\)'),
               ('init', r'Run /init as init process'), ('shell', r'parvix-compare: shell'))
SCRIPT = '''echo 'parvix-compare: shell' >/dev/kmsg
echo '#log'; dmesg
'''
# Where the program finds what Parvix has as well.
OPERATIONS = '''echo '#operations'
mkdir -p /tmp /etc; [ -f /etc/passwd ] || echo 'root:x:0:0:root:/root:/bin/sh' >/etc/passwd
D=; if [ -b /dev/xvda ]; then D="-w -d /dev/xvda"; fi
/lat -j $D || echo '#failed'
'''

LINUX = (
    World('linux-native', 'Linux, native', 'Linux', 'native', 'pc', False, ()),
    World('linux-pvh', 'Linux, PVH domain', 'Linux', 'pvh', 'domain', True, ()),
    World('linux-pv', 'Linux, PV domain', 'Linux', 'pv', 'domain', True, ()),
)
Foreign = collections.namedtuple('Foreign', 'path until kind arguments memory')


def initramfs(parts, nonce):
    """busybox, the measuring program, and the script that init runs."""
    with open(os.path.join(BUILD, 'dom0', 'domu.cpio'), 'rb') as file:
        data = file.read()
    out = io.BytesIO()
    with cpio.Writer(out) as archive:
        archive.text('/exec', SCRIPT + (OPERATIONS if 'operations' in parts else '') + worlds.END)
        archive.text('/exec-nonce', f'{nonce}\n')
        archive.file('/lat', os.path.join(BUILD, 'compare', 'lat'), 0o755)
    return data + b'\0' * (-len(data) % 512) + out.getvalue()


def log_as_record(lines):
    """Linux's log as a boot record. Its stamps count from when its clock runs, a little after its entry."""
    phases = [{'name': 'entry', 'ticks': 0, 'ns': 0}]
    for name, pattern in LINUX_MARKS:
        stamps = [match.group(1) for line in lines
                  if (match := re.match(r'\[ *(\d+\.\d+)\] ', line)) and re.search(pattern, line)]
        if stamps:
            ns = round(float(stamps[0]) * 1e9)
            phases.append({'name': name, 'ticks': ns, 'ns': ns})
    return {'hypervisor': '', 'phases': phases} if len(phases) > 1 else None


def understand(row, text):
    row['record'], row['operations'], row['error'] = worlds.understand(text)
    row['record'] = log_as_record(worlds.sections(text).get('log', []))
    if row['error'] == 'no boot record could be read' and row['record']:
        row['error'] = None


def between_marks(text, nonce):
    """What the script has printed, or None if it has not come to its end."""
    match = re.search(rb'\x1eBEGIN %s\r?\n(.*)\x1eEND %s \d+' % (nonce.encode(), nonce.encode()), text, re.S)
    return match.group(1).decode(errors='replace') if match else None


# ---- a domain ---------------------------------------------------------------------------------------


def domain_machine(clock, kind='pv'):
    """A machine with a toolstack, for domains of this kind."""
    options = {'memory': MEMORY, 'icount': 0 if clock == INSTRUCTIONS else None}
    if kind == 'pvh':
        options['pvh'] = True
    return domain.Machine(**options)


def cpu_time(machine, guest):
    """Nanoseconds of processor that the domain has had, or None."""
    machine.put(os.path.join(BUILD, 'compare', 'domtime'), '/bin/domtime', '755')
    status, out = machine.dom0(f'domtime {guest.id}')
    return int(out) if status == 0 and out.strip().isdigit() else None


def watch(machine, text, until, timeout):
    """Makes the domain and lets it go; returns it and the seconds until it has said the text or ended."""
    guest = machine.create(text, wait=False, paused=True)
    guest.wait_created()
    start = time.monotonic()
    guest.release()
    said = False
    if until is not None:
        try:
            guest.console.expect(until, timeout)
            said = True
        except RigError:
            if not guest.end:
                raise
    else:
        guest.wait_end(timeout)
    return guest, time.monotonic() - start, said


def run_linux_domain(world, clock, number, parts, disk=None, timeout=worlds.TIMEOUT):
    nonce = secrets.token_hex(8)
    row = worlds.result(world, '', clock, number, f'tools/compare --with linux --worlds {world.name} --runs 1')
    start = time.monotonic()
    try:
        with domain_machine(clock, world.place) as machine:
            disks = [machine.attach(disk)] if disk else []
            text = machine.linux('linux', disks, MEMORY)
            path = machine.put(initramfs(parts, nonce), '/run/linux.cpio')
            text += f'ramdisk="{path}"\ntype="{world.place}"\n'
            guest, seconds, _ = watch(machine, text, rb'\x1eBEGIN [0-9a-f]+\r?\n', timeout)
            row['times'] = {'handover': 0.0, 'begin': round(seconds, 3)}
            row['cpu_ns'] = cpu_time(machine, guest)
            guest.console.expect(rb'\x1eEND [0-9a-f]+ \d+', timeout)
            understand(row, between_marks(bytes(guest.console.text), nonce) or '')
    except RigError as error:
        row['error'] = str(error).strip()[:300]
    row['seconds'] = round(time.monotonic() - start, 3)
    return row


# ---- a machine --------------------------------------------------------------------------------------


def qemu_command(clock, ramdisk):
    command = ['qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-cpu', CPU_MODEL, '-m', str(MEMORY),
               '-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot', '-serial', 'stdio',
               '-kernel', os.path.join(BUILD, 'dom0', 'vmlinux'), '-initrd', ramdisk,
               '-append', 'console=ttyS0,115200 quiet']
    if clock == INSTRUCTIONS:
        command += ['-icount', 'shift=0,sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']
    return command


def talk(process, pattern, timeout):
    """What QEMU's serial line says until the pattern comes; and when BEGIN came."""
    text, begun, deadline = b'', None, time.monotonic() + scaled(timeout)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while not re.search(pattern, text):
            if not selector.select(max(0, deadline - time.monotonic())):
                return text, begun, f'no end after {timeout} s'
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                return text, begun, 'QEMU ended before the script did: ' + text[-200:].decode(errors='replace')
            text += data
            if begun is None and b'\x1eBEGIN ' in text:
                begun = time.monotonic()
    return text, begun, None


def run_linux_native(world, clock, number, parts, disk=None, timeout=worlds.TIMEOUT):
    """Linux alone in the emulated PC. QEMU starts it by its PVH entry, as it does Parvix."""
    nonce = secrets.token_hex(8)
    fd = os.memfd_create('linux.cpio')
    with open(fd, 'wb', closefd=False) as file:
        file.write(initramfs(parts, nonce))
    command = qemu_command(clock, f'/proc/self/fd/{fd}')
    row = worlds.result(world, '', clock, number, f'tools/compare --with linux --worlds {world.name} --runs 1')
    start = time.monotonic()
    try:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, pass_fds=[fd])
    except OSError as error:
        os.close(fd)
        row['error'] = f'{shlex.quote(command[0])}: {error.strerror}'
        return row
    try:
        text, begun, error = talk(process, rb'\x1eEND %s \d+' % nonce.encode(), timeout)
    finally:
        process.kill()
        process.wait()
        os.close(fd)
    row['seconds'] = round(time.monotonic() - start, 3)
    if begun:
        row['times'] = {'begin': round(begun - start, 3)}
    understand(row, between_marks(text, nonce) or '')
    row['error'] = error or row['error']
    return row


def run_linux(world, clock, number, parts, disk=None, timeout=worlds.TIMEOUT):
    run = run_linux_native if world.place == 'native' else run_linux_domain
    return run(world, clock, number, parts, disk, timeout)


# ---- anything ---------------------------------------------------------------------------------------

NOTE_ENTRY, NOTE_PHYS32_ENTRY = 1, 18  # XEN_ELFNOTE_*, Xen's public header elfnote.h


def xen_notes(data):
    """Types of the notes that an ELF file carries for Xen's domain builder; none for anything else."""
    found = set()
    if data[:5] not in (b'\x7fELF\x02', b'\x7fELF\x01'):
        return found
    wide = data[4] == 2
    try:
        table, = struct.unpack_from('<Q', data, 0x20) if wide else struct.unpack_from('<I', data, 0x1c)
        size, count = struct.unpack_from('<HH', data, 0x36 if wide else 0x2a)
        for n in range(count):
            at = table + n * size
            if struct.unpack_from('<I', data, at)[0] != 4:  # PT_NOTE
                continue
            start, = struct.unpack_from('<Q', data, at + 8) if wide else struct.unpack_from('<I', data, at + 4)
            length, = struct.unpack_from('<Q', data, at + 32) if wide else struct.unpack_from('<I', data, at + 16)
            end = start + length
            while start + 12 <= end:
                name_size, value_size, kind = struct.unpack_from('<III', data, start)
                if data[start + 12:start + 12 + name_size] == b'Xen\0':
                    found.add(kind)
                start += 12 + (name_size + 3) // 4 * 4 + (value_size + 3) // 4 * 4
    except struct.error:
        pass
    return found


def guest_kind(path):
    """'pv' or 'pvh': what the image's notes offer, PV where they offer both or say nothing."""
    with open(path, 'rb') as file:
        notes = xen_notes(file.read())
    return 'pvh' if NOTE_PHYS32_ENTRY in notes and NOTE_ENTRY not in notes else 'pv'


def foreign_world(foreign):
    name = os.path.basename(foreign.path)
    return World(name, f'{name}, {foreign.kind.upper()} domain', 'other', foreign.kind, 'domain', False, ())


def last_words(guest):
    lines = bytes(guest.console.text).decode(errors='replace').split('\n')
    words = [line.strip() for line in lines if line.strip()]
    return f'; its last words: {words[-1][:120]}' if words else ' without a word'


def run_foreign(world, foreign, clock, number, timeout=worlds.TIMEOUT):
    again = ['tools/compare', '--with', foreign.path, '--worlds', world.name, '--runs', '1']
    again += ['--until', foreign.until] if foreign.until else []
    row = worlds.result(world, '', clock, number, shlex.join(again))
    start = time.monotonic()
    try:
        with domain_machine(clock, foreign.kind) as machine:
            values = config.domain('guest', machine.put(foreign.path, '/run/guest'), foreign.memory,
                                   extra=foreign.arguments, on_reboot='preserve')
            # Preserved at its end, it can still be asked how much time it has had.
            text = config.text(values, [f'type="{foreign.kind}"', 'on_poweroff="preserve"'])
            until = re.escape(foreign.until) if foreign.until else None
            guest, seconds, said = watch(machine, text, until, timeout)
            row['times'] = {'handover': 0.0, 'begin': round(seconds, 3)}
            row['cpu_ns'] = cpu_time(machine, guest)
            row['ending'] = f'said {foreign.until!r}' if said else f'ended: {guest.end}'
            if foreign.until and not said:
                row['error'] = f'it {guest.end} and never said {foreign.until!r}{last_words(guest)}'
            elif not said and guest.end != domain.OFF:
                row['error'] = f'it {guest.end}{last_words(guest)}'
    except RigError as error:
        row['error'] = str(error).strip()[:300]
    row['seconds'] = round(time.monotonic() - start, 3)
    return row
