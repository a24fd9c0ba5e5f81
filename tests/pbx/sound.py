"""The sound of a phone: G.711 A-law over RTP, and keys pressed (RFC 4733)."""

import asyncio
import atexit
import contextlib
import functools
import itertools
import json
import math
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.pbx import media
from tests.pbx.errors import LabError
from tests.pbx.media import A_LAW, BEAT_S, KEY_BEATS, KEY_GAP, KEYS, a_law

#: The process of voices takes no longer to come up, on a busy machine either.
_READY_S = 30.0


def voice(pitch: int) -> bytes:
    """A second that sounds like somebody with this pitch (Hz): 0.6 s of tone, then a pause."""
    return bytes(a_law(int(9000 * math.sin(2 * math.pi * pitch * n / 8000)) if n < 4800 else 0) for n in range(8000))


class Voices:
    """The process that speaks for every phone of this one."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        words = [sys.executable, "-I", str(Path(media.__file__)), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(words, pass_fds=[theirs.fileno()], start_new_session=True)
        self._control.settimeout(_READY_S)
        if not self._control.recv(media.MESSAGE):
            raise LabError("The process that speaks for the phones did not come up.")
        self._keys = itertools.count(1)
        atexit.register(self.close)

    def close(self) -> None:
        self._control.close()
        self._process.wait()

    def open(self, port: socket.socket, says: bytes) -> int:
        """A voice that speaks from this port; its key."""
        key = next(self._keys)
        socket.send_fds(self._control, [json.dumps({"voice": key}).encode() + b"\n" + says], [port.fileno()])
        return key

    def tell(self, key: int, **wish: Any) -> None:
        self._control.send(json.dumps({"voice": key, **wish}).encode())


@functools.cache
def voices() -> Voices:
    """The one process of voices, which lasts as long as this one."""
    return Voices()


class Sound:
    """The media of one leg: a port of its own, a voice, silence while held."""

    def __init__(self, host: str, says: bytes) -> None:
        self.host, self.says, self.port = host, says, 0
        self._key: int | None = None
        self._held = False

    def open(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port:
            port.bind((self.host, 0))
            self.port = port.getsockname()[1]
            self._key = voices().open(port, self.says)

    @property
    def held(self) -> bool:
        return self._held

    @held.setter
    def held(self, held: bool) -> None:
        self._held = held
        self._tell(held=held)

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
            self._tell(to=(host[1], int(port[1])))

    def close(self) -> None:
        self._tell()
        self._key = None

    async def press(self, digits: str) -> None:
        """Presses keys; the voice is silent meanwhile."""
        self._tell(press=digits)
        await asyncio.sleep(len(digits) * (KEY_BEATS + KEY_GAP) * BEAT_S)

    def _tell(self, **wish: Any) -> None:
        if self._key is not None:
            with contextlib.suppress(BrokenPipeError):  # at the very end the process of voices may be gone
                voices().tell(self._key, **wish)
