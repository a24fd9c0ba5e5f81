"""The API for programs, under `/api/v1`: the same services and queries as the pages, as JSON."""

from webui.api import calls, clients, dial, document, gaps, places, quality, recordings, reviews, tasks
from webui.api.operations import api

#: Every module that declares operations.
MODULES = (calls, clients, dial, document, gaps, places, quality, recordings, reviews, tasks)
routes = api.routes
