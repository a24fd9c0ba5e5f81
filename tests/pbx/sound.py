"""The sound of a phone: G.711 A-law over RTP, both ways, and keys pressed (RFC 4733)."""

import asyncio
import contextlib
import math
import random
import re
import struct
import time

FRAME = 160  # samples in 20 ms at 8 kHz
A_LAW, KEYS = 8, 101


def a_law(sample: int) -> int:
    """One 16-bit sample as A-law."""
    level = min(abs(sample), 32767) >> 4
    segment = max(0, level.bit_length() - 4)
    step = (level >> max(0, segment - 1)) & 0x0F
    return ((0x80 if sample >= 0 else 0) | segment << 4 | step) ^ 0x55


def voice(pitch: int) -> bytes:
    """A second that sounds like somebody with this pitch (Hz): 0.6 s of tone, then a pause."""
    return bytes(a_law(int(9000 * math.sin(2 * math.pi * pitch * n / 8000)) if n < 4800 else 0) for n in range(8000))


class _Ear(asyncio.DatagramProtocol):
    """Counts what is heard."""

    packets = 0

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.packets += 1


class Sound:
    """The media of one leg: a port of its own, a voice, silence while held."""

    def __init__(self, host: str, says: bytes) -> None:
        self.host, self.says = host, says
        self.held = False
        self._keying = False
        self._sequence, self._stamp = random.getrandbits(15), random.getrandbits(30)
        self._source = random.getrandbits(32)
        self._task: asyncio.Task[None] | None = None
        self._to: tuple[str, int] | None = None

    async def open(self) -> "Sound":
        loop = asyncio.get_running_loop()
        self._socket, self._ear = await loop.create_datagram_endpoint(_Ear, local_addr=(self.host, 0))
        self.port: int = self._socket.get_extra_info("sockname")[1]
        return self

    @property
    def heard(self) -> int:
        """Packets that came."""
        return self._ear.packets

    def offer(self, direction: str = "sendrecv") -> str:
        """The SDP that describes this side."""
        return "\r\n".join(
            [
                "v=0",
                f"o=- {self.port} {int(time.time())} IN IP4 {self.host}",
                "s=call",
                f"c=IN IP4 {self.host}",
                "t=0 0",
                f"m=audio {self.port} RTP/AVP {A_LAW} {KEYS}",
                f"a=rtpmap:{A_LAW} PCMA/8000",
                f"a=rtpmap:{KEYS} telephone-event/8000",
                f"a=fmtp:{KEYS} 0-16",
                "a=ptime:20",
                f"a={direction}",
                "",
            ]
        )

    def begin(self, far: str) -> None:
        """Speaks from now on to where the other side's SDP says."""
        host, port = re.search(r"c=IN IP4 (\S+)", far), re.search(r"m=audio (\d+)", far)
        if host and port:
            self._to = host[1], int(port[1])
        if self._task is None:
            self._task = asyncio.create_task(self._speak(), name=f"voice-{self.port}")

    def close(self) -> None:
        if self._task:
            self._task.cancel()
        self._socket.close()

    async def press(self, digits: str) -> None:
        """Presses keys; the voice is silent meanwhile."""
        self._keying = True
        for digit in digits:
            event, stamp = "0123456789*#".index(digit), self._stamp
            for n in range(1, 9):
                last = 0x80 if n > 5 else 0
                self._send(
                    KEYS | (0x80 if n == 1 else 0), stamp, struct.pack("!BBH", event, last | 10, FRAME * min(n, 6))
                )
                await asyncio.sleep(0.02)
            await asyncio.sleep(0.1)
        self._keying = False

    def _send(self, kind: int, stamp: int, payload: bytes) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        head = struct.pack("!BBHII", 0x80, kind, self._sequence, stamp, self._source)
        with contextlib.suppress(OSError):
            self._socket.sendto(head + payload, self._to)

    async def _speak(self) -> None:
        place, due = 0, time.monotonic()
        while True:
            if not (self.held or self._keying):
                self._send(A_LAW, self._stamp, self.says[place : place + FRAME])
            self._stamp = (self._stamp + FRAME) & 0xFFFFFFFF
            place = (place + FRAME) % len(self.says)
            due += 0.02
            await asyncio.sleep(max(0.0, due - time.monotonic()))
