# SPDX-License-Identifier: MIT
"""The suite `posix`: the conformance tests of Debian's source package posixtestsuite, in the guest.

Each file conformance/interfaces/INTERFACE/N-M.c is a program that ends with a verdict. They are compiled with our
driver, made into functions with names of their own, linked into one program (tests/posix/suite.c says why), and run
in one guest. tests/posix/expected names those that do not pass, with the reasons. docs/posix.md says how to use it.

    python3 tests/lib/posixsuite.py build        what does not compile or link
"""
import fnmatch
import glob
import hashlib
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

SOURCE = 'build/posix/source'
WORK = 'build/posix/obj'
PROGRAM = 'build/posix/posix-suite'
TOOLCHAIN = os.environ.get('PARVIX_TOOLCHAIN', 'build/toolchain')
TOOL = f'{TOOLCHAIN}/bin/x86_64-parvix-'
INTERFACES = f'{SOURCE}/conformance/interfaces'
EXPECTED = 'tests/posix/expected'
# What this system does not have at all: message queues. The other one sleeps for five minutes.
ABSENT = ('mq_*', 'timer_settime/5-3')
# These change what the others look at, or take it: one at a time, after them.
ALONE = ('clock_settime/*', 'pthread_cond_init/[12]-2', 'shm_open/23-1')
# Millions of system calls, or of switches, each: a minute under PV on an emulated processor. Natively they are run.
LONG = ('clock/1-1', 'clock_gettime/4-1', 'clock_getcpuclockid/1-1', 'pthread_cond_broadcast/1-2')
CFLAGS = ('-std=gnu99', '-O1', '-w', '-D_POSIX_C_SOURCE=200112L', f'-I{SOURCE}/include', '-ffunction-sections')
# These look for an option of 2001, which has a later number today.
AIO = ('-include', 'tests/posix/aio2001.h')
VERDICTS = {0: 'PASS', 1: 'FAIL', 2: 'UNRESOLVED', 4: 'UNSUPPORTED', 5: 'UNTESTED'}
JOBS = 12
SECONDS = 60  # for one test, stretched by PARVIX_TIMEOUT_SCALE like all waits
GUESTS = 3  # one, unless it ends too early
GUEST_SECONDS = 1800  # for a guest that hangs: the tests have their own limit


def run_tool(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors='replace')
    return done.returncode, done.stdout + done.stderr


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def all_tests():
    """interface/number of each test, those of an interface in the order of their numbers."""
    def key(name):
        interface, number = name.split('/')
        return interface, *map(int, number.split('-'))

    names = (path[len(INTERFACES) + 1:-2] for path in glob.glob(f'{INTERFACES}/*/*.c'))
    return sorted((name for name in names if re.fullmatch(r'\w+/\d+-\d+', name) and not matches(name, ABSENT)), key=key)


def function_name(name):
    return 'posix_' + re.sub(r'\W', '_', name)


def object_file(name):
    return f'{WORK}/{name.replace("/", ".")}.o'


def headers_changed():
    """Everything is compiled anew when a header of the C library or the compiler's words are others."""
    digest = hashlib.sha1(repr(CFLAGS).encode())
    for path in sorted(glob.glob(f'{TOOLCHAIN}/x86_64-parvix/include/**/*.h', recursive=True)):
        with open(path, 'rb') as file:
            digest.update(file.read())
    path = f'{WORK}/headers'
    old = open(path, encoding='ascii').read() if os.path.exists(path) else ''
    return path, digest.hexdigest(), digest.hexdigest() != old


def compile_one(name):
    """None, or what the compiler has said."""
    symbol, made = function_name(name), object_file(name)
    flags = CFLAGS + (AIO if matches(name, ('aio_*', 'lio_*')) else ())
    status, words = run_tool(TOOL + 'gcc', *flags, '-c', '-o', made + '.new', f'{INTERFACES}/{name}.c')
    if not status:
        status, words = run_tool(TOOL + 'objcopy', '--redefine-sym', f'main={symbol}', '-G', symbol, made + '.new')
    if status:
        return words
    os.rename(made + '.new', made)
    return None


def write_table(names):
    with open(f'{WORK}/table.c', 'w', encoding='ascii') as file:
        file.write('#include "suite.h"\n')
        file.writelines(f'extern int {function_name(name)}(int, char **);\n' for name in names)
        file.write('const struct suite_test suite_tests[] = {\n')
        file.writelines(f'\t{{"{name}", {function_name(name)}}},\n' for name in names)
        file.write(f'}};\nconst int suite_count = {len(names)};\n')


def link(names):
    """Links the tests; returns {test: what it lacks}, whose table must not have them."""
    write_table(names)
    with open(f'{WORK}/objects', 'w', encoding='ascii') as file:
        file.writelines(object_file(name) + '\n' for name in names)
    status, words = run_tool(TOOL + 'gcc', '-std=gnu17', '-D_GNU_SOURCE', '-O1', '-Wall', '-Itests/posix', '-o', PROGRAM,
                             '-Wl,--gc-sections,--warn-unresolved-symbols', '-s', 'tests/posix/suite.c',
                             f'{WORK}/table.c', f'@{WORK}/objects', '-lm')
    if status:
        raise RuntimeError(f'posix-suite does not link:\n{words[-4000:]}')
    return lacking(names, words)


def lacking(names, words):
    """What the linker has complained of, by test."""
    found, where = {}, {os.path.basename(object_file(name)): name for name in names}
    own = {function_name(name): name for name in names}
    test = None
    for line in words.splitlines():
        if match := re.search(r'(\w+\.\d+-\d+\.o)(?:\)|:)', line):
            test = where.get(match.group(1), test)
        if match := re.search(r"undefined reference to `(\w+)'", line):
            symbol = match.group(1)
            found.setdefault(own.get(symbol, test), set()).add('its main()' if symbol in own else symbol)
    return {test: f'missing at link time: {", ".join(sorted(symbols))}' for test, symbols in found.items()}


def build(say=lambda line: None):
    """Makes PROGRAM; returns (names of all tests, {name: why it is not in the program})."""
    if not os.path.exists(f'{SOURCE}/.done'):
        say('fetching posixtestsuite')
        status, words = run_tool('tools/pkg/fetch', 'posixtestsuite', SOURCE)
        if status:
            raise RuntimeError(f'posixtestsuite cannot be fetched: {words[-2000:]}')
        open(f'{SOURCE}/.done', 'w', encoding='ascii').close()
    os.makedirs(WORK, exist_ok=True)
    names = all_tests()
    stamp, digest, anew = headers_changed()
    missing = [name for name in names if anew or not os.path.exists(object_file(name))]
    say(f'compiling {len(missing)} of {len(names)} tests')
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        broken = {name: words for name, words in zip(missing, pool.map(compile_one, missing)) if words}
    with open(stamp, 'w', encoding='ascii') as file:
        file.write(digest)
    # The linker does not name all places where something is missing: until it has nothing more to say.
    while lack := link([name for name in names if name not in broken]):
        if None in lack:
            raise RuntimeError(f'posix-suite: {lack[None]}')
        broken |= lack
    return names, broken


class Expected:
    """tests/posix/expected: `PATTERN VERDICT reason`, the first that fits counts."""

    def __init__(self, path=EXPECTED):
        self.lines = []
        with open(path, encoding='utf-8') as file:
            for number, line in enumerate(file, 1):
                if line.strip() and not line.startswith('#'):
                    words = line.split(maxsplit=2)
                    if len(words) < 3:
                        raise ValueError(f'{path}:{number}: a pattern, a verdict and a reason are wanted')
                    self.lines.append((words[0], words[1].split('|'), words[2].strip()))

    def reason(self, name, verdict):
        """Why the test may end so, or None."""
        for pattern, verdicts, reason in self.lines:
            if fnmatch.fnmatch(name, pattern) and verdict in verdicts:
                return reason
        return None

    def fails(self, name):
        """Whether this test, and not only a pattern with a star, is in the list, and never passes."""
        return any('*' not in pattern and 'PASS' not in verdicts and fnmatch.fnmatch(name, pattern)
                   for pattern, verdicts, _ in self.lines)


def run_guest(rig, names, expected):
    """Runs the tests in one guest: ({name: (verdict, seconds, output)}, how the guest has ended)."""
    phases = ([name for name in names if not matches(name, ALONE)], [name for name in names if matches(name, ALONE)])
    limit = int(SECONDS * float(os.environ.get('PARVIX_TIMEOUT_SCALE', '1')))
    with tempfile.TemporaryDirectory() as folder:
        commands = []
        for jobs, chosen in zip((JOBS, 1), phases):
            if chosen:
                with open(f'{folder}/list{jobs}', 'w', encoding='ascii') as file:
                    file.writelines(name + (' once\n' if expected.fails(name) else '\n') for name in chosen)
                commands.append(f'/posix/posix-suite --run {jobs} {limit} /posix/list{jobs}')
        done = subprocess.run(
            ['tools/parvix', 'run', *rig, '--memory', '256', '--timeout', str(GUEST_SECONDS), '--add', f'{folder}:/posix',
             '--add', f'{PROGRAM}:/posix/posix-suite', '--exec', ' && '.join(commands)],
            stdin=subprocess.DEVNULL, capture_output=True)
    text = done.stdout.decode(errors='replace')
    return read_output(text), f'the guest ended with {done.returncode}:\n{done.stderr.decode(errors="replace")[-6000:]}'


def run_guests(rig, names, expected, report, suite):
    """The results of all. A guest that ends before it is through is a failure, and another one does the rest."""
    results = {}
    for _ in range(GUESTS):
        left = [name for name in names if name not in results]
        if left:
            found, ending = run_guest(rig, left, expected)
            results |= found
            if len(found) < len(left):
                report.fail(suite, 'guest', f'it has ended after {len(found)} of {len(left)} tests\n{ending}')
    return results


def read_output(text):
    results, name = {}, None
    for line in text.splitlines():
        if match := re.fullmatch(r'test (\S+) (exit|signal|hung) (\d+) ([\d.]+)', line):
            name, how, value = match.group(1), match.group(2), int(match.group(3))
            verdict = {'exit': VERDICTS.get(value, f'EXIT{value}'), 'signal': f'SIGNAL{value}', 'hung': 'HUNG'}[how]
            results[name] = (verdict, float(match.group(4)), [])
        elif line.startswith('| ') and name:
            results[name][2].append(line[2:])
    return results


def judge(report, suite, interface, names, results, problems, expected):
    """A line for an interface, and one for each of its tests that is not as expected."""
    counts, failed = {}, False
    for name in names:
        verdict, _, output = results.get(name, ('NONE', 0, ['it was not run']))
        if name in problems:
            verdict, output = 'BUILD', [problems[name]]
        counts[verdict] = counts.get(verdict, 0) + 1
        if verdict == 'PASS' and expected.fails(name):
            output = [f'{EXPECTED} says that it does not pass: remove the line if this was no chance']
            print(f'note  {suite:14} {name}: {output[0]}')
        elif verdict not in ('PASS', 'UNTESTED') and expected.reason(name, verdict) is None:
            failed = True
            report.fail(suite, f'{name} {verdict}', '\n'.join(output), part=name)
    if not failed:
        words = ', '.join(f'{count} {verdict}' for verdict, count in sorted(counts.items()))
        report.ok(suite, f'{interface}: {words}', sum(results[name][1] for name in names if name in results))
    return counts


def run(report, suite, rig, wanted):
    """Everything, for tools/run-tests. `wanted`: interfaces, parts of their names, or tests (sem_wait/1-1)."""
    try:
        names, problems = build()
    except RuntimeError as error:
        report.fail(suite, 'build', str(error))
        return
    if wanted:
        interfaces = {name.split('/')[0] for name in names}
        exact = [word for word in wanted if word in interfaces]
        names = [name for name in names if name.split('/')[0] in exact or name in wanted
                 or any(part in name.split('/')[0] for part in wanted if part not in exact)]
    elif '--rig' in rig:
        names = [name for name in names if name not in LONG]
    if not names:
        return
    expected, total = Expected(), {}
    results = run_guests(rig, [name for name in names if name not in problems], expected, report, suite)
    for interface in dict.fromkeys(name.split('/')[0] for name in names):
        ours = [name for name in names if name.split('/')[0] == interface]
        for verdict, count in judge(report, suite, interface, ours, results, problems, expected).items():
            total[verdict] = total.get(verdict, 0) + count
    print(f'      {suite:14} ' + ', '.join(f'{count} {verdict}' for verdict, count in sorted(total.items())))


if __name__ == '__main__' and sys.argv[1:] == ['build']:
    for test, problem in build(print)[1].items():
        print(f'{test}: {problem.strip()}')
