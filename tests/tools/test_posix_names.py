# SPDX-License-Identifier: MIT
"""The names that POSIX.1-2008 wants: tests/posix/names has them, tests/posix/absent those that are not here, with reasons.

For each header a program that includes it alone and uses each name is compiled for POSIX 2008 with XSI; names that the
compiler does not know are taken out until it is content. What is left is linked. So a name counts if its header gives it
and, for functions and variables, the library has it.

    python3 tests/tools/test_posix_names.py             prints what is absent
    python3 tests/tools/test_posix_names.py gcc         the same for this machine's C library: a check of the list itself
"""
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
TOOLCHAIN = os.path.join(ROOT, 'build', 'toolchain')
NAMES = os.path.join(ROOT, 'tests', 'posix', 'names')
ABSENT = os.path.join(ROOT, 'tests', 'posix', 'absent')
FLAGS = ('-std=c99', '-D_XOPEN_SOURCE=700', '-D_POSIX_C_SOURCE=200809L', '-fno-builtin', '-w', '-O0')


def read_names(path=NAMES):
    """{header: [(kind, name)]}; a member's name is `struct stat.st_dev`."""
    headers, header = {}, None
    with open(path, encoding='ascii') as file:
        for line in file:
            if line.startswith('<'):
                header = headers.setdefault(line.strip()[1:-1], [])
            elif line.startswith('t '):
                header += [('t', name.strip()) for name in line[2:].split(';')]
            elif line.startswith('m '):
                of, members = line[2:].split(':')
                header += [('m', f'{of}.{member}') for member in members.split()]
            elif line[:2] in ('f ', 'c ', 'v '):
                header += [(line[0], name) for name in line[2:].split()]
            elif line.strip() and not line.startswith('#'):
                raise ValueError(f'{path}: {line}')
    return headers


def use_of(number, kind, name):
    """A line that is wrong if the name is not there."""
    if kind == 't':
        # Others than structures may be known without their contents: FILE.
        return f'int use{number}[sizeof({name}{"" if name.startswith(("struct", "union")) else " *"})];'
    if kind == 'm':
        of, member = name.split('.')
        return f'int use{number}[sizeof((({of} *)0)->{member}) + 1];'
    if kind == 'v':
        return f'#ifndef {name}\nvoid *use{number}[] = {{(void *)&{name}}};\n#endif'
    if kind == 'f':
        return f'#ifndef {name}\nvoid *use{number}[] = {{(void *){name}}};\n#endif'
    return f'#ifndef {name}\nint use{number}[sizeof({name})];\n#endif'


class Probe:
    def __init__(self, compiler, folder):
        self.compiler, self.folder = compiler, folder

    def run(self, *words):
        done = subprocess.run([self.compiler, *FLAGS, *words], capture_output=True, text=True, cwd=self.folder, check=False)
        return done.returncode, done.stderr

    def compile(self, header, entries):
        """Makes an object of what is there; the set of names that are not."""
        base = re.sub(r'\W', '_', header)
        lines, left = {}, dict(enumerate(entries))
        while True:
            with open(f'{self.folder}/{base}.c', 'w', encoding='ascii') as file:
                at = 2
                file.write(f'#include <{header}>\n')
                for number, (kind, name) in left.items():
                    text = use_of(f'_{base}_{number}', kind, name)
                    # Lines of the text, and what its errors are about.
                    for line in range(at, at + text.count('\n') + 1):
                        lines[line] = number
                    at += text.count('\n') + 1
                    file.write(text + '\n')
            status, words = self.run('-c', f'{base}.c', '-o', f'{base}.o')
            if status == 0:
                return {name for number, (_, name) in enumerate(entries) if number not in left}
            if f'{header}: No such file' in words:
                return {header}
            wrong = {lines.get(int(line)) for line in re.findall(rf'^{base}\.c:(\d+):\d+: error', words, re.M)}
            if not wrong or None in wrong:
                raise RuntimeError(f'<{header}>: {words[:2000]}')
            for number in wrong:
                del left[number]

    def link(self):
        """The names that no library has."""
        with open(f'{self.folder}/main.c', 'w', encoding='ascii') as file:
            file.write('int main(void) { return 0; }\n')
        objects = sorted(name for name in os.listdir(self.folder) if name.endswith('.o'))
        _, words = self.run('main.c', *objects, '-o', 'all', '-Wl,--no-gc-sections', '-lm', '-lpthread', '-lrt')
        lacking = set(re.findall(r"undefined reference to `(\w+)'", words))
        if not lacking and 'error' in words:
            raise RuntimeError(words[:2000])
        return lacking


def absent(compiler):
    """[(header, name)] of all that is missing; a header as a whole has its own name in the place of the other."""
    headers = read_names()
    with tempfile.TemporaryDirectory() as folder:
        probe = Probe(compiler, folder)
        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            found = dict(zip(headers, pool.map(lambda item: probe.compile(*item), headers.items())))
        lacking = probe.link()
    for header, entries in headers.items():
        found[header] |= {name for kind, name in entries if kind in 'fv' and name in lacking}
    return [(header, name) for header in headers for name in sorted(found[header])]


def read_absent(path=ABSENT):
    """[(header, pattern, reason)]."""
    with open(path, encoding='ascii') as file:
        lines = [line.split(maxsplit=2) for line in file.read().splitlines() if line and not line.startswith('#')]
    return [(words[0].strip('<>'), *words[1:]) for words in lines]


@unittest.skipUnless(os.path.exists(os.path.join(TOOLCHAIN, '.stamp')), 'the toolchain is not built')
class Names(unittest.TestCase):
    def test_each_name_is_there_or_its_absence_explained(self):
        missing = absent(os.path.join(TOOLCHAIN, 'bin', 'x86_64-parvix-gcc'))
        listed = read_absent()
        used = set()
        for header, name in missing:
            for line in listed:
                if line[0] == header and fnmatch.fnmatchcase(name, line[1].strip('<>')):
                    used.add(line)
                    break
            else:
                with self.subTest(header=header, name=name):
                    self.fail(f'<{header}>: {name} is missing, and tests/posix/absent does not say why')
        for line in listed:
            with self.subTest(line=line):
                self.assertTrue(line in used, 'it is there: take the line out of tests/posix/absent')


if __name__ == '__main__':
    if len(sys.argv) > 1 or not os.path.exists(ABSENT):
        for place in absent(sys.argv[1] if len(sys.argv) > 1 else f'{TOOLCHAIN}/bin/x86_64-parvix-gcc'):
            print('<%s> %s' % place)
    else:
        unittest.main()
