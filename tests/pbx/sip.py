"""SIP as text: reading and writing messages, and the answer to a digest challenge."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

Headers = list[tuple[str, str]]


@dataclass
class SipMessage:
    """A request (`method`) or a response (`status`), with its headers in order."""

    first: str
    headers: Headers = field(default_factory=list)
    body: str = ""

    @classmethod
    def read(cls, data: bytes) -> "SipMessage":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines if ":" in line)
        return cls(first, [(name.strip(), value.strip()) for name, _, value in pairs], body)

    def bytes(self) -> bytes:
        """As it goes over the wire."""
        headers = [*self.headers, ("Content-Length", str(len(self.body.encode())))]
        if self.body:
            headers.insert(0, ("Content-Type", "application/sdp"))
        return ("\r\n".join([self.first, *(f"{k}: {v}" for k, v in headers)]) + "\r\n\r\n" + self.body).encode()

    @property
    def status(self) -> int | None:
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else None

    @property
    def method(self) -> str | None:
        return None if self.status else self.first.split()[0]

    @property
    def cseq(self) -> tuple[int, str]:
        number, method = self.header("CSeq").split()
        return int(number), method

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str:
        """The first header of that name, empty when there is none."""
        return next(iter(self.every(name)), "")

    def uri(self, name: str) -> str:
        """The address between the angle brackets of a header."""
        return found[1] if (found := re.search(r"<([^>]+)>", self.header(name))) else ""


def branch() -> str:
    """A fresh transaction's mark."""
    return "z9hG4bK" + secrets.token_hex(8)


def answer_to(challenge: SipMessage, user: str, password: str, method: str, uri: str) -> tuple[str, str]:
    """The header that answers a 401 or 407."""
    asks, answers = (
        ("Proxy-Authenticate", "Proxy-Authorization")
        if challenge.status == 407
        else ("WWW-Authenticate", "Authorization")
    )
    said = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.header(asks)))
    mine = secrets.token_hex(4)
    who, what = _md5(f"{user}:{said['realm']}:{password}"), _md5(f"{method}:{uri}")
    proof = _md5(f"{who}:{said['nonce']}:00000001:{mine}:auth:{what}")
    fields = {
        "username": user,
        "realm": said["realm"],
        "nonce": said["nonce"],
        "uri": uri,
        "response": proof,
        "cnonce": mine,
    }
    if "opaque" in said:
        fields["opaque"] = said["opaque"]
    quoted = ", ".join(f'{name}="{value}"' for name, value in fields.items())
    return answers, f"Digest {quoted}, algorithm=MD5, qop=auth, nc=00000001"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
