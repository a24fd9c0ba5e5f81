"""The phones' voices, sent by a process of their own.

A phone speaks 50 times a second, whatever else goes on. Within a process of tests it cannot: a full garbage collection
there takes seconds once many tests have run, and what is said in one go afterwards Asterisk's recorder throws away
(main/audiohook.c: a side that is 100 ms ahead of the other flushes both). So this file runs alone, on the standard
library only; it is told what to do over a socket that keeps messages apart, and it ends with that socket.
"""

import contextlib
import json
import random
import select
import socket
import struct
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

FRAME, BEAT_S = 160, 0.02  # samples at 8 kHz, and how long they last
A_LAW, KEYS = 8, 101
#: A key: so many beats of its sound, of which the last are marked as its end, and so many of silence.
KEY_BEATS, KEY_ENDS, KEY_GAP = 8, 3, 5
#: Larger than any message: a voice is 8000 bytes.
MESSAGE = 65536


def a_law(sample: int) -> int:
    """One 16-bit sample as A-law."""
    level = min(abs(sample), 32767) >> 4
    segment = max(0, level.bit_length() - 4)
    step = (level >> max(0, segment - 1)) & 0x0F
    return ((0x80 if sample >= 0 else 0) | segment << 4 | step) ^ 0x55


@dataclass
class Voice:
    """One leg's voice: where it goes to, and what is said next."""

    socket: socket.socket
    says: bytes
    to: tuple[str, int] | None = None
    held: bool = False
    keys: "deque[tuple[int, bytes] | None]" = field(default_factory=deque)
    _place: int = 0
    _stamp: int = field(default_factory=lambda: random.getrandbits(30))
    _key_stamp: int = 0
    _sequence: int = field(default_factory=lambda: random.getrandbits(15))
    _source: int = field(default_factory=lambda: random.getrandbits(32))

    def press(self, digits: str) -> None:
        """Keys instead of the voice, one after the other."""
        for digit in digits:
            event = "0123456789*#".index(digit)
            for n in range(1, KEY_BEATS + 1):
                last = 0x80 if n > KEY_BEATS - KEY_ENDS else 0
                lasts = FRAME * min(n, KEY_BEATS - KEY_ENDS + 1)
                self.keys.append((0x80 if n == 1 else 0, struct.pack("!BBH", event, last | 10, lasts)))
            self.keys.extend([None] * KEY_GAP)

    def beat(self) -> None:
        """Says 20 ms."""
        if self.to is None:
            return
        if self.keys:
            if (key := self.keys.popleft()) is not None:
                mark, payload = key
                self._key_stamp = self._stamp if mark else self._key_stamp
                self._send(KEYS | mark, self._key_stamp, payload)
        elif not self.held:
            self._send(A_LAW, self._stamp, self.says[self._place : self._place + FRAME])
        self._stamp = (self._stamp + FRAME) & 0xFFFFFFFF
        self._place = (self._place + FRAME) % len(self.says)

    def _send(self, kind: int, stamp: int, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, stamp, self._source)
        with contextlib.suppress(OSError):  # the other side is gone already
            self.socket.sendto(head + payload, self.to or ("", 0))


class Choir:
    """All voices on one beat: after a delay both sides of a call catch up step by step, neither ahead of the other."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._voices: dict[int, Voice] = {}

    def run(self) -> None:
        """Speaks until the socket is closed."""
        due = time.monotonic()
        while self._hear(max(0.0, due - time.monotonic())):
            if time.monotonic() >= due:
                for voice in self._voices.values():
                    voice.beat()
                due += BEAT_S

    def _hear(self, patience_s: float) -> bool:
        """Does what is wished by then; False once nobody wishes any more."""
        if not select.select([self._control], [], [], patience_s)[0]:
            return True
        message, handles, _flags, _address = socket.recv_fds(self._control, MESSAGE, 1)
        if message:
            head, _, says = message.partition(b"\n")
            self._do(json.loads(head), handles, says)
        return bool(message)

    def _do(self, wish: dict[str, Any], handles: list[int], says: bytes) -> None:
        key = wish["voice"]
        if handles:
            self._voices[key] = Voice(socket.socket(fileno=handles[0]), says)
        elif (voice := self._voices.get(key)) is None:
            return
        elif "to" in wish:
            voice.to = wish["to"][0], wish["to"][1]
        elif "held" in wish:
            voice.held = wish["held"]
        elif "press" in wish:
            voice.press(wish["press"])
        else:
            self._voices.pop(key).socket.close()


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    control.send(b"ready")
    Choir(control).run()
