"""The OpenAPI document, and anything thrown at what it describes."""

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Api
from tests.people import ADAM
from webui.api import api as declared
from webui.api import openapi
from webui.api.endpoint import PREFIX

CONTRACT = {
    ("get", "/calls"),
    ("get", "/calls/{id}"),
    ("get", "/calls/{id}/recordings/{n}"),
    ("get", "/clients"),
    ("post", "/clients"),
    ("get", "/clients/{id}"),
    ("patch", "/clients/{id}"),
    ("get", "/organisations"),
    ("post", "/organisations"),
    ("get", "/tasks"),
    ("post", "/tasks"),
    ("patch", "/tasks/{id}"),
    ("post", "/dial"),
    ("get", "/operators"),
    ("get", "/queues"),
    ("get", "/pbx"),
}
PARAMETERS = {
    "/calls": {"since", "until", "direction", "missed", "client", "operator", "queue", "pbx", "limit", "cursor"},
    "/clients": {"phone", "q", "limit", "cursor"},
    "/tasks": {"kind", "state", "limit", "cursor"},
}


async def test_the_document_describes_the_contract_and_every_route(api: Api) -> None:
    document = await api.get(None, "/openapi.json")
    assert document["openapi"].startswith("3.1")
    described = {(method, path) for path, methods in document["paths"].items() for method in methods}
    assert described >= CONTRACT
    routed = {(route.method.lower(), route.path.removeprefix(PREFIX)) for route in declared.routes}
    assert described == routed
    for path, names in PARAMETERS.items():
        assert {one["name"] for one in document["paths"][path]["get"]["parameters"]} >= names


async def test_every_reference_in_the_document_leads_somewhere(api: Api) -> None:
    document = await api.get(None, "/openapi.json")

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if isinstance(part.get("$ref"), str) else []
            return own + [one for held in part.values() for one in references(held)]
        return [one for held in part for one in references(held)] if isinstance(part, list) else []

    found = references(document)
    assert found
    for reference in found:
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_every_operation_asks_for_an_actor_but_the_document() -> None:
    assert [route.path for route in declared.routes if route.public] == [f"{PREFIX}/openapi.json"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TEXTS = ["name", "number", "title", "kind", "state", "due_at", "note", "operator", "email"]
FIELDS = [*TEXTS, "numbers", "version", "owner_id", "client_id", "tags"]
BODIES = JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5)
QUERIES = st.dictionaries(
    st.sampled_from([*PARAMETERS["/calls"], "phone", "q", "kind", "state", "owner", "x"]),
    st.text(max_size=20) | st.integers().map(str),
    max_size=3,
)
CASES = sorted((op.method, op.path) for op in declared.operations)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_anything_is_answered_as_the_document_says(api: Api, data: st.DataObject) -> None:
    method, path = data.draw(st.sampled_from(CASES))
    client = api.clients[0] if api.clients else await api.program(ADAM)
    document = openapi.document(declared)
    place = data.draw(st.integers(-5, 10**20).map(str) | st.sampled_from(["one", "x" * 300, "%00", "..%2f"]))
    address = PREFIX + path.replace("{id}", place).replace("{n}", "0")
    body = json.dumps(data.draw(BODIES)).encode() if method in ("POST", "PATCH") else None
    headers = {"Content-Type": "application/json"} if body is not None else {}
    async with client.request(method, address, params=data.draw(QUERIES), data=body, headers=headers) as answer:
        described = document["paths"][path][method.lower()]["responses"]
        assert answer.status < 500, await answer.text()
        assert str(answer.status) in described, (answer.status, address, body)
        if answer.status >= 400:
            problem = await answer.json(content_type="application/problem+json")
            assert problem["status"] == answer.status
            assert problem["detail"]
