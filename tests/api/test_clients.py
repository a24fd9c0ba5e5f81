"""Clients and organisations for programs."""

from callcrm.clients import definitions
from callcrm.kernel.tables import Audit
from tests.api.conftest import Api
from tests.people import ADAM, OLGA, VERA


async def test_a_card_is_opened_found_changed_and_its_view_noted(api: Api) -> None:
    body = {"name": "Ann Lee", "tags": ["vip"], "numbers": ["8 (916) 123-45-67"]}
    card = await api.send(OLGA, "POST", "/clients", body, 201)
    assert [one["number"] for one in card["numbers"]] == ["+79161234567"]
    found = await api.get(VERA, "/clients?phone=%2B79161234567")
    assert (found["match"], [one["id"] for one in found["items"]]) == ("exact", [card["id"]])
    for q in ("ann", "lee", "916123"):
        assert [one["id"] for one in (await api.get(VERA, f"/clients?q={q}"))["items"]] == [card["id"]], q
    change = {"job": "Buyer", "add_numbers": ["+49 30 1234567"]}
    changed = await api.send(VERA, "PATCH", f"/clients/{card['id']}", change, 200, **{"If-Match": str(card["version"])})
    assert (changed["job"], changed["name"], len(changed["numbers"])) == ("Buyer", "Ann Lee", 2)
    await api.send(VERA, "PATCH", f"/clients/{card['id']}", {"job": "x", "version": card["version"]}, 409)
    await api.get(OLGA, f"/clients/{card['id']}")
    async with api.parts.database.read() as db:
        acts = [(row.act, row.user_id) for row in await db.execute(Audit.__table__.select())]
    assert ("view", OLGA.user_id) in acts
    assert ("change", VERA.user_id) in acts


async def test_a_list_of_clients_is_paged_to_its_end(api: Api) -> None:
    made = [(await api.send(OLGA, "POST", "/clients", {"name": f"Client {n}"}, 201))["id"] for n in range(5)]
    found: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await api.get(OLGA, f"/clients?limit=2&cursor={cursor}")
        found += [one["id"] for one in page["items"]]
        cursor = page["next"]
    assert sorted(found) == made


async def test_what_is_wrong_with_a_card_is_told_beside_its_field(api: Api) -> None:
    for body, field in (
        ({}, "name"),
        ({"name": "x", "numbers": ["hello"]}, "number"),
        ({"name": "x", "organisation_id": 99}, "organisation_id"),
        ({"name": "x", "password": "y"}, "password"),
        ({"name": 7}, "name"),
    ):
        problem = await api.send(OLGA, "POST", "/clients", body, 422)
        assert field in problem["fields"], body


async def test_an_unknown_number_matches_nobody(api: Api) -> None:
    assert await api.get(OLGA, "/clients?phone=%2B79160000000") == {"items": [], "next": None, "match": "none"}
    await api.get(OLGA, "/clients?phone=anonymous", 422)
    await api.get(OLGA, "/clients/424242", 404)
    await api.get(OLGA, "/clients/nobody", 404)


async def test_organisations_are_opened_and_found(api: Api) -> None:
    acme = await api.send(OLGA, "POST", "/organisations", {"name": "Acme", "numbers": ["+74951112233"]}, 201)
    person = await api.send(OLGA, "POST", "/clients", {"name": "Bob", "organisation_id": acme["id"]}, 201)
    assert person["organisation"] == "Acme"
    assert [one["name"] for one in (await api.get(OLGA, "/organisations?q=acm"))["items"]] == ["Acme"]
    found = await api.get(OLGA, "/clients?phone=%2B74951112233")
    assert [one["name"] for one in found["items"]] == ["Bob"]


async def test_a_masked_account_sees_no_whole_number_on_cards(api: Api) -> None:
    card = await api.send(VERA, "POST", "/clients", {"name": "Ann", "numbers": ["+79161234567"]}, 201)
    await api.mask(OLGA)
    for path in ("/clients", f"/clients/{card['id']}", "/clients?phone=%2B79161234567"):
        assert "9161234567" not in str(await api.get(OLGA, path)), path


async def test_a_card_carries_mails_addresses_consents_and_custom_fields(api: Api) -> None:
    for typed in (
        {"what": "client", "kind": "number", "label": "Size"},
        {"what": "organisation", "kind": "flag", "label": "Dealer"},
    ):
        await api.parts.writer.do(lambda unit, given=typed: definitions.define(unit, ADAM, given), name="define")
    listed = (await api.get(OLGA, "/custom-fields"))["items"]
    assert [(one["what"], one["key"], one["kind"]) for one in listed] == [
        ("client", "size", "number"),
        ("organisation", "dealer", "flag"),
    ]
    body = {"name": "Ann", "emails": ["a@x.example", "b@x.example"], "addresses": ["Street 1"]}
    body |= {"birthday": "1990-05-12", "custom": {"size": "12,5"}}
    card = await api.send(OLGA, "POST", "/clients", body, 201)
    assert (card["email"], card["emails"]) == ("a@x.example", ["a@x.example", "b@x.example"])
    assert (card["addresses"], card["custom"], card["birthday"]) == (["Street 1"], {"size": 12.5}, "1990-05-12")
    change = {"version": 1, "email": "c@x.example", "custom": {"size": None}}
    change |= {"add_consents": [{"purpose": "Offers by mail", "how": "on the site"}]}
    changed = await api.send(OLGA, "PATCH", f"/clients/{card['id']}", change, 200)
    assert (changed["emails"], changed["custom"]) == (["c@x.example", "b@x.example"], {})
    (consent,) = changed["consents"]
    assert (consent["purpose"], consent["how"], consent["withdrawn_at"]) == ("Offers by mail", "on the site", None)
    back = {"version": changed["version"], "withdraw_consents": [consent["id"]]}
    (consent,) = (await api.send(OLGA, "PATCH", f"/clients/{card['id']}", back, 200))["consents"]
    assert consent["withdrawn_at"] is not None
    problem = await api.send(OLGA, "PATCH", f"/clients/{card['id']}", {"version": 2, "custom": {"size": "big"}}, 422)
    assert "custom.size" in problem["fields"]


async def test_an_organisation_is_read_and_changed_by_its_version(api: Api) -> None:
    acme = await api.send(OLGA, "POST", "/organisations", {"name": "Acme", "emails": ["a@x.example"]}, 201)
    await api.send(OLGA, "POST", "/clients", {"name": "Bob", "organisation_id": acme["id"]}, 201)
    path = f"/organisations/{acme['id']}"
    found = await api.get(VERA, path)
    assert (found["email"], [one["name"] for one in found["people"]]) == ("a@x.example", ["Bob"])
    change = {"version": 1, "addresses": ["Street 5"], "add_numbers": ["+74951112233"]}
    changed = await api.send(VERA, "PATCH", path, change, 200)
    assert (changed["addresses"], changed["version"], len(changed["numbers"])) == (["Street 5"], 2, 1)
    await api.send(OLGA, "PATCH", path, {"version": 1, "name": "Other"}, 409)
    await api.send(OLGA, "PATCH", path, {"version": 2, "name": ""}, 422)
    await api.get(OLGA, "/organisations/4242", 404)
