"""Who listened to which seconds, and who took a recording out, why."""

from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcrm.accounts.policy import Actor
from callcrm.custody import listening
from callcrm.custody.law_tables import Listening
from callcrm.custody.listening import Heard, Spans, total, united
from callcrm.kernel.errors import Invalid, NotAllowed, NotFound
from callcrm.kernel.paging import Wanted
from callcrm.kernel.tables import Audit
from tests.custody.conftest import Office
from tests.people import OLGA, RUSLAN, VERA

_EDGE = st.floats(-5, 70) | st.sampled_from([float("nan"), float("inf"), float("-inf")])
_SPANS = st.lists(st.lists(_EDGE, min_size=1, max_size=3), max_size=12)


@given(_SPANS, _SPANS)
def test_spans_are_in_order_apart_within_the_sound_and_joining_loses_nothing(one: Spans, other: Spans) -> None:
    known = united(one, 60.0)
    both = united([*known, *other], 60.0)
    for found in (known, both):
        assert all(0 <= begin < until <= 60.5 for begin, until in found)
        assert all(a[1] < b[0] for a, b in pairwise(found))
        assert united(found, 60.0) == found
    assert total(both) >= total(known) - 0.05


async def hear(house: Office, actor: Actor, spans: Spans) -> float:
    work = partial(listening.hear, actor=actor, call="c1", n=0, spans=spans, address="192.0.2.7")
    return await house.writer.do(work, name="hear")


async def of_call(house: Office) -> list[Heard]:
    async with house.database.read() as db:
        return await listening.of_call(db, "c1")


async def test_one_listening_gathers_the_seconds_that_were_really_heard(house: Office) -> None:
    call = await house.talks()
    await house.ends(call)
    await house.arrives("c1")
    begin = partial(listening.begin, actor=VERA, call="c1", n=0, address="192.0.2.7")
    await house.writer.do(begin, name="begin")
    assert await hear(house, VERA, [[0, 10]]) == 10.0
    assert await hear(house, VERA, [[5, 12], [40, 45.5], [59, 90]]) == 19.0
    (found,) = await of_call(house)
    assert (found.person, found.address, found.kind) == ("Vera Chief", "192.0.2.7", "listen")
    assert found.spans == ((0.0, 12.0), (40.0, 45.5), (59.0, 60.5))
    assert found.share == pytest.approx(19.0 / 60)
    assert [row["act"] for row in await house.rows(Audit) if row["act"] == "listen"] == ["listen"]


async def test_a_download_needs_the_right_and_a_reason_that_stays(house: Office) -> None:
    call = await house.talks()
    await house.ends(call)
    await house.arrives("c1")

    async def take(actor: Actor, reason: str) -> None:
        work = partial(listening.take_out, actor=actor, call="c1", n=0, reason=reason, address="192.0.2.7")
        await house.writer.do(work, name="take")

    with pytest.raises(NotAllowed):
        await take(OLGA, "For the client")
    with pytest.raises(Invalid):
        await take(VERA, "  ")
    assert await house.rows(Listening) == []
    await take(VERA, "Letter of the court of 3 May")
    (found,) = await of_call(house)
    assert (found.kind, found.reason, found.person) == ("download", "Letter of the court of 3 May", "Vera Chief")
    assert "download" in {row["act"] for row in await house.rows(Audit)}


async def test_nobody_hears_or_lists_what_is_not_his(house: Office) -> None:
    call = await house.talks()
    await house.ends(call)
    await house.arrives("c1")
    with pytest.raises(NotFound):
        await hear(house, RUSLAN, [[0, 5]])
    assert await house.rows(Listening) == []
    await hear(house, OLGA, [[0, 5]])
    await hear(house, VERA, [[0, 5]])
    async with house.database.read() as db:
        with pytest.raises(NotAllowed):
            await listening.listed(db, OLGA, Wanted())
        first = await listening.listed(db, VERA, Wanted(limit=1))
        assert first.next is not None
        second = await listening.listed(db, VERA, Wanted(limit=1, cursor=first.next))
        assert {one.person for one in (*first.items, *second.items)} == {"Olga Bondar", "Vera Chief"}
        mine = await listening.listed(db, VERA, Wanted(), user=OLGA.user_id)
        assert [one.user_id for one in mine.items] == [OLGA.user_id]
