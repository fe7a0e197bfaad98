# SPDX-License-Identifier: MIT
"""The host's end of the line to dom0. The protocol is described in dom0/agent.c.

A thread reads all the time and keeps what comes, because whoever does not read holds up the whole machine;
the methods here wait for it. `wake_fd` becomes readable when something has come, for use in select().
"""
import os
import re
import select
import struct
import threading
import time

from .codes import CRASH, TIMEOUT, RigError, scaled

HEADER = struct.Struct('<IHBB')
CHUNK = 32768
# Words on the serial line after which nothing more is to be hoped for.
FATAL = re.compile(rb'Panic on CPU|Kernel panic|RIG: agent: |Hardware Dom0 (?:halted|crashed|shutdown)')
WORDS_KEPT = 65536


class Stream:
    """A command in dom0, or a terminal of it: what it says, what it is told, how it ended."""

    def __init__(self, owner, number, on_data=None, on_end=None):
        self.owner, self.number = owner, number
        self.on_data, self.on_end = on_data, on_end
        self.output = bytearray()  # standard output; everything if there is no on_data
        self.errors = bytearray()
        self.status = None

    def send(self, data):
        for start in range(0, len(data), CHUNK):
            self.owner.send('I', self.number, data[start:start + CHUNK])

    def end_input(self):
        self.owner.send('E', self.number)

    def kill(self):
        self.owner.send('K', self.number)

    def wait(self, seconds):
        """The status, or None if it has not ended in this time."""
        self.owner.wait_for(lambda: self.status is not None, seconds)
        return self.status


class Agent:
    def __init__(self, sock, words_fd):
        self.sock, self.words_fd = sock, words_fd
        self.changed = threading.Condition(threading.RLock())
        self.write_lock = threading.Lock()
        self.streams = {}
        self.number = 0
        self.pongs = 0
        self.words = b''  # what the hypervisor and dom0's kernel have said
        self.on_words = None
        self.broken = None  # why nothing works any more
        self.wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.stop_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self.received = b''
        self.thread = threading.Thread(target=self._read, daemon=True, name='agent')
        self.thread.start()

    # The thread -----------------------------------------------------------------------------------

    def _read(self):
        sources = [self.sock, self.words_fd, self.stop_fd]
        while True:
            ready = select.select(sources, [], [])[0]
            if self.stop_fd in ready:
                return
            with self.changed:
                if self.words_fd in ready:
                    self._words(os.read(self.words_fd, 65536), sources)
                if self.sock in ready:
                    try:
                        data = self.sock.recv(1 << 18)
                    except OSError:
                        data = b''
                    if not data:
                        self.broken = self.broken or 'QEMU ended by itself'
                        sources.remove(self.sock)
                    self._frames(data)
                self.changed.notify_all()
                os.eventfd_write(self.wake_fd, 1)

    def _words(self, data, sources):
        if not data:
            sources.remove(self.words_fd)
            return
        self.words = (self.words + data.replace(b'\r\n', b'\n'))[-WORDS_KEPT:]
        match = FATAL.search(self.words)
        if match and not self.broken:
            who = 'the hypervisor panicked' if b'CPU' in match.group() else 'dom0 crashed'
            self.broken = who
        if self.on_words:
            self.on_words(data)

    def _frames(self, data):
        self.received += data
        while len(self.received) >= HEADER.size:
            length, number, kind, _ = HEADER.unpack_from(self.received)
            end = HEADER.size + length
            if len(self.received) < end:
                return
            payload = self.received[HEADER.size:end]
            self.received = self.received[end:]
            self._frame(chr(kind), number, payload)

    def _frame(self, kind, number, payload):
        if kind == 'P':
            self.pongs += 1
            return
        stream = self.streams.get(number)
        if stream is None:
            return
        if kind == 'X':
            del self.streams[number]
            stream.status = int(payload)
            if stream.on_end:
                stream.on_end(stream)
        elif kind == 'e' and not stream.on_data:
            stream.errors += payload
        elif stream.on_data:
            stream.on_data(kind, payload)
        else:
            stream.output += payload

    # For everybody --------------------------------------------------------------------------------

    def send(self, kind, number, data=b''):
        with self.write_lock:
            try:
                self.sock.sendall(HEADER.pack(len(data), number, ord(kind), 0) + data)
            except OSError:
                self.broken = self.broken or 'QEMU ended by itself'

    def _open(self, kind, text, on_data, on_end):
        with self.changed:
            while True:
                self.number = self.number % 65535 + 1
                if self.number not in self.streams:
                    break
            stream = self.streams[self.number] = Stream(self, self.number, on_data, on_end)
        self.send(kind, stream.number, text.encode())
        return stream

    def run(self, command, on_data=None, on_end=None):
        """Starts the shell command in dom0. on_data(kind, bytes), with kind O or e for its two outputs, and
        on_end(stream) are called in the reading thread."""
        return self._open('R', command, on_data, on_end)

    def terminal(self, path, on_data=None, on_end=None):
        """Opens a terminal of dom0."""
        return self._open('T', path, on_data, on_end)

    def wait_for(self, condition, seconds):
        """Waits for condition() to become true; what it says at the end. Raises if the machine breaks first."""
        deadline = time.monotonic() + seconds
        with self.changed:
            while not condition():
                if self.broken:
                    raise RigError(CRASH, f'{self.broken}; the last words:\n{self.last_words()}')
                left = deadline - time.monotonic()
                if left <= 0:
                    break
                self.changed.wait(min(left, 1))
            return condition()

    def woken(self):
        """Clears wake_fd."""
        try:
            os.eventfd_read(self.wake_fd)
        except BlockingIOError:
            pass

    def command(self, command, seconds=60, data=None):
        """Runs the command to its end: (status, standard output, standard error)."""
        stream = self.run(command)
        if data is not None:
            stream.send(data)
        stream.end_input()
        try:
            status = stream.wait(scaled(seconds))
        except RigError as error:
            raise RigError(error.code, f'while dom0 ran `{command}`: {error}') from None
        if status is None:
            stream.kill()
            said = bytes(stream.output + stream.errors)[-1000:].decode(errors='replace')
            raise RigError(TIMEOUT, f'dom0 did not finish `{command}` within {seconds:g} s. It had said: {said!r}')
        return status, bytes(stream.output), bytes(stream.errors)

    def ping(self, seconds):
        before = self.pongs
        self.send('P', 0)
        return self.wait_for(lambda: self.pongs > before, seconds)

    def last_words(self, size=2000):
        return self.words[-size:].decode(errors='replace')

    def close(self):
        os.eventfd_write(self.stop_fd, 1)
        self.thread.join()
        os.close(self.stop_fd)
        os.close(self.wake_fd)
