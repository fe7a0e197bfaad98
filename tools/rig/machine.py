# SPDX-License-Identifier: MIT
"""One QEMU with Xen in it: its command line, its life and its death. (pc.py: one without Xen.)

The console goes two ways. Output comes by Xen's debug port (`console=xen`, port 0xe9), because it is
written there as it is and QEMU waits for the reader; on the serial line Xen makes CR LF out of LF, and
drops output when the line is slow. Input can only go by the serial line, 7 bits a character, into a buffer
of 128 characters in Xen, so it is sent in small portions.
"""
import ctypes
import os
import select
import signal
import subprocess
import time

from .codes import SETUP, RigError
from .image import fd_path

# A model without what QEMU's emulation gets wrong under a PV guest (SVM, SMAP, RDTSCP, MONITOR; docs/rig.md).
CPU_MODEL = 'EPYC,-svm,-smap,-rdtscp,-monitor'
# The same with what Xen needs for PVH guests: virtual machine extensions and nested paging.
PVH_CPU_MODEL = 'EPYC,+svm,+npt,-smap,-rdtscp,-monitor'
XEN_NEEDS_MIB = 64
# An initial domain that is PVH, without an IOMMU to keep its devices' hands off others' memory: it has none.
PVH_XEN_ARGS = 'dom0=pvh dom0-iommu=none'
# Conswitch ` means: no key switches the input from the guest to Xen.
XEN_ARGS = 'console=com1,xen com1=115200 conswitch=` noreboot loglvl=warning guest_loglvl=all'
INPUT_CHUNK = 16
INPUT_PAUSE = 0.004
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def open_readable(path, what):
    try:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise RigError(SETUP, f'cannot read {what} {path}: {error.strerror}') from None


def check_arguments(text):
    if '\n' in text or len(text) > 900:
        raise RigError(SETUP, 'the kernel arguments must be one line of at most 900 characters')


def special(icount, gdb_port, seed):
    """QEMU's options for a run that is to be repeated exactly, or looked at."""
    command = []
    if icount is not None:
        # The clock chip counts instructions too: Xen waits for the beginning of a second on it.
        command += ['-icount', f'shift={icount},sleep=off', '-rtc', 'base=2026-01-01T00:00:00,clock=vm']
    if gdb_port:
        command += ['-gdb', f'tcp:127.0.0.1:{gdb_port}', '-S']
    if seed is not None:
        command += ['-seed', str(seed)]
    return command


class Machine:
    """A running QEMU with Xen, and the kernel as its initial domain, PV or PVH. `read` gives console output,
    `write` queues console input."""

    input_chunk = INPUT_CHUNK

    def __init__(self, xen, kernel, image_fd, kernel_args, memory, cpus=1, xen_args='', icount=None,
                 gdb_port=None, seed=None, qemu_args=(), pvh=False):
        check_arguments(kernel_args)
        image_mib = (os.fstat(image_fd).st_size >> 20) + 1
        if memory <= image_mib:
            raise RigError(SETUP, f'--memory {memory} does not even hold the root image ({image_mib} MiB)')
        # Opened here and named by descriptor: QEMU would take a comma or a space in a name apart.
        kernel_fd = open_readable(kernel, 'the kernel')
        xen_fd = open_readable(xen, 'the hypervisor')
        modules = f"{fd_path(kernel_fd)} {kernel_args.replace(',', ',,')},{fd_path(image_fd)}"
        xen_args = f"{PVH_XEN_ARGS if pvh else ''} {xen_args}".strip()
        command = [
            '-cpu', PVH_CPU_MODEL if pvh else CPU_MODEL,
            '-smp', str(cpus), '-m', str(memory + image_mib + XEN_NEEDS_MIB),
            '-kernel', fd_path(xen_fd), '-initrd', modules,
            '-append', f'{XEN_ARGS} dom0_mem={memory}M,max:{memory}M dom0_max_vcpus={cpus} {xen_args}'.strip(),
        ]
        self.launch([*command, *special(icount, gdb_port, seed), *qemu_args], [image_fd], [kernel_fd, xen_fd])

    def launch(self, arguments, keep, give):
        """Starts QEMU. It gets the descriptors in `keep` and `give`; those of `give` are closed here."""
        self.out_fd, out_write = os.pipe()
        in_read, self.in_fd = os.pipe()
        self.err_fd, err_write = os.pipe()
        self.command = [
            'qemu-system-x86_64', '-accel', 'tcg', '-machine', 'q35', '-display', 'none', '-nodefaults',
            '-no-user-config', '-no-reboot',
            '-chardev', 'stdio,id=input,signal=off', '-serial', 'chardev:input',
            '-chardev', f'file,id=output,path={fd_path(out_write)}',
            '-device', 'isa-debugcon,iobase=0xe9,chardev=output', *arguments]
        self.pending = b''
        self.next_input = 0.0
        try:
            self.process = subprocess.Popen(
                self.command, stdin=in_read, stdout=subprocess.DEVNULL, stderr=err_write,
                pass_fds=[*keep, *give, out_write], start_new_session=True, preexec_fn=_die_with_parent)
        except FileNotFoundError:
            self._close(self.out_fd, self.in_fd, self.err_fd)
            raise RigError(SETUP, 'qemu-system-x86_64 is missing; `make doctor` says what to install') from None
        finally:
            self._close(*give, out_write, in_read, err_write)
        os.set_blocking(self.out_fd, False)
        os.set_blocking(self.err_fd, False)
        os.set_blocking(self.in_fd, False)
        self.started = time.monotonic()

    @staticmethod
    def _close(*fds):
        for fd in fds:
            os.close(fd)

    def wait(self, seconds, also=()):
        """Waits until output or one of the descriptors `also` is ready; returns the ready ones."""
        now = time.monotonic()
        if self.pending:
            seconds = min(seconds, max(0, self.next_input - now))
        ready = select.select([self.out_fd, *also], [], [], max(0, seconds))[0]
        self._send()
        return ready

    def read(self):
        """Console output: some bytes, None if there are none now, b'' if QEMU has closed it."""
        try:
            return os.read(self.out_fd, 65536)
        except BlockingIOError:
            return None

    def write(self, data):
        self.pending += data
        self._send()

    def _send(self):
        now = time.monotonic()
        if not self.pending or now < self.next_input:
            return
        try:
            sent = os.write(self.in_fd, self.pending[:self.input_chunk])
        except (BlockingIOError, BrokenPipeError):
            sent = 0
        self.pending = self.pending[sent:]
        self.next_input = now + INPUT_PAUSE

    def complaints(self):
        """What QEMU itself has written to its stderr, without its remarks on the CPU model."""
        try:
            text = os.read(self.err_fd, 65536).decode(errors='replace')
        except (BlockingIOError, OSError):
            return ''
        return '\n'.join(line for line in text.splitlines() if "TCG doesn't support" not in line)

    def close(self):
        """Ends QEMU, if it still runs, and waits until it is gone."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait()
        self.process = None
        self._close(self.out_fd, self.in_fd, self.err_fd)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
