"""AMI messages: plain dictionaries, and the framing that makes them out of bytes.

A message is `dict[str, str | list[str]]`: a header that comes more than once has a list.
Everything here is pure and never raises on any input: what cannot be read is counted in
`Decoder.counts` and passed over, and reading goes on with the next message.
"""

import re
from collections import Counter

Message = dict[str, str | list[str]]

#: A message longer than this is dropped, and a header's value is cut at `MAX_LINE` characters.
MAX_MESSAGE = 4 << 20
MAX_LINE = 64 << 10

_BANNER = b"Asterisk Call Manager/"
_BANNER_LINE = re.compile(
    rb"(?:\A|(?<=\n))Asterisk Call Manager/[^\r\n]{0,40}(?:\r?\n|\Z)"
    # The connection before was cut in the middle of a line: the banner follows directly.
    rb"|Asterisk Call Manager/[0-9.]{1,20}\r?\n(?=Response:|Event:)"
)
_END = b"\r\n\r\n"


def first(message: Message, key: str, default: str = "") -> str:
    """The header's value, the first one where it comes more than once, else `default`."""
    value = message.get(key, default)
    return value if isinstance(value, str) else (value[0] if value else default)


def values(message: Message, key: str) -> list[str]:
    """All values of a header, in order; empty when it is not there."""
    value = message.get(key)
    if value is None:
        return []
    return [value] if isinstance(value, str) else value


def is_banner(block: bytes) -> bool:
    """Whether a block is the greeting of a new connection rather than a message."""
    return block.startswith(_BANNER)


def banner_version(block: bytes) -> str:
    """The protocol version that the greeting names, such as `11.0.0`."""
    return block[len(_BANNER) :].decode("ascii", "replace").strip()


def add_header(message: Message, key: str, value: str) -> None:
    """Put one more header into a message; one that is there already becomes a list."""
    known = message.get(key)
    if known is None:
        message[key] = value
    elif isinstance(known, list):
        known.append(value)
    else:
        message[key] = [known, value]


class Decoder:
    """Bytes as they come from the wire, cut anywhere, to messages.

    `counts` says what could not be taken: `too long`, `line too long`, `no header` (a line without
    a colon), `no message` (neither Event nor Response), `cut` (the connection ended within it).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.banner: str | None = None
        self._tail = b""
        self._bare: bool | None = None
        self._skipping = False

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes."""
        messages = []
        for block in self.blocks(data):
            if is_banner(block):
                continue
            message = self.parse(block)
            if message is not None:
                messages.append(message)
        return messages

    def blocks(self, data: bytes) -> list[bytes]:
        """The whole messages, still as bytes with CRLF between lines, and banners each as a block of its own."""
        buffer = self._tail + data if self._tail else data
        if self._bare is None and not self._begin(buffer):
            return []
        found: list[bytes] = []
        if self.banner is None and buffer.startswith(_BANNER):
            buffer = self._greeting(buffer, found)
        if self._bare:
            buffer = buffer.replace(b"\r\n", b"\n")
            parts = [part.replace(b"\n", b"\r\n") for part in buffer.split(b"\n\n")]
            self._tail = parts.pop().replace(b"\r\n", b"\n")
        else:
            parts = buffer.split(_END)
            self._tail = parts.pop()
        if self._skipping and parts:
            del parts[0]
            self._skipping = False
        if len(buffer) > MAX_MESSAGE:
            parts = self._bounded(parts)
        if _BANNER in buffer:
            for part in parts:
                self._split_banners(part, found)
            return found
        return found + parts if found else parts

    def end(self) -> list[Message]:
        """The connection is over: what is left unfinished is counted, and dropped."""
        rest, self._tail = self._tail.strip(b"\r\n"), b""
        if rest and not self._skipping:
            self.counts["cut"] += 1
        self._skipping, self._bare, self.banner = False, None, None
        return []

    def parse(self, block: bytes) -> Message | None:
        """One block to a message; None (and counted) when it is none."""
        text = block.decode("utf-8", "replace")
        if "\0" in text:
            # A database's text holds no NUL; nobody else needs it.
            text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")
        lines = text.strip("\r\n").split("\r\n")
        try:
            message: Message = dict([line.split(": ", 1) for line in lines])  # type: ignore[assignment]
        except ValueError:
            return self._parse_slowly(lines)
        if len(message) != len(lines) or len(text) > MAX_LINE:
            return self._parse_slowly(lines)
        return self._checked(message)

    def _parse_slowly(self, lines: list[str]) -> Message | None:
        message: Message = {}
        for line in lines:
            key, colon, value = line.partition(":")
            if not colon or not key:
                if line:
                    self.counts["no header"] += 1
                continue
            if len(line) > MAX_LINE:
                self.counts["line too long"] += 1
                key, value = key[:MAX_LINE], value[: MAX_LINE + 1]
            add_header(message, key, value[1:] if value.startswith(" ") else value)
        return self._checked(message)

    def _checked(self, message: Message) -> Message | None:
        if "Event" in message or "Response" in message:
            return message
        if message:
            self.counts["no message"] += 1
        return None

    def _begin(self, buffer: bytes) -> bool:
        """Learn from the first line whether lines end with CRLF or bare LF; False while there is none."""
        end = buffer.find(b"\n")
        if end < 0:
            self._tail = buffer
            if len(buffer) > MAX_MESSAGE:
                self.counts["too long"] += 1
                self._tail = b""
            return False
        self._bare = end == 0 or buffer[end - 1] != 13
        return True

    def _greeting(self, buffer: bytes, found: list[bytes]) -> bytes:
        line, _, rest = buffer.partition(b"\n")
        line = line.rstrip(b"\r")
        self.banner = line[:200].decode("utf-8", "replace")
        found.append(line[:200])
        return rest

    def _bounded(self, parts: list[bytes]) -> list[bytes]:
        kept = [part for part in parts if len(part) <= MAX_MESSAGE]
        self.counts["too long"] += len(parts) - len(kept)
        if len(self._tail) > MAX_MESSAGE:
            self.counts["too long"] += not self._skipping
            self._tail, self._skipping = self._tail[-3:], True
        return kept

    def _split_banners(self, part: bytes, found: list[bytes]) -> None:
        """A banner in mid-stream: what stands before it in the same block was cut."""
        at = 0
        for match in _BANNER_LINE.finditer(part):
            if part[at : match.start()].strip(b"\r\n"):
                self.counts["cut"] += 1
            found.append(match.group().rstrip(b"\r\n"))
            at = match.end()
        if part[at:].strip(b"\r\n"):
            found.append(part[at:])
