# SPDX-License-Identifier: MIT
"""The person's terminal while it belongs to the guest."""
import os
import sys
import termios
import tty

ESCAPE = b'\x1d'  # Ctrl-]
HELP = b'\r\nparvix: q ends the machine, Ctrl-] sends a Ctrl-], any other key goes back\r\n'


class Terminal:
    """Raw mode for as long as the object is entered, if stdin is a terminal at all."""

    def __init__(self):
        self.fd = sys.stdin.fileno()
        self.is_tty = os.isatty(self.fd)
        self.saved = None
        self.escaped = False

    def __enter__(self):
        if self.is_tty:
            self.saved = termios.tcgetattr(self.fd)
            tty.setraw(self.fd, termios.TCSANOW)
        return self

    def __exit__(self, *_):
        if self.saved:
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self.saved)
            self.saved = None

    def size(self):
        """(rows, columns), or None when there is no terminal."""
        if not self.is_tty:
            return None
        size = os.get_terminal_size(self.fd)
        return (size.lines, size.columns) if size.lines and size.columns else None

    def keys(self):
        """What was typed: (bytes for the guest, does the person want to leave). b'' and True at end of file."""
        data = os.read(self.fd, 4096)
        if not data:
            return b'', True
        if not self.is_tty:
            return data, False
        keys = b''
        for i in range(len(data)):
            key = data[i:i + 1]
            if self.escaped:
                self.escaped = False
                if key in b'qxQX':
                    return keys, True
                if key == ESCAPE:
                    keys += key
            elif key == ESCAPE:
                self.escaped = True
                os.write(sys.stderr.fileno(), HELP)
            else:
                keys += key
        return keys, False
