# SPDX-License-Identifier: MIT
"""The little that the rig reads from ELF files and from Linux's kernel image."""
import collections
import lzma
import struct

DT_NEEDED, DT_STRTAB = 1, 5
PT_LOAD, PT_DYNAMIC, PT_INTERP = 1, 2, 3

Dynamic = collections.namedtuple('Dynamic', 'needed interpreter')


class Malformed(Exception):
    """The file is not what it should be."""


def _read(path):
    with open(path, 'rb') as file:
        data = file.read()
    if data[:6] != b'\x7fELF\x02\x01':
        raise Malformed(f'{path} is not a 64-bit ELF file')
    return data


def _string(data, at):
    return data[at:data.index(b'\0', at)].decode()


def dynamic(path):
    """What the dynamic linker must find: names of libraries, and the path of the linker itself or None."""
    data = _read(path)
    try:
        return _dynamic(data)
    except (struct.error, ValueError, IndexError):
        raise Malformed(f'{path}: its ELF headers point outside of it') from None


def _dynamic(data):
    offset, = struct.unpack_from('<Q', data, 0x20)
    size, count = struct.unpack_from('<HH', data, 0x36)
    headers = [struct.unpack_from('<IIQQQQ', data, offset + n * size) for n in range(count)]
    interpreter, entries = None, []
    for kind, _flags, start, _vaddr, _paddr, length in headers:
        if kind == PT_INTERP:
            interpreter = _string(data, start)
        elif kind == PT_DYNAMIC:
            entries = [struct.unpack_from('<QQ', data, at) for at in range(start, start + length, 16)]
    if 0 in [tag for tag, _ in entries]:
        entries = entries[:[tag for tag, _ in entries].index(0)]
    strings = [value for tag, value in entries if tag == DT_STRTAB]
    if not strings:
        return Dynamic([], interpreter)
    base = next(start + strings[0] - vaddr for kind, _flags, start, vaddr, _paddr, length in headers
                if kind == PT_LOAD and vaddr <= strings[0] < vaddr + length)
    return Dynamic([_string(data, base + value) for tag, value in entries if tag == DT_NEEDED], interpreter)


def module_depends(path):
    """The names of the modules that this kernel module needs: the `depends=` line of its .modinfo section."""
    data = _read(path)
    offset, = struct.unpack_from('<Q', data, 0x28)
    size, count, names = struct.unpack_from('<HHH', data, 0x3A)
    sections = [struct.unpack_from('<IIQQQQ', data, offset + n * size) for n in range(count)]
    for name, _kind, _flags, _addr, start, length in sections:
        if _string(data, sections[names][4] + name) == '.modinfo':
            for line in data[start:start + length].split(b'\0'):
                if line.startswith(b'depends='):
                    return [word for word in line[8:].decode().split(',') if word]
    return []


def unpack_bzimage(path):
    """The ELF file inside Linux's boot image (its Documentation/x86/boot.rst): Xen's multiboot start-up and
    the domain builder then need not unpack it, which takes seconds in the emulator."""
    with open(path, 'rb') as file:
        data = file.read()
    if data[0x202:0x206] != b'HdrS':
        raise Malformed(f'{path} is not a Linux boot image')
    setup_sectors = data[0x1F1] or 4
    offset, length = struct.unpack_from('<II', data, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = data[start:start + length]
    if payload[:6] != b'\xfd7zXZ\0':
        raise Malformed(f'the kernel in {path} is not packed by xz, which is all that is known here')
    image = lzma.LZMADecompressor().decompress(payload)
    if image[:4] != b'\x7fELF':
        raise Malformed(f'what is packed in {path} is not an ELF file')
    return image
