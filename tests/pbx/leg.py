"""One call as one phone has it: what it may do, and when things happened on the wire."""

import asyncio
import random
import re
import secrets
import time
from typing import TYPE_CHECKING

from tests.pbx.errors import LabError
from tests.pbx.sip import SipMessage, answer_to, branch
from tests.pbx.sound import Sound

if TYPE_CHECKING:
    from tests.pbx.phone import Phone


class Leg:
    """A dialog of a phone. Moments are seconds of time.monotonic().

    `began` (INVITE went out or came in), `answered`, `ended`; `ended_by` is "phone" or "pbx".
    `joined`/`left`: when the client came to this phone or left it while the dialog went on.
    """

    def __init__(self, phone: "Phone", call_id: str, outgoing: bool) -> None:
        self.phone, self.call_id, self.outgoing = phone, call_id, outgoing
        self.began = time.monotonic()
        self.answered: float | None = None
        self.ended: float | None = None
        self.joined: float | None = None
        self.left: float | None = None
        self.ended_by: str | None = None
        self.status: int | None = None
        self.tag = secrets.token_hex(5)
        self.me = self.peer = self.target = ""
        self.invite: SipMessage | None = None
        self.sound = Sound(phone.host, phone.voice)
        self._cseq = random.randint(1, 1000)
        self._via = ""
        self._answers: dict[int, asyncio.Future[SipMessage]] = {}
        self._rings, self._talks, self._ends = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._referred = asyncio.Event()
        self._challenged = False

    # ---- what happened -------------------------------------------------------------
    @property
    def caller(self) -> str:
        """Who calls, as an incoming call shows it."""
        assert self.invite
        found = re.search(r"sip:([^@;>]+)", self.invite.header("From"))
        return found[1] if found else ""

    @property
    def called(self) -> str:
        assert self.invite
        found = re.search(r"sip:([^@;>]+)", self.invite.first)
        return found[1] if found else ""

    @property
    def ring_s(self) -> float:
        """From the first ring to the answer or the end."""
        return (self.answered or self.ended or time.monotonic()) - self.began

    @property
    def talk_s(self) -> float:
        """How long this phone had the other side."""
        since = self.joined or self.answered
        return 0.0 if since is None else (self.left or self.ended or time.monotonic()) - since

    async def ringing(self, patience_s: float = 10) -> None:
        await asyncio.wait_for(self._rings.wait(), patience_s)

    async def talking(self, patience_s: float = 30) -> None:
        await asyncio.wait_for(self._talks.wait(), patience_s)

    async def over(self, patience_s: float = 60) -> None:
        await asyncio.wait_for(self._ends.wait(), patience_s)

    # ---- what a person does -------------------------------------------------------------
    async def dial(self, number: str, caller: str | None, name: str | None, extra: list[tuple[str, str]]) -> None:
        """Sends the first INVITE."""
        self.sound.open()
        domain = "anonymous.invalid" if caller == "anonymous" else self.phone.domain
        shown = f'"{name}" ' if name else ""
        self.me = f"{shown}<sip:{caller or self.phone.user}@{domain}>;tag={self.tag}"
        self.target = f"sip:{number.replace('#', '%23')}@{self.phone.domain}"
        self.peer = self._first_peer = f"<{self.target}>"
        self._extra = extra
        self.began = time.monotonic()
        self._request("INVITE", extra, self.sound.offer())

    async def offered(self, invite: SipMessage) -> None:
        """Takes in an INVITE from the PBX; the phone rings."""
        self.invite = invite
        self.sound.open()
        self.me, self.peer = f"{invite.header('To')};tag={self.tag}", invite.header("From")
        self.target = invite.uri("Contact")
        self._reply(invite, 180, "Ringing")

    def answer(self) -> None:
        assert self.invite
        self._reply(self.invite, 200, "OK", self.sound.offer())
        self.sound.begin(self.invite.body)
        self.answered = time.monotonic()
        self._talks.set()

    def reject(self, status: int = 486, reason: str = "Busy Here") -> None:
        assert self.invite
        self._reply(self.invite, status, reason)
        self._end("phone", status)

    def hang_up(self) -> None:
        """Ends the call, whatever its state."""
        if self.ended:
            return
        if not self.answered and not self.outgoing:
            self.reject(603, "Decline")
            return
        if self.answered:
            self._request("BYE")
        else:
            self._send("CANCEL", self._cseq, via=self._via, to=self._first_peer)
        self._end("phone", None)

    async def hold(self) -> None:
        self.sound.held = True
        await self._offer_again("sendonly")

    async def unhold(self) -> None:
        self.sound.held = False
        await self._offer_again("sendrecv")

    async def transfer(self, number: str) -> None:
        """Blind: sends the other side to a number, as a phone's transfer key does."""
        await self._refer(f"<sip:{number}@{self.phone.domain}>")

    async def join(self, other: "Leg") -> None:
        """Attended: joins the far sides of two calls of this phone."""
        theirs = re.search(r"tag=([^;>]+)", other.peer)
        address = re.search(r"<([^>;]+)", other.peer)
        assert theirs and address
        replaces = f"{other.call_id}%3Bto-tag%3D{theirs[1]}%3Bfrom-tag%3D{other.tag}"
        await self._refer(f"<{address[1]}?Replaces={replaces}>")

    async def press(self, digits: str) -> None:
        await self.sound.press(digits)

    # ---- what comes from the wire ---------------------------------------------------------
    def received(self, message: SipMessage) -> None:
        if message.status:
            self._got_response(message, message.status)
        elif message.method == "BYE":
            self._reply(message, 200, "OK")
            self._end("pbx", None)
        elif message.method == "CANCEL" and self.invite:
            self._reply(message, 200, "OK")
            self._reply(self.invite, 487, "Request Terminated")
            self._end("pbx", 487)
        elif message.method in ("INVITE", "UPDATE"):
            self._reply(message, 200, "OK", self.sound.offer() if message.body else "")
            if self.answered:
                self.sound.begin(message.body)
        elif message.method == "NOTIFY" and "sipfrag" in message.header("Content-Type"):
            self._reply(message, 200, "OK")
            if int(message.body.split()[1]) >= 200:
                self._referred.set()
        elif message.method != "ACK":
            self._reply(message, 200, "OK")

    def _got_response(self, message: SipMessage, status: int) -> None:
        number, method = message.cseq
        asked = self._answers.get(number)
        if asked:
            if status >= 200 and not asked.done():
                asked.set_result(message)
        elif method == "INVITE" and not self.answered:
            self._got_first_answer(message, status, number)

    def _got_first_answer(self, message: SipMessage, status: int, number: int) -> None:
        if status < 200:
            if status in (180, 183):
                self._rings.set()
            return
        self.peer = message.header("To")
        if status < 300:
            self._connected(message, number)
            return
        self._send("ACK", number, via=self._via)
        if status in (401, 407) and not self._challenged:
            self._challenged = True
            self.peer = self._first_peer
            proof = answer_to(message, self.phone.user, self.phone.password, "INVITE", self.target)
            self._request("INVITE", [*self._extra, proof], self.sound.offer())
            return
        self._end("pbx", status)

    def _connected(self, message: SipMessage, number: int) -> None:
        self.target = message.uri("Contact") or self.target
        self._send("ACK", number)
        if self.ended:  # answered in the moment we gave up
            self._request("BYE")
            return
        self.sound.begin(message.body)
        self.answered = time.monotonic()
        self._rings.set()
        self._talks.set()

    # ---- to the wire ------------------------------------------------------------------------
    async def _refer(self, target: str) -> None:
        self._referred.clear()
        by = f"<sip:{self.phone.user}@{self.phone.domain}>"
        await self._ask("REFER", [("Refer-To", target), ("Referred-By", by)])
        await asyncio.wait_for(self._referred.wait(), 20)

    async def _offer_again(self, direction: str) -> None:
        reply = await self._ask("INVITE", [], self.sound.offer(direction))
        self._send("ACK", reply.cseq[0])

    async def _ask(self, method: str, extra: list[tuple[str, str]], body: str = "") -> SipMessage:
        """A request within the dialog, tried again with a proof when challenged."""
        proofs: list[tuple[str, str]] = []
        for _ in range(2):
            number = self._cseq + 1
            self._answers[number] = asyncio.get_running_loop().create_future()
            self._request(method, [*extra, *proofs], body)
            reply = await asyncio.wait_for(self._answers[number], 10)
            if reply.status not in (401, 407):
                break
            if method == "INVITE":
                self._send("ACK", number, via=self._via)
            proofs = [answer_to(reply, self.phone.user, self.phone.password, method, self.target)]
        if (reply.status or 0) >= 300:
            raise LabError(f"{method} of phone {self.phone.user}: {reply.first}")
        return reply

    def _request(self, method: str, extra: list[tuple[str, str]] | None = None, body: str = "") -> None:
        self._cseq += 1
        self._send(method, self._cseq, extra, body)

    def _send(
        self,
        method: str,
        number: int,
        extra: list[tuple[str, str]] | None = None,
        body: str = "",
        via: str = "",
        to: str = "",
    ) -> None:
        via = via or f"SIP/2.0/UDP {self.phone.at};branch={branch()};rport"
        if method == "INVITE":
            self._via = via
        headers = [
            ("Via", via),
            ("Max-Forwards", "70"),
            ("From", self.me),
            ("To", to or self.peer),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
            ("Contact", self.phone.contact),
            *(extra or []),
        ]
        self.phone.send(SipMessage(f"{method} {self.target} SIP/2.0", headers, body))

    def _reply(self, request: SipMessage, status: int, reason: str, body: str = "") -> None:
        to = request.header("To")
        if "tag=" not in to:
            to += f";tag={self.tag}"
        headers = [("Via", via) for via in request.every("Via")]
        headers += [("From", request.header("From")), ("To", to), ("Call-ID", self.call_id)]
        headers += [("CSeq", request.header("CSeq")), ("Contact", self.phone.contact)]
        self.phone.send(SipMessage(f"SIP/2.0 {status} {reason}", headers, body))

    def _end(self, who: str, status: int | None) -> None:
        if self.ended:
            return
        self.ended, self.ended_by, self.status = time.monotonic(), who, status
        self.sound.close()
        self._rings.set()
        self._ends.set()
