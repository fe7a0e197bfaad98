# SPDX-License-Identifier: MIT
"""The person's terminal while it belongs to the guest."""
import os
import signal
import sys
import termios
import tty

LEAVE = b'\x1d'  # Ctrl-]


class Terminal:
    """Raw mode for as long as the object is entered, if stdin is a terminal at all."""

    def __init__(self):
        self.fd = sys.stdin.fileno()
        self.is_tty = os.isatty(self.fd)
        self.saved = None
        self.size_fd = None  # readable when the window's size has changed

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

    def watch_size(self):
        """From now on size_fd, which is returned, tells of changes of the window's size."""
        if self.size_fd is None:
            self.size_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
            signal.signal(signal.SIGWINCH, lambda *_: os.eventfd_write(self.size_fd, 1))
        return self.size_fd

    def new_size(self):
        """The size after size_fd became readable."""
        os.eventfd_read(self.size_fd)
        return self.size()

    def keys(self):
        """What was typed: (bytes for the guest, does the person want to leave). b'' and True at end of file."""
        data = os.read(self.fd, 4096)
        if not data:
            return b'', True
        if not self.is_tty:
            return data, False
        before, leave, _ = data.partition(LEAVE)
        return before, bool(leave)
