"""The client card: facts, conflicts, fields of the administrator's, notes, consents, merging, organisations."""

import re
from pathlib import Path

import pytest
from aiohttp import ClientResponse
from aiohttp.test_utils import TestClient
from sqlalchemy import select

from callcrm.accounts.policy import Actor
from callcrm.clients import definitions, duplicates
from callcrm.clients.tables import Client, CustomField
from tests import people
from tests.webui import office
from tests.webui.conftest import Web, text_of
from webui import timeline

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def busy(web: Web, tmp_path: Path) -> Web:
    """The office with its history."""
    await office.fill(web.parts.writer, tmp_path / "sound")
    return web


async def sent(browser: TestClient, path: str, status: int = 200, *, htmx: bool = False, **form: str) -> str:
    """What comes of a form."""
    answer: ClientResponse
    async with browser.post(path, data=form, headers=HTMX if htmx else None) as answer:
        text = await answer.text()
        assert answer.status == status, f"{path}: {answer.status}\n{text[:1500]}"
        return text


async def define(web: Web, **typed: object) -> int:
    """A field, as the administrator defines it."""
    given = {"what": "client", "kind": "text", **typed}
    return await web.parts.writer.do(lambda unit: definitions.define(unit, people.ADAM, given), name="define")


async def test_two_people_who_change_different_facts_are_not_in_each_others_way(busy: Web) -> None:
    olga, ruslan = await busy.client(people.OLGA), await busy.client(people.RUSLAN)
    for client in (olga, ruslan):
        assert 'name="version" value="1"' in await text_of(client, "/clients/2/facts/job")
    await sent(olga, "/clients/2/facts/job", htmx=True, version="1", was="Warehouse", value="Director")
    saved = await sent(ruslan, "/clients/2/facts/language", htmx=True, version="1", was="", value="uk")
    assert "Ukrainian" in saved and 'hx-swap-oob="true"' in saved
    card = await text_of(olga, "/clients/2")
    assert "Director" in card and "Ukrainian" in card


async def test_a_conflict_shows_both_values_and_keeps_what_was_typed(busy: Web) -> None:
    olga, ruslan = await busy.client(people.OLGA), await busy.client(people.RUSLAN)
    await sent(olga, "/clients/2/facts/job", htmx=True, version="1", was="Warehouse", value="Director")
    text = await sent(ruslan, "/clients/2/facts/job", 409, htmx=True, version="1", was="Warehouse", value="Chief <b>")
    assert "Olga Bondar changed this meanwhile to: Director" in text and 'value="Chief &lt;b&gt;"' in text
    version, was = re.search(r'name="version" value="(\d+)"', text), re.search(r'name="was" value="(\w+)"', text)
    assert version is not None and was is not None and was.group(1) == "Director"
    await sent(ruslan, "/clients/2/facts/job", htmx=True, version=version.group(1), was=was.group(1), value="Chief")
    assert "Chief" in await text_of(olga, "/clients/2")


async def test_a_field_of_the_administrators_is_asked_for_checked_and_told(busy: Web) -> None:
    await define(busy, label="Size", kind="number", help="In metres <b>")
    await define(busy, label="Group", kind="choice", choices=["Dealer A", "Dealer B"], required=True)
    client = await busy.client(people.OLGA)
    bad = await sent(client, "/clients/2/facts/custom.size", 422, htmx=True, version="1", was="", value="many")
    assert "a number looks like" in bad and 'value="many"' in bad and "In metres &lt;b&gt;" in bad
    await sent(client, "/clients/2/facts/custom.size", htmx=True, version="1", was="", value="12,5")
    assert "12.5" in await text_of(client, "/clients/2")
    form = await sent(client, "/clients/new", 422, name="Ann", **{"custom.group": ""})
    assert "Group is needed" in form and 'value="Ann"' in form
    opened = await sent(client, "/clients/new", name="Ann", **{"custom.group": "Dealer B"})
    assert "Dealer B" in opened
    emptied = await sent(client, "/clients/2/facts/custom.group", 422, htmx=True, version="2", was="", value="")
    assert "Group is needed" in emptied
    told = await text_of(client, "/clients/2/changes?field=custom.size")
    assert "Size" in told and "now “12.5”" in told and "Olga Bondar" in told


async def test_an_administrator_defines_orders_deletes_restores_and_purges_a_field(busy: Web) -> None:
    admin = await busy.client(people.ADAM)
    bad = await sent(admin, "/accounts/fields/new", 422, what="client", kind="choice", label="Name", choices="")
    assert "there is a field of this name" in bad and "write what can be chosen" in bad and 'value="Name"' in bad
    for label in ("Colour <i>", "Size"):
        await sent(admin, "/accounts/fields/new", what="client", kind="text", label=label)
    listed = await text_of(admin, "/accounts/fields")
    assert "Colour &lt;i&gt;" in listed and listed.index("Colour") < listed.index("Size")
    moved = await sent(admin, "/accounts/fields/2/move", step="up")
    assert moved.index("Size") < moved.index("Colour")
    await sent(admin, "/clients/2/facts/custom.size", htmx=True, version="1", was="", value="XL")
    asked = await text_of(admin, "/accounts/fields/2/delete")
    assert "1 card has a value" in asked and "the values are kept" in asked
    await sent(admin, "/accounts/fields/2/delete")
    assert "/facts/custom.size" not in await text_of(admin, "/clients/2")
    await sent(admin, "/accounts/fields/2/restore")
    assert "/facts/custom.size" in await text_of(admin, "/clients/2")
    refused = await sent(admin, "/accounts/fields/2/purge", 422)
    assert "Delete the field first" in refused
    await sent(admin, "/accounts/fields/2/delete")
    await sent(admin, "/accounts/fields/2/purge")
    async with busy.parts.database.read() as db:
        assert await db.scalar(select(CustomField.id).where(CustomField.key == "size")) is None
        custom, search = (await db.execute(select(Client.custom, Client.search).where(Client.id == 2))).one()
    assert custom == {} and "xl" not in search
    assert "XL" not in await text_of(admin, "/clients/2/changes")


async def test_the_timeline_is_filtered_and_paged_without_gap_or_double(
    busy: Web, monkeypatch: pytest.MonkeyPatch
) -> None:

    monkeypatch.setattr(timeline, "PAGE", 2)
    client = await busy.client(people.VERA)
    for n in range(3):
        await sent(client, "/clients/1/notes", note=f"note {n} <script>")
    await sent(client, "/clients/1/facts/job", version="1", was="", value="Director")
    seen: list[str] = []
    path = "/clients/1"
    for _ in range(20):
        text = await text_of(client, path)
        seen += re.findall(r'<li class="event.*?<p>(.*?)</p>(?:\s*<p class="said">(.*?)</p>)?', text, re.S)
        onward = re.search(r'href="([^"]+)" rel="next"', text)
        if onward is None:
            break
        path = onward.group(1).replace("&amp;", "&")
    whole = [" ".join(" ".join(part).split()) for part in seen]
    assert len(whole) == len(set(whole)) and len(whole) >= 7
    assert [line for line in whole if "note " in line] == sorted(
        (line for line in whole if "note " in line), reverse=True
    )
    notes = await text_of(client, "/clients/1?show=notes")
    assert "note 2 &lt;script&gt;" in notes and "changed from “" not in notes
    changes = await text_of(client, "/clients/1?show=changes")
    assert "changed from “Head of purchasing” to “Director”" in changes and "note 2" not in changes
    assert "Task: Send the new price list" in await text_of(client, "/clients/1?show=tasks")
    await text_of(client, "/clients/1?cursor=rubbish", 422)


async def test_a_note_is_taken_away_and_put_back_by_its_writer(busy: Web) -> None:
    olga, ruslan = await busy.client(people.OLGA), await busy.client(people.RUSLAN)
    assert "write something first" in await sent(olga, "/clients/1/notes", 422, note="  ")
    text = await sent(olga, "/clients/1/notes", note="Likes tea")
    found = re.search(r"/clients/1/notes/(\w{32})/remove", text)
    assert found is not None
    await sent(ruslan, f"/clients/1/notes/{found.group(1)}/remove", 403)
    removed = await sent(olga, f"/clients/1/notes/{found.group(1)}/remove")
    assert "Likes tea" not in removed and "The note is taken away." in removed
    assert "Likes tea" in await sent(olga, f"/clients/1/notes/{found.group(1)}/restore")


async def test_consent_is_noted_and_taken_back_with_its_moments(busy: Web) -> None:
    client = await busy.client(people.OLGA)
    bad = await sent(client, "/clients/1/consents", 422, purpose="Selling him", how="by post", day="2999-01-01")
    assert "choose one from the list" in bad and "a moment that is past" in bad and 'value="by post"' in bad
    assert "looks like 1990-05-12" in await sent(client, "/clients/1/consents", 422, purpose="x", day="soon")
    given = await sent(client, "/clients/1/consents", purpose="Offers by phone", how="on the call", day="2026-01-05")
    assert "on the call" in given and "Given" in given
    assert "it is noted already" in await sent(client, "/clients/1/consents", 422, purpose="Offers by phone")
    back = await sent(client, "/clients/1/consents/1/withdraw")
    assert "Taken back" in back and "taken back: Offers by phone" in back
    await sent(client, "/clients/1/consents/1/withdraw", 404)


async def test_two_cards_are_compared_merged_and_parted_again(busy: Web) -> None:
    olga, vera = await busy.client(people.OLGA), await busy.client(people.VERA)
    assert "The same person twice?" in await text_of(olga, "/clients/2")
    await sent(olga, "/clients/2/merge", 403, other="3")
    compared = await text_of(vera, "/clients/2/merge?with=3")
    assert "Сергей Бондарь" in compared and "Oxana Lys" in compared and "Warehouse" in compared
    versions = {"other": "3", "version": "1", "other_version": "1", "side.name": "gone"}
    stale = await sent(vera, "/clients/2/merge", 409, **{**versions, "version": "9"})
    assert "compare them again" in stale and 'value="gone" aria-describedby="m-1" checked' in stale
    merged = await sent(vera, "/clients/2/merge", **versions)
    assert "Oxana Lys" in merged and "can be undone until" in merged
    gone = await text_of(vera, "/clients/3")
    assert "merged into another" in gone and 'href="/clients/2"' in gone
    found = re.search(r"/merges/(\w{32})/undo", merged)
    assert found is not None
    await sent(olga, f"/merges/{found.group(1)}/undo", 403)
    parted = await sent(vera, f"/merges/{found.group(1)}/undo")
    assert "Сергей Бондарь" in parted
    await sent(vera, f"/merges/{found.group(1)}/undo", 404)
    assert "The same person twice?" not in await sent(olga, "/clients/2/apart", other="3")
    async with busy.parts.database.read() as db:
        assert await duplicates.of(db, people.OLGA, 3) == ()


async def test_an_organisation_is_merged_parted_and_closed_with_what_hangs_on_it_told(busy: Web) -> None:
    olga, vera = await busy.client(people.OLGA), await busy.client(people.VERA)
    names = ("Firm & Sons", "FIRM & SONS")
    made = [await sent(olga, "/organisations/new", name=name, number=f"+7495111223{n}") for n, name in enumerate(names)]
    kept, gone = (int(found[1]) for text in made if (found := re.search(r"/organisations/(\d+)/notes", text)))
    joined = await sent(olga, f"/organisations/{gone}/people", client="2")
    assert "The same organisation twice?" in joined and "Compare and merge" not in joined
    await text_of(olga, f"/organisations/{gone}/delete", 403)
    assert f'href="/organisations/{gone}"' in await text_of(vera, f"/organisations/{kept}/merge")
    compared = await text_of(vera, f"/organisations/{kept}/merge?with={gone}")
    assert "FIRM &amp; SONS" in compared and 'People <span class="num">1</span>' in compared
    versions = {"other": str(gone), "version": "1", "other_version": "1"}
    merged = await sent(vera, f"/organisations/{kept}/merge", **versions)
    assert "FIRM &amp; SONS was merged into this organisation" in merged and "Сергей" in merged
    assert "merged into another" in await text_of(vera, f"/organisations/{gone}")
    found = re.search(r"/organisation-merges/(\w{32})/undo", merged)
    assert found is not None
    assert "Сергей" not in await sent(vera, f"/organisation-merges/{found[1]}/undo")
    asked = await text_of(vera, f"/organisations/{gone}/delete")
    assert "1 person keeps card, calls and tasks" in asked and "1 number of its own knows nobody" in asked
    version = re.search(r'name="version" value="(\d+)"', asked)
    assert version is not None
    assert "Somebody else changed this" in await sent(vera, f"/organisations/{gone}/delete", 409, version="1")
    closed = await sent(vera, f"/organisations/{gone}/delete", version=version[1])
    assert "This organisation is deleted" in closed and "Restore the card" in closed
    assert "FIRM" in await text_of(vera, "/organisations?show=deleted")
    assert "FIRM" not in await text_of(vera, "/organisations")
    restored = await sent(vera, f"/organisations/{gone}/restore")
    assert "Сергей" in restored and "This organisation is deleted" not in restored


async def test_a_deleted_card_is_read_only_and_restored(busy: Web) -> None:
    vera = await busy.client(people.VERA)
    deleted = await sent(vera, "/clients/2/delete")
    assert "This card is deleted" in deleted and "Restore the card" in deleted and "/clients/2/numbers" not in deleted
    assert "Сергей" in await text_of(vera, "/clients?show=deleted") and "Сергей" not in await text_of(vera, "/clients")
    assert "Сергей" not in await text_of(await busy.client(people.OLGA), "/clients?show=deleted")
    restored = await sent(vera, "/clients/2/restore")
    assert "This card is deleted" not in restored


async def test_an_organisation_shows_its_people_and_their_calls(busy: Web) -> None:
    client = await busy.client(people.VERA)
    card = await text_of(client, "/organisations/1")
    for word in ("Марина Коваленко", "Oxana Lys", "Wants instalments", "3 people here"):
        assert word in card, word
    assert "Budi Santoso" in await text_of(client, "/organisations/1?who=Budi")
    joined = await sent(client, "/organisations/1/people", client="5")
    assert "4 people here" in joined and "joined: Budi Santoso" in joined
    left = await sent(client, "/organisations/1/people/leave", client="5")
    assert "3 people here" in left and "left: Budi Santoso" in left and "taken off" in left
    await sent(client, "/organisations/1/people/leave", 422, client="5")
    await sent(client, "/organisations/1/facts/addresses", version="1", was="", value="Street 1\nStreet 2")
    bad = await sent(client, "/organisations/1/numbers", 422, number="none", label="office")
    assert 'id="f-number-says"' in bad and 'value="office"' in bad
    numbered = await sent(client, "/organisations/1/numbers", number="8 495 000 11 22", label="office")
    assert "office" in numbered and "Street 2" in numbered
    assert "Северный склад" in await text_of(client, "/organisations?q=северный")
    assert "a name is needed" in await sent(client, "/organisations/new", 422, name="", number="+442079460000")
    new = await sent(client, "/organisations/new", name="<b>Acme</b>", number="+442079460123")
    assert "&lt;b&gt;Acme&lt;/b&gt;" in new and "<b>Acme" not in new


async def test_a_change_is_put_back_as_it_was(busy: Web) -> None:
    client = await busy.client(people.OLGA)
    await sent(client, "/clients/2/facts/job", version="1", was="Warehouse", value="Director")
    card = await text_of(client, "/clients/2")
    number = re.search(r"/clients/2/numbers/(\d+)/remove", card)
    assert number is not None
    told = await sent(client, f"/clients/2/numbers/{number.group(1)}/remove")
    assert "taken off:" in told
    (change,) = set(re.findall(r"/clients/2/changes/(\w{32})/back", told))
    assert "/remove" in await sent(client, f"/clients/2/changes/{change}/back")
    jobs = await text_of(client, "/clients/2/changes?field=job")
    (change,) = set(re.findall(r"/clients/2/changes/(\w{32})/back", jobs))
    assert "Warehouse" in await sent(client, f"/clients/2/changes/{change}/back")
    await sent(client, f"/clients/1/changes/{change}/back", 404)


@pytest.mark.parametrize("actor", [people.OLGA, people.VERA], ids=lambda actor: actor.role)
async def test_an_unknown_caller_is_named_and_a_second_name_is_told(busy: Web, actor: Actor) -> None:
    client = await busy.client(actor)
    async with busy.parts.database.read() as db:
        unknown = await db.scalar(select(Client.id).where(Client.name == ""))
    assert "Who is it?" in await text_of(client, f"/clients/{unknown}")
    bad = await sent(client, f"/clients/{unknown}/name", 422, name="x" * 201)
    assert "at most 200 characters" in bad and "x" * 201 in bad
    assert "Gleb" in await sent(client, f"/clients/{unknown}/name", name="Gleb")
    late = await sent(client, f"/clients/{unknown}/name", 409, name="Boris")
    assert "Gleb" in late and "Boris" in late
