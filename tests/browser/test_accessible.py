"""axe on every declared page in both themes and densities, and no page overflows sideways."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Error, Page

from callcrm.accounts.policy import Actor
from callcrm.kernel import clock
from callcrm.tasks import reminders
from callcrm.tasks import service as tasks
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.quality import scored
from tests.webui import office
from webui.app import PAGES
from webui.routes import Route

pytestmark = pytest.mark.browser
OLGAS = ["/", "/clients", "/clients/1", "/clients/4", "/clients/new", "/calls", "/calls/talked", "/calls/moved"]
OLGAS += ["/quality", "/quality/evaluations/1", "/calls/talked?score=1"]
OLGAS += [
    "/callbacks",
    "/callbacks?show=closed",
    "/tasks",
    "/tasks/new",
    "/me",
    "/calls?show=held",
    "/calls?view=sound",
]
#: What an operator sees otherwise than an administrator, who opens every page.
DIFFERENT = ["/", "/clients/1", "/clients/4", "/calls", "/calls/talked", "/callbacks", "/tasks", "/quality"]
DIFFERENT += ["/quality/evaluations/1", "/calls/talked?score=1", "/calls?view=sound", "/callbacks?show=closed"]
STATES = ["/tasks?show=all", "/tasks?show=done", "/tasks?show=groups&due=today", "/tasks/day", "/tasks/week"]
STATES += ["/tasks/5", "/tasks/new?line=call%20back%20Budi%20tomorrow%2010:00", "/tasks/day?date=2030-01-01"]
STAYS = re.compile("Download is starting|ERR_ABORTED")
PATHS = {"id": "talked", "n": "0", "name": "job", "pop": "0" * 32, "command": "0" * 32, "number": "1"}
PATHS |= {"change": "0" * 32, "note": "0" * 32, "merge": "0" * 32, "consent": "1", "item": "1"}
PATHS |= {"evaluation": "1", "form": "1", "round": "1", "call": "talked", "draw": "1", "list": "1", "moment": "1"}
PATHS |= {"file": "1", "erasure": "1", "gap": "1"}
#: Pages of one thing: where the path's id is no call's.
IDS = {"/clients/": "1", "/organisations/": "1", "/accounts/": "8", "/tasks/": "1", "/callbacks/": "1", "/shifts/": "7"}


def filled(route: Route) -> str:
    """The address of the route for things that this office has."""
    path = re.sub(r"\{(\w+)[^}]*\}", lambda found: f"{{{found.group(1)}}}", route.path)
    prefix = next((prefix for prefix in IDS if path.startswith(prefix)), "")
    return path.format(**(PATHS | ({"id": IDS[prefix]} if prefix else {})))


def every_page() -> list[str]:
    """The address of each declared page, so that a new one is looked at without being named here."""
    routes = [route for part in PAGES for route in part.routes if route.method == "GET" and not route.public]
    known = [filled(route) for route in routes]
    return [path for path in dict.fromkeys(known) if not path.startswith(("/shell/", "/desk/"))]


async def prepared(desk: Desk, folder: Path, actor: Actor) -> None:
    """An office with its history, a task with everything that it may have, and a reminder that stands."""
    writer, due = desk.running.writer, clock.now()
    await office.fill(writer, folder)
    plan = {"due_at": due, "remind_min": 0, "repeat": "FREQ=WEEKLY;BYDAY=MO,TH", "kind": "meeting"}
    for one in (actor, people.OLGA):
        typed = {"title": "Weekly report", "items": ["Ask", "Write"], "note": "All of it", **plan}
        await writer.do(lambda unit, one=one, typed=typed: tasks.add_task(unit, one, typed), name="task")
    await reminders.look(desk.running.database, writer, {})
    await scored.fill(writer)


async def look_at(page: Page, url: str) -> list[str]:
    """What is wrong with a page; nothing of what is no page, or not there in this office."""
    try:
        answer = await page.goto(url)
    except Error as error:
        if STAYS.search(error.message):
            return []  # A file to save, or nothing: the browser stays where it is.
        raise
    if answer is None or "text/html" not in answer.headers.get("content-type", ""):
        return []
    if not (await answer.text()).lstrip().startswith("<!doctype"):
        return []
    found = await violations(page)
    if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        found.append("overflows sideways")
    return found


async def test_axe_finds_nothing_on_every_declared_page(desk: Desk, tmp_path: Path) -> None:
    await prepared(desk, tmp_path / "sound", people.ADAM)
    context = await desk.context(people.ADAM)
    page = await context.new_page()
    complaints = {}
    for path in every_page():
        if found := await look_at(page, desk.url + path):
            complaints[path] = found
    assert len(every_page()) > 30
    assert complaints == {}


async def test_axe_finds_nothing_in_what_an_operator_meets(desk: Desk, tmp_path: Path) -> None:
    await prepared(desk, tmp_path / "sound", people.OLGA)
    complaints: dict[str, list[str]] = {}
    for actor, paths in ((people.OLGA, [*DIFFERENT, *STATES, "/pbx"]), (None, ["/sign-in", "/static/none"])):
        context = await desk.context(actor)
        page = await context.new_page()
        for path in paths:
            if found := await look_at(page, desk.url + path):
                complaints[path] = found
    assert complaints == {}


async def test_axe_finds_nothing_in_forms_that_were_refused_and_in_open_menus(desk: Desk) -> None:
    await prepared(desk, Path(desk.running.settings.pbx["office"].recordings), people.OLGA)
    page = await desk.page(people.OLGA, "/tasks/new")
    complaints = {}
    await page.locator("#f-remind").select_option("10")
    await page.locator("#f-repeat").select_option("own")
    await page.locator("details.field summary").click()
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_selector(".says-bad")
    complaints["a refused task"] = await violations(page)
    await page.locator(".reminder").click()
    await page.wait_for_selector("#menu-reminders:popover-open")
    complaints["reminders"] = await violations(page)
    await page.keyboard.press("Escape")
    await page.goto(f"{desk.url}/tasks")
    await page.locator(".line-in input").fill("call back Budi tomorrow 10:00")
    await page.wait_for_selector("#understood .tag")
    complaints["a line"] = await violations(page)
    await page.goto(f"{desk.url}/me")
    await page.get_by_role("button", name="Make an address").click()
    await page.wait_for_selector(".mono")
    complaints["the calendar address"] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}


async def test_axe_finds_nothing_on_a_call_in_any_state(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    complaints: dict[str, list[str]] = {}
    await desk.ring("shared", office.SHARED)
    await page.wait_for_selector("#live[data-state=ringing] .choose")
    complaints["ringing"] = await violations(page)
    await desk.answer("101")
    await page.wait_for_selector("#live[data-state=talking]")
    complaints["talking"] = await violations(page)
    await desk.end()
    await page.wait_for_selector("#live[data-state=wrapup]")
    complaints["wrapup"] = await violations(page)
    await page.keyboard.press("Control+k")
    await page.wait_for_selector("#palette [role=option]")
    complaints["palette"] = await violations(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    complaints["keys"] = await violations(page)
    assert {state: found for state, found in complaints.items() if found} == {}


async def test_no_page_overflows_sideways(desk: Desk) -> None:
    await office.fill(desk.running.writer)
    page = await desk.page(people.OLGA)
    wide = []
    for path in [*OLGAS, *STATES]:
        await page.goto(desk.url + path)
        for width in (390, 1024, 1280):
            await page.set_viewport_size({"width": width, "height": 800})
            if await page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
                wide.append((path, width))
    assert wide == []


async def test_what_only_the_dark_theme_breaks_is_found_too(desk: Desk) -> None:
    page = await desk.page(None, "/sign-in")
    assert await violations(page) == []
    await page.evaluate("document.querySelector('h1').style.color = 'light-dark(#000, #222)'")
    assert [one.split(":")[:2] for one in await violations(page)] == [["dark", " color-contrast"]]
