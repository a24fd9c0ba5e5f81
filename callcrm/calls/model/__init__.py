"""The call model: signals of legs in, calls out. Pure: no clock, no I/O, and no input makes it raise."""

from callcrm.calls.model.calls import Calls, call_id

__all__ = ["Calls", "call_id"]
