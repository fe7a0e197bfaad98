# SPDX-License-Identifier: MIT
"""For tests that run other people's test suites in the guest.

    folder = source('gzip')                        Debian's source package, unpacked below build/ports
    run(script, {'gzip/tests': folder + '/tests'})  a shell script in a guest, with a disk of these at /mnt

A suite's verdicts are lines `ok NAME`, `not ok NAME`, `skip NAME: why`; PortsTest.judge compares them with what is
known: each expected failure has a reason, and one that passes is told, so that the list stays true."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest

from rigtest import BUILD, TREE, guest_exec

SOURCES = os.path.join(BUILD, 'ports')


def source(name):
    """The folder of the source package, fetched and unpacked if it is not there."""
    folder = os.path.join(SOURCES, name)
    if not os.path.exists(folder + '.done'):
        os.makedirs(SOURCES, exist_ok=True)
        done = subprocess.run(['tools/pkg/fetch', name, folder], cwd=TREE, capture_output=True, text=True)
        if done.returncode:
            raise unittest.SkipTest(f'the source of {name} cannot be fetched: {done.stderr[-300:]}')
        with open(folder + '.done', 'w', encoding='utf-8'):
            pass
    return folder


def disk(folders, path, free_mib=32):
    """An ext2 image of the folders and files (name -> host path), with room to work in."""
    with tempfile.TemporaryDirectory() as tree:
        for name, host in folders.items():
            os.makedirs(os.path.dirname(os.path.join(tree, name)), exist_ok=True)
            copy = shutil.copytree if os.path.isdir(host) else shutil.copy
            copy(host, os.path.join(tree, name))
        size = sum(4 + os.lstat(os.path.join(where, file)).st_size // 1024
                   for where, _, files in os.walk(tree) for file in files)
        subprocess.run(['mke2fs', '-q', '-t', 'ext2', '-b', '4096', '-N', '8192', '-E', 'root_owner=0:0', '-O',
                        '^resize_inode,^dir_index,^ext_attr,filetype,sparse_super', '-d', tree, path,
                        f'{size + size // 10 + free_mib * 1024 + 4096}k'], check=True,
                       env={**os.environ, 'PATH': os.environ['PATH'] + ':/sbin:/usr/sbin'}, stdout=subprocess.DEVNULL)


def run(script, folders, seconds=120):
    """The script in a guest, with the folders at /mnt: what it has printed."""
    with tempfile.TemporaryDirectory() as work:
        image, file = os.path.join(work, 'disk.img'), os.path.join(work, 'script')
        disk(folders, image)
        with open(file, 'w', encoding='utf-8') as f:
            f.write('for d in sdb vdb xvdb; do [ -b /dev/$d ] && mount /dev/$d /mnt; done\n' + script)
        status, out, err = guest_exec('sh /script', '--disk', image, '--add', f'{file}:/script', '--add',
                                      os.path.join(TREE, 'tests', 'ports', 'run-suite') + ':/run-suite',
                                      '--timeout', str(seconds))
    if status:
        raise AssertionError(f'the guest ended with {status}\n{out[-3000:]}\n{err[-2000:]}')
    return out


class PortsTest(unittest.TestCase):
    worlds = 'native',  # where the disk is, and where it is quickest

    def judge(self, text, least, expected):
        """At least so many passed; what failed is in `expected` (name -> reason), and all of that failed."""
        passed = set(re.findall(r'^ok (\S+)$', text, re.M))
        failed = set(re.findall(r'^not ok (\S+)', text, re.M))
        problems = [f'{name} failed' for name in sorted(failed - set(expected))]
        problems += [f'{name} passes: take it from the list' for name in sorted(passed & set(expected))]
        if len(passed) < least:
            problems.append(f'{len(passed)} passed, there were {least}')
        if problems:
            self.fail('\n'.join([text[-6000:], *problems]))
