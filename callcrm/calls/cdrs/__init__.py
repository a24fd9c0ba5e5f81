"""Calls read off a PBX's own call detail records (CDR): rows in, calls out. Pure, and no row makes it raise.

A CDR knows who called, who was called, what came of it and when, in whole seconds. It does not know who hung up, who
held whom, and what was a transfer and what the dialplan's own doing: that stays empty rather than guessed.
"""

from callcrm.calls.cdrs.calls import calls
from callcrm.calls.cdrs.groups import Group, groups
from callcrm.calls.cdrs.parties import Parties
from callcrm.calls.cdrs.row import Row, read

__all__ = ["Group", "Parties", "Row", "calls", "groups", "read"]
