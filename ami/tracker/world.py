"""What the tracker believes of the PBX: channels, bridges, who hears whom; every change says what it tells."""

from collections import Counter
from collections.abc import Iterable

from ami import legs
from ami.tracker.channel import Bridge, Channel, endpoint_of, known, plain

#: Ended channels are remembered, so that a late or doubled event does not bring one back.
REMEMBERED = 20_000
#: Anomalies kept in words; beyond that they are only counted.
KEPT = 200


class World:
    """Channels and bridges by their ids, and the events of legs that are still to be told."""

    def __init__(self) -> None:
        self.channels: dict[str, Channel] = {}
        self.bridges: dict[str, Bridge] = {}
        self.by_name: dict[str, str] = {}
        self.gone: dict[str, float] = {}
        self.out: list[legs.LegEvent] = []
        self.anomalies: Counter[str] = Counter()
        self.details: list[tuple[str, str]] = []
        self.step = 0
        self.guessed: set[str] = set()
        self.gap = False

    # -- telling ---------------------------------------------------------------------------
    def tell(self, event: legs.LegEvent) -> None:
        """Put an event into what the next `feed` returns."""
        self.out.append(event)

    def odd(self, kind: str, detail: str) -> None:
        """Count something that should not be so, and keep the first ones in words."""
        self.anomalies[kind] += 1
        if len(self.details) < KEPT:
            self.details.append((kind, detail[:200]))

    # -- channels --------------------------------------------------------------------------
    def find(self, uid: str) -> Channel | None:
        """The channel with this Uniqueid, if it is there."""
        return self.channels.get(uid)

    def named(self, name: str) -> Channel | None:
        """The channel with this name, if it is there."""
        return self.channels.get(self.by_name.get(plain(name), ""))

    def begin(self, uid: str, name: str, root: str, at: float, *, exact: bool = True) -> Channel:
        """A channel is there that was not known."""
        channel = Channel(uid=uid, name=name, root=root or uid, began=at, born=self.step, exact=exact, last=at)
        self.channels[uid] = channel
        self.by_name[plain(name)] = uid
        return channel

    def introduce(self, channel: Channel) -> None:
        """Tell of a leg once, when its first headers have been read."""
        if channel.told or not channel.party:
            return
        channel.told = True
        self.tell(
            legs.LegBegan(
                at=channel.began,
                leg=channel.uid,
                channel=plain(channel.name),
                endpoint=endpoint_of(channel.name),
                root=channel.root,
                number=channel.number,
                name=channel.caller_name,
                exten=channel.exten,
                context=channel.context,
                exact=channel.exact,
            )
        )

    def tell_recorded(self, channel: Channel, file: str, at: float) -> None:
        """Tell of a channel's recording; of a Local half's through a leg that is heard there, once there is one."""
        leg, hears = (channel.uid, False) if channel.told else self._behind(channel)
        if leg is not None:
            self.tell(legs.LegRecorded(at, leg, plain(channel.name), file, hears))
        elif channel.local:
            channel.untold.append(file)

    def _behind(self, channel: Channel) -> tuple[str | None, bool]:
        """The leg whose voice comes through a Local half; else the one that hears what comes (True)."""
        if not channel.local:
            return None, False
        half = self.named(channel.other_half)
        says = self._party_at(half, set()) if half is not None else None
        return (says, False) if says is not None else (self._party_at(channel, set()), True)

    def _party_at(self, half: Channel, seen: set[str]) -> str | None:
        """The leg at the outer side of a Local half: who is in a bridge with it, or calls it."""
        bridge = self.bridges.get(half.bridge or "")
        near = sorted(bridge.members - {half.uid}) if bridge is not None else [half.dialer or ""]
        for one in (self.channels[uid] for uid in near if uid in self.channels and uid not in seen):
            seen.add(one.uid)
            further = self.named(one.other_half) if one.local else None
            found = one.uid if one.told else self._party_at(further, seen) if further is not None else None
            if found is not None:
                return found
        return None

    def rename(self, channel: Channel, name: str) -> None:
        """The channel has another name."""
        if self.by_name.get(plain(channel.name)) == channel.uid:
            del self.by_name[plain(channel.name)]
        channel.name = name
        self.by_name[plain(name)] = channel.uid

    def answer(self, channel: Channel, at: float) -> None:
        """The channel is Up."""
        if channel.up:
            return
        channel.up = True
        if channel.party:
            self.tell(legs.LegUp(at, channel.uid))

    def ring(self, channel: Channel, at: float, dialer: Channel | None, dialled: str, *, exact: bool = True) -> None:
        """The channel is being called; the leg behind Local halves is the one that calls."""
        if dialer is not None and dialer.uid != channel.uid and (channel.dialer is None or channel.presumed):
            news = bool(dialled) or channel.dialer != dialer.uid
            channel.dialer = dialer.uid
            if channel.presumed and news:
                self._ring_again(channel, at, dialer, dialled)
            channel.presumed = channel.presumed and not dialled
        if channel.rung or not channel.party:
            return
        channel.rung = True
        by = self.caller_of(channel)
        if by is None and dialer is not None:
            by = self._first_leg(channel)
            self.guessed.add(channel.uid)
        exten = dialer.exten if dialer is not None else ""
        self.tell(legs.LegRang(at, channel.uid, by, exten, known(dialled), exact and channel.exact))

    def _ring_again(self, channel: Channel, at: float, dialer: Channel, dialled: str) -> None:
        """Who calls a leg that rings already is said now, where it was only presumed."""
        by = self.caller_of(channel)
        if by is None:
            self.guessed.add(channel.uid)
        self.tell(legs.LegRang(at, channel.uid, by, dialer.exten, known(dialled)))

    def caller_of(self, channel: Channel) -> str | None:
        """The leg that calls this channel, through any number of Local pairs."""
        uid, seen = channel.dialer, {channel.uid}
        while uid is not None and uid not in seen:
            seen.add(uid)
            dialer = self.channels.get(uid)
            if dialer is None:
                break
            if dialer.party:
                return dialer.uid
            half = self.named(dialer.other_half) if dialer.local else None
            if half is None:
                break
            listening = self.listeners(half.uid)
            if half.dialer is None and listening:
                return min(listening)
            uid = half.dialer
        return None

    def _first_leg(self, channel: Channel) -> str | None:
        """The first leg of the conversation: who calls, while the Local pair between leads nowhere yet."""
        root = self.channels.get(channel.root)
        return root.uid if root is not None and root.party and root.uid != channel.uid else None

    def _call_again(self, at: float) -> None:
        """Tell who calls, of those legs where it could only be guessed and is known now."""
        for uid in sorted(self.guessed):
            channel = self.channels.get(uid)
            if channel is None or channel.up:
                self.guessed.discard(uid)
                continue
            by = self.caller_of(channel)
            if by is not None:
                self.guessed.discard(uid)
                dialer = self.channels.get(channel.dialer or "")
                self.tell(legs.LegRang(at, uid, by, dialer.exten if dialer is not None else "", ""))

    def end(self, channel: Channel, at: float, cause: int | None) -> None:
        """The channel is over, and leaves where it was."""
        self.move(channel, None, at)
        self.channels.pop(channel.uid, None)
        if self.by_name.get(plain(channel.name)) == channel.uid:
            del self.by_name[plain(channel.name)]
        self.gone[channel.uid] = at
        if len(self.gone) > REMEMBERED:
            for uid in list(self.gone)[: REMEMBERED // 2]:
                del self.gone[uid]
        if channel.told:
            ended = at if channel.asked is None else min(channel.asked, at)
            self.tell(legs.LegEnded(ended, channel.uid, cause))

    # -- bridges ---------------------------------------------------------------------------
    def bridge(self, uid: str) -> Bridge:
        """The bridge with this id, made when it was not known."""
        found = self.bridges.get(uid)
        if found is None:
            found = self.bridges[uid] = Bridge(uid)
        return found

    def move(self, channel: Channel, bridge: Bridge | None, at: float, *, exact: bool = True) -> None:
        """The channel goes from the bridge that it is in, if any, into this one, if any."""
        if channel.bridge == (bridge.id if bridge else None):
            return
        touched = {channel.uid} | self.near(channel)
        old = self.bridges.get(channel.bridge or "")
        if old is not None:
            old.members.discard(channel.uid)
            channel.parted = True
            if not old.members and not old.holding and not old.conference:
                self.bridges.pop(old.id, None)
        channel.bridge = bridge.id if bridge else None
        if bridge is not None:
            self.bridges.setdefault(bridge.id, bridge)
            bridge.members.add(channel.uid)
            channel.bridged_at, channel.parted = at, False
            touched |= self.near(channel)
        self.tell_together(touched, at, channel.uid, exact=exact)
        if self.guessed:
            self._call_again(at)
        for uid in sorted(bridge.members) if bridge is not None else ():
            self._record_again(self.channels[uid], at)

    def _record_again(self, channel: Channel, at: float) -> None:
        """Tell of a Local half's recordings that no leg was known for."""
        untold, channel.untold = channel.untold, []
        for file in untold:
            self.tell_recorded(channel, file, at)

    def near(self, channel: Channel) -> set[str]:
        """Whoever is in one conversation with the channel now, through Local pairs too."""
        found: set[str] = set()
        self._collect(channel, found, set())
        return found

    def listeners(self, uid: str) -> set[str]:
        """The legs that this channel hears, or that hear through it."""
        channel = self.channels.get(uid)
        if channel is None:
            return set()
        return {one for one in self.near(channel) if one != uid and self.channels[one].party}

    def _collect(self, channel: Channel, found: set[str], rooms: set[str]) -> None:
        waiting = [channel]
        while waiting:
            one = waiting.pop()
            found.add(one.uid)
            if one.local:
                half = self.named(one.other_half)
                if half is not None and half.uid not in found and half.bridge is not None and one.bridge is not None:
                    waiting.append(half)
            bridge = self.bridges.get(one.bridge or "")
            if bridge is None or bridge.holding or bridge.id in rooms:
                continue
            rooms.add(bridge.id)
            waiting += [self.channels[uid] for uid in bridge.members if uid not in found and uid in self.channels]

    def tell_together(self, touched: Iterable[str], at: float, mover: str, *, exact: bool = True) -> None:
        """Tell each of these legs whom it hears, where that is news."""
        for uid in sorted(touched):
            channel = self.channels.get(uid)
            if channel is None or not channel.party:
                continue
            peers = frozenset(self.listeners(uid))
            if peers == channel.peers:
                continue
            channel.peers = peers
            bridge = self.bridges.get(channel.bridge or "")
            conference = bridge is not None and bridge.conference
            self.tell(legs.LegTogether(at, uid, peers, uid == mover, conference, exact))

    def partners(self, channel: Channel) -> list[Channel]:
        """Whom the channel calls, or is called by, who answered and is in no bridge: they should be in one with it."""
        return [
            one
            for one in self.channels.values()
            if one.up
            and one.bridge is None
            and (one.uid in (channel.dialer, channel.mate) or channel.uid in (one.dialer, one.mate))
        ]

    def clear(self, bridge: Bridge, at: float, keep: Iterable[str] = ()) -> None:
        """Nobody is in the bridge any more, but for these."""
        kept = set(keep)
        for uid in sorted(bridge.members - kept):
            channel = self.channels.get(uid)
            if channel is None:
                bridge.members.discard(uid)
            else:
                self.move(channel, None, at)
