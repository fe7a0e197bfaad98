# SPDX-License-Identifier: MIT
"""What strace prints. All commands run in one guest; what each has printed stands behind a line with its name."""
import re
import unittest

from rigtest import guest_exec

COMMANDS = r'''
cd /tmp
exec 2>&1
mark() { echo "== $1"; }
mark file; strace -o f -e trace=open,read,close cat /etc/group; cat f
mark all; strace -o f true; cat f
mark error; strace -o f -e open cat /none; echo "status $?"; cat f
mark short; strace -o f -q -s 4 -e trace=read cat /etc/group; cat f
mark stderr; strace -e trace=close cat /etc/group >/dev/null
mark others; strace -o f -e 'trace=!open,read' cat /etc/group; cat f
mark times; strace -o f -T -t -e trace=open cat /dev/null; cat f
mark structs; strace -o f -e trace=stat,pipe2,wait4,nanosleep,sigaction sh -c 'stat -L /dev/null | sleep 0.25'; cat f
mark signal; strace -o f -e kill sh -c 'trap "" TERM; kill -USR1 $$'; echo "status $?"; cat f
mark killed; strace -f -o f -e kill tcc -run kill.c; echo "status $?"; cat f
mark alone; strace -o f -e trace=fork,write sh -c 'echo child & wait'; cat f
mark children; strace -o f -f -e trace=fork,write,exit sh -c 'echo child & wait'; cat f
mark count; strace -o f -c cat /etc/group; cat f
sh -c 'while :; do sleep 0.1; done' &
mark attached; timeout -s INT 1.5 strace -o f -p $!; kill -0 $! && echo alive; cat f; kill $!
mark usage; strace; echo "status $?"
mark nothing; strace -o f nosuch; echo "status $?"; grep -c '^execve("/.*/nosuch", .*) = -1 ENOENT' f
mark nobody; strace -p 9999; echo "status $?"
mark unknown; strace -e trace=open,nonsense true; echo "status $?"
mark forbidden; su user -c 'strace -p 1'; echo "status $?"
mark end
'''
KILL = '#include <signal.h>\n#include <unistd.h>\nint main() { kill(getpid(), SIGKILL); return 0; }\n'


class Strace(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        script = COMMANDS.replace('cd /tmp\n', f"cd /tmp\ncat >kill.c <<'END'\n{KILL}END\n", 1)
        status, out, err = guest_exec(script, '--timeout', '120')
        if status:
            raise AssertionError(f'status {status}\n{out[-2000:]}\n{err[-2000:]}')
        parts = re.split(r'^== (\w+)\n', out.replace('\r\n', '\n'), flags=re.M)
        cls.said = dict(zip(parts[1::2], parts[2::2]))

    def check(self, name, *patterns):
        """The lines that were printed match these, one by one, wholly."""
        lines = self.said[name].splitlines()
        self.assertEqual(len(lines), len(patterns), self.said[name])
        for line, pattern in zip(lines, patterns):
            self.assertRegex(line, rf'\A(?:{pattern})\Z')

    def check_some(self, name, *patterns):
        """Lines like these are among those that were printed, in this order."""
        at = 0
        for pattern in patterns:
            match = re.compile(rf'^(?:{pattern})$', re.M).search(self.said[name], at)
            self.assertTrue(match, f'{pattern!r} is not behind {at} in\n{self.said[name]}')
            at = match.end()

    def test_strings_and_descriptors(self):
        self.check_some('file', 'root:x:0:', r'open\("/etc/group", O_RDONLY\) = 3',
                        r'read\(3, "root:x:0:\\n.*u"\.\.\., \d+\) = \d+', r'read\(3, "", \d+\) = 0', r'close\(3\) = 0',
                        r'\+\+\+ exited with 0 \+\+\+')

    def test_all_calls(self):
        self.check('all', r'execve\("/bin/true", \["true"\], 0x[0-9a-f]+ /\* \d+ vars \*/\) = 0', r'exit\(0\) = \?',
                   r'\+\+\+ exited with 0 \+\+\+')

    def test_errors_have_names(self):
        self.check('error', 'cat: /none: No such file or directory', 'status 1',
                   r'open\("/none", O_RDONLY\) = -1 ENOENT \(No such file or directory\)', r'\+\+\+ exited with 1 \+\+\+')

    def test_short_strings_and_quiet(self):
        self.check_some('short', r'read\(3, "root"\.\.\., \d+\) = \d+', r'read\(3, "", \d+\) = 0')
        self.assertNotIn('+++', self.said['short'])

    def test_goes_to_standard_error(self):
        self.check('stderr', r'close\(3\) = 0', r'\+\+\+ exited with 0 \+\+\+')

    def test_all_but_some(self):
        self.check_some('others', r'execve\(.*', r'write\(1, "root.*', r'exit\(0\) = \?')
        self.assertNotRegex(self.said['others'], r'(?m)^(open|read)\(')

    def test_times(self):
        self.check('times', r'\d\d:\d\d:\d\d\.\d{6} open\("/dev/null", O_RDONLY\) = 3 <0\.\d{6}>',
                   r'\d\d:\d\d:\d\d\.\d{6} \+\+\+ exited with 0 \+\+\+')

    def test_structures(self):
        self.check_some('structs', r'pipe2\(\[3, 4\], .*\) = 0',
                        r'wait4\(-1, \[\{exited 0\}\], WNOHANG.*, NULL\) = \d+')
        self.check_some('structs', r'sigaction\(SIGCHLD, \{0x[0-9a-f]+, \[.*\], .*\}, .*\) = 0')
        self.check_some('structs', r'--- SIGCHLD \{si_code=1, si_pid=\d+, si_uid=0\} ---')

    def test_signals(self):
        self.check_some('signal', r'kill\((\d+), SIGUSR1\) = 0', r'--- SIGUSR1 \{si_code=\d+, si_pid=\d+, si_uid=0\} ---',
                        r'\+\+\+ (killed by SIGUSR1|exited with 158) \+\+\+')
        self.check_some('killed', 'status 137', r'.*\+\+\+ killed by SIGKILL \+\+\+')

    def test_children(self):
        self.check_some('alone', 'child', r'fork\(\) = \d+')
        self.assertNotRegex(self.said['alone'], r'write\(1, "child|\[pid')
        said = self.said['children']
        child = re.search(r'(?m)^(?:\[pid \d+\] )?(?:fork\(|<\.\.\. fork resumed> )\) = (\d+)$', said)
        self.assertTrue(child, said)
        self.assertRegex(said, rf'(?m)^\[pid {child[1]}\] write\(1, "child\\n", 6')
        self.assertRegex(said, rf'(?m)^\[pid {child[1]}\] \+\+\+ exited with 0 \+\+\+$')
        self.assertEqual(said.count('+++ exited with 0 +++'), 2)

    def test_table(self):
        lines = self.said['count'].splitlines()
        start = lines.index('% time     seconds  us/call     calls    errors syscall')
        calls = {}
        for line in lines[start + 1:]:
            share, seconds, *_, count, errors, name = line.split()
            self.assertLessEqual(float(share), 100)
            self.assertGreaterEqual(float(seconds), 0)
            calls[name] = int(count), int(errors)
        total = calls.pop('total')
        self.assertEqual(total[0], sum(count for count, _ in calls.values()))
        self.assertEqual((calls['execve'], calls['open'], calls['read']), ((1, 0), (1, 0), (2, 0)))
        self.assertNotIn('exit', calls)  # it does not come back

    def test_a_process_that_is_there(self):
        self.check_some('attached', 'alive', r'fork\(\) = \d+', r'--- SIGCHLD .* ---')

    def test_wrong_use(self):
        self.check('usage', 'usage: strace .*', 'status 2')
        self.check_some('nothing', 'strace: nosuch: No such file or directory', 'status 1', '[1-9]')
        self.check('nobody', 'strace: process 9999: No such process', 'status 1')
        self.check('unknown', 'strace: nonsense: no such system call', 'status 1')
        self.check('forbidden', 'strace: process 1: .*', 'status 1')


if __name__ == '__main__':
    unittest.main()
