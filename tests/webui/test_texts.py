"""Texts: every one is translated, every icon and every browser word exists, nothing inline stands in a template."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.checkers import checkers
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from webui import i18n, words
from webui.templating import environment

WEBUI = Path(i18n.__file__).parent
TEMPLATES = sorted((WEBUI / "templates").rglob("*.html"))
MODULES = sorted((WEBUI / "frontend" / "src").glob("*.ts"))
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}


def texts() -> set[object]:
    """Every text of templates and Python."""
    skipped = ("frontend", "static", "locale")
    found = extract_from_dir(
        WEBUI, METHODS, keywords=KEYWORDS, directory_filter=lambda path: Path(path).name not in skipped
    )
    return {message for _file, _line, message, *_ in found if message}


@pytest.mark.parametrize("language", [code for code in i18n.LANGUAGES if code != "en"])
def test_every_text_is_translated_with_the_same_places(language: str) -> None:
    with (WEBUI / "locale" / language / "LC_MESSAGES" / "messages.po").open("rb") as lines:
        catalog = read_po(lines)
    known = {message.id[0] if isinstance(message.id, list | tuple) else message.id: message for message in catalog}
    for text in texts():
        key = text[0] if isinstance(text, tuple) else text
        assert key in known, f"{key!r} is not in the catalog: make messages"
        said = known[key].string
        assert all(said) if isinstance(said, tuple) else said, f"{key!r} has no translation"
    wrong = [str(error) for message in catalog if message.id for error in message.check(catalog)]
    assert wrong == [] and checkers


def test_every_template_compiles() -> None:
    for path in TEMPLATES:
        environment().get_template(str(path.relative_to(WEBUI / "templates")))


def test_every_icon_that_is_named_is_in_the_sprite() -> None:
    there = set(json.loads((WEBUI / "frontend" / "icons.json").read_text())["icons"])
    named = set(re.findall(r'icon\("([a-z0-9-]+)"\)', "".join(path.read_text() for path in TEMPLATES)))
    python = "".join(path.read_text() for path in WEBUI.rglob("*.py"))
    named |= set(re.findall(r'Mark\([^,]+, "([a-z0-9-]+)"', python))
    named |= {
        icon for icon in re.findall(r'(?:Place|Hit|Item|Step)\([^,]+, "[a-z]?"?,? ?"([a-z0-9-]+)"', python) if icon
    }
    assert named and named <= there, named - there


def test_every_word_that_the_modules_say_is_handed_to_them() -> None:
    said = set(re.findall(r'say\(\s*"(\w+)"', "".join(path.read_text() for path in MODULES)))
    given = words.for_browser()
    assert said and said <= set(given), said - set(given)


def test_no_template_has_anything_inline() -> None:
    for path in TEMPLATES:
        text = path.read_text()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:|hx-on|\|safe\b", text), path
        for script in re.findall(r"<script[^>]*>", text):
            assert "src=" in script, path


def test_the_language_is_the_first_that_there_is() -> None:
    assert i18n.choose(["uk", "ru-RU", "en"]) == "ru"
    assert i18n.choose(["zz", ""]) == "en"
    assert i18n.accepted("en;q=0.5, ru, *;q=0.1, de;q=x") == ["ru", "en", "de"]


def test_plurals_follow_the_language() -> None:
    i18n.use("ru")
    try:
        said = [i18n.ngettext("%(n)s phone", "%(n)s phones", n) % {"n": n} for n in (1, 2, 5, 21)]
    finally:
        i18n.use("en")
    assert said == ["1 телефон", "2 телефона", "5 телефонов", "21 телефон"]
