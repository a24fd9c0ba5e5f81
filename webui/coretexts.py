"""Sentences that the parts below the web tell in English, said in the reader's language where they are shown.

`callcrm/` knows no languages: its errors are English sentences, for logs and programs too. `make messages` collects
them from the source by `extract` (see locale/babel.cfg); a sentence with values in it becomes a pattern whose
places are numbered (`%(1)s`), which is how `said` knows patterns in a catalog.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import IO, Any

from callcrm.kernel.errors import CallcrmError, Invalid
from webui import i18n

_ERRORS = frozenset({"Invalid", "NotFound", "NotAllowed", "Conflict", "ValueError", "TypeError"})
_ERRORS |= {"PbxGone", "PbxRefused", "BadCommand", "BadSound", "Unreadable"}
#: Where what is wrong with a field, or the state of something in words, is put down before it is told.
_PLACES = frozenset({"wrong", "bad", "GONE", "CHANGED"})
_HOLE = re.compile(r"%\((\d+)\)s")
_PATTERN_HOLE = "(.*?)"
Found = tuple[int, str, str, list[str]]


def N_(text: str) -> str:  # noqa: N802 - the name by which Babel knows a text that is translated later
    """The text as it is."""
    return text


def said(text: str) -> str:
    """A sentence of the core in the language of the request; as it is when the catalog does not know it."""
    if not text or i18n.language() == "en":
        return text
    return _said(text, i18n.language())


@lru_cache(maxsize=2048)
def _said(text: str, language: str) -> str:
    known = i18n.catalog(language).gettext(text) if text else text  # of nothing, gettext gives its own head
    if known != text:
        return known
    for pattern, places, translated in _patterns(language):
        found = pattern.fullmatch(text)
        if found is not None:
            values = {place: _said(value, language) for place, value in zip(places, found.groups(), strict=True)}
            return _filled(translated.replace("%%", "%"), values)
    return text


def _filled(text: str, values: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: values[hole[1]], text)


@lru_cache(maxsize=8)
def _patterns(language: str) -> list[tuple[re.Pattern[str], list[str], str]]:
    """The catalog's sentences with numbered places, those with most words of their own first."""
    known: Mapping[Any, str] = getattr(i18n.catalog(language), "_catalog", {})
    texts = [(key, value) for key, value in known.items() if isinstance(key, str) and value and _HOLE.search(key)]
    found = []
    for key, value in sorted(texts, key=lambda one: -len(_HOLE.sub("", one[0]))):
        pieces = [re.escape(piece.replace("%%", "%")) for piece in _HOLE.split(key)[::2]]
        found.append((re.compile(_PATTERN_HOLE.join(pieces), re.DOTALL), _HOLE.findall(key), value))
    return found


#: What recordings say of their gaps, in `custody.gapkeeper.said`: pieces of a sentence that are translated apart.
PIECES = (
    N_("Not recorded %(1)s, %(2)s s in all%(3)s."),
    N_("once"),
    N_("%(1)s times"),
    N_("client"),
    N_("organisation"),
    N_("person"),
)


def translated(error: CallcrmError) -> CallcrmError:
    """The same error with its sentence, and what is wrong with each field, in the reader's language."""
    if i18n.language() != "en":
        error.args = (said(str(error)), *error.args[1:])
        if isinstance(error, Invalid):
            error.fields = {name: said(why) for name, why in error.fields.items()}
    return error


def extract(
    fileobj: IO[bytes],
    keywords: Any,  # noqa: ARG001
    comment_tags: Any,  # noqa: ARG001
    options: Mapping[str, Any],
) -> Iterator[Found]:
    """Babel's extractor: the sentences of errors, of what is wrong with fields, and why a recording is as it is.

    With the option `returns` also those that functions give back.
    """
    for node in ast.walk(ast.parse(fileobj.read())):
        given = _values(node.value) if options.get("returns") and isinstance(node, ast.Return) and node.value else ()
        for value in (*_told(node), *given):
            text = _text(value)
            if text and " " in text.strip():
                yield value.lineno, "gettext", text, []


def _told(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions of a node that people may come to read."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _ERRORS:
        for argument in node.args:
            yield from _values(argument)
    elif isinstance(node, ast.Call):
        for keyword in node.keywords:
            if keyword.arg == "cause":
                yield from _values(keyword.value)
    elif isinstance(node, ast.Assign) and any(_is_place(target) for target in node.targets):
        yield from _values(node.value)


def _is_place(target: ast.expr) -> bool:
    if isinstance(target, ast.Subscript):
        target = target.value
    return isinstance(target, ast.Name) and target.id in _PLACES


def _values(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Dict):
        for value in node.values:
            yield from _values(value)
    elif isinstance(node, ast.IfExp):
        yield from _values(node.body)
        yield from _values(node.orelse)
    elif isinstance(node, ast.Constant | ast.JoinedStr):
        yield node


def _text(node: ast.expr) -> str:
    """A literal as it is; one with values in it as a pattern. A value alone is nothing to be translated."""
    if isinstance(node, ast.Constant):
        return node.value.replace("%s", "%(1)s") if isinstance(node.value, str) else ""
    if not isinstance(node, ast.JoinedStr):
        return ""
    text, places = "", 0
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value).replace("%", "%%")
        else:
            places += 1
            text += f"%({places})s"
    return text if re.search(r"\w{3}", _HOLE.sub("", text)) else ""
