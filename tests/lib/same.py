# SPDX-License-Identifier: MIT
"""What may differ between the worlds in what the same programs print, and why. Nothing else may.

A rule is (pattern, what it becomes, reason); a pattern is matched line by line."""
import difflib
import re

DIFFER = (
    # Programs of tests/user
    (r'^# no /dev/ram0: errno 2\n', '', 'the root is on a disk, not in memory'),
    (r'^# no hypervisor here\n', '', 'nobody but a hypervisor counts its calls'),
    # Ordinary commands
    (r'\b(native|pv|pvh) world on (none|Xen [\d.]+)', 'WORLD', 'uname says which world it is'),
    (r'^/dev/(xvda|sda1?|vda|ram0) on / ', '/dev/ROOT on / ', 'each world has its own kind of disk'),
    (r'^(xvda|sda1?|vda|ram0)\n', '', 'and the name of it is in /dev'),
    (r'^xenstore on /xen/store .*\n|^nodev\txenstore\n', '', 'only an ordinary domain of Xen has a xenstore'),
)


def normal(text):
    for pattern, new, _ in DIFFER:
        text = re.sub(pattern, new, text, flags=re.M)
    return text


def difference(one, other, names):
    """'' if the two say the same, or a few lines that show where they do not."""
    lines = [normal(text).splitlines() for text in (one, other)]
    return '\n'.join(list(difflib.unified_diff(*lines, *names, lineterm='', n=2))[:60])
