"""The player of a call's story in a real browser: keys, silence, moments in the address, pins, by keyboard alone."""

from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
from numpy import arange as every
from numpy import int16, pi, sin, stack
from playwright.async_api import Page, expect

from callcrm.calls.call import Stretch
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.calls import making
from tests.webui import office

pytestmark = pytest.mark.browser
RATE = 8000
#: The call rings for five seconds; of the thirty of sound nobody is heard from the sixth to the twenty-first.
ANSWERED, SECONDS, SILENT = 5.0, 30.0, (6.0, 21.0)

HEARD_S = """() => { const { played } = document.querySelector("audio");
  return [...Array(played.length).keys()].reduce((sum, n) => sum + played.end(n) - played.start(n), 0); }"""


def voices(path: Path) -> None:
    """Both hum by turns, with a long silence between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seconds = every(int(SECONDS * RATE)) / RATE
    heard = (seconds < SILENT[0]) | (seconds >= SILENT[1])
    turn = (seconds // 1.5) % 2 == 0
    tone = (9000 * sin(2 * pi * 300 * seconds)).astype(int16)
    client, operator = tone * (heard & turn), tone * (heard & ~turn)
    soundfile.write(path, stack([client, operator], axis=1), RATE)


async def recorded(desk: Desk, folder: Path) -> None:
    """Olga's call of 35 seconds, with a hold, and its sound."""
    at = office.ago(30)
    ringing = making.rings(making.call("heard", at), "101", after=1.0)
    talking = making.answers(ringing[-1].call, "101", ANSWERED)
    end = making.ends(talking[-1].call, ANSWERED + SECONDS)
    held = Stretch("hold", at + 15, at + 20)
    legs = [replace(leg, stretches=(held,)) if leg.who == "101" else leg for leg in end.call.legs]
    life = office.told([*ringing, *talking, replace(end, call=replace(end.call, legs=tuple(legs)))])
    await office.record(desk.running.writer, *life)
    voices(folder / "heard.wav")
    await office.add_sound(desk.running.writer, "heard", folder, "heard.wav")


async def position(page: Page, shown: str) -> None:
    await expect(page.locator("[data-position]")).to_have_text(shown)


async def second(page: Page) -> float:
    found: float = await page.evaluate("document.querySelector('audio').currentTime")
    return found


async def plays_past(page: Page, moment: float) -> None:
    look = "look = () => document.querySelector('audio').currentTime > moment ? done() : setTimeout(look, 50)"
    await page.evaluate(f"moment => new Promise(done => {{ let {look}; look() }})", moment)


async def test_a_call_is_heard_by_keys_and_the_address_keeps_the_second(desk: Desk, tmp_path: Path) -> None:
    await recorded(desk, tmp_path / "sound")
    page = await desk.page(people.VERA, "/calls/heard?n=0&t=4", permissions=["clipboard-read", "clipboard-write"])
    await position(page, "0:09")
    for key, shown in (
        ("ArrowRight", "0:14"), ("Shift+ArrowRight", "0:29"), ("ArrowLeft", "0:24"), ("Shift+ArrowLeft", "0:09"),
        ("l", "0:19"), ("j", "0:09"), ("j", "0:00"), ("ArrowRight", "0:05"),
    ):  # fmt: skip
        await page.keyboard.press(key)
        await position(page, shown)
    assert page.url.endswith("#t=5")
    for key, speed in (("]", "1.25×"), ("]", "1.5×"), ("[", "1.25×"), ("[", "1×"), ("[", "0.75×"), ("[", "0.75×")):
        await page.keyboard.press(key)
        await expect(page.locator("[data-speed]")).to_have_text(speed)
    assert await page.evaluate("(a => a.playbackRate === 0.75 && a.preservesPitch)(document.querySelector('audio'))")
    await page.keyboard.press("Space")
    await plays_past(page, 0.2)
    await page.keyboard.press("k")
    await expect(page.locator("[data-act=play]")).to_have_attribute("aria-pressed", "false")
    assert 0.2 < await second(page) < SILENT[0]
    await page.keyboard.press("s")
    await expect(page.locator("[data-act=skip]")).to_have_attribute("aria-pressed", "true")
    await page.goto(desk.url + "/calls/heard#t=10.5")  # a clock shows whole seconds that have passed
    await position(page, "0:10")
    await page.keyboard.press("k")
    await plays_past(page, SILENT[1] - 0.5)
    await page.keyboard.press("k")
    # A seek tells its aim before it is there: so it is what was heard that counts, not how many pieces there are.
    assert await page.evaluate(HEARD_S) < SILENT[1] - SILENT[0] - 5, "nothing was skipped"
    await page.keyboard.press("g")
    await page.keyboard.press("l")
    await page.wait_for_url("**/calls")


async def test_a_sound_that_is_gone_is_told_beside_the_player_until_it_is_back(desk: Desk, tmp_path: Path) -> None:
    await recorded(desk, tmp_path / "sound")
    file = tmp_path / "sound" / "heard.wav"
    whole = file.read_bytes()
    file.unlink()
    page = await desk.page(people.VERA, "/calls/heard")
    await expect(page.locator("[data-lost]")).to_contain_text("any more")
    assert await violations(page) == []
    file.write_bytes(whole)
    await page.locator("body").press("Space")
    await plays_past(page, 0.3)
    await expect(page.locator("[data-lost]")).to_be_hidden()


async def test_a_comment_is_pinned_moved_to_removed_and_brought_back_without_a_mouse(
    desk: Desk, tmp_path: Path
) -> None:
    await recorded(desk, tmp_path / "sound")
    page = await desk.page(people.VERA, "/calls/heard#t=16", permissions=["clipboard-read", "clipboard-write"])
    await expect(
        page.get_by_role("img", name="Olga Bondar: Rang 0:04 at 0:01, Talked 0:10 at 0:05, Hold")
    ).to_be_visible()
    await page.keyboard.press("m")
    await expect(page.locator("#pin-text")).to_be_focused()
    await page.keyboard.press("Enter")  # nothing was written: it stays open
    await page.keyboard.type("Put on hold without a word; skip jmk")
    await page.keyboard.press("Enter")
    await expect(page.locator("#pins li b")).to_have_text("1")
    await expect(page.locator("#pins")).to_contain_text("Put on hold without a word; skip jmk Vera Chief")
    await expect(page.locator("#pin-new")).to_be_hidden()
    await page.keyboard.press("Shift+ArrowRight")
    await position(page, "0:31")
    await page.locator("#pin-lane a").focus()
    await page.keyboard.press("Enter")
    await position(page, "0:16")
    await page.get_by_role("button", name="Copy moment").press("Enter")
    await expect(page.locator("#tell")).to_contain_text("0:16")
    assert await page.evaluate("navigator.clipboard.readText()") == f"{desk.url}/calls/heard?t=16"
    assert await violations(page) == []
    hers = await desk.page(people.OLGA, "/calls/heard?t=16")
    await position(hers, "0:16")
    await expect(hers.locator("#pins")).to_contain_text("Put on hold")
    await expect(hers.get_by_role("button", name="Remove pin 1")).to_have_count(0)
    await page.get_by_role("button", name="Remove pin 1").press("Enter")
    await expect(page.locator("#pins li b")).to_have_count(0)
    await page.get_by_role("button", name="Undo").press("Enter")
    await expect(page.locator("#pin-lane a")).to_have_count(1)
