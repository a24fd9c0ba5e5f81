"""A call that never was, written and undone when the service starts: the first real pop is as fast as the next.

What a first call needs is worked out while it is written: the texts of statements, the numbering plan of the
country. That takes some thirty times as long as a call itself.
"""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from callcrm.calls.call import Call, CallLeg, Change, Rang, Talk
from callcrm.calls.rows import Context
from callcrm.calls.service import After, record
from callcrm.kernel.errors import CallcrmError
from callcrm.kernel.writer import NotSaved, Unit, Writer

log = structlog.get_logger(__name__)

#: A number of each country that is kept for films and examples, where there is one; else any.
_NUMBER = "+79990000000"


class _Undone(CallcrmError):
    """The rehearsal is over: nothing of it stays."""


async def rehearse(writer: Writer, context: Context, pbx: str, *, after: Sequence[After] = ()) -> None:
    """Write a call of this PBX from ringing to its end, and undo all of it."""

    async def work(unit: Unit) -> None:
        for changes in _scenes(pbx, unit.now.timestamp()):
            await record(unit, changes, context, after=after)
        raise _Undone("rehearsed")

    try:
        await writer.do(work, name=f"rehearsal of {pbx}", patience_s=5)
    except _Undone:
        return
    except NotSaved as error:
        log.warning("the first call will be slower: it could not be rehearsed", pbx=pbx, why=str(error))


def _scenes(pbx: str, at: float) -> list[list[Change]]:
    """Each unit's changes: a phone rings, is answered, the call ends."""
    client = CallLeg("PJSIP/rehearsal-0", "0.0", "trunk", _NUMBER, at, None, None, None, None)
    phone = CallLeg("PJSIP/0-0", "0.1", "operator", "0", at, None, None, None, None)
    rings = Call(
        id=f"rehearsal of {pbx}"[:40],
        pbx=pbx,
        uniqueid="0.0",
        channel=client.channel,
        direction="inbound",
        state="ringing",
        at=at,
        client=_NUMBER,
        called="0",
        rang=(Rang("0", None, at),),
        legs=(client, phone),
        ringing=("0",),
    )
    talks = replace(
        rings,
        state="talking",
        answered_by=("0",),
        answered_at=at,
        talks=(Talk("0", None, at),),
        wait_s=0.0,
        outcome="answered",
        ringing=(),
        talking=("0",),
    )
    ended = replace(talks, state="ended", ended_at=at, talks=(Talk("0", 0.0, at),), total_s=0.0, talking=())
    return [
        [Change("call.began", rings, at), Change("call.ringing", rings, at, "0")],
        [Change("call.answered", talks, at, "0"), Change("call.changed", talks, at)],
        [Change("call.left", ended, at, "0"), Change("call.ended", ended, at)],
    ]
