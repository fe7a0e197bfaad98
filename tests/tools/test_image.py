# SPDX-License-Identifier: MIT
"""Files put into a root image: contents, modes and owners, and that the file system stays sound."""
import os
import subprocess
import tempfile
import unittest

from rig.codes import SETUP, RigError
from rig.image import Additions, fd_path, open_copy, run_tool


class Image(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        root = self.path('root')
        os.makedirs(f'{root}/etc')
        with open(f'{root}/etc/motd', 'w', encoding='ascii') as file:
            file.write('old')
        done = run_tool(['mke2fs', '-q', '-t', 'ext2', '-d', root, self.path('root.img'), '1M'])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.fd = open_copy(self.path('root.img'))
        self.addCleanup(os.close, self.fd)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def write(self, name, data, mode=0o644):
        os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
        with open(self.path(name), 'wb') as file:
            file.write(data)
        os.chmod(self.path(name), mode)
        return self.path(name)

    def debugfs(self, command):
        return run_tool(['debugfs', '-R', command, fd_path(self.fd)], [self.fd]).stdout

    def check_sound(self):
        done = run_tool(['e2fsck', '-fn', fd_path(self.fd)], [self.fd])
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def add(self, *pairs):
        additions = Additions()
        for host, guest in pairs:
            additions.add(host, guest)
        additions.write_into(self.fd)

    def test_file_replaces_file(self):
        self.add((self.write('new', b'new', 0o755), '/etc/motd'))
        self.assertEqual(self.debugfs('cat /etc/motd'), 'new')
        stat = self.debugfs('stat /etc/motd')
        self.assertIn('Mode:  0755', stat)
        self.assertRegex(stat, r'User:\s+0\s+Group:\s+0')
        self.check_sound()

    def test_folder_with_spaces_and_links(self):
        self.write('my dir/a b/c', b'deep')
        os.symlink('c', self.path('my dir/a b/link'))
        self.add((self.path('my dir'), '/usr/share/my dir'))
        self.assertEqual(self.debugfs('cat "/usr/share/my dir/a b/c"'), 'deep')
        self.assertIn('Fast link dest: "c"', self.debugfs('stat "/usr/share/my dir/a b/link"'))
        self.check_sound()

    def test_image_grows(self):
        self.add((self.write('big', os.urandom(5 << 20)), '/big'))
        self.assertIn('Size: 5242880', self.debugfs('stat /big'))
        self.check_sound()

    def test_text(self):
        additions = Additions()
        additions.add_text('ab\necho "x"\n', '/etc/exec-command')
        additions.write_into(self.fd)
        self.assertEqual(self.debugfs('cat /etc/exec-command'), 'ab\necho "x"\n')
        self.check_sound()

    def test_errors_are_setup_errors(self):
        for host, guest in ((self.path('missing'), '/x'), (self.path('root'), 'relative'), ('/dev/null', '/x')):
            with self.subTest(host), self.assertRaises(RigError) as caught:
                self.add((host, guest))
            self.assertEqual(caught.exception.code, SETUP)

    def test_not_a_file_system(self):
        fd = open_copy(self.write('junk', os.urandom(1 << 16)))
        additions = Additions()
        additions.add_text('x', '/x')
        with self.assertRaises(RigError) as caught:
            additions.write_into(fd)
        os.close(fd)
        self.assertEqual(caught.exception.code, SETUP)

    def test_the_original_is_not_touched(self):
        with open(self.path('root.img'), 'rb') as file:
            before = file.read()
        self.add((self.write('new', b'new'), '/etc/motd'))
        with open(self.path('root.img'), 'rb') as file:
            self.assertEqual(file.read(), before)


class Usage(unittest.TestCase):
    """What tools/parvix says when it cannot even start."""

    PARVIX = os.path.join(os.path.dirname(__file__), '..', '..', 'tools', 'parvix')

    def fails(self, *arguments):
        done = subprocess.run([self.PARVIX, 'run', '--rig', 'initial', *arguments], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, SETUP, done.stderr)
        self.assertRegex(done.stderr.splitlines()[-1], '^parvix: ')
        self.assertEqual(done.stdout, '')

    def test_missing_files(self):
        self.fails('--image', '/nonexistent', '--exec', 'true')

    def test_wrong_options(self):
        self.fails('--no-such-option')
        self.fails('--memory', 'much')
        self.fails('--world', 'lunar', '--exec', 'true')


if __name__ == '__main__':
    unittest.main()
