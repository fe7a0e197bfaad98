# SPDX-License-Identifier: MIT
"""`tools/parvix run`."""
import os
import secrets
import signal
import sys
import time

from . import domrun, pc, protocol
from .codes import CRASH, INTERRUPTED, NO_VERDICT, SETUP, TIMEOUT, RigError, scaled, tell
from .guest import CRASHED, HALTED, REBOOTED, Guest
from .image import Additions, open_copy, open_image
from .machine import Machine
from .terminal import Terminal

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TREE, 'build')
EXEC_FILE = '/etc/exec-command'
EXEC_TIMEOUT = 60
# What the editor and the pager know; user/pkg/ncurses/build has the list.
TERMINALS = ('xterm', 'xterm-256color', 'linux', 'vt100', 'vt220', 'screen', 'screen-256color', 'tmux',
             'tmux-256color', 'rxvt', 'ansi', 'dumb')
POWER_OFF_TIMEOUT = 15


def raise_on_signals():
    """Every signal that would end the runner becomes an exception, so that QEMU and the terminal are seen to."""

    def interrupted(number, _frame):
        raise RigError(INTERRUPTED, f'ended by {signal.Signals(number).name}')

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)


def write_all(fd, data):
    while data:
        try:
            data = data[os.write(fd, data):]
        except BlockingIOError:
            time.sleep(0.002)


def prepare_image(options, nonce):
    """The root image of this run, with what --add and --exec put into it; a descriptor."""
    fd = open_image(options.image) if options.persist else open_copy(options.image)
    additions = Additions()
    for pair in options.add:
        host, colon, guest = pair.partition(':')
        if not colon:
            raise RigError(SETUP, f'--add takes HOST:GUEST, not {pair!r}')
        additions.add(host, guest)
    if options.exec is not None:
        additions.add_text(f'{nonce}\n{options.exec}\n', EXEC_FILE)
    additions.write_into(fd)
    return fd


def kernel_arguments(options, size):
    words = ['console-mark']
    if size:
        words.append(f'winsize={size[0]}x{size[1]}')
    if options.append:
        words.append(options.append)
    if options.exec is not None:
        if ' -- ' in f' {options.append} ':
            raise RigError(SETUP, '--exec gives init its arguments; --append cannot have ` -- ` as well')
        words.append('-- exec')
    elif size and ' -- ' not in f' {options.append} ' and os.environ.get('TERM') in TERMINALS:
        words.append(f"-- TERM={os.environ['TERM']}")
    return ' '.join(words)


def start(options, image_fd, size):
    if options.rig == 'domain':
        return domrun.start(options, image_fd, kernel_arguments(options, size))
    if options.world == 'native':
        return pc.start(options, image_fd, kernel_arguments(options, size))
    return Machine(
        xen=options.xen, kernel=options.kernel, image_fd=image_fd,
        kernel_args=kernel_arguments(options, size), memory=options.memory, cpus=options.cpus,
        xen_args=options.xen_args, icount=options.icount, gdb_port=options.gdb, seed=options.seed,
        pvh=options.world == 'pvh')


def guest_of(options, machine, nonce, show):
    kinds = {'domain': domrun.DomainGuest, 'pc': pc.PcGuest, 'initial': Guest}
    return kinds[options.rig](machine, nonce, show)


def explain_crash(guest, shown_xen):
    """Puts what the hypervisor said at the end on stderr, if it has not been shown yet."""
    if not shown_xen:
        lines = guest.xen_log[-60:] if 'kernel crashed' not in guest.crash_reason else guest.xen_log[-40:]
        after = [n for n, line in enumerate(lines) if b'Freed ' in line or b'Serial input' in line]
        sys.stderr.buffer.write(b''.join(lines[after[-1] + 1:] if after else lines))
        sys.stderr.buffer.flush()
    complaints = guest.machine.complaints()
    if complaints:
        print(complaints, file=sys.stderr)
    raise RigError(CRASH, guest.crash_reason)


def run_exec(options, image_fd, nonce):
    """Boots, runs the command; returns its status."""

    def show(voice, data):
        if voice == protocol.TEXT and guest.begun:
            write_all(1, data)
        elif voice in (protocol.TEXT, protocol.KERNEL) or (voice == protocol.XEN and options.verbose):
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()

    with start(options, image_fd, None) as machine:
        guest = guest_of(options, machine, nonce, show)
        limit = EXEC_TIMEOUT if options.timeout is None else options.timeout
        if options.gdb:
            limit = 86400
        dom0_status = domrun.dom0_commands(options, machine) if options.dom0 else 0
        in_time = guest.run_until(lambda: guest.status is not None, limit)
        if not in_time:
            where = 'before the command began' if not guest.begun else 'while the command ran'
            raise RigError(TIMEOUT, f'no end after {limit:g} s, {where}')
        if guest.end is None:
            in_time = guest.run_until(lambda: False, POWER_OFF_TIMEOUT)
            if not in_time:
                raise RigError(TIMEOUT, f'the command ended with {guest.status}, but the guest did not power off')
        if options.times:
            print('parvix: times ' + ' '.join(f'{name}={at:.3f}' for name, at in guest.times.items()), file=sys.stderr)
        if guest.end == CRASHED:
            explain_crash(guest, options.verbose)
        if guest.status is None:
            raise RigError(NO_VERDICT, f'the guest {guest.end} without a status of the command')
        return guest.status or dom0_status


def run_dom0(options, image_fd):
    """Boots to the prompt, runs the commands in dom0; returns their status."""

    def show(voice, data):
        if options.verbose:
            sys.stderr.buffer.write(data)
            sys.stderr.buffer.flush()

    with start(options, image_fd, None) as machine:
        guest = guest_of(options, machine, None, show)
        limit = EXEC_TIMEOUT if options.timeout is None else options.timeout
        if not guest.run_until(lambda: guest.text.endswith((b'$ ', b'# ')), limit):
            raise RigError(TIMEOUT, f'no prompt after {limit:g} s; the last words of the guest:\n'
                           + guest.text[-1500:].decode(errors='replace'))
        if guest.end == CRASHED:
            sys.stderr.buffer.write(guest.text[-4000:])
            explain_crash(guest, options.verbose)
        return domrun.dom0_commands(options, machine)


def run_interactive(options, image_fd):
    """Boots and connects the terminal, again after each reboot. Returns when the guest powers off."""
    with Terminal() as terminal:
        while True:
            end = one_session(options, image_fd, terminal)
            if end not in (HALTED, REBOOTED):
                tell(f'the guest {end}')
            if end != REBOOTED or not options.reboot:
                return 0


def one_session(options, image_fd, terminal):
    """From power-on to power-off or reboot; HALTED also when the person leaves."""
    raw = terminal.is_tty
    if raw and options.rig == 'domain':
        tell('Xen, then dom0, then `xl create`: a domain in a few seconds. Ctrl-] leaves.')

    def show(voice, data):
        if voice == protocol.XEN and not options.verbose:
            return
        if raw and voice in (protocol.XEN, protocol.KERNEL):
            data = data.replace(b'\n', b'\r\n')
        write_all(1, data)

    source = [terminal.fd]
    if raw and options.rig == 'domain':
        source.append(terminal.watch_size())  # before it is asked for, so that no change is missed
    with start(options, image_fd, terminal.size()) as machine:
        guest = guest_of(options, machine, None, show)
        deadline = None if options.timeout is None else time.monotonic() + scaled(options.timeout)
        if not raw:
            # Nobody would read it yet. A person sees when somebody does.
            guest.run_until(lambda: guest.text.endswith((b'$ ', b'# ')), options.timeout or EXEC_TIMEOUT)
        while guest.end is None:
            left = 3600 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                limit = EXEC_TIMEOUT if options.timeout is None else options.timeout
                raise RigError(TIMEOUT, f'no end after {limit:g} s' + ('' if source else ', and the input is at its end'))
            ready = guest.pump(min(left, 3600), source)
            if terminal.size_fd in ready:
                machine.resize(terminal.new_size())
            if terminal.fd in ready:
                keys, leave = terminal.keys()
                if leave and raw:
                    return HALTED
                machine.write(b'\x04' if leave else keys)
                if leave:
                    source = []
                    # The shell has been told; nobody is there to end what goes on after it.
                    deadline = deadline or time.monotonic() + scaled(EXEC_TIMEOUT)
        if guest.end == CRASHED:
            if raw:
                terminal.__exit__()
            explain_crash(guest, options.verbose)
        return guest.end


def choose(options):
    """The set-up that belongs to the world; a sentence for what does not go together."""
    native = options.world == 'native'
    if options.world not in ('native', 'pvh', 'pv') or options.rig not in (None, 'domain', 'initial'):
        raise RigError(SETUP, f'--world {options.world} --rig {options.rig}: there are the worlds native, pvh and pv, '
                              'and the rigs domain and initial')
    if native and options.rig:
        raise RigError(SETUP, '--world native has no hypervisor and so no --rig: QEMU alone is the machine')
    options.rig = 'pc' if native else options.rig or 'domain'
    refused = []
    if options.rig != 'domain':
        refused += [name for name in ('xl', 'dom0') if getattr(options, name)]
        refused += ['domains'] if options.domains != 1 else []
    if options.rig == 'initial':
        refused += [name for name in ('disk', 'persist', 'ramdisk') if getattr(options, name)]
    if refused:
        needs = 'needs a dom0 beside the guest: --rig domain' if not native else \
            'needs a dom0 with a toolstack: --world pv or pvh, --rig domain'
        raise RigError(SETUP, f'--{refused[0]} {needs}')
    if native and options.xen_args:
        raise RigError(SETUP, '--xen-args: there is no hypervisor with --world native')
    for name in ('grub', 'disk_driver'):
        if getattr(options, name) and not native:
            raise RigError(SETUP, f"--{name.replace('_', '-')} is for a PC: --world native")
    if options.grub and options.persist:
        raise RigError(SETUP, '--grub makes a disk anew; for one that stays: make grub-image')
    options.disk_driver = options.disk_driver or 'ahci'


def run(options):
    """Does what the options say; returns the exit status."""
    raise_on_signals()
    choose(options)
    nonce = secrets.token_hex(8)
    image_fd = prepare_image(options, nonce)
    if options.exec is None and options.dom0:
        return run_dom0(options, image_fd)
    if options.exec is None:
        return run_interactive(options, image_fd)
    return run_exec(options, image_fd, nonce)
