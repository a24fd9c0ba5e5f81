"""What listeners count is told to monitoring, and forgotten with the listener."""

from collections import Counter
from typing import Any

from prometheus_client import generate_latest

from callcrm.telephony import metrics


class Counting:
    """As much of a listener as is counted."""

    taken, recorded, troubles = 70, 12, 1

    @property
    def anomalies(self) -> dict[str, int]:
        return Counter({"unknown channel": 3})


def test_counters_of_a_listener_come_and_go_with_it() -> None:
    listener: Any = Counting()
    metrics.watch("bench", listener)
    text = generate_latest().decode()
    assert 'callcrm_ami_events_total{pbx="bench"} 70.0' in text
    assert 'callcrm_call_changes_total{pbx="bench"} 12.0' in text
    assert 'callcrm_tracker_anomalies_total{kind="unknown channel",pbx="bench"} 3.0' in text
    del listener
    assert 'pbx="bench"' not in generate_latest().decode()
