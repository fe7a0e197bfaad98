# SPDX-License-Identifier: MIT
"""Exit codes of the runner's own, and the exceptions that stand for them.

`tools/parvix run --exec` exits with the status of the command. When there is no such status, it exits
with one of these, and says why on stderr in a line that starts with `parvix: `.
"""
import os
import sys

CRASH = 120  # the kernel or the hypervisor crashed, or QEMU died
TIMEOUT = 121  # the time given by --timeout passed
NO_VERDICT = 122  # the machine stopped in good order, but the command's status never came
SETUP = 123  # wrong usage, or something to run with is missing
INTERRUPTED = 124  # Ctrl-C, SIGTERM or SIGHUP ended the runner


class RigError(Exception):
    """A run that ended without a status of the guest's."""

    def __init__(self, code, reason):
        super().__init__(reason)
        self.code = code


def scaled(seconds):
    """The time to wait on this machine: PARVIX_TIMEOUT_SCALE stretches every wait of the rig."""
    try:
        scale = float(os.environ.get('PARVIX_TIMEOUT_SCALE', '1'))
    except ValueError:
        raise RigError(SETUP, 'PARVIX_TIMEOUT_SCALE is not a number') from None
    return seconds * scale


def tell(text, prefix='parvix: '):
    """A message for the person, on stderr. A terminal may be raw by now: it is then given its carriage returns."""
    end = '\r\n' if sys.stderr.isatty() else '\n'
    sys.stderr.write((prefix + text.rstrip('\n') + '\n').replace('\n', end))
    sys.stderr.flush()
