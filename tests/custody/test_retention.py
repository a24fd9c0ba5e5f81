"""Retention: which rule decides, what its preview promises, what is deleted and logged, and what a hold keeps."""

from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from callcrm.calls.tables import CallRecording, CallRow, LegRow
from callcrm.clients import editing
from callcrm.custody import holds, opening, retention, rules
from callcrm.custody.law_tables import Deletion
from callcrm.custody.opening import Away, Opener
from callcrm.custody.places import Places
from callcrm.custody.retention import Preview, Retention
from callcrm.custody.terms import About, Terms, deciding, ends, fits
from callcrm.kernel import clock
from callcrm.kernel.errors import Conflict, Invalid, NotAllowed, NotFound
from callcrm.kernel.tables import Audit
from recordings import Folder
from tests.custody.conftest import Office
from tests.people import ADAM, OLGA, VERA

NOW = datetime(2026, 11, 22, tzinfo=UTC)
_TEXT = st.sampled_from(["", "a", "b"])
_RULES = st.builds(
    Terms,
    id=st.integers(1, 99),
    name=st.just("r"),
    line=st.sampled_from(["", "+7495", "+7812"]),
    queue=_TEXT,
    direction=st.sampled_from(["", "inbound", "outbound"]),
    tag=_TEXT,
    days=st.none() | st.integers(1, 400),
    active=st.booleans(),
    trunk=st.sampled_from(["", "a", "PJSIP/b"]),
)
_ABOUT = st.builds(
    About,
    at=st.just(NOW),
    line=st.sampled_from(["7495", "7812", "x"]),
    queue=_TEXT,
    direction=st.sampled_from(["inbound", "outbound", "internal"]),
    tags=st.tuples(_TEXT, _TEXT),
    trunks=st.tuples(st.sampled_from(["PJSIP/a", "SIP/b"])),
)


@given(st.lists(_RULES, max_size=6), _ABOUT)
def test_the_first_active_rule_that_fits_decides_and_nothing_else_matters(order: list[Terms], about: About) -> None:
    rule = deciding(order, about)
    fitting = [one for one in order if one.active and fits(one, about)]
    assert rule is (fitting[0] if fitting else None)
    until = ends(rule, about)
    assert (until is None) == (rule is None or rule.days is None)
    if rule is not None and until is not None:
        assert (until - about.at).days == rule.days


def test_a_rule_says_its_terms_in_words() -> None:
    assert Terms(1, "Old sales", line="+7495", tag="VIP", days=90).words == (
        "Old sales: line +7495, tag VIP, older than 90 days"
    )
    assert Terms(1, "All", days=None).words == "All: kept for ever"


@pytest.fixture
def opener(tmp_path: Path) -> Opener:
    folder = tmp_path / "monitor"
    folder.mkdir()
    return Opener(Places({"office": Folder(folder)}))


async def aged(house: Office, key: str, days: float, folder: Path, *, tags: tuple[str, ...] = ()) -> Path:
    """A recorded call that ended so many days ago, of a client with these tags."""
    call = await house.talks(key, minutes=days * 24 * 60)
    await house.ends(call)
    sound = folder / f"in-{key}.wav"
    sound.write_bytes(b"RIFF" + bytes(900))
    await house.arrives(key, size=904)
    if tags:
        await house.writer.do(partial(_tagged, key=key, tags=tags), name="tags")
    return sound


async def _tagged(unit: Any, key: str, tags: tuple[str, ...]) -> None:
    client = await editing.add_client(unit, OLGA, {"name": f"Client of {key}", "tags": list(tags)}, [], country="RU")
    await unit.db.execute(update(CallRow).where(CallRow.id == key).values(client_id=client))


async def rule(house: Office, on: bool = True, **typed: str) -> int:
    made: int = await house.writer.do(partial(rules.add, actor=ADAM, typed={"name": "Old", **typed}), name="rule")
    if on:
        await house.writer.do(partial(rules.switch, actor=ADAM, rule_id=made, version=1, on=True), name="on")
    return made


async def previewed(house: Office, rule_id: int) -> Preview:
    async with house.database.read() as db:
        order = [one.terms for one in await rules.listed(db)]
        return await retention.preview(db, order, next(one for one in order if one.id == rule_id), clock.now())


async def states(house: Office) -> dict[str, str]:
    return {row["call_id"]: row["state"] for row in await house.rows(CallRecording)}


async def test_what_the_preview_promises_is_deleted_and_logged_with_the_rules_words(
    house: Office, opener: Opener
) -> None:
    folder = opener.places.folders["office"]
    assert folder is not None
    old = await aged(house, "old", 100, folder.root)
    young = await aged(house, "young", 10, folder.root)
    kept = await aged(house, "vip", 200, folder.root, tags=("Dispute",))
    held = await aged(house, "held", 150, folder.root)
    await rule(house, name="Disputes stay", tag="dispute", keep="ever")
    last = await rule(house, on=False, name="Old ones", days="90")
    hold = partial(holds.place, actor=ADAM, what="call", which="held", reason="Court case 12")
    await house.writer.do(hold, name="hold")

    job = Retention(house.database, house.writer, opener)
    assert await job.run_once() == 0 and old.exists()
    found = await previewed(house, last)
    assert (found.count, found.held, found.other, found.size) == (1, 1, 1, 904)
    assert [one.call for one in found.lines] == ["old"]

    await house.writer.do(partial(rules.switch, actor=ADAM, rule_id=last, version=1, on=True), name="on")
    assert await job.run_once() == 1
    assert [path.exists() for path in (old, young, kept, held)] == [False, True, True, True]
    assert await states(house) == {"old": "deleted", "young": "present", "vip": "present", "held": "present"}
    assert "by the rule “Old ones” (older than 90 days)" in (await house.recording("old"))["cause"]
    (entry,) = await house.rows(Deletion)
    assert (entry["why"], entry["outcome"], entry["rule_id"]) == ("rule", "deleted", last)
    assert entry["words"] == "Old ones: older than 90 days"
    assert ("delete", None) in {(row["act"], row["user_id"]) for row in await house.rows(Audit)}
    assert await job.run_once() == 0
    async with house.database.read() as db:
        lying = await opening.sound_of(db, "old", 0)
    with pytest.raises(NotFound, match="Old ones"):
        await opener.open(lying)


async def _came(unit: Any, key: str, channel: str, direction: str) -> None:
    """A call went by this trunk."""

    await unit.db.execute(update(CallRow).where(CallRow.id == key).values(direction=direction, called="+74950000001"))
    await unit.db.execute(update(LegRow).where(LegRow.call_id == key, LegRow.side == "trunk").values(channel=channel))


async def test_a_line_is_of_calls_that_came_in_and_a_trunk_of_both_ways(house: Office, opener: Opener) -> None:
    folder = opener.places.folders["office"]
    assert folder is not None
    for key, channel, direction in (
        ("in", "PJSIP/provider-0000001a", "inbound"),
        ("out", "PJSIP/provider-0000001b", "outbound"),
        ("other", "SIP/sip-out-2-0000001c", "outbound"),
    ):
        await aged(house, key, 100, folder.root)
        await house.writer.do(partial(_came, key=key, channel=channel, direction=direction), name="trunk")
    for typed, expected in (
        ({"line": "+74950000001"}, {"in"}),
        ({"trunk": "PJSIP/provider"}, {"in", "out"}),
        ({"trunk": "Provider", "direction": "outbound"}, {"out"}),
        ({"trunk": "sip-out-2"}, {"other"}),
        ({"trunk": "PJSIP/sip-out-2"}, set()),
        ({"direction": "outbound"}, {"out", "other"}),
    ):
        found = await previewed(house, await rule(house, on=False, days="90", **typed))
        assert {one.call for one in found.lines} == expected, typed
    async with house.database.read() as db:
        assert await retention.trunks_lately(db) == ["PJSIP/provider", "SIP/sip-out-2"]
    for way in ("outbound", "internal"):
        with pytest.raises(Invalid, match="Only a call that came in has a line"):
            await rule(house, line="+74950000001", direction=way, days="90")
    job = Retention(house.database, house.writer, opener)
    await rule(house, name="Provider", trunk="provider", days="90")
    assert await job.run_once() == 2
    assert await states(house) == {"in": "deleted", "out": "deleted", "other": "present"}


class Stubborn(Opener):
    """A place that does not answer."""

    answers = False

    async def remove(self, lying: opening.Lying) -> None:
        if not self.answers:
            raise Away("The bucket does not answer.")
        await super().remove(lying)


async def test_what_cannot_be_taken_away_is_logged_and_tried_again(house: Office, opener: Opener) -> None:
    folder = opener.places.folders["office"]
    assert folder is not None
    sound = await aged(house, "old", 100, folder.root)
    await rule(house, days="90")
    stubborn = Stubborn(opener.places)
    job = Retention(house.database, house.writer, stubborn)
    assert await job.run_once() == 0
    (entry,) = await house.rows(Deletion)
    assert (entry["outcome"], entry["trouble"]) == ("failed", "The bucket does not answer.")
    assert sound.exists() and (await states(house))["old"] == "deleted"
    stubborn.answers = True
    await job.run_once()
    (entry,) = await house.rows(Deletion)
    assert (entry["outcome"], entry["trouble"]) == ("deleted", "")
    assert not sound.exists()


async def test_a_changed_rule_is_switched_off_until_its_preview_was_looked_at(house: Office) -> None:
    made = await rule(house, days="90")
    typed = {"name": "Old", "days": "9"}
    await house.writer.do(partial(rules.change, actor=ADAM, rule_id=made, typed=typed, version=2), name="change")
    async with house.database.read() as db:
        assert [(one.terms.days, one.terms.active) for one in await rules.listed(db)] == [(9, False)]
    with pytest.raises(Conflict):
        await house.writer.do(partial(rules.switch, actor=ADAM, rule_id=made, version=2, on=True), name="late")
    for typed in ({"name": "", "days": "9"}, {"name": "x", "days": "0"}, {"name": "x", "days": "soon"}):
        with pytest.raises(Invalid):
            await house.writer.do(partial(rules.add, actor=ADAM, typed=typed), name="wrong")
    for actor in (OLGA, VERA):
        with pytest.raises(NotAllowed):
            await house.writer.do(partial(rules.remove, actor=actor, rule_id=made, version=3), name="not his")


@pytest.mark.parametrize("what", ["call", "client", "number"])
async def test_a_hold_keeps_what_it_names_until_it_is_lifted(house: Office, opener: Opener, what: str) -> None:
    folder = opener.places.folders["office"]
    assert folder is not None
    sound = await aged(house, "old", 100, folder.root, tags=("x",))
    await rule(house, days="90")
    row = next(row for row in await house.rows(CallRow) if row["id"] == "old")
    which = {"call": "old", "client": str(row["client_id"]), "number": row["client_number"]}[what]
    hold_id = await house.writer.do(
        partial(holds.place, actor=ADAM, what=what, which=which, reason="Court case 12"), name="hold"
    )
    with pytest.raises(Conflict):
        await house.writer.do(partial(holds.place, actor=ADAM, what=what, which=which, reason="Again"), name="hold")
    job = Retention(house.database, house.writer, opener)
    assert await job.run_once() == 0 and sound.exists()
    await house.writer.do(partial(holds.lift, actor=ADAM, hold_id=hold_id, why="Settled"), name="lift")
    assert await job.run_once() == 1 and not sound.exists()
    async with house.database.read() as db:
        (hold,) = await holds.listed(db, clock.now())
    assert hold.over and hold.lifted_why == "Settled" and hold.placed_by == "adam"


async def test_a_hold_whose_day_has_passed_holds_no_longer(house: Office) -> None:
    await house.talks("c1")
    tomorrow = clock.now() + timedelta(days=1)
    work = partial(holds.place, actor=ADAM, what="call", which="c1", reason="Until then", until=tomorrow)
    await house.writer.do(work, name="hold")
    async with house.database.read() as db:
        for when, over in ((clock.now(), False), (tomorrow + timedelta(hours=1), True)):
            assert [hold.over for hold in await holds.listed(db, when)] == [over]
    with pytest.raises(NotFound):
        await house.writer.do(partial(holds.place, actor=ADAM, what="call", which="none", reason="xxx"), name="none")
