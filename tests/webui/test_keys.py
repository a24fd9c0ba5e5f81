"""The map on `?` and the keys that are really bound: each stands in the other."""

import re
from pathlib import Path

from callcrm.accounts.policy import Actor
from webui import i18n
from webui.shell import places

WEBUI = Path(i18n.__file__).parent
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in (WEBUI / "frontend" / "src").glob("*.ts")}
MAP = (WEBUI / "templates" / "shell" / "keys.html").read_text(encoding="utf-8")
#: How the map writes what the browser calls otherwise.
SHOWN = {
    " ": "SPACE",
    "ESCAPE": "ESC",
    "ENTER": "↵",
    "ARROWUP": "↑",
    "ARROWDOWN": "↓",
    "ARROWLEFT": "←",
    "ARROWRIGHT": "→",
}
#: Keys that are told from others by conditions, not by a table; each with the code that does it.
CONDITIONS = {
    "1": r"/\^\[1-9\]\$/\.test\(key\)",
    "9": r"/\^\[1-9\]\$/\.test\(key\)",
    "ALT 1": r"Digit\(\[0-9\]\)",
    "CTRL K": r'toLowerCase\(\) === "k"',
    "CTRL ↵": r'\.key === "Enter"\) return press\("#live \[data-hot=ready\]"\)',
    "F2": r"\^F\(2\|4\|7\|8\|9\)\$",
    "F4": r"\^F\(2\|4\|7\|8\|9\)\$",
    "F7": r"\^F\(2\|4\|7\|8\|9\)\$",
    "F8": r"\^F\(2\|4\|7\|8\|9\)\$",
    "F9": r"\^F\(2\|4\|7\|8\|9\)\$",
    "SHIFT ←": r"event\.shiftKey",
    "SHIFT →": r"event\.shiftKey",
    "G": r'key === "g"',
    "ESC": r'"Escape"',
    "↵": r"",  # the link or button that has the focus is the browser's own matter
}


def bound() -> set[str]:
    """Every key of a table of keys, as the map would write it."""
    found = set()
    for name in ("keys.ts", "board.ts", "review.ts", "score.ts"):
        for table in re.findall(r"const (?:SINGLE|KEYS): Record<[^\n]+ = \{\n(.*?)\n\};", SOURCES[name], re.DOTALL):
            pairs = re.findall(r'^  (?:"([^"]+)"|(\w+))[:,]', table, re.MULTILINE)
            keys = [quoted or plain for quoted, plain in pairs]
            found |= {f"SHIFT {key}" if len(key) == 1 and key.isupper() else key.upper() for key in keys}
    return {SHOWN.get(key, key) for key in found}


def shown() -> set[str]:
    """Every key that stands in the map."""
    rows = re.findall(r"row\(\[((?:\"[^\"]*\"(?:, )?)+)", MAP)
    return {key.upper() for row in rows for key in re.findall(r'"([^"]*)"', row)} - {"–"}


def test_every_bound_key_stands_in_the_map() -> None:
    assert len(bound()) > 20
    assert sorted(bound() - shown()) == [], "add these to templates/shell/keys.html"


def test_every_key_of_the_map_is_bound() -> None:
    assert sorted(shown() - bound() - CONDITIONS.keys()) == [], "these do nothing"
    for key, code in CONDITIONS.items():
        assert key in shown(), key
        assert any(re.search(code, text) for text in SOURCES.values()), key


def test_every_place_of_the_rail_has_its_letter_in_the_browser_too() -> None:
    table = re.search(r"const PAGES: Record<string, string> = \{(.*?)\}", SOURCES["keys.ts"])
    assert table is not None
    letters = dict(re.findall(r'(\w): "([^"]+)"', table[1]))
    assert letters == {place.key: place.href for place in places(Actor(1, "adam", "admin"))}
