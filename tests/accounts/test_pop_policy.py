"""When a call opens itself on a person's screen: his own choice."""

import pytest

from callcrm.accounts import queries, service, sessions
from callcrm.kernel.database import Database
from callcrm.kernel.errors import Invalid
from callcrm.kernel.writer import Writer
from tests.people import OLGA, hire


async def test_a_call_opens_on_ringing_until_the_person_says_otherwise(writer: Writer, database: Database) -> None:
    await hire(writer)
    token = await writer.do(lambda unit: sessions.add_token(unit, OLGA.user_id), name="token")
    seen = []
    for wish in (None, "hand", "answered", "ringing"):
        if wish:
            change = {"pop": wish}
            await writer.do(
                lambda unit, given=change: service.change_user(unit, OLGA.user_id, by=OLGA, **given), name="pop"
            )
        async with database.read() as db:
            actor = await queries.actor_by_token(db, token)
        assert actor is not None
        seen.append(actor.pop)
    assert seen == ["ringing", "hand", "answered", "ringing"]


async def test_another_word_is_no_pop_policy(writer: Writer) -> None:
    await hire(writer)
    with pytest.raises(Invalid) as error:
        await writer.do(lambda unit: service.change_user(unit, OLGA.user_id, pop="never"), name="pop")
    assert error.value.fields["pop"]
