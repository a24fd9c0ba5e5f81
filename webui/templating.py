"""Jinja2 as the pages use it: everything escaped, texts through gettext, undefined names are errors."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from callcrm.kernel import clock
from webui import i18n, qualitytabs, show, words
from webui.assets import asset


@cache
def environment() -> Environment:
    """The one environment; request-bound things (language, zone) stand in context variables."""
    env = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Else each row of a list would ask the disk whether its template has changed.
        auto_reload=False,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    env.install_gettext_callables(  # type: ignore[attr-defined]
        i18n.gettext, i18n.ngettext, newstyle=True, pgettext=i18n.pgettext, npgettext=i18n.npgettext
    )
    # A page has hundreds of texts: Jinja's own way calls four functions and formats anew for each.
    env.globals.update(gettext=_text, _=_text)
    env.filters.update(show.FILTERS)
    env.globals.update(asset=asset, svg=svg, now=clock.now, timedelta=timedelta, words=words, languages=i18n.LANGUAGES)
    env.globals.update(quality_tabs=qualitytabs.tabs, scores=qualitytabs.scores)
    return env


def _text(text: str, /, **variables: Any) -> Markup:
    """A text in the request's language, as Jinja's newstyle gettext gives it: always a format, values escaped."""
    language = i18n.language()
    return _format(language, text) % variables if variables else _plain(language, text)


@lru_cache(maxsize=4096)
def _format(language: str, text: str) -> Markup:
    return Markup(i18n.catalog(language).gettext(text) if text else "")  # noqa: S704 - a text of ours


@lru_cache(maxsize=4096)
def _plain(language: str, text: str) -> Markup:
    return _format(language, text) % {}


@lru_cache(maxsize=512)
def svg(name: str) -> Markup:
    """An icon of the built file. Rows have several each, so it is no macro."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(asset("icons.svg"), name)


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template's text."""
    return environment().get_template(template).render(values)
