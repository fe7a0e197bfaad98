# SPDX-License-Identifier: MIT
"""Writes an initramfs: a cpio archive in the "newc" form that Linux unpacks (its
Documentation/driver-api/early-userspace/buffer-format.rst). Everything belongs to root and has the time 0,
so the same contents give the same bytes, whoever makes them."""
import os
import stat

MAGIC = b'070701'
TRAILER = '/TRAILER!!!'


def _pad(length):
    return b'\0' * (-length % 4)


class Writer:
    """Archive of `path`, or of the file object given. A file appears under its name when it is complete."""

    def __init__(self, path):
        self.path = path if isinstance(path, (str, os.PathLike)) else None
        self.out = open(f'{path}.new', 'wb') if self.path else path
        self.inode = 0
        self.seen = set()

    def _entry(self, path, mode, data=b''):
        name = os.fsencode(path[1:]) + b'\0'
        self.inode += 1
        # ino, mode, uid, gid, nlink, mtime, filesize, device (2), rdevice (2), namesize, check
        numbers = (self.inode, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        head = MAGIC + b''.join(b'%08X' % number for number in numbers) + name
        self.out.write(head + _pad(len(head)) + data + _pad(len(data)))
        self.seen.add(path)

    def _parents(self, path):
        if not path.startswith('/') or path != os.path.normpath(path):
            raise ValueError(f'not a clean absolute path: {path!r}')
        parent = os.path.dirname(path)
        if parent != '/':
            self.folder(parent)

    def folder(self, path):
        if path not in self.seen:
            self._parents(path)
            self._entry(path, stat.S_IFDIR | 0o755)

    def text(self, path, text, mode=0o644):
        """A file with this text (or these bytes)."""
        self._parents(path)
        self._entry(path, stat.S_IFREG | mode, text.encode() if isinstance(text, str) else text)

    def file(self, path, source, mode=0o644):
        """A copy of the file `source` of this machine."""
        with open(source, 'rb') as file:
            self.text(path, file.read(), mode)

    def link(self, path, target):
        """A symbolic link."""
        self._parents(path)
        self._entry(path, stat.S_IFLNK | 0o777, os.fsencode(target))

    def close(self):
        self.inode = -1
        self._entry(TRAILER, 0)
        if self.path:
            self.out.close()
            os.rename(f'{self.path}.new', self.path)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.close()
        elif self.path:
            self.out.close()
            os.unlink(f'{self.path}.new')
