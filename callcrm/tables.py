"""Every table of every slice in one MetaData: what migrations are compared with."""

from sqlalchemy import MetaData

from callcrm.accounts import tables as _accounts
from callcrm.calls import tables as _calls
from callcrm.calls import xraytables as _xrays
from callcrm.clients import tables as _clients
from callcrm.custody import law_tables as _law
from callcrm.custody import tables as _custody
from callcrm.kernel import tables as _kernel
from callcrm.kernel.schema import Base
from callcrm.quality import sampling_tables as _sampling
from callcrm.quality import tables as _quality
from callcrm.shifts import tables as _shifts
from callcrm.tasks import tables as _tasks
from callcrm.telephony import tables as _telephony

SLICES = (
    _kernel,
    _accounts,
    _clients,
    _calls,
    _xrays,
    _tasks,
    _telephony,
    _shifts,
    _quality,
    _custody,
    _law,
    _sampling,
)
metadata: MetaData = Base.metadata
