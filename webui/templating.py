"""Jinja2 as the pages use it: everything escaped, texts through gettext, undefined names are errors."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

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
    env.filters.update(show.FILTERS)
    env.globals.update(asset=asset, now=clock.now, timedelta=timedelta, words=words, languages=i18n.LANGUAGES)
    env.globals.update(quality_tabs=qualitytabs.tabs, scores=qualitytabs.scores)
    return env


def render(template: str, values: Mapping[str, Any]) -> str:
    """The template's text."""
    return environment().get_template(template).render(values)
