"""A conversation's rows as a call, with the same id as from the stream."""

from collections.abc import Sequence

from callcrm.calls.call import Call, CallLeg, Parked, Pickup, Rang, Sound, Talk
from callcrm.calls.cdrs import fate
from callcrm.calls.cdrs.contacts import Channels, Contact, contacts
from callcrm.calls.cdrs.groups import Group
from callcrm.calls.cdrs.parties import Parties
from callcrm.calls.cdrs.row import Row
from callcrm.calls.model.calls import call_id
from callcrm.calls.model.fate import shown_number


def calls(groups: Sequence[Group], parties: Parties, pbx: str) -> list[Call]:
    """The calls of a PBX in order of beginning; groups in which no party is are none."""
    made = (_Reading(group, parties, pbx) for group in groups)
    return [one.call() for one in made if one.caller]


class _Reading:
    """One conversation as its rows tell it."""

    def __init__(self, group: Group, parties: Parties, pbx: str) -> None:
        self._group, self._parties, self._pbx = group, parties, pbx
        self._channels = Channels(group.rows)
        self._first = next((row for row in group.rows if row.uniqueid == group.root), group.rows[0])
        self.caller = self._party(self._first.channel)
        self._way = self._direction() if self.caller else ""
        self._client = self._client_channel() if self.caller else ""
        self._met = contacts(self._client, self._channels) if self._client else []
        self._talks = self._counted()
        self._pickup = self._picked_up()

    # -- who --------------------------------------------------------------------------------
    def _party(self, channel: str) -> str:
        """Who is at a channel: itself, or whoever stands behind a Local."""
        return next((one for one, _ in self._channels.behind(channel)), "")

    def _operator(self, channel: str) -> str:
        return self._parties.extension(channel)

    def _who(self, one: Contact) -> str:
        dialled = one.row.src if one.calling else self._parties.dialled(one.own)
        return self._operator(one.channel) or dialled or one.channel

    def _direction(self) -> str:
        if not self._operator(self.caller):
            return "inbound"
        reached = any(row.dstchannel and self._parties.outside(row.dstchannel) for row in self._group.rows)
        return "outbound" if reached or self._parties.is_number(self._wanted()) else "internal"

    def _client_channel(self) -> str:
        """The client's line: who called in; of a call out the outside line that was reached, else the last tried."""
        if self._way != "outbound":
            return self.caller
        outside = [row for row in self._group.rows if row.dstchannel and self._parties.outside(row.dstchannel)]
        return next((row.dstchannel for row in outside if row.answered), outside[-1].dstchannel if outside else "")

    def _counted(self) -> list[Contact]:
        """Those who talked for the company; of outside lines only the first that a call in was sent to."""
        answered = [one for one in self._met if one.answered]
        if self._way == "inbound" and answered and not self._operator(answered[0].channel):
            return [answered[0], *(one for one in answered[1:] if self._operator(one.channel))]
        return [one for one in answered if self._operator(one.channel)]

    # -- numbers ----------------------------------------------------------------------------
    def _wanted(self) -> str:
        """What the caller dialled; the number on show, where the PBX called the operator for it."""
        return self._first.src if self._first.outgoing_line else self._first.dst

    def _number(self) -> str | None:
        if self._way == "inbound":
            return shown_number(self._first.src or fate.number_in(self._first.clid))
        if self._way == "internal":
            return None
        tried = [row for row in self._channels.of(self._client) if row.dstchannel == self._client]
        return next((self._parties.dialled(row) for row in tried), "") or fate.named(self._wanted())

    def _called(self) -> str | None:
        if self._way != "outbound" and (did := next((row.did for row in self._group.rows if row.did), "")):
            return did
        wanted = fate.named(self._wanted())
        ours = [self._operator(one.channel) for one in self._met]
        if self._way == "outbound" or wanted is None or not ours or wanted == ours[0]:
            return wanted
        # A transfer writes its own number over what the caller had dialled, in the rows before it, too.
        later = {*ours[1:], *(self._parties.dialled(one.own) for one in self._met[1:])}
        if len(ours) > 1 and (wanted in later or self._handed_on()):
            return ours[0] if self._way == "internal" else None
        return wanted

    def _handed_on(self) -> bool:
        """What stands as dialled by an outside line was dialled where only operators dial."""
        return self._way == "inbound" and self._parties.operators_dial_in(self._first.dcontext)

    # -- what happened ------------------------------------------------------------------------
    def _picked_up(self) -> Pickup | None:
        """A phone's own row that dialled a code while it rang in vain is where somebody took its call away."""
        for rang in self._met:
            own = [row for row in self._channels.began(rang.channel) if row.outgoing_line]
            taken = next((one for one in self._talks if one.start >= rang.end - 1.0 and one is not rang), None)
            if own and not rang.answered and own[0].dst.startswith("*") and taken is not None:
                return Pickup(self._operator(rang.channel) or None, self._who(taken))
        return None

    def _called_in(self, one: Contact) -> bool:
        """This phone dialled by itself to have the client: it did not ring."""
        own = self._channels.began(one.channel)
        by_itself = any(row.lastapp and not row.outgoing_line and row.start <= one.start for row in own)
        return one.calling or by_itself or (self._pickup is not None and self._pickup.by == self._who(one))

    def _rang(self) -> list[Contact]:
        return [
            one
            for one in self._met
            if self._operator(one.channel)
            and not self._called_in(one)
            and one.own.disposition not in ("FAILED", "CONGESTION")
        ]

    def _rang_for_him(self) -> tuple[Rang, ...]:
        """The caller's own phone, where the PBX was asked to call it first and nobody lifted it."""
        if not self._first.outgoing_line or self._first.answer is not None:
            return ()
        return (Rang(self._operator(self.caller), self._first.end - self._first.start, self._first.start),)

    def _parked(self) -> Parked | None:
        park = next((row for row in self._channels.began(self._client) if row.lastapp == "park"), None)
        if park is None:
            return None
        by = next((self._who(one) for one in reversed(self._talks) if one.start < park.start), None)
        space = park.lastdata.rpartition(":")[2] or None
        fetched = next((row for row in self._group.rows if row.lastapp == "parkedcall"), None)
        if fetched is not None:
            return Parked(by, space, retrieved_by=self._operator(self._party(fetched.channel)) or None)
        after = [one for one in self._met if one.start >= park.end - 1.0]
        return Parked(by, space, timed_out=bool(after), given_up=not after)

    def call(self) -> Call:
        """The call."""
        start, end = self._first.start, self._end()
        first = self._talks[0] if self._talks else None
        missed = self._way == "inbound" and first is None
        waited = first.since if first is not None else end
        own = self._channels.began(self._client or self.caller)
        return Call(
            id=call_id(self._pbx, self._group.root),
            pbx=self._pbx,
            uniqueid=self._group.root,
            channel=self.caller,
            direction=self._way,
            state="ended",
            at=start,
            client=self._number(),
            called=self._called(),
            name=fate.name_in(self._first.clid, self._first.src) if self._way == "inbound" else None,
            caller=self._operator(self.caller) if self._way == "internal" else None,
            operator=self._operator(self.caller) if self._way == "outbound" else None,
            queue=fate.queue(self._group.rows),
            rang=(*self._rang_for_him(), *(Rang(self._who(one), _ring_s(one), one.rung) for one in self._rang())),
            talks=tuple(Talk(self._who(one), _talk_s(one), one.since) for one in self._talks),
            answered_by=tuple(self._who(one) for one in self._talks),
            answered_at=first.earliest if first is not None else None,
            ended_at=end,
            wait_s=None if waited is None else max(0.0, waited - start),
            total_s=max(0.0, end - start),
            missed=missed,
            outcome="answered" if first is not None else fate.outcome(self._way, self._first, self._tried()),
            why=fate.why_missed(self._rang(), own) if missed else None,
            parked=self._parked(),
            pickup=self._pickup,
            click_to_call=self._first.outgoing_line,
            voicemail=fate.mailbox(own),
            recordings=self._sounds() if first is not None else (),
            legs=self._legs(),
        )

    def _tried(self) -> list[Row]:
        """The rows that called somebody for the caller."""
        if self._way == "outbound":
            return [row for row in self._channels.of(self._client) if row.dstchannel == self._client]
        return [one.own for one in self._met if not one.calling]

    def _end(self) -> float:
        if self._way == "inbound":
            return max(row.end for row in self._channels.began(self._first.channel))
        return max([self._first.end, *(row.end for row in self._channels.of(self._client))])

    def _sounds(self) -> tuple[Sound, ...]:
        files = dict.fromkeys((row.recordingfile, row.channel) for row in self._group.rows if row.recordingfile)
        lanes = {file: "client" if channel == self._client else "operator" for file, channel in reversed(files)}
        return tuple(Sound(file, None, lane) for file, lane in reversed(lanes.items()))

    def _legs(self) -> tuple[CallLeg, ...]:
        ids = {row.channel: row.uniqueid for row in self._group.rows}
        talking = [one for one in self._talks if one.since is not None]
        own = CallLeg(
            channel=self.caller,
            uniqueid=self._group.root,
            side=self._parties.side(self.caller),
            who=self._operator(self.caller) or shown_number(self._first.src),
            at=self._first.start,
            ring_s=None,
            answered_at=talking[0].since if talking else None,
            talk_s=None,
            cause=None,
        )
        others = [self._leg(one, ids.get(one.channel, "")) for one in self._met if one.channel != self.caller]
        if self._client and self._client != self.caller:
            others.insert(0, self._client_leg(ids.get(self._client, "")))
        return (own, *others)

    def _client_leg(self, uniqueid: str) -> CallLeg:
        rows = [row for row in self._channels.of(self._client) if row.dstchannel == self._client]
        start = rows[0].start if rows else self._first.start
        since = self._talks[0].since if self._talks else None
        side = self._parties.side(self._client)
        ring_s = None if since is None else max(0.0, since - start)
        return CallLeg(self._client, uniqueid, side, self._number(), start, ring_s, since, None, None)

    def _leg(self, one: Contact, uniqueid: str) -> CallLeg:
        side, ring_s = self._parties.side(one.channel), None if self._called_in(one) else _ring_s(one)
        since, talk_s = (one.since, _talk_s(one)) if one in self._talks else (None, None)
        return CallLeg(one.channel, uniqueid, side, self._who(one), one.rung, ring_s, since, talk_s, None)


def _ring_s(one: Contact) -> float | None:
    """How long it rang, where its beginning and its end are known."""
    until = one.lifted if one.answered else min(one.end, one.own.end)
    return None if one.rung is None or until is None else max(0.0, until - one.rung)


def _talk_s(one: Contact) -> float | None:
    return None if one.since is None else max(0.0, one.end - one.since)
