"""The client card in a real browser: by keyboard, in two pages at once, by operator, supervisor and administrator."""

import pytest
from playwright.async_api import Page, expect

from callcrm.clients import definitions, editing
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.webui import office

pytestmark = pytest.mark.browser


async def twin(desk: Desk) -> int:
    """Marina's second card, by the same mobile."""
    typed = {"name": "М. Коваленко", "emails": ["marina@home.example"]}
    return await desk.running.writer.do(
        lambda unit: editing.add_client(unit, people.OLGA, typed, ["+79161234567"]), name="twin"
    )


async def open_fact(page: Page, label: str) -> None:
    """Open a fact by its button and the keyboard."""
    await page.get_by_role("button", name=f"Change {label}").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".editing [data-focus]")).to_be_focused()


async def test_a_fact_is_changed_by_keyboard_and_the_keyboard_stays_there(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA, "/clients/1")
    await open_fact(page, "Role")
    await page.keyboard.press("Control+a")
    await page.keyboard.type("Director")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Change Role")).to_be_focused()
    await expect(page.locator("#card-head")).to_contain_text("Director")
    await expect(page.locator("#timeline")).to_contain_text("changed from “Head of purchasing” to “Director”")
    await open_fact(page, "Role")
    await page.keyboard.type("nonsense")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Change Role")).to_be_focused()
    await expect(page.locator("#fact-job")).to_contain_text("Director")
    await open_fact(page, "E-mail")
    await page.keyboard.type("a@x.example")
    await page.keyboard.press("Enter")
    await page.keyboard.type("no mail")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#f-emails-says")).to_contain_text("a mail address looks like")
    await expect(page.locator("#f-emails")).to_have_value("a@x.example\nno mail")
    await page.locator("#f-emails").fill("a@x.example\nb@x.example")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#fact-emails .edit")).to_contain_text("b@x.example")


async def test_two_pages_that_change_one_fact_see_each_others_value(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    first, second = await desk.page(people.OLGA, "/clients/2"), await desk.page(people.RUSLAN, "/clients/2")
    for page in (first, second):
        await open_fact(page, "Role")
        await page.keyboard.press("Control+a")
    await first.keyboard.type("Director")
    await first.keyboard.press("Enter")
    await expect(first.locator("#card-head")).to_contain_text("Director")
    await second.keyboard.type("Chief of the warehouse")
    await second.keyboard.press("Enter")
    await expect(second.locator("#f-job-says")).to_contain_text("Olga Bondar changed this meanwhile to: Director")
    await expect(second.locator("#f-job")).to_have_value("Chief of the warehouse")
    assert await violations(second) == []
    await second.keyboard.press("Enter")
    await expect(second.locator("#card-head")).to_contain_text("Chief of the warehouse")


async def test_a_field_that_the_administrator_defines_is_used_by_an_operator(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    admin = await desk.page(people.ADAM, "/accounts/fields")
    await admin.get_by_role("link", name="New field").click()
    await admin.get_by_label("Kind").select_option("choice")
    await admin.get_by_label("Name", exact=True).fill("Price group")
    await admin.keyboard.press("Enter")
    await expect(admin.locator("#f-choices-says")).to_contain_text("write what can be chosen")
    await expect(admin.get_by_label("Name", exact=True)).to_have_value("Price group")
    await admin.get_by_label("What can be chosen").fill("Dealer A\nDealer B")
    await admin.get_by_label("Name", exact=True).press("Enter")
    await expect(admin.get_by_role("link", name="Price group", exact=True)).to_be_visible()
    page = await desk.page(people.OLGA, "/clients/1")
    await open_fact(page, "Price group")
    await page.locator(".editing select").select_option("Dealer B")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("#fact-custom-price_group .edit")).to_contain_text("Dealer B")
    await admin.get_by_role("link", name="Delete Price group").click()
    await expect(admin.locator("main")).to_contain_text("1 card has a value in this field.")
    await admin.get_by_role("button", name="Delete the field").click()
    await page.reload()
    await expect(page.locator("#fact-custom-price_group")).to_have_count(0)


async def test_a_double_is_offered_merged_and_parted_again(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    other = await twin(desk)
    page = await desk.page(people.VERA, "/clients/1")
    await page.get_by_role("link", name="Compare and merge").first.click()
    await expect(page.get_by_role("heading", name="Merge two cards")).to_be_visible()
    await page.locator("input[name='side.name'][value=gone]").check()
    await page.get_by_role("button", name="Merge the cards").click()
    await expect(page.get_by_role("heading", name="М. Коваленко")).to_be_visible()
    await expect(page.locator("#fact-emails")).to_contain_text("marina@home.example")
    await page.goto(f"{desk.url}/clients/{other}")
    await page.get_by_role("link", name="Open that card").click()
    await page.get_by_role("button", name="Undo the merge").first.click()
    await expect(page.get_by_role("heading", name="Марина Коваленко")).to_be_visible()
    await page.get_by_role("button", name="Not the same").first.click()
    await expect(page.get_by_text("The same person twice?")).to_have_count(0)


async def test_an_unknown_caller_is_named_with_one_field_and_enter(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await desk.ring("new", "79150001122")
    field = page.locator("#live").get_by_label("Name of this caller")
    await field.fill("Gleb Orlov")
    await field.press("Enter")
    await expect(page.locator("#live .who")).to_have_text("Gleb Orlov")
    await desk.ring("other", "79150001133")
    await desk.answer("101")
    await page.goto(f"{desk.url}/clients?q=9150001133")
    await page.locator("main .c-who a").first.click()
    await page.get_by_label("Name", exact=True).fill("Boris <b>")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Boris <b>")).to_be_visible()


async def test_the_timeline_is_filtered_and_a_note_stands_in_it(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA, "/clients/1")
    await page.locator("#f-note").fill("Asked for instalments")
    await page.locator("#f-note").press("Control+Enter")
    await expect(page.locator("#timeline")).to_contain_text("Asked for instalments")
    filters = page.get_by_role("navigation", name="Timeline filter")
    await filters.get_by_role("link", name="Notes").click()
    await expect(page.locator("#timeline")).to_contain_text("Asked for instalments")
    await expect(page.locator("#timeline")).not_to_contain_text("Send the new price list")
    await filters.get_by_role("link", name="Tasks").click()
    await expect(page.locator("#timeline")).to_contain_text("Send the new price list")
    await expect(page.locator("#timeline")).not_to_contain_text("Asked for instalments")
    assert page.url.endswith("?show=tasks")


async def test_axe_finds_nothing_on_cards_in_any_state(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    await twin(desk)
    group = {"what": "client", "label": "Group", "kind": "choice", "choices": ["A", "B"], "required": True}
    await desk.running.writer.do(lambda unit: definitions.define(unit, people.ADAM, group), name="field")
    page = await desk.page(people.ADAM, "/clients/1")
    complaints: dict[str, list[str]] = {}
    await page.get_by_text("Note a consent").click()
    await page.locator("#f-how").fill("by phone")
    await page.locator("#f-day").fill("2999-01-01")
    await page.get_by_role("button", name="Note it").click()
    await expect(page.locator("#f-day-says")).to_contain_text("a moment that is past")
    await expect(page.locator("#f-how")).to_have_value("by phone")
    await open_fact(page, "Group")
    complaints["editing"] = await violations(page)
    paths = ["/clients/1/merge?with=6", "/clients/1/merge", "/clients/1/changes", "/organisations", "/organisations/1"]
    paths += ["/organisations/1?who=Budi", "/organisations/new", "/clients/new", "/clients?show=deleted"]
    paths += ["/accounts/fields", "/accounts/fields/new", "/accounts/fields/1", "/accounts/fields/1/delete"]
    for path in paths:
        await page.goto(desk.url + path)
        complaints[path] = await violations(page)
        if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            complaints[path].append("overflows sideways")
    await page.goto(f"{desk.url}/clients/2")
    await page.get_by_role("button", name="More").click()
    await page.get_by_role("button", name="Delete the card").click()
    await expect(page.get_by_role("button", name="Restore the card")).to_be_visible()
    complaints["deleted"] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}
