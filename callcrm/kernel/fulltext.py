"""Full text: how what people type is folded, and the conditions that find it, on SQLite and on PostgreSQL.

The indexes live in tables named `found_…`, which triggers keep in the unit of the row itself (the migration makes
them); no table of ours knows them. Names lie there whole, between spaces, and are found by three letters in a row
(SQLite: FTS5's trigram; PostgreSQL: a GIN index over the same pieces, without an extension): so " iv" is the
beginning of a word and "van" any part of one. Notes and tasks are found by the beginnings of their words.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from sqlalchemy import ColumnElement, TableClause, Text, cast, column, func, literal, literal_column, table, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from callcrm.kernel.schema import Key

PREFIX = "found_"
WORDS = 5
LONGEST_WORD = 60
_PIECE = 3
#: More pieces of a word than these only cost: what they let through is looked at anyway.
_PIECES = 4
_KEPT = "@._+'%&#/-"
_APART = re.compile(rf"[^\w{re.escape(_KEPT)}]+")
_APOSTROPHES = str.maketrans("’ʼ`´", "''''")
_NOT_IN_WORDS = re.compile(r"[\W_]+")
#: What the index of words surely has as we fold it.
_PLAIN = re.compile(r"[0-9a-zа-яєіґ]+")
#: Beginnings of so many letters have an index of their own.
_INDEXED = 3
#: More words than these may begin alike: then SQLite gathers all their places, and sorts them.
_SPELLINGS = 200
#: The words of `TEXTS`, each as often as it stands there; every connection to SQLite makes this for itself.
SPELLED = "CREATE VIRTUAL TABLE temp.found_words USING fts5vocab(main, found_texts, instance)"
#: From one word to the next, not from place to place: of a common word there are a hundred thousand.
_SPELLINGS_OF = text(
    """WITH RECURSIVE spelled(term) AS (
      SELECT (SELECT term FROM found_words WHERE term >= :part LIMIT 1)
      UNION ALL
      SELECT (SELECT term FROM found_words WHERE term >= spelled.term || char(1) LIMIT 1)
        FROM spelled WHERE spelled.term < :above LIMIT :most)
    SELECT term FROM spelled WHERE term < :above"""
)

CLIENTS = table("found_clients", column("rowid", Key), column("text", Text))
ORGANISATIONS = table("found_organisations", column("rowid", Key), column("text", Text))
#: What was written, and where: `kind` is call, client, organisation or task, `ref` its id, `user_id` who wrote it or 0.
TEXTS = table("found_texts", column("rowid", Key), column("words"))
PLACES = table("found_places", column("id", Key), column("kind", Text), column("ref", Text), column("user_id", Key))
#: What stands before a kind or a writer among SQLite's words; nobody types it.
MARK = "\ue000"


def is_index(name: str | None) -> bool:
    """Whether a table or an index of the database is one of these."""
    return bool(name) and str(name).startswith(PREFIX)


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """For Alembic: whether a table is one that the steps compare."""
    return kind != "table" or not is_index(name)


def folded(text: str) -> str:
    """`text` as it is compared: small letters without accents (ё as е, й as и), words between single spaces."""
    apart = unicodedata.normalize("NFKD", text.casefold().translate(_APOSTROPHES))
    plain = "".join(c for c in apart if unicodedata.category(c) != "Mn")
    return _APART.sub(" ", unicodedata.normalize("NFC", plain)).strip()


def words_of(typed: str) -> list[str]:
    """The words of what was typed, folded; marks alone are no words."""
    words = [word[:LONGEST_WORD] for word in folded(typed[:200]).split() if any(c.isalnum() for c in word)]
    return list(dict.fromkeys(words))[:WORDS]


def named(
    found: TableClause, words: Sequence[str], dialect: str, *, within: bool = True
) -> list[ColumnElement[bool]] | None:
    """The conditions on `CLIENTS` or `ORGANISATIONS` that every word is there; None for words too short to look for.

    `within`: any part of a word will do, where it has three letters or more; else the word must begin so.
    """
    parts = [word if within and len(word) >= _PIECE else f" {word}" for word in words]
    pieces = list(dict.fromkeys(piece for part in parts for piece in _pieces(part)))
    if not pieces:
        return None
    there = [found.c.text.contains(part, autoescape=True) for part in parts]
    if dialect == "sqlite":
        quoted = " AND ".join(f'"{piece.replace(chr(34), chr(34) * 2)}"' for piece in pieces)
        return [_match(found, quoted), *there]
    return [func.callcrm_pieces(found.c.text).op("@>", is_comparison=True)(cast(pieces, ARRAY(Text))), *there]


def _pieces(part: str) -> list[str]:
    """Some of the part's pieces: three letters each, side by side."""
    return [part[n : n + _PIECE] for n in range(0, len(part) - _PIECE + 1, _PIECE)][:_PIECES]


def _parts_of(words: Sequence[str]) -> list[str]:
    return [part for word in words for part in _NOT_IN_WORDS.split(word) if len(part) > 1]


async def spellings(db: AsyncConnection, words: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """The written words that begin so, for `written`; empty on PostgreSQL, and of a beginning that very many have.

    SQLite reads the newest places of whole words one by one, but gathers all places of a beginning first.
    """
    found = {}
    for part in _parts_of(words) if db.dialect.name == "sqlite" else ():
        if len(part) > _INDEXED and _PLAIN.fullmatch(part):
            asked = {"part": part, "above": part + "\U0010ffff", "most": _SPELLINGS}
            terms = tuple((await db.execute(_SPELLINGS_OF, asked)).scalars())
            if len(terms) < _SPELLINGS:
                found[part] = terms
    return found


def written(
    words: Sequence[str],
    dialect: str,
    kinds: Sequence[str],
    user_id: int | None = None,
    known: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> list[ColumnElement[bool]] | None:
    """The conditions on `TEXTS` with `PLACES` that a text of these kinds has words that begin so.

    `user_id`: only what this person wrote; `known`: their `spellings`. None when there is nothing to look for.
    """
    plain = _parts_of(words)
    if not plain or any(part in known and not known[part] for part in plain):
        return None
    found: list[ColumnElement[bool]] = [PLACES.c.kind.in_(kinds)]
    if user_id is not None:
        found.append(PLACES.c.user_id == user_id)
    if dialect == "sqlite":
        # A kind and a writer are words of the text, too, so that a common word need not be read to its end for them.
        said = [_begun(part, known.get(part)) for part in plain]
        said.append("(" + " OR ".join(f'"{MARK}{kind}"' for kind in kinds) + ")")
        said += [f'"{MARK}{user_id}"'] if user_id is not None else []
        return [_match(TEXTS, " AND ".join(said)), *found]
    query = func.to_tsquery("simple", " & ".join(f"{part}:*" for part in plain))
    return [TEXTS.c.words.op("@@", is_comparison=True)(query), *found]


def _begun(part: str, known: Sequence[str] | None) -> str:
    """A word that begins so, as FTS5 asks for it."""
    return f'"{part}" *' if known is None else "(" + " OR ".join(f'"{one}"' for one in known) + ")"


def _match(found: TableClause, query: str) -> ColumnElement[bool]:
    said: ColumnElement[bool] = literal_column(found.name).op("MATCH", is_comparison=True)(literal(query, Text))
    return said
