"""The operator's desk in a real browser: the pop by a push message, the note, the keys, the themes, two tabs."""

import pytest
from playwright.async_api import expect

from callcrm.accounts import passwords, service
from callcrm.push import present
from callcrm.push.pop import pop_id
from tests import people
from tests.browser.conftest import Desk
from tests.webui import office

pytestmark = pytest.mark.browser
PASSWORD = "a quiet river at dawn"


async def test_somebody_signs_in_and_starts_the_shift(desk: Desk) -> None:
    fresh = await passwords.hashed(PASSWORD)
    await desk.running.writer.do(lambda unit: service.set_password(unit, people.OLGA.user_id, fresh), name="password")
    page = await desk.page(None, "/")
    assert page.url.endswith("/sign-in")
    await page.fill("#name", "olga")
    await page.fill("#password", "wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Name and password do not go together.")
    await page.fill("#password", PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Ready for the next call")).to_be_visible()
    await page.get_by_role("button", name="Start the shift").first.click()
    await page.get_by_role("button", name="Start", exact=True).click()
    await expect(page.locator(".me b")).to_have_text("Available")
    await expect(page.locator("[data-light=server]")).to_have_attribute("data-state", "ok")


async def test_a_call_pops_up_is_noted_and_put_away_by_keys_alone(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#live")).to_have_attribute("data-state", "ringing")
    await expect(page.locator("#live .who")).to_have_text("Марина Коваленко")
    await expect(page.locator("#live")).to_contain_text("Sales line")
    await desk.answer("101")
    await expect(page.locator("#live")).to_have_attribute("data-state", "talking")
    await page.keyboard.press("n")
    await page.keyboard.type("Wants a quote")
    await expect(page.locator("#saved")).to_have_text("Saved")
    await desk.end()
    await expect(page.locator("#live")).to_have_attribute("data-state", "wrapup")
    await expect(page.locator("#note")).to_have_value("Wants a quote")
    await page.locator("#note").blur()
    await page.keyboard.press("4")
    await expect(page.locator("#saved")).to_have_text("Saved")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#live")).not_to_have_attribute("data-call", "one")
    await page.goto(f"{desk.url}/calls/one")
    await expect(page.locator("#story")).to_contain_text("Wants a quote")
    await expect(page.locator("#story .tag").first).to_have_text("Order")


async def test_a_part_that_cannot_be_read_or_changed_leaves_what_stands_there_and_says_so(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    words = "The database is away; try again in a moment."
    await page.route("**/shell/me*", lambda one: one.fulfill(status=503, content_type="text/plain", body=words))
    await page.route("**/dial", lambda one: one.fulfill(status=503, content_type="text/plain", body=words))
    async with page.expect_response("**/shell/me*"):
        await page.evaluate("document.body.dispatchEvent(new CustomEvent('push-operator'))")
    await page.evaluate("new Promise(done => setTimeout(done, 50))")
    await expect(page.locator("#strip-me .me")).to_be_visible()
    await expect(page.locator("#tell")).to_be_empty()
    await page.goto(f"{desk.url}/clients/1")
    await page.locator("#main form.dial button").first.click()
    await expect(page.locator("#tell")).to_have_text(words)
    await expect(page.locator("#dialing")).to_be_empty()


async def test_the_receipt_of_a_painted_pop_comes_back(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#live")).to_have_attribute("data-state", "ringing")
    key = pop_id("one", people.OLGA.user_id)
    for _ in range(50):
        await page.wait_for_timeout(100)
        async with desk.running.database.read() as db:
            painted = await present.painted(db, people.OLGA.user_id, key)
        if painted is not None:
            return
    pytest.fail("no receipt came within five seconds")


async def test_answered_elsewhere_is_told_by_name_and_goes(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#live")).to_have_attribute("data-state", "ringing")
    await desk.answer("102")
    await expect(page.locator("#live")).to_contain_text("Answered by Ruslan Tkach")
    await expect(page.locator("#live")).to_contain_text("No call")


async def test_a_note_survives_a_reload_and_the_call_that_comes_after(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await desk.answer("101")
    await expect(page.locator("#live")).to_have_attribute("data-state", "talking")
    await page.locator("#note").press_sequentially("first letters")
    await page.reload()
    await expect(page.locator("#note")).to_have_value("first letters")
    await desk.end()
    await expect(page.locator("#live")).to_have_attribute("data-state", "wrapup")
    await page.locator("#note").blur()
    await desk.ring("two", None)
    await expect(page.locator("#live")).to_have_attribute("data-call", "two")
    await expect(page.locator("#note")).to_have_value("")
    await page.get_by_role("button", name="Switch to this call: Wrap-up").click()
    await expect(page.locator("#note")).to_have_value("first letters")


async def test_a_call_that_rings_the_moment_another_ends_finds_that_one_in_wrap_up(desk: Desk) -> None:
    page = await desk.page(people.OLGA)
    await desk.ring("one", office.MARINA)
    await desk.answer("101")
    await expect(page.locator("#live")).to_have_attribute("data-state", "talking")
    await desk.end()
    await desk.ring("two", None)
    await expect(page.locator("#live")).to_have_attribute("data-call", "two")
    await page.get_by_role("button", name="Switch to this call: Wrap-up").click()
    await expect(page.locator("#live")).to_have_attribute("data-call", "one")


async def test_a_pop_never_takes_the_cursor_from_what_is_typed(desk: Desk) -> None:
    page = await desk.page(people.OLGA, "/clients/new")
    await page.locator("#f-name").press_sequentially("An")
    await desk.ring("one", office.MARINA)
    await expect(page.locator("#live")).to_have_attribute("data-state", "ringing")
    await page.keyboard.type("na 5")
    await expect(page.locator("#f-name")).to_have_value("Anna 5")


async def test_two_tabs_share_one_socket_and_both_show_the_pop(desk: Desk) -> None:
    context = await desk.context(people.OLGA)
    first, second = await context.new_page(), await context.new_page()
    for page in (first, second):
        await page.goto(desk.url)
        await page.wait_for_selector("html[data-push=open]")
    assert desk.running.gateway is not None and len(desk.running.gateway.hub) == 1
    await desk.ring("one", office.MARINA)
    for page in (first, second):
        await expect(page.locator("#live")).to_have_attribute("data-state", "ringing")
    await first.close()
    await desk.answer("101")
    await expect(second.locator("#live")).to_have_attribute("data-state", "talking")


async def test_a_hostile_name_is_text_in_the_pop(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await desk.ring("evil", "442079460000")
    await expect(page.locator("#live .who")).to_contain_text("<script>alert(1)</script>")


async def test_the_theme_is_switched_and_remembered(desk: Desk) -> None:
    page = await desk.page(people.OLGA, color_scheme="light")
    light = await page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor")
    async with page.expect_response("**/me/look"):
        await page.get_by_role("button", name="Theme").click()
    assert await page.evaluate("getComputedStyle(document.querySelector('main')).backgroundColor") != light
    await page.reload()
    assert await page.get_attribute("html", "data-theme") == "dark"


async def test_keys_go_to_pages_open_the_palette_and_can_be_switched_off(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("g")
    await page.keyboard.press("b")
    await expect(page.get_by_role("heading", name="Callbacks", exact=True)).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.type("budi")
    found = page.get_by_role("listbox", name="Found").get_by_role("option")
    await expect(found.first).to_contain_text("Budi Santoso")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Budi Santoso")).to_be_visible()
    await page.keyboard.press("?")
    await page.get_by_label("Single-key shortcuts").uncheck()
    await page.keyboard.press("Escape")
    await page.keyboard.press("g")
    await page.keyboard.press("d")
    await page.wait_for_timeout(300)
    assert "/clients/" in page.url
