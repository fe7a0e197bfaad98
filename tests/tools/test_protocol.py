# SPDX-License-Identifier: MIT
"""The console stream is taken apart the same way however it is cut into pieces."""
import os
import random
import unittest

from rig.protocol import BEGIN, END, KERNEL, TEXT, XEN, Demux

SEED = int(os.environ.get('PARVIX_TEST_SEED', '1'))
STREAM = (b'(XEN) boot\n\x1ekhello\n\x1eBEGIN ab12\nout (XEN) x\nabc\x1ekmid-line\ndef\n\x1e(X(XEN) d0\n'
          b'open(XEN) Hardware Dom0 halted: x\n\x1eEND ab12 3\n(XEN) y\n$ (')
EXPECTED = [(XEN, b'(XEN) boot\n'), (KERNEL, b'hello\n'), (BEGIN, b''), (TEXT, b'out (XEN) x\nabc'),
            (KERNEL, b'mid-line\n'), (TEXT, b'def\n\x1e(X(XEN) d0\nopen'),
            (XEN, b'(XEN) Hardware Dom0 halted: x\n'), (END, b'3'), (XEN, b'(XEN) y\n'), (TEXT, b'$ (')]


def joined(events):
    """Neighbouring pieces of text as one."""
    result = []
    for voice, data in events:
        if result and voice == TEXT == result[-1][0]:
            result[-1] = (TEXT, result[-1][1] + data)
        else:
            result.append((voice, data))
    return result


class Protocol(unittest.TestCase):
    def test_whole(self):
        demux = Demux('ab12')
        self.assertEqual(joined(demux.feed(STREAM) + demux.idle()), EXPECTED)

    def test_cut_anywhere(self):
        numbers = random.Random(SEED)
        for _ in range(200):
            demux, events, at = Demux('ab12'), [], 0
            while at < len(STREAM):
                size = numbers.randint(1, 9)
                events += demux.feed(STREAM[at:at + size])
                at += size
            self.assertEqual(joined(events + demux.idle()), EXPECTED)

    def test_no_byte_is_lost_or_made_up(self):
        numbers = random.Random(SEED)
        for _ in range(200):
            data = bytes(numbers.choice(b'\x1eBEkX(EN) \nab') for _ in range(60)).replace(b'\x1ek', b'\x1ex')
            if b'(XEN) ' in data:
                continue
            demux, out = Demux('ab12'), b''
            for byte in data:
                out += b''.join(part for _, part in demux.feed(bytes([byte])))
            out += b''.join(part for _, part in demux.finish())
            self.assertEqual(out, data)

    def test_prompt_is_not_held_back(self):
        demux = Demux()
        self.assertEqual(joined(demux.feed(b'# ')), [(TEXT, b'# ')])
        self.assertEqual(demux.feed(b'\n('), [(TEXT, b'\n')])
        self.assertEqual(demux.idle(), [(TEXT, b'(')])

    def test_a_marker_needs_the_nonce(self):
        demux = Demux('ab12')
        text = b'\x1eEND ffff 0\n\x1eEND ab1 0\n'
        self.assertEqual(joined(demux.feed(text)), [(TEXT, text)])

    def test_markers_without_raw_output(self):
        demux = Demux('ab12')
        self.assertEqual(demux.feed(b'\x1eEND ab12 139\r\n'), [(END, b'139')])


if __name__ == '__main__':
    unittest.main()
