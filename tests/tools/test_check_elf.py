# SPDX-License-Identifier: MIT
"""tools/check-elf, with a sound image and with images broken in one way each."""
import importlib.machinery
import importlib.util
import os
import struct
import unittest

TOOL = os.path.join(os.path.dirname(__file__), '..', '..', 'tools', 'check-elf')
loader = importlib.machinery.SourceFileLoader('check_elf', TOOL)
check_elf = importlib.util.module_from_spec(importlib.util.spec_from_loader('check_elf', loader))
loader.exec_module(check_elf)

BASE = 0xffffffffc0000000
NUMBER = {name: number for number, name in check_elf.NOTE_NAMES.items()}


def quad(*values):
    return struct.pack(f'<{len(values)}Q', *values)


def sound_notes():
    return {'GUEST_OS': b'Test\0', 'LOADER': b'generic\0', 'XEN_VERSION': b'xen-3.0\0', 'VIRT_BASE': quad(BASE),
            'PADDR_OFFSET': quad(0), 'ENTRY': quad(BASE + 0x200010), 'INIT_P2M': quad(0xffffc80000000000),
            'MOD_START_PFN': quad(1), 'SUPPORTED_FEATURES': struct.pack('<I', 1 << 11), 'L1_MFN_VALID': quad(1, 1)}


def sound_loads():
    """(flags, vaddr, paddr, memsz) of text, read-only data, data."""
    return [[5, BASE + 0x200000, 0x200000, 0x1800], [4, BASE + 0x202000, 0x202000, 0x1000],
            [6, BASE + 0x203000, 0x203000, 0x5000]]


def build(notes=None, loads=None, machine=62, kind=2, extra_notes=b'', note_offset=None):
    """An ELF file with these notes and segments; segments have 16 bytes in the file."""
    notes = sound_notes() if notes is None else notes
    loads = sound_loads() if loads is None else loads
    note_bytes = b''
    for name, desc in notes.items():
        note_bytes += struct.pack('<III', 4, len(desc), NUMBER[name]) + b'Xen\0' + desc + b'\0' * (-len(desc) % 4)
    note_bytes += extra_notes
    count = len(loads) + 1
    data_at = 64 + 56 * count
    note_at = data_at + 16
    out = b'\x7fELF\2\1\1' + b'\0' * 9
    out += struct.pack('<HHIQQQIHHHHHH', kind, machine, 1, BASE, 64, 0, 0, 64, 56, count, 64, 0, 0)
    for flags, vaddr, paddr, memsz in loads:
        out += struct.pack('<IIQQQQQQ', 1, flags, data_at, vaddr, paddr, 16, memsz, 4096)
    out += struct.pack('<IIQQQQQQ', 4, 4, note_at if note_offset is None else note_offset, 0, 0, len(note_bytes),
                       len(note_bytes), 4)
    return out + b'\xcc' * 16 + note_bytes


class CheckElf(unittest.TestCase):
    def complain(self, pattern, data, worlds=('pv',)):
        complaints = check_elf.check(data, worlds)
        self.assertTrue(any(pattern in text for text in complaints), f'{pattern!r} is not in {complaints}')

    def with_note(self, name, desc):
        notes = sound_notes()
        if desc is None:
            del notes[name]
        else:
            notes[name] = desc
        return build(notes)

    def test_a_sound_image_is_accepted(self):
        self.assertEqual(check_elf.check(build()), [])

    def test_unreadable_files(self):
        for data in (b'', b'#!/bin/sh\n' * 20, b'\x7fELF\1\1\1' + b'\0' * 100):
            with self.assertRaises(check_elf.Unreadable):
                check_elf.check(data)

    def test_file_cut_off_anywhere(self):
        whole = build()
        for length in range(0, len(whole), 3):
            try:
                complaints = check_elf.check(whole[:length])
            except check_elf.Unreadable:
                continue
            self.assertTrue(complaints, f'cut at {length}')

    def test_wrong_machine_and_type(self):
        self.complain('machine type is 40', build(machine=40))
        self.complain('ET_EXEC', build(kind=3))

    def test_no_segments(self):
        self.complain('no PT_LOAD', build(loads=[]))

    def test_missing_notes_one_by_one(self):
        for name in sound_notes():
            if name == 'PADDR_OFFSET':
                continue  # 0 is its default
            with self.subTest(name):
                self.complain(name, self.with_note(name, None))

    def test_no_notes(self):
        self.complain('Not a Xen-ELF image', build(notes={}))

    def test_wrong_texts(self):
        self.complain('XEN_VERSION', self.with_note('XEN_VERSION', b'xen-4.17\0'))
        self.complain('LOADER', self.with_note('LOADER', b'grub\0'))
        self.complain('does not end in a zero', self.with_note('GUEST_OS', b'Test'))

    def test_features(self):
        self.complain('no hypervisor knows', self.with_note('FEATURES', b'!flying\0'))
        self.complain('supervisor_mode_kernel', self.with_note('FEATURES', b'!supervisor_mode_kernel\0'))
        self.complain('bit 11', self.with_note('SUPPORTED_FEATURES', struct.pack('<I', 1)))
        self.assertEqual(check_elf.check(self.with_note('FEATURES', b'pae_pgdir_above_4gb\0')), [])

    def test_note_sizes(self):
        self.complain('reads it as 0', self.with_note('VIRT_BASE', b'\0' * 12))
        self.complain('pairs', self.with_note('L1_MFN_VALID', quad(1)))
        self.complain('no entry can satisfy', self.with_note('L1_MFN_VALID', quad(1, 3)))

    def test_note_runs_out_of_its_section(self):
        self.complain('longer than the section', build(extra_notes=struct.pack('<III', 4, 4000, 6) + b'Xen\0'))

    def test_note_twice(self):
        again = struct.pack('<III', 4, 8, NUMBER['ENTRY']) + b'Xen\0' + quad(BASE + 0x200000)
        self.complain('there twice', build(extra_notes=again))

    def test_note_segment_at_offset_0(self):
        self.complain('offset 0', build(note_offset=0))

    def test_writable_code(self):
        loads = sound_loads()
        loads[0][0] = 7
        self.complain('writable and executable', build(loads=loads))

    def test_segments_share_a_page(self):
        loads = sound_loads()
        loads[1][1] += 0x10
        self.complain('does not start on a page', build(loads=loads))
        loads = sound_loads()
        loads[1][1:3] = [BASE + 0x201800, 0x201800]
        self.complain('ends in the page', build(loads=loads))

    def test_segments_overlap(self):
        loads = sound_loads()
        loads[0][3] = 0x3000
        self.complain('overlap', build(loads=loads))

    def test_in_the_hypervisors_hole(self):
        loads = sound_loads()
        loads[0][1] = 0xffff820000000000
        self.complain("hypervisor's own addresses", build(loads=loads))
        self.complain("hypervisor's own addresses", self.with_note('INIT_P2M', quad(0xffff800000000000)))
        self.complain("hypervisor's own addresses", self.with_note('VIRT_BASE', quad(0xffff800000000000)))

    def test_lower_half(self):
        loads = sound_loads()
        loads[2][1] = 0x400000
        self.complain('lower half', build(loads=loads))

    def test_physical_address_does_not_fit_the_base(self):
        loads = sound_loads()
        loads[1][2] = 0x302000
        self.complain('not where it was linked', build(loads=loads))
        self.complain('not where it was linked', self.with_note('PADDR_OFFSET', quad(BASE)))

    def test_entry_not_executable(self):
        self.complain('entry point', self.with_note('ENTRY', quad(BASE + 0x203000)))
        self.complain('entry point', self.with_note('ENTRY', quad(0)))

    def test_frame_list_inside_the_image(self):
        self.complain('inside the image', self.with_note('INIT_P2M', quad(BASE + 0x201000)))
        self.complain('on a page', self.with_note('INIT_P2M', quad(0xffffc80000000008)))

    def test_hypercall_page(self):
        self.complain('on a page', self.with_note('HYPERCALL_PAGE', quad(BASE + 0x200020)))
        self.complain('outside the image', self.with_note('HYPERCALL_PAGE', quad(BASE)))

    def test_no_room_behind_the_image(self):
        loads = sound_loads()
        for load in loads:
            load[1] += 0x3fc00000
        notes = sound_notes()
        notes['VIRT_BASE'] = quad(BASE + 0x3fc00000)
        notes['ENTRY'] = quad(BASE + 0x3fe00010)
        self.complain('no room', build(notes, loads))

    def test_pvh(self):
        notes = sound_notes()
        notes['PHYS32_ENTRY'] = struct.pack('<I', 0x200000)
        self.assertEqual(check_elf.check(build(notes), ('pv', 'pvh')), [])
        self.complain('PHYS32_ENTRY is missing', build(), ('pvh',))
        notes['PHYS32_ENTRY'] = struct.pack('<I', 0xc0200000)
        self.complain('not in an executable', build(notes), ('pvh',))


if __name__ == '__main__':
    unittest.main()
