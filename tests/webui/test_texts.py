"""Texts: every one is translated, every icon and every browser word exists, nothing inline stands in a template."""

import json
import re
from pathlib import Path

import pytest
from babel.messages.checkers import checkers
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from webui import coretexts, i18n, words
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


def told_by_the_core() -> set[str]:
    """The sentences of the parts below, as babel.cfg says where they are."""
    lines = (WEBUI / "locale" / "babel.cfg").read_text(encoding="utf-8").splitlines()
    found: set[str] = set()
    for n, line in enumerate(lines):
        if line.startswith("[core: "):
            options = {"returns": "yes"} if lines[n + 1].startswith("returns") else {}
            for path in WEBUI.parent.glob(line[7:-1].replace("**", "**/*")):
                with path.open("rb") as source:
                    found |= {text for _line, _function, text, _notes in coretexts.extract(source, (), (), options)}
    return found


def test_what_the_core_tells_in_english_is_translated_where_it_is_shown() -> None:
    with (WEBUI / "locale" / "ru" / "LC_MESSAGES" / "messages.po").open("rb") as lines:
        known = {message.id for message in read_po(lines) if message.id and message.string}
    told = told_by_the_core()
    assert len(told) > 200
    commands = ("file that exists", "another place", "several files", "one of these", "as CSV", "as .xlsx", "column")
    missing = [text for text in told - known if not any(words in text for words in commands)]
    assert missing == [], "make messages"


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("a name is needed", "нужно имя или название"),
        ("at most 20 characters; these are 31", "не больше 20 знаков; здесь 31"),
        ("'<b>' is no telephone number.", "'<b>' — не номер телефона."),
        ("The file did not come within 5 minutes after the call.", "Файл не появился за 5 мин после звонка."),
        ("Not recorded once, 3 s in all.", "Не записано один раз, всего 3 с."),
        ("The weights of the sections are 90 % together; make them 100 %.", None),
        ("Nobody ever said this %(1)s %s {}", "Nobody ever said this %(1)s %s {}"),
        ("", ""),
    ],
)
def test_a_sentence_with_values_is_known_by_its_pattern(told: str, said: str | None) -> None:
    assert coretexts.said(told) == told, "English readers read it as it is"
    i18n.use("ru")
    try:
        found = coretexts.said(told)
    finally:
        i18n.use("en")
    assert found == said if said is not None else "90 %; сделайте 100 %" in found


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
        said = [i18n.ngettext("%(n)s call", "%(n)s calls", n) % {"n": n} for n in (1, 2, 5, 21)]
    finally:
        i18n.use("en")
    assert said == ["1 звонок", "2 звонка", "5 звонков", "21 звонок"]
