"""Cuts recorded streams to what the simulator ships: `python -m ami.simulator.cut FOLDER` makes traces/ anew."""

import gzip
import io
import json
import sys
from pathlib import Path

from ami.capture import read_capture
from ami.simulator.trace import wanted

SHIPPED = [
    "click_to_call",
    "closed",
    "direct_anonymous",
    "direct_anonymous_missed",
    "direct_answered",
    "direct_busy",
    "direct_hold",
    "direct_named_caller",
    "direct_no_answer",
    "direct_voicemail",
    "internal_answered",
    "ivr_hangup",
    "out_answered",
    "out_busy",
    "out_no_answer",
    "park_and_retrieve",
    "pickup_directed_from_queue",
    "queue_abandoned",
    "queue_all_busy_then_abandoned",
    "queue_answered",
    "queue_no_answer_then_second",
    "queue_operator_hangs_up",
    "transfer_attended",
    "transfer_blind",
    "transfer_blind_by_ami",
    "transfer_blind_from_queue",
]


def cut(source: Path) -> bytes:
    """What is played of a recorded stream, from its first event on, as .jsonl.gz."""
    kept = [one for one in read_capture(source) if one.message and one.t is not None and wanted(one.message)]
    start = kept[0].t or 0.0
    lines = [
        json.dumps({"t": round((one.t or 0.0) - start, 6), "msg": one.message}, ensure_ascii=False) for one in kept
    ]
    buffer = io.BytesIO()
    with gzip.GzipFile("", "wb", 9, buffer, mtime=0) as file:
        file.write(("\n".join(lines) + "\n").encode())
    return buffer.getvalue()


def main(folder: Path) -> None:
    """Write all of them beside this file."""
    for name in SHIPPED:
        (Path(__file__).parent / "traces" / f"{name}.jsonl.gz").write_bytes(cut(folder / f"{name}.jsonl.gz"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
