# SPDX-License-Identifier: MIT
"""For tests that boot a guest.

    status, out, err = guest_exec('ls /', '--memory', '32')     one command, headless
    with booted(append='quiet') as guest:                        a shell to talk to
        guest.expect(r'\\$ ')
        guest.send('ls\\n')
"""
import argparse
import contextlib
import os
import subprocess

from rig import run
from rig.guest import Guest
from rig.image import Additions, open_copy
from rig.machine import Machine

TREE = run.TREE
BUILD = run.BUILD
PARVIX = os.path.join(TREE, 'tools', 'parvix')
SEED = int(os.environ.get('PARVIX_TEST_SEED', '1'))
PROMPT = r'\w+@\w+:\S*[#$] '


def parvix(command, *arguments, stdin=b''):
    """tools/parvix with these arguments: (exit status, stdout, stderr). The initial domain, unless they say
    another rig or world."""
    if command == 'run' and '--rig' not in arguments and 'native' not in arguments:
        arguments = ('--rig', 'initial', *arguments)
    done = subprocess.run([PARVIX, command, *arguments], input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def guest_exec(command, *options):
    """The command in a fresh guest: (exit status, stdout, stderr), as text."""
    status, out, err = parvix('run', *options, '--exec', command)
    return status, out.decode(errors='replace'), err.decode(errors='replace')


def build_file(name):
    return os.path.join(BUILD, name)


@contextlib.contextmanager
def booted(kernel=None, image=None, append='', memory=128, add=(), image_fd=None, **machine_options):
    """A guest whose console the test holds. `image_fd`: an image made by the test."""
    options = argparse.Namespace(append=append, exec=None)
    fd = open_copy(image or build_file('root.img')) if image_fd is None else image_fd
    additions = Additions()
    for host, guest in add:
        additions.add(host, guest)
    additions.write_into(fd)
    try:
        with Machine(xen=build_file('xen'), kernel=kernel or build_file('parvix'), image_fd=fd,
                     kernel_args=run.kernel_arguments(options, None), memory=memory,
                     **machine_options) as machine:
            yield Guest(machine)
    finally:
        if image_fd is None:
            os.close(fd)
