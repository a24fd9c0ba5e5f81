"""A SIP phone over UDP for the loopback: registers, calls, is called. It never sends a thing twice."""

import asyncio
import contextlib
import secrets

from tests.pbx.errors import LabError
from tests.pbx.leg import Leg
from tests.pbx.sip import SipMessage, answer_to, branch
from tests.pbx.sound import voice, voices


class _Wire(asyncio.DatagramProtocol):
    def __init__(self, phone: "Phone") -> None:
        self.phone = phone

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if data.strip():
            self.phone.received(SipMessage.read(data))


class Phone:
    """An operator's phone (with a password), or the provider's side of the trunk.

    phone = await Phone("101", "secret-101", ("127.0.0.1", 20060)).open()
    await phone.register()
    leg = await phone.incoming()
    leg.answer()
    """

    def __init__(
        self, user: str, password: str, pbx: tuple[str, int], host: str = "127.0.0.1", port: int = 0, pitch: int = 440
    ) -> None:
        self.user, self.password, self.pbx, self.host, self._port = user, password, pbx, host, port
        self.domain = f"{pbx[0]}:{pbx[1]}"
        self.voice = voice(pitch)
        self.legs: dict[str, Leg] = {}
        self._offers: asyncio.Queue[Leg] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._registration: tuple[str, asyncio.Future[SipMessage]] | None = None

    async def open(self) -> "Phone":
        voices()  # before anybody rings: it takes a moment
        loop = asyncio.get_running_loop()
        self._wire, _ = await loop.create_datagram_endpoint(lambda: _Wire(self), local_addr=(self.host, self._port))
        self.at = f"{self.host}:{self._wire.get_extra_info('sockname')[1]}"
        self.contact = f"<sip:{self.user}@{self.at}>"
        return self

    async def close(self) -> None:
        """Hangs up everything and goes off."""
        for leg in list(self.legs.values()):
            leg.hang_up()
        if self._registration:
            with contextlib.suppress(TimeoutError, LabError):  # the PBX may be gone by now
                await self.register(0)
        await asyncio.sleep(0.05)
        self._wire.close()

    async def register(self, seconds: int = 3600) -> None:
        call_id, address = secrets.token_hex(16), f"sip:{self.domain}"
        me = f"<sip:{self.user}@{self.domain}>"
        proofs: list[tuple[str, str]] = []
        tag = secrets.token_hex(4)
        for number in (1, 2):
            self._registration = call_id, asyncio.get_running_loop().create_future()
            headers = [
                ("Via", f"SIP/2.0/UDP {self.at};branch={branch()};rport"),
                ("Max-Forwards", "70"),
                ("From", f"{me};tag={tag}"),
                ("To", me),
                ("Call-ID", call_id),
                ("CSeq", f"{number} REGISTER"),
                ("Contact", self.contact),
                ("Expires", str(seconds)),
                *proofs,
            ]
            self.send(SipMessage(f"REGISTER {address} SIP/2.0", headers))
            reply = await asyncio.wait_for(self._registration[1], 5)
            if reply.status == 200:
                return
            proofs = [answer_to(reply, self.user, self.password, "REGISTER", address)]
        raise LabError(f"Phone {self.user} is not let in: {reply.first}")

    async def call(
        self, number: str, caller: str | None = None, name: str | None = None, headers: dict[str, str] | None = None
    ) -> Leg:
        """Dials; `caller` shows another number than the phone's own (the provider does so)."""
        leg = Leg(self, secrets.token_hex(16), outgoing=True)
        self.legs[leg.call_id] = leg
        await leg.dial(number, caller, name, list((headers or {}).items()))
        return leg

    async def incoming(self, patience_s: float = 20) -> Leg:
        """The next call to this phone; it rings already."""
        return await asyncio.wait_for(self._offers.get(), patience_s)

    def forget_ended(self) -> None:
        """Lets go of dialogs that are over, so that a long day does not fill the memory."""
        self.legs = {call_id: leg for call_id, leg in self.legs.items() if not leg.ended}

    def received(self, message: SipMessage) -> None:
        call_id = message.header("Call-ID")
        if self._registration and call_id == self._registration[0]:
            if (message.status or 0) >= 200 and not self._registration[1].done():
                self._registration[1].set_result(message)
        elif leg := self.legs.get(call_id):
            again = leg.invite and message.method == "INVITE" and message.cseq == leg.invite.cseq
            if not again:
                leg.received(message)
        elif message.method == "INVITE":
            task = asyncio.create_task(self._offered(message, call_id), name=f"phone-{self.user}-rings")
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        elif message.method and message.method != "ACK":
            Leg(self, call_id, outgoing=False).received(message)

    def send(self, message: SipMessage) -> None:
        if not self._wire.is_closing():
            self._wire.sendto(message.bytes(), self.pbx)

    async def _offered(self, invite: SipMessage, call_id: str) -> None:
        leg = self.legs[call_id] = Leg(self, call_id, outgoing=False)
        await leg.offered(invite)
        self._offers.put_nowait(leg)
