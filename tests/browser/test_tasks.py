"""Tasks in a real browser, by keys: a line, the checklist, done and undone, the reminder on every tab, day and week."""

import re
from datetime import timedelta

import pytest
from playwright.async_api import expect

from callcrm.kernel import clock
from callcrm.tasks import service
from tests import people
from tests.browser.conftest import Desk
from tests.webui import office

pytestmark = pytest.mark.browser


async def test_a_task_is_typed_as_a_line_seen_and_kept_by_keys_alone(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    await page.keyboard.press("g")
    await page.keyboard.press("t")
    await expect(page.get_by_role("heading", name="Tasks", exact=True)).to_be_visible()
    await page.keyboard.press("/")
    await page.keyboard.type("call back Budi tomorrow 10:00")
    await expect(page.locator("#understood")).to_contain_text("Budi Santoso")
    await expect(page.locator("#understood")).to_contain_text("10:00")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Save", exact=True)).to_be_focused()
    await expect(page.locator("#f-title")).to_have_value("Call back Budi")
    await expect(page.locator("#f-due")).to_have_value(re.compile("T10:00$"))
    await page.keyboard.press("Enter")
    row = page.locator("tr[data-row]", has_text="Call back Budi")
    await expect(row).to_contain_text("Budi Santoso")
    await expect(row).to_have_class("is-here")


async def test_a_task_is_opened_ticked_done_and_undone_by_keys_alone(desk: Desk) -> None:
    typed = {"title": "Prepare the offer", "items": ["Ask the price", "Write it"], "due_at": clock.now()}
    await desk.running.writer.do(lambda unit: service.add_task(unit, people.OLGA, typed), name="task")
    page = await desk.page(people.OLGA, "/tasks")
    await page.keyboard.press("j")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Prepare the offer")).to_be_visible()
    await page.locator("#item-1 input[type=checkbox]").focus()
    await page.keyboard.press("Space")
    await expect(page.locator("#checklist-title")).to_contain_text("1/2")
    await expect(page.locator("#item-1")).to_contain_text("Olga Bondar")
    await page.keyboard.press("d")
    await expect(page.locator(".banner")).to_contain_text("Done: Prepare the offer.")
    await page.keyboard.press("u")
    await expect(page.locator("tr[data-row]")).to_contain_text("Prepare the offer")
    await expect(page.locator("tr[data-row]")).to_contain_text("1/2")


async def test_a_reminder_stands_on_every_tab_is_told_once_and_survives_a_reload(desk: Desk) -> None:
    context = await desk.context(people.OLGA, permissions=["notifications"])
    await context.add_init_script(
        "window.told = []; window.Notification = class { static permission = 'granted';"
        " constructor(title) { window.told.push(title); } close() {} };"
        " Document.prototype.hasFocus = () => false;"
    )
    first, second = await context.new_page(), await context.new_page()
    for page in (first, second):
        await page.goto(f"{desk.url}/clients")
        await page.wait_for_selector("html[data-push=open]")
    typed = {"title": "Ring the bank", "due_at": clock.now() + timedelta(seconds=1), "remind_min": 0}
    await desk.running.writer.do(lambda unit: service.add_task(unit, people.OLGA, typed), name="task")
    for page in (first, second):
        await expect(page.locator(".reminder")).to_contain_text("Ring the bank")
    told = [await page.evaluate("window.told") for page in (first, second)]
    assert sorted(told) == [[], ["Reminder: Ring the bank"]]
    await second.reload()
    await expect(second.locator(".reminder")).to_contain_text("Ring the bank")
    await second.locator(".reminder").focus()
    await second.keyboard.press("Enter")
    await second.get_by_role("button", name="Remind again in 10 min").focus()
    await second.keyboard.press("Enter")
    for page in (first, second):
        await expect(page.locator(".reminder")).to_have_count(0)
    await first.reload()
    await expect(first.locator(".reminder")).to_have_count(0)


async def test_day_and_week_are_walked_and_callbacks_stand_among_the_tasks(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    typed = {"title": "Look at the till", "due_at": clock.now()}
    await desk.running.writer.do(lambda unit: service.add_task(unit, people.OLGA, typed), name="task")
    page = await desk.page(people.OLGA, "/tasks")
    await page.get_by_role("link", name="My day").click()
    await expect(page.locator("tr[data-row]", has_text="Look at the till")).to_be_visible()
    await expect(page.locator("tr[data-row]", has_text="Call back").first).to_be_visible()
    await page.get_by_role("link", name="My week").click()
    await expect(page.locator("[aria-current=date]")).to_have_text("Today")
    await page.keyboard.press("j")
    await expect(page.locator("tr.is-here")).to_have_count(1)


async def test_a_repeating_task_makes_its_next_one(desk: Desk) -> None:
    page = await desk.page(people.OLGA, "/tasks/new")
    await page.locator("#f-title").fill("Close the till")
    await page.locator("#f-due").fill("2026-01-05T18:00")
    await page.locator("#f-repeat").select_option("FREQ=DAILY")
    await page.keyboard.press("Tab")
    await page.locator("#f-title").press("Enter")
    await page.locator("tr[data-row] [data-hot=done]").click()
    row = page.locator("tr[data-row]", has_text="Close the till")
    await expect(row).to_contain_text("left")
    await page.locator("[data-hot=undo]").click()
    await expect(row).to_contain_text("over")


async def test_tasks_can_be_used_on_a_telephone(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA, "/tasks", has_touch=True)
    await page.set_viewport_size({"width": 390, "height": 844})
    button = page.locator("tr[data-row] [data-hot=done]").first
    box = await button.bounding_box()
    assert box is not None and box["width"] >= 24 and box["height"] >= 24 and box["x"] + box["width"] <= 390
    await page.locator("tr[data-row] a").first.tap()
    await expect(page.locator("#f-title")).to_be_visible()
    field = await page.locator("#f-title").bounding_box()
    assert field is not None and field["x"] >= 0 and field["x"] + field["width"] <= 390
    await page.get_by_role("button", name="Done").tap()
    await expect(page.locator(".banner")).to_contain_text("Done:")


async def test_density_and_single_keys_are_the_persons_in_every_browser(desk: Desk) -> None:
    page = await desk.page(people.OLGA, "/me")
    rows = "getComputedStyle(document.documentElement).getPropertyValue('--row')"
    usual = await page.evaluate(rows)
    await page.get_by_label("Density").select_option("compact")
    await page.get_by_label("Single-key shortcuts").first.select_option("off")
    await page.get_by_role("button", name="Save", exact=True).click()
    other = await desk.page(people.OLGA, "/tasks")
    assert float((await other.evaluate(rows)).rstrip("px")) < float(usual.rstrip("px"))
    await other.keyboard.press("?")
    await expect(other.locator("#keys")).not_to_be_visible()
    await other.keyboard.press("Control+k")
    await expect(other.locator("#palette")).to_be_visible()
