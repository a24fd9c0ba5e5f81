"""Puts the listener of one Asterisk together from its settings."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.ext.asyncio import AsyncConnection

from ami.actions import DialRules
from ami.connection import Connection
from ami.link import AmiSettings, tls_context
from ami.tracker import WANTED as TRACKED
from ami.tracker import Tracker
from callcrm.kernel.bus import Bus
from callcrm.kernel.database import Database
from callcrm.kernel.errors import StartupError
from callcrm.kernel.writer import Unit, Writer
from callcrm.telephony import queues
from callcrm.telephony.asterisk import Adapter
from callcrm.telephony.asterisk_phones import AsteriskPhones, Parking
from callcrm.telephony.commands import CommandRunner
from callcrm.telephony.listener import Listener, Models, Parts
from callcrm.telephony.sides import Sides
from callcrm.telephony.soundnames import SoundNames

if TYPE_CHECKING:
    from callcrm.settings import PbxSettings

#: What is read of the stream; of the flood of VarSet only what names a recording.
WANTED: dict[str, tuple[str, ...]] = dict.fromkeys(TRACKED | queues.WANTED, ()) | {"VarSet": (SoundNames.VARIABLE,)}


def ami_settings(name: str, pbx: "PbxSettings") -> AmiSettings:
    """Where the PBX is and who we are there; StartupError when the certificate to trust cannot be read."""
    try:
        tls = tls_context(pbx.tls_ca) if pbx.tls else None
    except OSError as error:  # ssl.SSLError is one, too
        why = error.strerror or str(error)
        raise StartupError(f"[pbx.{name}] tls_ca: {pbx.tls_ca} is no certificate that can be read ({why}).") from None
    return AmiSettings(
        name=name,
        host=pbx.host,
        port=pbx.port,
        username=pbx.username,
        secret=pbx.secret.get_secret_value(),
        tls=tls,
    )


def dial_rules(pbx: "PbxSettings") -> DialRules:
    """Where click-to-call may go."""
    return DialRules(pbx.dial_context, pbx.dial_channel, pbx.dial_numbers, max(1, round(pbx.dial_timeout_s)))


def asterisk_listener(
    name: str,
    pbx: "PbxSettings",
    calls: Models,
    *,
    record: Callable[[Unit, Sequence[Any]], Awaitable[object]],
    open_since: Callable[[AsyncConnection], Awaitable[datetime | None]],
    settle: Callable[[Unit, Collection[str]], Awaitable[object]] | None = None,
    sides: Sides | None = None,
    database: Database,
    writer: Writer,
    bus: Bus,
) -> Listener:
    """A listener for this PBX, not yet started; `calls` is its call model, the rest as in `Parts`."""
    connection = Connection(ami_settings(name, pbx), WANTED)
    known = queues.Queues()
    parking = Parking(pbx.parking_lot, pbx.hold_max_s, pbx.swap_code)
    phones = AsteriskPhones(connection, dial_rules(pbx), known, parking)
    adapter = Adapter(sides or Sides(pbx.trunks, pbx.operators))
    return Listener(
        name,
        connection,
        Parts(Tracker(), adapter.hear, calls, record, open_since, settle),
        database=database,
        writer=writer,
        commands=CommandRunner(phones, database, writer, bus, ring_s=pbx.dial_timeout_s),
        known=known,
    )
