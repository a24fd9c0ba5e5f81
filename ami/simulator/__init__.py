"""A simulated PBX: a TCP server that speaks AMI and plays recorded calls as if they happened now."""

from ami.simulator.pbx import DemoPbx
from ami.simulator.story import Operator, Person, Queue, Story
from ami.simulator.talks import Heard, Recording

__all__ = ["DemoPbx", "Heard", "Operator", "Person", "Queue", "Recording", "Story"]
