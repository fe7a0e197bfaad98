# SPDX-License-Identifier: MIT
"""`tools/parvix run` in an ordinary domain: its options, its exit statuses, and what is left on the disks."""
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from rig import codes, domain, state
from rig.image import run_tool
from rigtest import PARVIX, build_file, parvix


def run(*options):
    status, out, err = parvix('run', '--rig', 'domain', *options)
    return status, out.decode(errors='replace'), err.decode(errors='replace')


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def make_disk(self, name, size=4 << 20, ext2=False):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.truncate(size)
        if ext2:
            self.assertEqual(run_tool(['mke2fs', '-q', '-F', '-t', 'ext2', path]).returncode, 0)
        return path

    def test_output_and_status(self):
        status, out, err = run('--exec', 'printf "a\\r\\n\\0b"; echo no >/dev/console; exit 7')
        self.assertEqual(status, 7, err)
        self.assertTrue(out.startswith('a\r\n\0b'), out)

    def test_much_output_is_whole(self):
        status, out, err = run('--exec', 'seq 1 20000')
        self.assertEqual(status, 0, err)
        self.assertEqual(out, ''.join(f'{n}\n' for n in range(1, 20001)))

    def test_disks_are_written_through(self):
        disk, guarded = self.make_disk('disk', ext2=True), self.make_disk('guarded')
        status, out, err = run('--disk', disk, '--disk', f'{guarded}:ro', '--exec',
                               'mount /dev/xvdb /mnt && echo kept >/mnt/file && umount /mnt && '
                               'if echo x >/dev/xvdc; then exit 9; fi')
        self.assertEqual(status, 0, out + err)
        check = run_tool(['e2fsck', '-fn', disk])
        self.assertEqual(check.returncode, 0, check.stdout)
        self.assertEqual(run_tool(['debugfs', '-R', 'cat /file', disk]).stdout, 'kept\n')
        with open(guarded, 'rb') as file:
            self.assertEqual(file.read(), b'\0' * (4 << 20))

    def test_a_read_only_disk_is_mounted_without_complaint(self):
        """Linux's backend refuses a flush of it as if it were a write."""
        status, out, err = run('--disk', f'{self.make_disk("guarded", ext2=True)}:ro', '--exec',
                               'mount /dev/xvdb /mnt && ls /mnt && sync && lsblk | grep xvdb && umount /mnt')
        self.assertEqual(status, 0, out + err)
        self.assertRegex(out, r'lost\+found\nxvdb +202:16 +4096 +1 /mnt\n$')
        self.assertNotRegex(err, 'failed|not all')

    def test_root_is_a_copy_unless_asked_otherwise(self):
        image = os.path.join(self.folder, 'root.img')
        shutil.copy(build_file('root.img'), image)

        def digest():
            with open(image, 'rb') as file:
                return hashlib.file_digest(file, 'sha256').hexdigest()

        before = digest()
        self.assertEqual(run('--image', image, '--exec', 'echo lost >/root/file; sync')[0], 0)
        self.assertEqual(digest(), before)
        self.assertEqual(run('--image', image, '--persist', '--exec', 'echo kept >/root/file')[0], 0)
        status, out, err = run('--image', image, '--exec', 'cat /root/file')
        self.assertEqual((status, out), (0, 'kept\n'), err)
        check = run_tool(['e2fsck', '-fn', image])
        self.assertEqual(check.returncode, 0, check.stdout)

    def test_what_would_go_wrong_later_is_refused(self):
        disk = self.make_disk('disk')
        for options, words in ((('--disk', disk, '--disk', f'{disk}:ro'), 'is there twice'),
                               (('--xl', 'extra="quiet"'), '--append adds some')):
            status, _, err = run('--exec', 'true', *options)
            self.assertEqual(status, codes.SETUP, err)
            self.assertIn(words, err)

    def test_configuration_line(self):
        status, out, err = run('--xl', 'memory=48', '--exec', 'head -n 1 /proc/meminfo; free', '--dom0', 'xl list parvix')
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r'parvix +1 +48 ')

    def test_wrong_configuration(self):
        status, _, err = run('--xl', 'kernel="/nothing"', '--exec', 'true')
        self.assertEqual(status, codes.SETUP, err)
        self.assertIn('xl cannot create the domain', err)

    def test_dom0_command(self):
        status, out, err = run('--dom0', 'xl list; exit 5')
        self.assertEqual(status, 5, err)
        self.assertRegex(out, r'(?s)Domain-0 .*parvix ')

    def test_two_domains(self):
        status, out, err = run('--domains', '2', '--memory', '48', '--dom0', 'xl list')
        self.assertEqual(status, 0, err)
        self.assertRegex(out, r'(?s)parvix .*parvix2 ')

    def test_crash(self):
        status, _, err = run('--exec', '/sbin/crash; sleep 20')
        self.assertEqual(status, codes.CRASH, err)
        self.assertIn('panic', err)

    def test_reboot_gives_no_status(self):
        status, _, err = run('--exec', 'reboot -f; sleep 20')
        self.assertEqual(status, codes.NO_VERDICT, err)

    def test_timeout(self):
        status, _, err = run('--timeout', '8', '--exec', 'sleep 1000')
        self.assertEqual(status, codes.TIMEOUT, err)
        self.assertIn('while the command ran', err)

    def test_nothing_is_left(self):
        for number, wanted in ((signal.SIGTERM, codes.INTERRUPTED), (signal.SIGKILL, -signal.SIGKILL)):
            with self.subTest(number.name):
                process = subprocess.Popen([PARVIX, 'run', '--exec', 'sleep 1000'],
                                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(codes.scaled(3))
                found = subprocess.run(['pgrep', '-P', str(process.pid), 'qemu-system'], capture_output=True, text=True)
                emulator = found.stdout.strip()
                self.assertRegex(emulator, r'^\d+$')
                process.send_signal(number)
                self.assertEqual(process.wait(codes.scaled(10)), wanted)
                time.sleep(codes.scaled(0.5))
                try:
                    with open(f'/proc/{emulator}/cmdline', 'rb') as file:
                        self.assertEqual(file.read(), b'')  # dead, although nobody has taken note yet
                except OSError:
                    pass


class SavedState(unittest.TestCase):
    """In a folder of its own: what happens to a saved machine that is not whole."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(dir=build_file(''))
        self.addCleanup(folder.cleanup)
        self.build = folder.name
        for name in ('xen', 'dom0'):
            os.symlink(build_file(name), f'{self.build}/{name}')
        self.said = []

    def machine(self):
        return domain.Machine(memory=64, build=self.build, say=self.said.append)

    def test_damaged_and_parallel(self):
        with self.machine() as machine:
            self.assertEqual(machine.dom0('echo up')[1], 'up\n')
        self.assertEqual(len(self.said), 2, self.said)
        states = os.path.join(self.build, 'rig')
        folder, = [f'{states}/{name}' for name in os.listdir(states) if '.' not in name]
        self.said.clear()
        with self.machine() as one, self.machine() as two:
            one.dom0('echo one >/tmp/x')
            self.assertNotEqual(two.dom0('cat /tmp/x')[0], 0)
        self.assertEqual(self.said, [])
        self.assertTrue(state.is_complete(folder))
        with open(f'{folder}/state', 'r+b') as file:
            file.seek(4000)
            file.write(os.urandom(20000))
        with self.machine() as machine:
            self.assertEqual(machine.dom0('echo up')[1], 'up\n')
        self.assertIn('made anew', self.said[0])


if __name__ == '__main__':
    unittest.main()
