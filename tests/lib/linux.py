# SPDX-License-Identifier: MIT
"""Where the guest's test programs, compiled for Linux, say something else: `make test SUITE=linux`.

Each line is a test that fails on Linux, and why. All others must pass there: so a test that is wrong about POSIX,
or that only our own kernel passes, is found. They run as an ordinary user."""
import os
import shutil
import subprocess
import tempfile

# Programs about what only this system has.
OURS = {
    'record': 'the boot record',
    'tools': 'the words of our own commands',
}
# program.test: the reason
DIFFERS = {
    'pthread_cancel.nothing_is_lost': 'glibc 2.36 cancels a call that has had its effect (its bug 12683)',
    'map_shared.a_shorter_file_is_a_bus_error_for_all':
        'some of its file systems make the file longer before they look at what is to be written',
    'fs.blocks_come_back': 'counts the free blocks of a file system that others use meanwhile',
    'fs.attributes': 'gives files away, which only root may; in the guest the tests are root',
}
USER = 65534  # nobody
PROCESSES = 400


def command(program, *arguments):
    """Runs the program as a user without rights, whoever runs the tests."""
    limits = f'ulimit -u {PROCESSES} -c 0; exec "$@"'
    words = ['sh', '-c', limits, 'sh', program, *arguments]
    if os.geteuid() == 0:
        words = ['setpriv', f'--reuid={USER}', f'--regid={USER}', '--clear-groups', *words]
    return words


def run(program, seed, names, seconds):
    """(what it printed, how it ended). In a folder of its own, which is removed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = shutil.copy(program, folder)
        for path in (folder, copy):
            os.chmod(path, 0o777)
        try:
            done = subprocess.run(command(copy, '--seed', str(seed), *names), cwd=folder, stdin=subprocess.DEVNULL,
                                  capture_output=True, timeout=seconds, start_new_session=True,
                                  env={'PATH': '/usr/bin:/bin', 'HOME': folder, 'TMPDIR': folder})
            return done.stdout.decode(errors='replace'), f'exit status {done.returncode}\n{done.stderr[-2000:]}'
        except subprocess.TimeoutExpired as error:
            return (error.stdout or b'').decode(errors='replace'), f'no end after {seconds} s'
