# SPDX-License-Identifier: MIT
"""An ordinary user does the worst: whoever sits at the console still gets answers and can end it."""
import unittest

from rig.codes import scaled
from rigtest import PROMPT, booted, build_file

KINDS = 'forks', 'memory', 'phoenix', 'disk', 'descriptors', 'deep', 'symlinks', 'signals', 'zombies'
REACHED = 60  # seconds until the worst
ANSWER = 30   # seconds that a person waits for a command


class Console(unittest.TestCase):
    def setUp(self):
        context = booted(memory=64, add=[(build_file('tests/hostile/flood'), '/flood')])
        self.guest = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.guest.expect(PROMPT)

    def command(self, text, pattern, seconds=ANSWER):
        self.guest.send(text + '\r')
        self.guest.expect(pattern, seconds)


    def under(self, kind):
        self.guest.send(f'/flood {kind} &\r')
        self.guest.expect(rf'flood {kind}\r\n', REACHED)
        self.guest.wait(scaled(2))
        # A built-in command of the shell, and what needs processes of its own: root's are kept for him.
        self.command(f'echo {kind} $((6*7))', rf'{kind} 42\r\n')
        self.command('ls -d /etc/passwd', r'/etc/passwd\r\n')
        self.command('echo $(ps | wc -l) processes', r'\d+ processes\r\n')
        self.command('/flood stop', r'flood stopped\r\n', REACHED)
        self.command(f'rm -rf /tmp/flood; echo after $(({len(kind)}))', rf'after {len(kind)}\r\n', REACHED)


def add(kind):
    def test(self):
        self.under(kind)
    setattr(Console, f'test_{kind}', test)


for _kind in KINDS:
    add(_kind)

if __name__ == '__main__':
    unittest.main()
