"""What the listeners count, for `/metrics`: read from them when somebody asks, never written on the way of an event."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from weakref import WeakValueDictionary

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from callcrm.telephony.listener import Listener


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Watched:
    """One listener; `anomalies` tells how often its tracker met each kind."""

    listener: Listener
    anomalies: Callable[[], Mapping[str, int]]


class _Listeners(Collector):
    def __init__(self) -> None:
        self.watched: WeakValueDictionary[str, Watched] = WeakValueDictionary()

    def collect(self) -> Iterator[Metric]:
        taken = CounterMetricFamily("callcrm_ami_events", "Events taken from the PBX.", labels=["pbx"])
        recorded = CounterMetricFamily("callcrm_call_changes", "Changes of calls written.", labels=["pbx"])
        troubles = CounterMetricFamily("callcrm_listener_troubles", "Events that were passed over.", labels=["pbx"])
        anomalies = CounterMetricFamily("callcrm_tracker_anomalies", "What made no sense.", labels=["pbx", "kind"])
        for pbx, one in sorted(self.watched.items()):
            taken.add_metric([pbx], one.listener.taken)
            recorded.add_metric([pbx], one.listener.recorded)
            troubles.add_metric([pbx], one.listener.troubles)
            for kind, count in one.anomalies().items():
                anomalies.add_metric([pbx, kind], count)
        yield from (taken, recorded, troubles, anomalies)


_listeners = _Listeners()
REGISTRY.register(_listeners)


def watch(pbx: str, listener: Listener, anomalies: Callable[[], Mapping[str, int]]) -> Watched:
    """Count this listener as long as what is returned is kept."""
    watched = Watched(listener, anomalies)
    _listeners.watched[pbx] = watched
    return watched
