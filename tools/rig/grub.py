# SPDX-License-Identifier: MIT
"""A disk that a PC's firmware can start: GRUB, a partition table, and the root file system with the kernel in it.

    sector 0         GRUB's first 440 bytes, and the partition table
    sectors 1 ...    the rest of GRUB, before the first partition: modules for disks, ext2, multiboot2
    1 MiB ...        partition 1: the root file system, as build/root.img, and besides in it
                     /boot/parvix and /boot/grub/grub.cfg

GRUB's parts come from Debian's grub-pc-bin. The first sector looks for the second where it is by default,
right behind itself, so putting the two into place is all that grub-install would do. The file system is
made as large as asked for: a disk that stays wants room.
"""
import os
import shutil
import struct
import tempfile

from .codes import SETUP, RigError
from .image import Additions, fd_path, make_room, open_copy, run_tool
from .machine import check_arguments

PARTS = '/usr/lib/grub/i386-pc'
MODULES = ('biosdisk', 'part_msdos', 'ext2', 'normal', 'multiboot2', 'serial', 'terminal', 'test', 'echo', 'ls')
SECTOR = 512
START = 2048  # sectors before the partition
LINUX = 0x83  # type of the partition

CONFIG = '''\
serial --unit=0 --speed=115200
terminal_input console serial
terminal_output console serial
set timeout={timeout}
set default={default}
menuentry 'Parvix' --hotkey=d {{
	multiboot2 /boot/parvix {arguments}
}}
# For a disk that the kernel has no driver for, a USB stick: the firmware reads the whole partition into memory.
menuentry 'Parvix, with the root file system in memory (m)' --hotkey=m {{
	multiboot2 /boot/parvix root=ram0 {arguments}
	module2 (${{root}})0+{sectors}
}}
'''


def quote(arguments):
    """The kernel's arguments in GRUB's language, each a word that means itself. (A quote or backslash in one still
    reaches the kernel with a backslash before it: so GRUB tells kernels that a space is part of a word.)"""
    return ' '.join("'" + word.replace("'", "'\\''") + "'" for word in arguments.split())


def core():
    """The part of GRUB between the first sector and the partition."""
    if not os.path.exists(os.path.join(PARTS, 'boot.img')):
        raise RigError(SETUP, 'GRUB is missing: tools/doctor --install')
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, 'core.img')
        done = run_tool(['grub-mkimage', '-O', 'i386-pc', '-d', PARTS, '-p', '(,msdos1)/boot/grub', '-o', path, *MODULES])
        if done.returncode:
            raise RigError(SETUP, f'grub-mkimage: {done.stderr.strip()}')
        with open(path, 'rb') as file:
            return file.read()


def first_sector(sectors):
    """GRUB's first bytes, and one partition of so many sectors."""
    with open(os.path.join(PARTS, 'boot.img'), 'rb') as file:
        code = file.read(440)
    no_chs = b'\xfe\xff\xff'
    entry = struct.pack('<B3sB3sII', 0x80, no_chs, LINUX, no_chs, START, sectors)
    return code + b'PARV\0\0' + entry + bytes(3 * 16) + b'\x55\xaa'


def compose(image_fd, kernel, arguments='', timeout=0, in_memory=False, room=1 << 20):
    """The disk, as a descriptor: the root file system of `image_fd`, which grows by this, and the kernel."""
    second = core()
    if len(second) > (START - 1) * SECTOR:
        raise RigError(SETUP, 'GRUB does not fit before the first partition')
    with tempfile.NamedTemporaryFile() as small:
        # What debuggers want is of no use there, and the firmware reads slowly.
        done = run_tool(['strip', '-o', small.name, kernel])
        if done.returncode:
            raise RigError(SETUP, f'cannot read the kernel {kernel}: {done.stderr.strip()}')
        os.chmod(small.name, 0o644)
        need = os.stat(small.name).st_size + room
        make_room(image_fd, need)
        sectors = os.fstat(image_fd).st_size // SECTOR
        additions = Additions()
        additions.add(small.name, '/boot/parvix')
        additions.add_text(CONFIG.format(arguments=quote(arguments), timeout=timeout, default=int(in_memory),
                                         sectors=sectors), '/boot/grub/grub.cfg', 0o644)
        additions.write_into(image_fd)
    if os.fstat(image_fd).st_size // SECTOR != sectors:
        raise RigError(SETUP, 'the root file system has grown once more than expected')
    disk = os.memfd_create('disk.img')
    os.pwrite(disk, first_sector(sectors) + second, 0)
    os.lseek(disk, START * SECTOR, os.SEEK_SET)
    with open(os.open(fd_path(image_fd), os.O_RDONLY), 'rb') as source:
        while data := source.read(1 << 20):
            os.write(disk, data)
    return disk


def make_image(options):
    """`tools/parvix grub-image`."""
    check_arguments(options.append)
    disk = compose(open_copy(options.image), options.kernel, options.append, timeout=5, room=options.room << 20)
    try:
        with open(fd_path(disk), 'rb') as source, open(f'{options.output}.new', 'wb') as target:
            shutil.copyfileobj(source, target, 1 << 20)
        os.replace(f'{options.output}.new', options.output)
    except OSError as error:
        raise RigError(SETUP, f'cannot write {options.output}: {error.strerror}') from None
    return 0
