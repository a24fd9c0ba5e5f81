"""The simulated PBX: listens, plays calls, and does what tests ask of it."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from random import Random

from ami.capture import to_bytes
from ami.messages import Message
from ami.simulator.answers import Answers
from ami.simulator.casting import Casting
from ami.simulator.commands import Commands
from ami.simulator.endless import Endless
from ami.simulator.living import Channel
from ami.simulator.names import Counters
from ami.simulator.parking import Parking
from ami.simulator.play import Play
from ami.simulator.session import MAX_UNREAD, Session, User
from ami.simulator.stage import Stage
from ami.simulator.story import Person, Story
from ami.simulator.talks import Recording
from ami.simulator.trace import Trace, load

USERS = {
    "callcrm": User.of("callcrm-secret", "system,call,agent,cdr,user", "call,reporting,agent,originate"),
    "full": User.of("full-secret", "system,call,agent,cdr,user,dialplan", "all"),
    "blind": User.of("blind-secret", "log", "log"),
}


class DemoPbx:
    """A PBX that is not there: it speaks AMI, and plays recorded calls with fresh names, ids and times.

    `story` says who plays; with `calls_per_minute` it plays without end, all of it `speed` times as fast
    (if `patient`, only while a client listens); the same `seed` gives the same cast. `on_recording` is called
    when a recorded call is over (in the event loop: it must not block). Test hooks: `play`, `begin`,
    `drop_clients`, `stall`, `refuse_passwords`, `send_garbage`; `stop` says Shutdown first.
    """

    def __init__(
        self,
        story: Story | None = None,
        *,
        seed: int | None = None,
        calls_per_minute: float = 0.0,
        speed: float = 1.0,
        users: Mapping[str, User] | None = None,
        on_recording: Callable[[Recording], None] | None = None,
        channelvars: bool = True,
        timestamps: bool = False,
        patient: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.story = story or Story()
        self.users = dict(users or USERS)
        self.version, self.ami_version = "22.10.1", "11.0.0"
        self.speed = speed
        self.now = now
        self.dice = Random(seed)
        self.refuse_passwords = False
        self.max_unread = MAX_UNREAD
        self.flowing = asyncio.Event()
        self.flowing.set()
        self.sessions: set[Session] = set()
        self.plays: list[Play] = []
        self.stage = Stage(self.story, now(), channelvars=channelvars, on_recording=on_recording)
        self.counters = Counters(Random(self.dice.random()))
        self.casting = Casting(self.story, self.stage.state, Random(self.dice.random()))
        self.answers = Answers(self)
        self.free_again = asyncio.Event()
        self.recent: dict[str, float] = {}
        self.parking = Parking(self)
        self._commands = Commands(self)
        self._timestamps = timestamps
        self._patient = patient
        self.wanted = asyncio.Event()
        self.came_or_went()
        self._calls_per_minute = calls_per_minute
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._stall: asyncio.TimerHandle | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        if self._server is None:
            raise RuntimeError("the simulated PBX is not started")
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen; raises OSError when the port is taken. Endless playing begins if a pace was given."""
        self._server = await asyncio.start_server(self._serve, host, port, limit=1 << 16)
        if self._calls_per_minute:
            endless = Endless(self, self._calls_per_minute, Random(self.dice.random()))
            self.spawn(endless.background(), "pbx-calls")
            if self.story.favourite:
                self.spawn(endless.favourite(), "pbx-favourite")

    async def stop(self, *, graceful: bool = True) -> None:
        """End: clients are told Shutdown and closed; not `graceful`: they are cut off. Playing ends where it is."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.stage.finish(self.now())
        if self._stall is not None:
            self._stall.cancel()
        if self._server is not None:
            self._server.close()
        self._flow()
        for session in list(self.sessions):
            if not graceful:
                session.abort()
                continue
            session.tell({"Event": "Shutdown", "Privilege": "system,all", "Shutdown": "Cleanly", "Restart": "False"})
            await session.close()
        if self._server is not None:
            await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.sessions.add(session)
        await session.serve()

    # ---- calls -----------------------------------------------------------------------------
    async def play(
        self,
        name: str,
        *,
        speed: float | None = None,
        people: Sequence[Person] = (),
        operators: Sequence[str] = (),
    ) -> Play:
        """Play one trace to its end; waits first until its operators are free.

        `people` and `operators` are given the trace's outside numbers and parts in their order; the rest is
        cast. `name` is a shipped trace's or a path.
        """
        play = await self.begin(name, speed=speed, people=people, operators=operators)
        await play.over()
        return play

    async def begin(
        self,
        name: str,
        *,
        speed: float | None = None,
        people: Sequence[Person] = (),
        operators: Sequence[str] = (),
        lead: str = "",
    ) -> Play:
        """As `play`, but returns when the call has begun."""
        trace = load(name)
        while True:
            cast = self.casting.operators(trace, operators, lead=lead)
            if cast is not None:
                return self.perform(trace, cast, self.casting.people(trace, people), speed=speed)
            self.free_again.clear()
            await self.free_again.wait()

    def perform(
        self,
        trace: Trace,
        operators: Mapping[str, str],
        people: Mapping[str, Person],
        *,
        speed: float | None = None,
        extra: Mapping[str, str] | None = None,
        clicked: str = "Click to call",
    ) -> Play:
        """Begin a play whose cast is known; its operators are busy until their last step."""
        play = Play(
            trace,
            self.story,
            self.counters,
            operators,
            people,
            began=self.now(),
            speed=speed or self.speed,
            dice=self.dice,
            extra=extra,
            clicked=clicked,
        )
        self.casting.busy.update(operators.values())
        self.casting.calling.update(one.number for one in people.values())
        self.plays.append(play)
        self.spawn(self._run(play), f"pbx-play-{trace.name}")
        return play

    async def _run(self, play: Play) -> None:
        try:
            await play.run(self.put, self._freed, self.now)
        finally:
            self.plays.remove(play)
            self.casting.calling.difference_update(one.number for one in play.clients.values())
            self.counters.spaces.difference_update(play.names.spaces)
            if play.trace.callers and not any(step.talking for step in play.trace.steps):
                self.casting.calls_again(list(play.clients.values()))

    def _freed(self, operator: str) -> None:
        self.casting.busy.discard(operator)
        self.recent[operator] = self.now()
        self.free_again.set()

    def put(self, message: Message) -> None:
        """Play one event: what it changes is changed, and all clients that may see it are told."""
        now = self.now()
        for one in self.stage.put(message, now):
            self.tell(one, now)

    def tell(self, message: Message, now: float) -> None:
        """Send an event to the clients."""
        if self._timestamps and "Privilege" in message:
            head = {key: message[key] for key in ("Event", "Privilege")}
            message = {**head, "Timestamp": f"{now:.6f}", **message}
        encoded = to_bytes(message) if self.sessions else b""
        for session in list(self.sessions):
            session.tell(message, encoded)

    def came_or_went(self) -> None:
        """A client has logged in or gone: a `patient` PBX plays without end only while somebody listens."""
        if not self._patient or any(session.user for session in self.sessions):
            self.wanted.set()
        else:
            self.wanted.clear()

    # ---- what clients ask for -----------------------------------------------------------------
    def originate(self, message: Message) -> None:
        """Click to call: the operator's phone first, as soon as it is free, then the number."""
        self.spawn(self._commands.originate(message), "pbx-originate")

    def hang_up(self, channel: Channel) -> None:
        """End the call that a channel is in."""
        self._commands.hang_up(channel)

    def send_on(self, channel: Channel, exten: str, *, transfer: bool) -> bool:
        """Send the client on to another operator; False when that cannot be done."""
        return self._commands.send_on(channel, exten, transfer=transfer)

    def park(self, channel: Channel, message: Message) -> bool:
        """Park a caller who is in a talk; False when that cannot be done."""
        return self.parking.park(channel, message)

    def change_member(self, queue: str, interface: str, what: str, more: Message) -> None:
        """Add, remove or pause a member of a queue, and tell so."""
        self._commands.change_member(queue, interface, what, more)

    # ---- what tests do to it --------------------------------------------------------------------
    def drop_clients(self) -> None:
        """Cut every connection."""
        for session in list(self.sessions):
            session.abort()

    def stall(self, seconds: float) -> None:
        """Send and answer nothing for a while, as a PBX that hangs; then go on."""
        self.flowing.clear()
        self._stall = asyncio.get_running_loop().call_later(seconds, self._flow)

    def _flow(self) -> None:
        self.flowing.set()
        for session in list(self.sessions):
            session.flow()

    def send_garbage(self, data: bytes) -> None:
        """Send these bytes to every client, whatever they are."""
        for session in list(self.sessions):
            session.write(data)

    def spawn(self, work: Coroutine[object, object, None], name: str) -> None:
        """Run a coroutine as a named task of this PBX, which ends with it."""
        task: asyncio.Task[None] = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
