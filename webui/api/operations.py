"""The one list of operations; each module of this package adds its own."""

from webui.api.endpoint import Api

api = Api()
