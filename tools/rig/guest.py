# SPDX-License-Identifier: MIT
"""A booted guest: the machine, its console taken apart, and how it ended.

Both `tools/parvix run` and the tests that talk to a guest (`Guest.expect`) stand on this.
"""
import re
import time

from . import protocol
from .codes import CRASH, NO_VERDICT, TIMEOUT, RigError, scaled

HALTED, REBOOTED, CRASHED = 'halted', 'rebooted', 'crashed'
# The hypervisor's last words, and what they mean. A panic of Xen's own ends with the Manual reset line.
LAST_WORDS = (
    (re.compile(rb'Hardware Dom0 halted'), HALTED),
    (re.compile(rb'Hardware Dom0 shutdown: (?:watchdog )?rebooting'), REBOOTED),
    (re.compile(rb"'noreboot' set - not rebooting|Manual reset required"), CRASHED),
)
REASONS = (
    (re.compile(rb'Panic on CPU'), 'the hypervisor panicked'),
    (re.compile(rb'Could not construct|Dom0 kernel|ERROR: '), None),
    (re.compile(rb'Hardware Dom0 crashed'), 'the kernel crashed'),
)
# The last thing Xen says before it starts the kernel.
HAND_OVER = re.compile(rb'Freed \d+kB init memory')
IDLE = 0.05


class Guest:
    """Pumps the console of a Machine. `on_event(voice, bytes)` is called for each piece of it."""

    hypervisor = True  # its words are on the same console

    def __init__(self, machine, nonce=None, on_event=None):
        self.machine = machine
        self.demux = protocol.Demux(nonce, self.hypervisor)
        self.on_event = on_event or (lambda voice, data: None)
        self.xen_log = []
        self.end = None  # HALTED, REBOOTED or CRASHED, once it is known
        self.crash_reason = 'the kernel crashed'
        self.begun = False
        self.status = None  # what the command exited with
        self.times = {}  # seconds since the start of QEMU: handover, begin, end, off
        self.text = bytearray()  # everything the programs and the kernel have said, for expect()
        self.position = 0

    def pump(self, seconds, also=()):
        """One round: waits up to `seconds` for console output and handles it. Returns the ready `also`."""
        ready = self.machine.wait(min(seconds, IDLE) if self.demux.held else seconds, also)
        if self.machine.out_fd not in ready:
            self._handle(self.demux.idle())
            return ready
        data = self.machine.read()
        if data == b'':
            self._handle(self.demux.finish())
            if self.end is None:
                self.qemu_ended()
        elif data:
            self._handle(self.demux.feed(data))
        return ready

    def qemu_ended(self):
        self.end = CRASHED
        self.crash_reason = 'QEMU ended by itself'

    def _handle(self, events):
        for voice, data in events:
            if voice == protocol.XEN:
                self._xen(data)
            elif voice == protocol.BEGIN:
                self.begun = True
                self._note_time('begin')
            elif voice == protocol.END:
                self.status = int(data or b'0') & 0xff
                self.begun = False
                self._note_time('end')
            else:
                self.text += data
            self.on_event(voice, data)

    def _note_time(self, name):
        self.times.setdefault(name, time.monotonic() - self.machine.started)

    def _xen(self, line):
        self.xen_log = self.xen_log[-400:] + [line]
        for pattern, reason in REASONS:
            if reason and pattern.search(line):
                self.crash_reason = reason
        if HAND_OVER.search(line):
            self._note_time('handover')
        for pattern, end in LAST_WORDS:
            if self.end is None and pattern.search(line):
                self.end = end
                self._note_time('off')

    def run_until(self, condition, seconds):
        """Pumps until condition() or the machine's end; False when `seconds` (scaled) have passed."""
        deadline = time.monotonic() + scaled(seconds)
        while not condition() and self.end is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            self.pump(min(left, 0.5))
        return True

    # For tests -----------------------------------------------------------------------------------

    def send(self, text):
        self.machine.write(text.encode() if isinstance(text, str) else text)

    def wait(self, seconds):
        """Lets the guest run. (A plain sleep would hold back what is still to be sent.)"""
        self.run_until(lambda: False, seconds)

    def expect(self, pattern, seconds=20):
        """Waits for the pattern in what the guest says; returns the match. Text before it is used up."""
        pattern = re.compile(pattern.encode() if isinstance(pattern, str) else pattern, re.S)

        def found():
            return pattern.search(self.text, self.position)

        in_time = self.run_until(found, seconds)
        match = found()
        if match:
            self.position = match.end()
            return match
        tail = self.text[self.position:][-1500:].decode(errors='replace')
        if not in_time:
            raise RigError(TIMEOUT, f'{pattern.pattern!r} did not come within {seconds} s; the last words:\n{tail}')
        code = CRASH if self.end == CRASHED else NO_VERDICT
        raise RigError(code, f'the machine {self.end} before {pattern.pattern!r} came; the last words:\n{tail}')
