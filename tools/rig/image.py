# SPDX-License-Identifier: MIT
"""The root image of one run: a private copy in memory, with files put into it.

The copy lives in a memfd: it needs no name, so nothing is left behind whatever ends the runner. Programs
reach it as /proc/self/fd/N. debugfs writes into an ext2 image without mounting it, hence without root.
"""
import os
import re
import shutil
import stat
import subprocess

from .codes import SETUP, RigError

SBIN_PATH = os.environ.get('PATH', '') + ':/usr/sbin:/sbin'


def open_copy(path):
    """A private copy of the file in memory; returns its descriptor."""
    try:
        source = open(path, 'rb')
    except OSError as error:
        raise RigError(SETUP, f'cannot read the root image {path}: {error.strerror}') from None
    fd = os.memfd_create('root.img')
    with source, open(fd, 'wb', closefd=False) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    return fd


def open_image(path):
    """The file itself, for a guest whose writes shall stay; returns its descriptor."""
    try:
        return os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise RigError(SETUP, f'cannot write the root image {path}: {error.strerror}') from None


def fd_path(fd):
    return f'/proc/self/fd/{fd}'


class Additions:
    """Files to be put into the image: collected first, then written by one debugfs."""

    def __init__(self):
        self.commands = []
        self.need = 0  # bytes that the files will take, roughly
        self.folders = []  # to be made if they are not there, parents first
        self.temporary = []

    def _quote(self, name):
        if '\n' in name or '"' in name:
            raise RigError(SETUP, f'a file name with a quote or a newline cannot be added: {name!r}')
        return f'"{name}"'

    def _owned_by_root(self, guest, mode):
        name = self._quote(guest)
        self.commands += [f'set_inode_field {name} mode 0{mode:o}', f'set_inode_field {name} uid 0',
                          f'set_inode_field {name} gid 0']

    def _folder(self, guest):
        if guest != '/' and guest not in self.folders:
            self._folder(os.path.dirname(guest))
            self.folders.append(guest)

    def add(self, host, guest):
        """Adds the file, folder or symbolic link `host` as `guest`, an absolute path in the image."""
        if not guest.startswith('/'):
            raise RigError(SETUP, f'--add needs an absolute path in the guest, not {guest!r}')
        guest = os.path.normpath(guest)
        try:
            info = os.lstat(host) if os.path.islink(host) else os.stat(host)
        except OSError as error:
            raise RigError(SETUP, f'cannot add {host}: {error.strerror}') from None
        if stat.S_ISDIR(info.st_mode):
            self._folder(guest)
            for name in sorted(os.listdir(host)):
                self.add(os.path.join(host, name), os.path.join(guest, name))
            return
        self._folder(os.path.dirname(guest))
        name = self._quote(guest)
        self.need += info.st_size + 4096
        if stat.S_ISLNK(info.st_mode):
            self.commands += [f'rm {name}', f'symlink {name} {self._quote(os.readlink(host))}']
        elif stat.S_ISREG(info.st_mode):
            self.commands += [f'rm {name}', f'write {self._quote(os.path.abspath(host))} {name}']
            self._owned_by_root(guest, info.st_mode)
        else:
            raise RigError(SETUP, f'cannot add {host}: neither a file nor a folder nor a link')

    def add_text(self, text, guest, mode=0o600):
        """Adds a file with this text."""
        fd = os.memfd_create('text')
        os.write(fd, text.encode())
        self.temporary.append(fd)
        self._folder(os.path.dirname(guest))
        name = self._quote(guest)
        self.need += len(text) + 4096
        self.commands += [f'rm {name}', f'write {fd_path(fd)} {name}']
        self._owned_by_root(guest, stat.S_IFREG | mode)

    def _missing_folders(self, image):
        """Asked first: debugfs, told to make a folder that is there, refuses but leaves a torn inode."""
        script = ''.join(f'stat {self._quote(folder)}\n' for folder in self.folders)
        done = run_tool(['debugfs', '-f', '-', fd_path(image)], [image], script)
        missing = {line.rsplit(': ', 1)[0] for line in done.stderr.splitlines() if ': File not found' in line}
        return [folder for folder in self.folders if folder in missing]

    def write_into(self, image):
        """Writes everything into the image open as descriptor `image`."""
        if not self.commands and not self.folders:
            return
        make_room(image, self.need)
        commands = [f'mkdir {self._quote(folder)}' for folder in self._missing_folders(image)] + self.commands
        fds = [image, *self.temporary]
        done = run_tool(['debugfs', '-w', '-f', '-', fd_path(image)], fds, '\n'.join(commands) + '\n')
        for fd in self.temporary:
            os.close(fd)
        self.temporary = []
        # debugfs exits with 0 whatever happens. Removing what is not there is part of the plan; every other
        # complaint is an error.
        wrong = [line for line in done.stderr.splitlines() if line.strip()
                 and not re.match(r'debugfs \d', line) and not re.match(r'rm: .*not found', line)]
        if wrong:
            raise RigError(SETUP, 'cannot put files into the root image: ' + '; '.join(wrong[:4]))


def run_tool(command, fds=(), text=None):
    try:
        return subprocess.run(command, input=text, capture_output=True, text=True, pass_fds=fds,
                              env={**os.environ, 'PATH': SBIN_PATH, 'LC_ALL': 'C'}, check=False)
    except FileNotFoundError:
        raise RigError(SETUP, f'{command[0]} is missing; `make doctor` says what to install') from None


def make_room(image, need):
    """Grows the file system if `need` bytes do not fit."""
    done = run_tool(['debugfs', '-R', 'stats -h', fd_path(image)], [image])
    found = {}
    for key in ('Block count', 'Free blocks', 'Block size'):
        match = re.search(rf'^{key}:\s+(\d+)', done.stdout, re.M)
        if not match:
            raise RigError(SETUP, 'the root image is not an ext2 file system; without --add and --exec '
                                  'it would be given to the kernel as it is')
        found[key] = int(match.group(1))
    size = found['Block size']
    wanted = need + need // 64 + 256 * 1024
    if found['Free blocks'] * size >= wanted:
        return
    os.ftruncate(image, (found['Block count'] + wanted // size + 1) * size)
    done = run_tool(['resize2fs', '-f', fd_path(image)], [image])
    if done.returncode:
        raise RigError(SETUP, 'cannot make the root image larger: ' + done.stderr.strip())
