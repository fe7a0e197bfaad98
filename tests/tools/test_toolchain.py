# SPDX-License-Identifier: MIT
"""The compiler driver: what it makes, that it may be moved, and that nothing of the machine's gets in."""
import os
import shutil
import subprocess
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..')
TOOLCHAIN = os.path.join(ROOT, 'build', 'toolchain')
HELLO = '#include <stdio.h>\nint main(void) { return printf("hello\\n") < 0; }\n'


@unittest.skipUnless(os.path.exists(os.path.join(TOOLCHAIN, '.stamp')), 'the toolchain is not built')
class Driver(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.dir)
        self.bin = os.path.join(TOOLCHAIN, 'bin')

    def run_tool(self, *args, text='', ok=True):
        result = subprocess.run([os.path.join(self.bin, 'x86_64-parvix-' + args[0]), *args[1:]], input=text,
                                capture_output=True, text=True, cwd=self.dir)
        if ok:
            self.assertEqual(result.returncode, 0, result.stderr)
        else:
            self.assertNotEqual(result.returncode, 0)
        return result.stdout + result.stderr

    def segments(self, path):
        """(flags, address) of each PT_LOAD, and the names of the other headers."""
        loads, others = [], []
        for line in self.run_tool('readelf', '-lW', path).splitlines():
            word = line.split()
            if word and word[0] == 'LOAD':
                loads.append((''.join(word[6:-1]), int(word[2], 16)))
            elif word and word[0].isupper():
                others.append(word[0])
        return loads, others

    def test_a_program_is_static_low_and_never_writable_code(self):
        self.run_tool('gcc', '-x', 'c', '-', '-o', 'hello', text=HELLO)
        loads, others = self.segments('hello')
        self.assertEqual(loads[0][1], 0x1100000)
        self.assertFalse([flags for flags, _ in loads if 'W' in flags and 'E' in flags])
        self.assertNotIn('INTERP', others)
        self.assertNotIn('DYNAMIC', others)

    def test_macros_and_headers_are_ours(self):
        macros = self.run_tool('gcc', '-E', '-dM', '-x', 'c', '-', text='#include <stdlib.h>\n')
        self.assertIn('__parvix__', macros)
        self.assertIn('_NEWLIB_VERSION', macros)
        self.assertNotIn('__linux__', macros)
        self.assertNotIn('__GLIBC__', macros)
        output = self.run_tool('gcc', '-E', '-x', 'c', '-', text='#include <unistd.h>\n#include <limits.h>\n')
        self.assertNotIn('"/usr/include', output)

    def test_options_that_build_systems_pass(self):
        for options in (['-fPIE', '-pie'], ['-flto'], ['-pthread'], ['-std=c99', '-pedantic-errors'],
                        ['-D_FORTIFY_SOURCE=2', '-fstack-protector-strong']):
            self.run_tool('gcc', '-O2', *options, '-x', 'c', '-', '-o', 'hello', '-lm', text=HELLO)
        self.assertIn('no shared libraries', self.run_tool('gcc', '-shared', '-x', 'c', '-', text=HELLO, ok=False))

    def test_libraries_of_the_machine_are_not_found(self):
        self.run_tool('gcc', '-x', 'c', '-', '-ldl', '-o', 'hello', text=HELLO, ok=False)

    def test_the_folder_may_be_moved(self):
        moved = os.path.join(self.dir, 'a folder')
        os.mkdir(moved)
        for name in ('bin', 'lib', 'x86_64-parvix'):
            shutil.copytree(os.path.join(TOOLCHAIN, name), os.path.join(moved, name))
        self.bin = os.path.join(moved, 'bin')
        self.run_tool('gcc', '-x', 'c', '-', '-o', 'hello', text=HELLO)
        output = self.run_tool('gcc', '-E', '-x', 'c', '-', text=HELLO)
        self.assertIn(moved, output)
        self.assertNotIn(os.path.realpath(TOOLCHAIN), output)

    @unittest.skipUnless(shutil.which('clang'), 'clang is not installed')
    def test_clang(self):
        self.run_tool('clang', '-O2', '-x', 'c', '-', '-o', 'hello', '-lm', text=HELLO)
        self.assertEqual(self.segments('hello')[0][0][1], 0x1100000)


if __name__ == '__main__':
    unittest.main()
