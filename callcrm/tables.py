"""Every table of every slice in one MetaData: what migrations are compared with."""

from sqlalchemy import MetaData

from callcrm.accounts import tables as _accounts
from callcrm.calls import tables as _calls
from callcrm.clients import tables as _clients
from callcrm.kernel import tables as _kernel
from callcrm.kernel.schema import Base
from callcrm.tasks import tables as _tasks

SLICES = (_kernel, _accounts, _clients, _calls, _tasks)
metadata: MetaData = Base.metadata
