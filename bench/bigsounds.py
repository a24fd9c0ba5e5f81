"""Made-up figures of sound for the big data set: of a talk that has a recording, what looking through it would tell.

Most calls are ordinary; of each kind that a saved filter of the log looks for there are a few in a hundred or fewer.
"""

from random import Random
from typing import Any

from callcrm.calls import xrays
from recordings.xray import Side

Row = dict[str, Any]
_SPANS = 10
_FAULTS = ("client_silent", "operator_silent", "clipped", "faint")


def looked_through(call: Row) -> tuple[Row, Row]:
    """A recording's figures and its call's, as rows of `recording_xrays` and `xrays`; the same call gives the same."""
    dice, talk = Random(call["id"]), float(call["talk_s"])
    share = dice.betavariate(6, 5)
    spoken = talk * dice.uniform(0.6, 0.95)
    longest = min(talk, dice.expovariate(1 / 4))
    figures: Row = {
        "lanes": 2,
        "seconds": talk,
        "silence_s": round(min(talk, longest + dice.expovariate(1 / 10)), 2),
        "overlaps": dice.randrange(6),
        "overlap_s": round(dice.expovariate(1 / 2), 2),
        "longest_silence_s": round(longest, 2),
        "longest_silence_at_s": round(dice.uniform(0, talk - longest), 2),
    }
    for side, part in (("client", 1 - share), ("operator", share)):
        figures |= {f"{side}_talk_s": round(spoken * part, 2), f"{side}_first_word_s": round(dice.expovariate(1.2), 2)}
        figures |= {f"{side}_loudness_db": round(dice.gauss(-24, 4), 1), f"{side}_peak_db": round(dice.gauss(-6, 2), 1)}
        figures[f"{side}_clipped_s"] = 0.0
    key = {"began": call["began"], "call_id": call["id"], "made_at": call["ended_at"], **figures}
    shares = {"client_share": round(1 - share, 4), "operator_share": round(share, 4)}
    fault = dice.choice(_FAULTS) if dice.random() < 0.01 else None
    return {**key, "n": 0, "talk": _talk(talk)}, {**key, **shares, "at": call["at"], "fault": fault}


def _talk(seconds: float) -> bytes:
    """Both by turns, as many times as the row of an ordinary call has it."""
    turn = seconds / (2 * _SPANS)
    lanes = (tuple((turn * n, turn * (n + 1)) for n in range(first, 2 * _SPANS, 2)) for first in (0, 1))
    return xrays.packed([Side(0.0, 0.5, None, None, 0.0, 0.0, lane) for lane in lanes])
