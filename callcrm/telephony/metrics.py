"""What the listeners count, for `/metrics`: read from them when somebody asks, never written on the way of an event."""

from collections.abc import Iterator
from weakref import WeakValueDictionary

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.registry import Collector

from callcrm.telephony.listener import Listener


class _Listeners(Collector):
    def __init__(self) -> None:
        self.watched: WeakValueDictionary[str, Listener] = WeakValueDictionary()

    def collect(self) -> Iterator[Metric]:
        taken = CounterMetricFamily("callcrm_ami_events", "Events taken from the PBX.", labels=["pbx"])
        recorded = CounterMetricFamily("callcrm_call_changes", "Changes of calls written.", labels=["pbx"])
        troubles = CounterMetricFamily("callcrm_listener_troubles", "What a listener passed over.", labels=["pbx"])
        anomalies = CounterMetricFamily("callcrm_tracker_anomalies", "What made no sense.", labels=["pbx", "kind"])
        for pbx, listener in sorted(self.watched.items()):
            taken.add_metric([pbx], listener.taken)
            recorded.add_metric([pbx], listener.recorded)
            troubles.add_metric([pbx], listener.troubles)
            for kind, count in listener.anomalies.items():
                anomalies.add_metric([pbx, kind], count)
        yield from (taken, recorded, troubles, anomalies)


_listeners = _Listeners()
REGISTRY.register(_listeners)


def watch(pbx: str, listener: Listener) -> None:
    """Count this listener as long as it lives."""
    _listeners.watched[pbx] = listener
