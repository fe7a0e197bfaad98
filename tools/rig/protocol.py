# SPDX-License-Identifier: MIT
"""What comes over the console, taken apart.

PROTOCOL. One stream of bytes carries four voices: the hypervisor, the kernel, init's markers and the
programs. They are told apart so:

  hypervisor  a line that starts with `(XEN) `
  kernel      `\\x1ek` text `\\n`, wherever it comes, also in the middle of a program's line; the kernel
              does this when its command line has the word `console-mark`
  markers     `\\x1eBEGIN ` nonce `\\n` and `\\x1eEND ` nonce ` ` status `\\n`, written by init
  programs    everything else, byte for byte

`--exec COMMAND` puts two things into the guest: the file /etc/exec-command, whose first line is a nonce
and whose rest is the command, and the word `exec` as init's argument (the kernel hands everything behind
` -- ` on its command line to /sbin/init). Init then does not start a login shell. It
  1. makes the console's output raw (no OPOST), so that bytes go out as they are,
  2. prints the BEGIN marker,
  3. runs `/bin/sh -c` with the rest of the file (without its last newline) as the command, standard input
     from /dev/null, standard output and error on the console,
  4. prints the END marker with the exit status, 128 + signal number if a signal ended the shell,
  5. calls sync and powers the machine off.

What the command prints between the markers goes to the runner's stdout, all else to stderr.
"""
import re

XEN_PREFIX = b'(XEN) '
MARK = 0x1E
_MARKER = re.compile(rb'\x1e(BEGIN|END) ([0-9a-f]+)(?: (\d+))?\r?\n')
_MARKER_MAX = 64
# The hypervisor does not know that a program's line is still open. What it says about the end of the
# machine must be seen even there.
_LATE_XEN = re.compile(rb"\(XEN\) (?:Hardware Dom0|Domain 0 \(|\*{8}|'noreboot')")
_LATE_XEN_MAX = 24

XEN, KERNEL, TEXT, BEGIN, END = 'xen', 'kernel', 'text', 'begin', 'end'


class Demux:
    """Splits the console stream into (voice, bytes) pairs; END's bytes are the status in decimal.

    feed() returns what is certain; up to one line may be held back until its voice is known. When
    nothing has come for a moment, idle() gives up a held-back piece that merely looks like the start of
    something, so that a prompt that ends in `(` is not invisible.
    """

    def __init__(self, nonce=None, hypervisor=True):
        self.hypervisor = hypervisor  # an ordinary domain's console has no lines of the hypervisor's
        self.nonce = nonce.encode() if nonce else None
        self.held = b''
        self.line_start = True

    def feed(self, data):
        self.held += data
        events = []
        while self.held:
            step = self._special() if self._at_special() else self._plain()
            if step is None:
                break
            voice, payload, used = step
            if used:
                self.line_start = self.held[used - 1:used] == b'\n'
                self.held = self.held[used:]
            if payload is None:
                continue
            if voice == TEXT and events and isinstance(events[-1], list):
                events[-1].append(payload)
            else:
                events.append([payload] if voice == TEXT else (voice, payload))
        # A program's lines that follow each other are one piece.
        return [(TEXT, b''.join(event)) if isinstance(event, list) else event for event in events]

    def idle(self):
        """Whatever is held is a program's text after all, unless it is an open line of Xen's or the kernel's
        (or the one byte that begins it: nobody waits for that to be shown)."""
        if self.held in (b'', b'\x1e') or self.held.startswith(
                (XEN_PREFIX, b'\x1ek') if self.hypervisor else b'\x1ek'):
            return []
        return self.finish()

    def finish(self):
        """The stream has ended (or pauses): hand out the rest as it is."""
        rest, self.held = self.held, b''
        if not rest:
            return []
        at_start, self.line_start = self.line_start, rest.endswith(b'\n')
        if self.hypervisor and at_start and rest.startswith(XEN_PREFIX):
            return [(XEN, rest)]
        if rest.startswith(b'\x1ek'):
            return [(KERNEL, rest[2:])]
        return [(TEXT, rest)]

    def _at_special(self):
        if self.held[0] == MARK:
            return True
        if self.held[0] != XEN_PREFIX[0] or not self.hypervisor:
            return False
        return self.line_start or self._late_xen() is not False

    def _late_xen(self):
        """Does held start with an end-of-machine line of Xen's? None: too short to say."""
        if _LATE_XEN.match(self.held):
            return True
        short = self.held[:_LATE_XEN_MAX]
        if len(self.held) >= _LATE_XEN_MAX or not (
                short.startswith(XEN_PREFIX) or XEN_PREFIX.startswith(short)):
            return False
        return None if b'\n' not in short else False

    def _special(self):
        held = self.held
        if held[0] == MARK:
            return self._marked()
        if held.startswith(XEN_PREFIX) and (self.line_start or self._late_xen()):
            end = held.find(b'\n') + 1
            return (XEN, held[:end], end) if end else None
        if XEN_PREFIX.startswith(held) or (not self.line_start and self._late_xen() is None):
            return None
        return (TEXT, held[:1], 1)

    def _marked(self):
        held = self.held
        if len(held) < 2:
            return None
        if held[1:2] == b'k':
            end = held.find(b'\n') + 1
            return (KERNEL, held[2:end], end) if end else None
        if held[1:2] in (b'B', b'E') and self.nonce:
            match = _MARKER.match(held)
            if match and match.group(2) == self.nonce:
                if match.group(1) == b'BEGIN':
                    return (BEGIN, b'', match.end())
                return (END, match.group(3) or b'', match.end())
            if not match and b'\n' not in held and len(held) < _MARKER_MAX:
                return None
        return (TEXT, held[:1], 1)

    def _plain(self):
        """Text up to the next byte that could begin something else."""
        held = self.held
        end = len(held)
        for start in (b'\x1e', b'\n', b'('):
            at = held.find(start, 1, end)
            if at >= 0:
                end = at + (start == b'\n')
        if held[0:1] == b'\n':
            end = 1
        return (TEXT, held[:end], end)
