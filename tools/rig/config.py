# SPDX-License-Identifier: MIT
"""The toolstack's configuration of a domain, as text (man xl.cfg)."""
import re

_KEY = re.compile(r'\s*([a-z_0-9]+)\s*(\+?=)')


def quote(value):
    """A value in the syntax of xl.cfg."""
    if isinstance(value, bool):
        return '1' if value else '0'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, (list, tuple)):
        return '[ ' + ', '.join(quote(item) for item in value) + ' ]'
    if '\n' in value:
        raise ValueError('a value of the configuration cannot have two lines')
    return '"' + value.replace('\\', '\\\\').replace('"', '\\"') + '"'


def disk(device, name, writable=True):
    """One entry of `disk=[...]`."""
    return f'format=raw, vdev={name}, access={"rw" if writable else "ro"}, target={device}'


def disk_name(number):
    """xvda, xvdb ... xvdz, xvdaa ..."""
    letters = ''
    number += 1
    while number:
        number, letter = divmod(number - 1, 26)
        letters = chr(ord('a') + letter) + letters
    return f'xvd{letters}'


def text(values, lines=()):
    """The configuration of `values`. Each of `lines` is added as it is; one that sets a key takes the place
    of the value of that key (`key+=...` adds to it)."""
    keys = {match.group(1) for line in lines if (match := _KEY.match(line)) and match.group(2) == '='}
    out = [f'{key}={quote(value)}' for key, value in values.items() if key not in keys]
    return '\n'.join([*out, *lines]) + '\n'


def domain(name, kernel, memory, disks=(), cpus=1, extra='', ramdisk=None, on_reboot='restart', world='pv'):
    """The values of a domain, PV or PVH.

    tsc_mode: the emulated processor's time stamp counter is not one that Xen would let a guest read by
    itself, so by default every RDTSC of the guest would trap into Xen, which costs more than most system
    calls. The domain never moves to another machine here, so nothing speaks against the real counter."""
    values = {'name': name, 'type': world, 'kernel': kernel, 'memory': memory, 'vcpus': cpus}
    if ramdisk:
        values['ramdisk'] = ramdisk
    if extra:
        values['extra'] = extra
    if disks:
        values['disk'] = list(disks)
    values.update(tsc_mode='native', on_poweroff='destroy', on_reboot=on_reboot, on_crash='preserve')
    return values
