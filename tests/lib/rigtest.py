# SPDX-License-Identifier: MIT
"""For tests that boot a guest.

    status, out, err = guest_exec('ls /', '--memory', '32')     one command, headless
    with booted(append='quiet') as guest:                        a shell to talk to
        guest.expect(r'\\$ ')
        guest.send('ls\\n')

The guest is in the world that the suite is about (PARVIX_TEST_WORLD; `worlds` of a class says in which its
tests make sense): Xen's initial domain, PV unless the suite is PVH's, or a PC without Xen.
"""
import argparse
import contextlib
import os
import subprocess

from rig import pc, run
from rig.guest import Guest
from rig.image import Additions, open_copy
from rig.machine import Machine

TREE = run.TREE
BUILD = run.BUILD
PARVIX = os.path.join(TREE, 'tools', 'parvix')
SEED = int(os.environ.get('PARVIX_TEST_SEED', '1'))
WORLD = os.environ.get('PARVIX_TEST_WORLD', 'pv')
# Arguments of `tools/parvix run`.
HERE = ('--world', 'native') if WORLD == 'native' else ('--world', WORLD, '--rig', 'initial')
PROMPT = r'\w+@\w+:\S*[#$] '


def parvix(command, *arguments, stdin=b''):
    """tools/parvix with these arguments: (exit status, stdout, stderr). Unless they say another world or rig,
    in this one."""
    if command == 'run' and not {'--rig', '--world'} & set(arguments):
        arguments = (*HERE, *arguments)
    done = subprocess.run([PARVIX, command, *arguments], input=stdin, capture_output=True)
    return done.returncode, done.stdout, done.stderr


def guest_exec(command, *options):
    """The command in a fresh guest: (exit status, stdout, stderr), as text."""
    status, out, err = parvix('run', *options, '--exec', command)
    return status, out.decode(errors='replace'), err.decode(errors='replace')


def build_file(name):
    return os.path.join(BUILD, name)


def _machine(kernel, image_fd, append, memory, options):
    arguments = run.kernel_arguments(argparse.Namespace(append=append, exec=None), None)
    if WORLD == 'native':
        return pc.Pc(kernel, kernel_args=f'root=sda {arguments}', memory=memory, disks=[(image_fd, True)], **options)
    return Machine(xen=build_file('xen'), kernel=kernel, image_fd=image_fd, kernel_args=arguments, memory=memory,
                   pvh=WORLD == 'pvh', **options)


@contextlib.contextmanager
def booted(kernel=None, image=None, append='', memory=128, add=(), image_fd=None, **machine_options):
    """A guest whose console the test holds. `image_fd`: an image made by the test."""
    fd = open_copy(image or build_file('root.img')) if image_fd is None else image_fd
    additions = Additions()
    for host, guest in add:
        additions.add(host, guest)
    additions.write_into(fd)
    try:
        with _machine(kernel or build_file('parvix'), fd, append, memory, machine_options) as machine:
            yield (pc.PcGuest if WORLD == 'native' else Guest)(machine)
    finally:
        if image_fd is None:
            os.close(fd)
