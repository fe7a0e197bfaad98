# SPDX-License-Identifier: MIT
"""The machine with a toolstack: QEMU, Xen and Linux as dom0, started from a saved state.

Booting Xen and Linux takes about ten seconds, every time the same. So it is done once: the machine boots
with its memory in a file, is stopped when dom0 is up, and the rest of its state (devices, processor) is
written to a second file. A later run maps the memory file privately (`share=off`: what it writes is its own
and gone with it, and any number of runs share the rest) and reads the second file: dom0 answers after a
third of a second. What goes with it is decided by QEMU's `x-ignore-shared`: memory is left out.

A state belongs to a hypervisor, a dom0 image, a QEMU and its command line; a hash of these names its
folder below build/rig/. It is made in a folder of another name and renamed when it is whole, under a lock,
so that two runs at the same time do not both make it; `complete` in it says which sizes the files must have.
"""
import contextlib
import ctypes
import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

from . import agent
from .codes import CRASH, SETUP, TIMEOUT, RigError, scaled, tell
from .image import fd_path
from .machine import CPU_MODEL, PVH_CPU_MODEL, open_readable

DOM0_MIB = 384
XEN_MIB = 64
# The machine of most runs; a guest that needs more gets a machine (and a state) of its own size.
USUAL_MIB = 768
STEP_MIB = 512
# eager-fpu: by default Xen leaves a domain's floating point registers in the processor until another domain
# touches its own, which a trap tells. In this emulator, registers get lost on that road: Linux and Parvix
# fail the same test of them within seconds. Saved and loaded at each switch they are right.
XEN_ARGS = 'console=com1 com1=115200 loglvl=warning guest_loglvl=all noreboot spec-ctrl=eager-fpu'
BOOT_TIMEOUT = 120
RESTORE_TIMEOUT = 20
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def machine_mib(guests_mib):
    """Memory of a machine for guests that have so much together."""
    need = DOM0_MIB + XEN_MIB + guests_mib + 16
    size = USUAL_MIB
    while size < need:
        size += STEP_MIB
    return size


class Files:
    """What the machine is made of."""

    def __init__(self, build, xen=None):
        self.xen = xen or os.path.join(build, 'xen')
        self.vmlinux = os.path.join(build, 'dom0', 'vmlinux')
        self.dom0 = os.path.join(build, 'dom0', 'dom0.cpio')
        self.states = os.path.join(build, 'rig')


def qemu_version():
    try:
        done = subprocess.run(['qemu-system-x86_64', '--version'], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise RigError(SETUP, 'qemu-system-x86_64 is missing; `make doctor` says what to install') from None
    return done.stdout.splitlines()[0] if done.stdout else ''


def state_key(files, command, version):
    """The name of the state that belongs to these files, this command line and this QEMU."""
    key = hashlib.sha256('\0'.join([version, *command]).encode())
    for path in (files.xen, files.vmlinux, files.dom0):
        try:
            with open(path, 'rb') as file:
                key.update(hashlib.file_digest(file, 'sha256').digest())
        except OSError as error:
            raise RigError(SETUP, f'cannot read {path}: {error.strerror}; `make dom0` makes it') from None
    return key.hexdigest()[:16]


def common_command(memory, xen_args='', icount=None, pvh=False):
    """The part of QEMU's command line that a state depends on."""
    command = [
        'qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35,memory-backend=ram0',
        '-cpu', PVH_CPU_MODEL if pvh else CPU_MODEL,
        '-smp', '1', '-m', str(memory), '-display', 'none', '-nodefaults', '-no-user-config', '-no-reboot',
        '-device', 'virtio-serial-pci,id=serial0',
        '-device', 'virtserialport,bus=serial0.0,nr=1,chardev=agent,name=agent',
        '-device', 'virtio-scsi-pci,id=scsi0', '-serial', 'chardev:words',
        '-append', f'{XEN_ARGS} dom0_mem={DOM0_MIB}M,max:{DOM0_MIB}M {xen_args}'.strip(),
    ]
    if icount is not None:
        command += ['-icount', f'shift={icount},sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']
    return command


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


class Qmp:
    """QEMU's control connection, one command at a time."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b''
        self.events = []  # what QEMU has said without being asked
        sock.settimeout(scaled(RESTORE_TIMEOUT))
        self._line()
        self('qmp_capabilities')

    def _line(self):
        while b'\n' not in self.buffer:
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                raise RigError(CRASH, 'QEMU does not answer on its control connection') from None
            except ConnectionResetError:
                data = b''
            if not data:
                raise RigError(CRASH, 'QEMU ended by itself')
            self.buffer += data
        line, _, self.buffer = self.buffer.partition(b'\n')
        return json.loads(line)

    def __call__(self, name, fds=(), **arguments):
        text = json.dumps({'execute': name, 'arguments': arguments}).encode() + b'\n'
        if fds:
            socket.send_fds(self.sock, [text], list(fds))
        else:
            self.sock.sendall(text)
        while True:
            answer = self._line()
            if 'return' in answer:
                return answer['return']
            if 'error' in answer:
                raise RigError(CRASH, f"QEMU refuses {name}: {answer['error'].get('desc')}")
            self.events.append(answer)

    def rest(self):
        """After QEMU's end: all that it had still to say, and what it has said before without being asked."""
        try:
            while True:
                self.events.append(self._line())
        except (RigError, OSError):
            return self.events


class Emulator:
    """A QEMU process with its three lines: control (`qmp`), the agent in dom0, the hypervisor's words."""

    def __init__(self, files, command, ram, share, incoming, gdb_port=None, seed=None):
        qmp, qmp_theirs = socket.socketpair()
        line, line_theirs = socket.socketpair()
        self.words_fd, words_write = os.pipe()
        self.err_fd, err_write = os.pipe()
        fds = {name: open_readable(path, what) for name, path, what in (
            ('xen', files.xen, 'the hypervisor'), ('vmlinux', files.vmlinux, "dom0's kernel"),
            ('dom0', files.dom0, "dom0's file system"))}
        ram_fd = os.open(ram, os.O_RDWR | os.O_CLOEXEC)
        size = os.fstat(ram_fd).st_size
        command = command + [
            '-object', f'memory-backend-file,id=ram0,size={size},mem-path={fd_path(ram_fd)},share={share}',
            '-chardev', f'socket,id=agent,fd={line_theirs.fileno()}',
            '-chardev', f'file,id=words,path={fd_path(words_write)}',
            '-chardev', f'socket,id=qmp,fd={qmp_theirs.fileno()}', '-mon', 'chardev=qmp,mode=control',
            '-kernel', fd_path(fds['xen']),
            '-initrd', f"{fd_path(fds['vmlinux'])} console=hvc0 quiet,{fd_path(fds['dom0'])}"]
        if incoming:
            command += ['-incoming', 'defer']
        if gdb_port:
            command += ['-gdb', f'tcp:127.0.0.1:{gdb_port}']
        if seed is not None:
            command += ['-seed', str(seed)]
        pass_fds = [*fds.values(), ram_fd, words_write, qmp_theirs.fileno(), line_theirs.fileno()]
        self.command = command
        try:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err_write,
                pass_fds=pass_fds, start_new_session=True, preexec_fn=_die_with_parent)
        finally:
            for fd in (*fds.values(), ram_fd, words_write, err_write):
                os.close(fd)
            qmp_theirs.close()
            line_theirs.close()
        self.started = time.monotonic()
        os.set_blocking(self.err_fd, False)
        self.qmp_socket, self.line = qmp, line
        self.agent = None
        try:
            self.qmp = Qmp(qmp)
            self.agent = agent.Agent(line, self.words_fd)
        except RigError as error:
            words = self.complaints()
            self.close()
            raise RigError(error.code, f'{error}' + (f': {words}' if words else '')) from None

    def ignore_memory(self):
        self.qmp('migrate-set-capabilities', capabilities=[{'capability': 'x-ignore-shared', 'state': True}])

    def migrate(self, command, fd):
        """Writes or reads the state: `migrate` or `migrate-incoming`."""
        self.qmp('getfd', fds=[fd], fdname='state')
        self.qmp(command, uri='fd:state')

    def complaints(self):
        """What QEMU itself has written to its stderr, without its remarks on the CPU model."""
        try:
            text = os.read(self.err_fd, 65536).decode(errors='replace')
        except (BlockingIOError, OSError):
            return ''
        return '\n'.join(line for line in text.splitlines() if "TCG doesn't support" not in line)

    def close(self):
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        if self.agent:
            self.agent.close()
        self.line.close()
        self.qmp_socket.close()
        os.close(self.words_fd)
        os.close(self.err_fd)


def _sizes(folder):
    return {name: os.stat(os.path.join(folder, name)).st_size for name in ('ram', 'state')}


def is_complete(folder):
    try:
        with open(os.path.join(folder, 'complete'), encoding='ascii') as file:
            return json.load(file) == _sizes(folder)
    except (OSError, ValueError):
        return False


def _make(files, command, memory, folder, say):
    """Boots the machine and saves it as `folder`."""
    new = f'{folder}.new'
    shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(new)
    ram, state = os.path.join(new, 'ram'), os.path.join(new, 'state')
    with open(ram, 'wb') as file:
        file.truncate(memory << 20)
    say('booting Xen and dom0 once, to be saved for later runs (about 10 s)')
    machine = Emulator(files, command, ram, 'on', False)
    try:
        if not machine.agent.ping(scaled(BOOT_TIMEOUT)):
            raise RigError(TIMEOUT, 'dom0 does not come up; its last words:\n' + machine.agent.last_words())
        if 'cannot be loaded' in machine.agent.last_words():
            raise RigError(CRASH, 'dom0 lacks a part; its words:\n' + machine.agent.last_words())
        machine.qmp('stop')
        machine.ignore_memory()
        with open(state, 'wb') as file:
            machine.migrate('migrate', file.fileno())
            while (status := machine.qmp('query-migrate').get('status')) != 'completed':
                if status in ('failed', 'cancelled'):
                    raise RigError(CRASH, 'QEMU cannot save the machine')
                time.sleep(0.02)
        took = time.monotonic() - machine.started
    except RigError:
        shutil.rmtree(new, ignore_errors=True)
        raise
    finally:
        machine.close()
    with open(os.path.join(new, 'complete'), 'w', encoding='ascii') as file:
        json.dump(_sizes(new), file)
    os.rename(new, folder)
    say(f'saved in {took:.1f} s; from now on a run starts from there')


@contextlib.contextmanager
def _locked(folder, say=None):
    """Holds the lock of this state. If somebody else has it: says so and waits, or, without `say`, gives False."""
    os.makedirs(os.path.dirname(folder), exist_ok=True)
    with open(f'{folder}.lock', 'w', encoding='ascii') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not say:
                yield False
                return
            say('another run is making the saved machine; waiting for it')
            fcntl.flock(file, fcntl.LOCK_EX)
        yield True


def _forget_others(folder, keep=4):
    """Removes old states, each of which takes a few hundred megabytes, but for those used last; and what a run
    that was killed has left half made."""
    parent = os.path.dirname(folder)
    names = [os.path.join(parent, name) for name in os.listdir(parent)]
    states = sorted((name for name in names if os.path.isdir(name) and '.' not in os.path.basename(name)
                     and name != folder), key=os.path.getmtime)
    half_made = [name[:-4] for name in names if name.endswith('.new') and name != f'{folder}.new']
    for old in states[:-keep] + half_made:
        with _locked(old) as mine:
            if mine:
                shutil.rmtree(f'{old}.new', ignore_errors=True)
                if old in states:
                    shutil.rmtree(old, ignore_errors=True)


def restore(files, memory, xen_args='', icount=None, gdb_port=None, seed=None, say=None, pvh=False):
    """A running machine whose dom0 answers; made first if there is no saved one."""
    say = say or tell
    command = common_command(memory, xen_args, icount, pvh)
    folder = os.path.join(files.states, state_key(files, command, qemu_version()))
    for attempt in (1, 2):
        if not is_complete(folder):
            with _locked(folder, say):
                if not is_complete(folder):
                    if os.path.exists(folder):
                        say('the saved machine is incomplete; it is made anew')
                    _make(files, command, memory, folder, say)
                    _forget_others(folder)
        tried = os.stat(folder).st_ino
        try:
            machine = _start(files, command, folder, gdb_port, seed)
            os.utime(folder)
            return machine
        except (RigError, OSError) as error:
            if attempt == 2:
                raise
            say(f'the saved machine does not start ({error}); it is made anew')
            with _locked(folder, say):
                # Unless somebody else has made it anew already.
                if os.path.exists(folder) and os.stat(folder).st_ino == tried:
                    shutil.rmtree(folder, ignore_errors=True)
    raise AssertionError


def _start(files, command, folder, gdb_port, seed):
    machine = Emulator(files, command, os.path.join(folder, 'ram'), 'off', True, gdb_port, seed)
    try:
        machine.ignore_memory()
        with open(os.path.join(folder, 'state'), 'rb') as file:
            machine.migrate('migrate-incoming', file.fileno())
        deadline = time.monotonic() + scaled(RESTORE_TIMEOUT)
        while machine.qmp('query-status')['status'] == 'inmigrate':
            if time.monotonic() > deadline:
                raise RigError(TIMEOUT, 'QEMU does not finish reading it')
            time.sleep(0.005)
        machine.qmp('cont')
        if not machine.agent.ping(scaled(RESTORE_TIMEOUT)):
            raise RigError(TIMEOUT, 'dom0 does not answer')
        return machine
    except BaseException as error:
        words = machine.complaints()
        machine.close()
        if isinstance(error, RigError) and words:
            raise RigError(error.code, f'{error}: {words}') from None
        raise
