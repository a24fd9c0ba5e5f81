"""Every text in the reader's language: catalogs, which one is meant, and `_` for Python's own texts.

The catalogs are webui/locale/LANG/LC_MESSAGES/messages.po, compiled when the wheel is built; in a
checkout that was not built they are compiled in memory. The language of a request stands in a
context variable, so that `_` works in templates and in Python alike.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
#: Languages with a catalog, and what each calls itself. English is the language of the texts themselves.
LANGUAGES = {"en": "English", "ru": "Русский"}

_now: ContextVar[str] = ContextVar("language", default="en")


@cache
def catalog(language: str) -> NullTranslations:
    """The translations of one language; those of English are the texts as they are."""
    source = LOCALE / language / "LC_MESSAGES" / "messages.po"
    compiled = source.with_suffix(".mo")
    if compiled.is_file() and (not source.is_file() or compiled.stat().st_mtime >= source.stat().st_mtime):
        with compiled.open("rb") as stream:
            return GNUTranslations(stream)
    if not source.is_file():
        return NullTranslations()
    out = BytesIO()
    with source.open("rb") as lines:
        write_mo(out, read_po(lines))
    out.seek(0)
    return GNUTranslations(out)


def choose(wished: Iterable[str]) -> str:
    """The first wish that has a catalog ("ru-RU" is served by "ru"), else English."""
    wishes = [wish.replace("-", "_") for wish in wished if wish]
    found = negotiate_locale(wishes, list(LANGUAGES), sep="_")
    return found or "en"


def accepted(header: str) -> list[str]:
    """The languages of an Accept-Language header, best first."""
    found = []
    for part in header[:500].split(","):
        name, _, quality = part.strip().partition(";q=")
        if name and name != "*":
            found.append((-_number(quality), name))
    return [name for _, name in sorted(found, key=lambda pair: pair[0])]


def _number(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def use(language: str) -> None:
    """Texts of this task are in `language` from now on."""
    _now.set(language)


def language() -> str:
    """The language of the present request."""
    return _now.get()


def locale() -> Locale:
    """The same, as babel wants it."""
    return locale_of(_now.get())


@cache
def locale_of(language: str) -> Locale:
    """One of LANGUAGES as babel wants it."""
    return Locale.parse(language)


def gettext(text: str) -> str:
    """`text` in the request's language."""
    return catalog(_now.get()).gettext(text) if text else ""


def ngettext(one: str, many: str, n: int) -> str:
    """The form that goes with `n`."""
    return catalog(_now.get()).ngettext(one, many, n)


def pgettext(context: str, text: str) -> str:
    """A text whose meaning depends on where it stands."""
    return catalog(_now.get()).pgettext(context, text)


def npgettext(context: str, one: str, many: str, n: int) -> str:
    """Both."""
    return catalog(_now.get()).npgettext(context, one, many, n)


_ = gettext
