"""What push counts and measures, for `/metrics`."""

from prometheus_client import Counter, Gauge, Histogram

_FAST = (0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

CLIENTS = Gauge("callcrm_push_clients", "Sockets that are signed in.")
SENT = Counter("callcrm_push_frames_sent", "Frames written to clients.")
DROPPED = Counter("callcrm_push_clients_dropped", "Clients let go because they did not read.")
REFUSED = Counter("callcrm_push_refused", "Sockets refused or closed for what they sent.", ["why"])
RESUMED = Counter("callcrm_push_resumes", "Clients that came back: told what they missed, or to refetch.", ["how"])
OFFERED = Counter("callcrm_pops_offered", "Pops offered to a person.")
PAINTED = Counter("callcrm_pops_painted", "Pops that a browser said it painted.")
RESENT = Counter("callcrm_pops_resent", "Pops sent again because nobody painted them within a second.")
UNSEEN = Counter("callcrm_pops_without_client", "Pops for a person who had no socket open.")
EVENT_TO_SENT = Histogram(
    "callcrm_pop_event_to_sent_seconds", "From the PBX's event to the pop on the socket.", buckets=_FAST
)
OFFERED_TO_PAINTED = Histogram(
    "callcrm_pop_offered_to_painted_seconds", "From the pop on the socket to the browser's receipt.", buckets=_FAST
)
FACTS = Counter("callcrm_push_facts", "Facts that push has dealt with.")
