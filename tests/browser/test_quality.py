"""Scoring in a real browser: by keys alone, saved as it goes; a dispute and its answer; axe on all of it."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from callcrm.quality import evaluations, forms
from callcrm.quality.scorable import Subject
from tests import people
from tests.browser.conftest import Desk
from tests.browser.looking import violations
from tests.quality.forms import SALES, best
from tests.webui import office

pytestmark = pytest.mark.browser
#: Every question but the last, then "No" to the critical one, which wants a comment.
KEYS = ["1", "5", "1", "1", "4", "1", "1", "2"]


async def published(desk: Desk, folder: Path) -> None:
    """An office with a sound, and a form to score it on."""
    writer = desk.running.writer
    await office.fill(writer, folder)
    form_id = await writer.do(lambda unit: forms.add(unit, people.VERA, "Sales", SALES), name="form")
    await writer.do(lambda unit: forms.publish(unit, people.VERA, form_id, 1), name="publish")


async def press(page: Page, keys: list[str]) -> None:
    """Answer question after question; the mark goes on by itself."""
    for key in keys:
        now = page.locator(".question.is-now")
        name = await now.get_attribute("data-question")
        await page.keyboard.press(key)
        await expect(page.locator(f'[data-question="{name}"] input:checked')).to_have_count(1)
        await expect(page.locator(f'[data-question="{name}"]')).not_to_have_class("question is-now")


async def test_a_call_is_scored_by_keys_alone_and_survives_a_reload(desk: Desk, tmp_path: Path) -> None:
    await published(desk, tmp_path / "sound")
    page = await desk.page(people.VERA, "/calls/talked?score=new")
    complaints = await violations(page)
    # A condition that does not hold yet: the question is not there.
    await expect(page.locator('[data-question="date"]')).to_be_hidden()
    await press(page, KEYS)
    await expect(page.locator('[data-question="date"] input:checked')).to_have_value("1")
    await expect(page.locator(".total")).to_contain_text("1 left: ends at 71.5 to 79.8")
    await expect(page.locator('[data-question="hold"]')).to_have_attribute("data-silent", "")
    # The wave is clicked, and the comment keeps the second at which its first letter was typed.
    await page.locator("[data-seek] .track").first.click(position={"x": 120, "y": 8})
    await page.keyboard.press("ArrowUp")
    await page.keyboard.press("n")
    await page.keyboard.type("Not a word 1 2 3")
    await expect(page.locator('[data-question="hold"] [data-second]')).to_contain_text("At ")
    await expect(page.locator("[data-saved]")).to_contain_text("Saved ")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("[data-trouble]")).to_contain_text("Answer every question first")
    await page.reload()
    await expect(page.locator('[name="c.hold"]')).to_have_value("Not a word 1 2 3")
    await expect(page.locator(".question.is-now")).to_have_attribute("data-question", "calm")
    complaints += await violations(page)
    await page.keyboard.press("0")
    await expect(page.locator(".total")).to_contain_text("All questions are answered")
    await page.keyboard.press("Control+Enter")
    await page.wait_for_url("**/calls/talked?score=1*")
    await expect(page.locator(".dock")).to_contain_text("Not a word 1 2 3")
    assert complaints + await violations(page) == []


async def test_two_windows_of_a_grader_do_not_write_over_each_other(desk: Desk, tmp_path: Path) -> None:
    await published(desk, tmp_path / "sound")
    one = await desk.page(people.VERA, "/calls/talked?score=new")
    two = await desk.page(people.VERA, "/calls/talked?score=new")
    await one.keyboard.press("1")
    await expect(one.locator("[data-saved]")).to_contain_text("Saved ")
    await two.keyboard.press("2")
    await expect(two.locator("[data-trouble]")).to_contain_text("another window")
    # No connection is no loss: it is tried again until it is kept.
    await one.context.set_offline(True)
    await one.keyboard.press("5")
    await expect(one.locator("[data-saved]")).to_contain_text("Not saved yet")
    await one.context.set_offline(False)
    await expect(one.locator("[data-saved]")).to_contain_text("Saved ")
    await one.reload()
    await expect(one.locator('[data-question="need"] input:checked')).to_have_value("5")


async def test_an_operator_disputes_his_score_and_a_supervisor_corrects_it(desk: Desk, tmp_path: Path) -> None:
    await published(desk, tmp_path / "sound")
    writer, subject = desk.running.writer, Subject("talked", people.OLGA.user_id, 1, 1)
    given = best(SALES, but={"card": "no"})
    saved = await writer.do(lambda unit: evaluations.save(unit, people.ADAM, subject, given), name="score")
    await writer.do(lambda unit: evaluations.submit(unit, people.ADAM, saved.id, version=1), name="submit")
    olga = await desk.page(people.OLGA, "/")
    await olga.keyboard.press("g")
    await olga.keyboard.press("q")
    await olga.wait_for_url("**/quality")
    complaints = await violations(olga)
    await expect(olga.locator(".rail [aria-current=page]")).to_contain_text("My quality")
    await olga.click("[data-row] a")
    await expect(olga.locator(".total")).to_contain_text("Issue")
    await olga.get_by_text("Something is not right").click()
    complaints += await violations(olga)
    await olga.get_by_label("Card number kept out of the recording").check()
    await olga.get_by_label("What is not right").fill("It was paused at 1:00.")
    await olga.get_by_role("button", name="Dispute the score").click()
    await expect(olga.locator(".dispute")).to_contain_text("It was paused at 1:00.")

    vera = await desk.page(people.VERA, "/quality?show=disputed")
    await expect(vera.locator(".rail [aria-current=page] .count")).to_contain_text(
        "2"
    )  # the dispute, and the fatal error
    complaints += await violations(vera)
    await vera.click("[data-row] a")
    complaints += await violations(vera)
    await vera.keyboard.press("n")
    await expect(vera.get_by_label("Your answer")).to_be_focused()
    await vera.get_by_role("button", name="Correct the score…").click()
    await vera.locator('[data-question="card"] label', has_text="Yes").click()
    await expect(vera.locator(".total")).to_contain_text("100")
    await vera.locator("#score-comment").fill("You are right: it was paused.")
    await vera.keyboard.press("Control+Enter")
    await expect(vera.locator(".dock .is-read").first).to_be_visible()
    await olga.goto(f"{desk.url}/quality/evaluations/1")
    await expect(olga.locator(".dispute")).to_contain_text("You are right: it was paused.")
    await olga.get_by_role("link", name="The one in force").click()
    await olga.get_by_role("button", name="I accept this score").click()
    await expect(olga.locator(".client-head")).to_contain_text("Accepted")
    assert complaints + await violations(olga) == []
