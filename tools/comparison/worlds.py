# SPDX-License-Identifier: MIT
"""The worlds that Parvix is compared in, and one run of it in one of them.

A run is one boot by tools/parvix with one command: it prints the boot record and then measures the
operations. It is made in one of two clocks:

  instructions   QEMU counts: a tick of the time-stamp counter is an instruction (and a nanosecond of the
                 guest's time), whoever executes it: guest, hypervisor, dom0. While nobody has anything to
                 do, time jumps to the next timer, so a wait counts with its length
  wall           no counting, the host's clock. In an emulator good for ratios at most

What comes of a run is a plain dict, which report.json has as it is."""
import collections
import json
import os
import re
import shlex
import subprocess
import time

from rig.codes import scaled

TREE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PARVIX = os.path.join(TREE, 'tools', 'parvix')
INSTRUCTIONS, WALL = 'instructions', 'wall'
TIMEOUT = 180
DISK_MIB = 16

# place: what runs the processor's privileged state; disk: is there one besides the root's?
World = collections.namedtuple('World', 'name title system place rig disk options')

WORLDS = (
    World('native', 'native', 'Parvix', 'native', 'pc', True, ('--world', 'native')),
    World('pvh-initial', 'PVH, initial domain', 'Parvix', 'pvh', 'initial', False, ('--world', 'pvh', '--rig', 'initial')),
    World('pvh', 'PVH, xl domain', 'Parvix', 'pvh', 'domain', True, ('--world', 'pvh', '--rig', 'domain')),
    World('pv-initial', 'PV, initial domain', 'Parvix', 'pv', 'initial', False, ('--world', 'pv', '--rig', 'initial')),
    World('pv', 'PV, xl domain', 'Parvix', 'pv', 'domain', True, ('--world', 'pv', '--rig', 'domain')),
)

# The built-in `read` first: the marks are taken down before the shell starts another program.
BOOT = '''echo '#boot'; while read -r l; do echo "$l"; done </proc/boot
echo '#record'; if [ -x /bin/boottrace ]; then boottrace -j; fi
'''
OPERATIONS = '''echo '#operations'
D=; for d in xvdb sdb vdb; do if [ -b /dev/$d ]; then D="-w -d /dev/$d"; fi; done
/usr/bench/lat -j $D || echo '#failed'
'''
END = "echo '#end'\n"


def script(parts):
    """The guest's command for these parts of a run ('boot', 'operations')."""
    return BOOT + (OPERATIONS if 'operations' in parts else '') + END


def sections(text):
    """{'boot': lines, ...} of what a guest's script has printed, whatever else stands before it."""
    found, lines = {}, None
    for line in text.replace('\r', '').splitlines():
        if match := re.match(r'#(\w+)$', line):
            lines = found.setdefault(match.group(1), [])
        elif lines is not None:
            lines.append(line)
    return found


def json_lines(lines):
    """The objects of lines that are JSON objects each; a line that is none is passed over."""
    found = []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def read_record(lines):
    """The boot record: one JSON object, on one line or several."""
    try:
        record = json.loads('\n'.join(lines))
    except ValueError:
        return None
    return record if isinstance(record, dict) and isinstance(record.get('phases'), list) else None


def marks_as_record(lines):
    """What /proc/boot says, in the form of a boot record: a kernel that has no more to tell."""
    phases, before = [], 0
    for line in lines:
        if match := re.match(r'([\w-]+) (\d+) (\d+)$', line):
            calls = int(match.group(3))
            phases.append({'name': match.group(1), 'ticks': int(match.group(2)),
                           'calls': {'all kinds': calls - before} if calls > before else {}})
            before = calls
    return {'phases': phases} if phases else None


def understand(text):
    """Record, operations and complaint of a script's output."""
    found = sections(text)
    record = read_record(found.get('record', [])) or marks_as_record(found.get('boot', []))
    operations = [row for row in json_lines(found.get('operations', [])) if 'name' in row and 'ticks' in row]
    error = None
    if 'end' not in found:
        error = 'the guest did not come to the end of its script'
    elif 'failed' in found:
        words = [line for line in found['operations'] if not line.startswith('{')]
        error = f'the measuring program failed: {words[-1] if words else "without a word"}'
    elif not record:
        error = 'no boot record could be read'
    return record, operations, error


def result(world, build, clock, number, command):
    """An empty result of a run."""
    return {'world': world.name, 'build': build, 'clock': clock, 'number': number, 'command': command,
            'seconds': None, 'times': {}, 'record': None, 'operations': [], 'error': None}


def last_words(text):
    """The line that says why a run of tools/parvix failed."""
    lines = [line for line in text.splitlines() if line.startswith('parvix: ') and ' times ' not in line]
    words = lines[-1].removeprefix('parvix: ') if lines else (text.strip().splitlines() or ['no word'])[-1]
    return words[:300]


def run_parvix(world, clock, number, parts, kernel=None, build='', disk=None, timeout=TIMEOUT):
    """One run. `disk`: a file that the guest may write over."""
    command = [PARVIX, 'run', *world.options, '--times', '--timeout', str(timeout)]
    if clock == INSTRUCTIONS:
        command.append('--icount=0')
    if kernel:
        command += ['--kernel', kernel]
    if world.disk and disk:
        command += ['--disk', disk]
    command += ['--exec', script(parts)]
    shown = shlex.join(['tools/parvix', *command[1:-1], 'COMMANDS'])
    row = result(world, build, clock, number, shown)
    start = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=scaled(timeout) + 60)
    except subprocess.TimeoutExpired:
        row['error'] = 'tools/parvix itself did not end'
        return row
    row['seconds'] = round(time.monotonic() - start, 3)
    words = done.stderr.decode(errors='replace')
    row['record'], row['operations'], row['error'] = understand(done.stdout.decode(errors='replace'))
    times = re.findall(r'(\w+)=([\d.]+)', words.rpartition('parvix: times ')[2].split('\n')[0])
    row['times'] = {name: float(at) for name, at in times}
    if done.returncode:
        row['error'] = last_words(words)
    return row
