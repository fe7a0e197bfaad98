# SPDX-License-Identifier: MIT
"""The manual: every program that is ours and every system call has a page, and mandoc has nothing to say about them."""
import glob
import os
import re
import shutil
import subprocess
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
PAGES = os.path.join(ROOT, 'user', 'share', 'man')


def names(sections):
    """All names that pages of these sections have in their NAME part, each with the page's file."""
    found = {}
    for section in sections:
        for page in glob.glob(os.path.join(PAGES, f'man{section}', '*')):
            with open(page, encoding='utf-8') as f:
                head = f.read().partition('.Sh NAME')[2].partition('.Nd')[0]
            for name in re.findall(r'^\.Nm (\S+)', head, re.M):
                found[name.removeprefix('\\&')] = page
    return found


class Manual(unittest.TestCase):
    def test_every_program_has_a_page(self):
        ours = {os.path.basename(path)[:-2] for path in glob.glob(os.path.join(ROOT, 'user', 'bin', '*.c'))}
        with open(os.path.join(ROOT, 'tools', 'mkroot'), encoding='utf-8') as f:
            for links in re.findall(r'^link (.*)$', f.read(), re.M):
                ours |= {os.path.basename(name.replace('\\', '')) for name in links.split()[1:] if 'bin/' in name}
        self.assertEqual(sorted((ours | {'init'}) - set(names('18'))), [])

    def test_every_system_call_has_a_page(self):
        with open(os.path.join(ROOT, 'include', 'parvix', 'syscall.h'), encoding='utf-8') as f:
            calls = set(re.findall(r'X\(\d+, (\w+),', f.read()))
        self.assertEqual(sorted(calls - set(names('2'))), [])

    @unittest.skipUnless(shutil.which('mandoc'), 'mandoc is not installed')
    def test_mandoc_has_nothing_to_say(self):
        pages = sorted(glob.glob(os.path.join(PAGES, 'man*', '*')))
        said = subprocess.run(['mandoc', '-Tlint', '-W', 'warning', *pages], capture_output=True, text=True).stdout
        self.assertEqual(said, '')

    def test_pages_that_are_referred_to_exist(self):
        packages = {'awk', 'diff', 'less', 'make', 'sed', 'sh'}  # theirs come with them
        known = set(names('1245678'))
        for page in glob.glob(os.path.join(PAGES, 'man*', '*')):
            with open(page, encoding='utf-8') as f:
                wanted = set(re.findall(r'^\.Xr (\S+) [124578]', f.read(), re.M))  # there is no section 3
            self.assertEqual(sorted(wanted - known - packages), [], page)


if __name__ == '__main__':
    unittest.main()
