"""SQLite's side of step 0009: FTS5 tables, and the triggers that keep them in the unit of the row itself."""

# ruff: noqa: S608 - nothing of these statements comes from outside

from typing import NamedTuple

from callcrm.kernel.fulltext import MARK

_FOLDS = {"ё": "е", "Ё": "е", "й": "и", "Й": "и", "ї": "і", "Ї": "і"}
#: A person's words, then those of his organisation.
_PERSON = (
    "' ' || {row}.search || ' ' || "
    "coalesce((SELECT search || ' ' FROM organisations WHERE id = {row}.organisation_id), '')"
)


class _Written(NamedTuple):
    """Where texts are written: the table and its key; kind, id, writer and text as `found_places` has them."""

    table: str
    key: str
    kind: str
    ref: str
    user: str
    text: str
    columns: tuple[str, ...]

    def of(self, row: str) -> "_Written":
        """The same with the columns of this row."""
        ref, user, text = (said.format(row=row) for said in (self.ref, self.user, self.text))
        return self._replace(ref=f"CAST({ref} AS text)", user=user, text=text)

    @property
    def place(self) -> str:
        """The condition on `found_places`."""
        return f"kind = '{self.kind}' AND ref = {self.ref} AND user_id = {self.user}"


_WRITTEN = (
    _Written("call_notes", "began", "call", "{row}.call_id", "{row}.user_id", "{row}.text", ("text",)),
    _Written("clients", "id", "client", "{row}.id", "0", "{row}.note", ("note",)),
    _Written("organisations", "id", "organisation", "{row}.id", "0", "{row}.note", ("note",)),
    _Written("tasks", "id", "task", "{row}.id", "0", "{row}.title || ' ' || {row}.note", ("title", "note")),
)


def _plain(text: str) -> str:
    for letter, plain in _FOLDS.items():
        text = f"replace({text}, '{letter}', '{plain}')"
    return text


def _marked(one: _Written) -> str:
    return f"{_plain(one.text)} || ' {MARK}{one.kind} {MARK}' || {one.user}"


def _text_triggers(one: _Written) -> list[str]:
    new, old = one.of("new"), one.of("old")
    filled = f"trim({new.text}) <> ''"
    # No OR IGNORE: within an upsert that statement's own way of meeting a conflict would hold here too.
    write = f"""
      INSERT INTO found_places (kind, ref, user_id) SELECT '{new.kind}', {new.ref}, {new.user}
        WHERE NOT EXISTS (SELECT 1 FROM found_places WHERE {new.place});
      INSERT INTO found_texts (rowid, words)
        SELECT id, {_marked(new)} FROM found_places WHERE {new.place} AND {filled};"""
    differs = " OR ".join(f"old.{name} IS NOT new.{name}" for name in one.columns)
    return [
        f"CREATE TRIGGER found_{one.kind}_written AFTER INSERT ON {one.table} WHEN {filled} BEGIN {write} END",
        f"""CREATE TRIGGER found_{one.kind}_rewritten AFTER UPDATE OF {", ".join(one.columns)} ON {one.table}
        WHEN {differs} BEGIN
          DELETE FROM found_texts WHERE rowid IN (SELECT id FROM found_places WHERE {new.place}); {write} END""",
        f"""CREATE TRIGGER found_{one.kind}_erased AFTER DELETE ON {one.table} BEGIN
          DELETE FROM found_texts WHERE rowid IN (SELECT id FROM found_places WHERE {old.place});
          DELETE FROM found_places WHERE {old.place}; END""",
    ]


def _places(one: _Written) -> str:
    row = one.of(one.table)
    return f"""INSERT OR IGNORE INTO found_places (kind, ref, user_id)
      SELECT '{one.kind}', {row.ref}, {row.user} FROM {one.table}
      WHERE {one.key} BETWEEN :first AND :last AND trim({row.text}) <> '' ORDER BY {one.key}"""


def _texts(one: _Written) -> str:
    row = one.of(one.table)
    return f"""INSERT INTO found_texts (rowid, words) SELECT p.id, {_marked(row)} FROM {one.table}
      JOIN found_places p ON p.kind = '{one.kind}' AND p.ref = {row.ref} AND p.user_id = {row.user}
      WHERE {one.table}.{one.key} BETWEEN :first AND :last AND trim({row.text}) <> ''"""


_NAMES = "fts5(text, tokenize = 'trigram case_sensitive 1', detail = 'none', columnsize = 0)"
_WORDS = "fts5(words, tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3', detail = 'none', columnsize = 0)"
MAKE = [
    f"CREATE VIRTUAL TABLE found_clients USING {_NAMES}",
    f"CREATE VIRTUAL TABLE found_organisations USING {_NAMES}",
    f"CREATE VIRTUAL TABLE found_texts USING {_WORDS}",
    """CREATE TABLE found_places (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, ref TEXT NOT NULL,
      user_id INTEGER NOT NULL, UNIQUE (kind, ref, user_id))""",
    f"""CREATE TRIGGER found_clients_added AFTER INSERT ON clients
      WHEN new.search <> '' OR new.organisation_id IS NOT NULL BEGIN
        INSERT INTO found_clients (rowid, text) VALUES (new.id, {_PERSON.format(row="new")}); END""",
    f"""CREATE TRIGGER found_clients_changed AFTER UPDATE OF search, organisation_id ON clients
      WHEN old.search IS NOT new.search OR old.organisation_id IS NOT new.organisation_id BEGIN
        DELETE FROM found_clients WHERE rowid = old.id;
        INSERT INTO found_clients (rowid, text) VALUES (new.id, {_PERSON.format(row="new")}); END""",
    """CREATE TRIGGER found_clients_gone AFTER DELETE ON clients BEGIN
        DELETE FROM found_clients WHERE rowid = old.id; END""",
    """CREATE TRIGGER found_organisations_added AFTER INSERT ON organisations BEGIN
        INSERT INTO found_organisations (rowid, text) VALUES (new.id, ' ' || new.search || ' '); END""",
    """CREATE TRIGGER found_organisations_changed AFTER UPDATE OF search ON organisations
      WHEN old.search IS NOT new.search BEGIN
        DELETE FROM found_organisations WHERE rowid = old.id;
        INSERT INTO found_organisations (rowid, text) VALUES (new.id, ' ' || new.search || ' ');
        DELETE FROM found_clients WHERE rowid IN (SELECT id FROM clients WHERE organisation_id = new.id);
        INSERT INTO found_clients (rowid, text)
          SELECT id, ' ' || search || ' ' || new.search || ' ' FROM clients WHERE organisation_id = new.id; END""",
    """CREATE TRIGGER found_organisations_gone AFTER DELETE ON organisations BEGIN
        DELETE FROM found_organisations WHERE rowid = old.id; END""",
    *(trigger for one in _WRITTEN for trigger in _text_triggers(one)),
]
#: How the tables are filled from what is there: table, its key, a statement for the keys from :first to :last.
FILL = [
    ("organisations", "id", """INSERT INTO found_organisations (rowid, text)
      SELECT id, ' ' || search || ' ' FROM organisations WHERE id BETWEEN :first AND :last"""),
    ("clients", "id", f"""INSERT INTO found_clients (rowid, text)
      SELECT id, {_PERSON.format(row="clients")} FROM clients
      WHERE id BETWEEN :first AND :last AND (search <> '' OR organisation_id IS NOT NULL)"""),
    *((one.table, one.key, made) for one in _WRITTEN for made in (_places(one), _texts(one))),
]  # fmt: skip
FINISH = [
    f"INSERT INTO {name} ({name}) VALUES ('optimize')"
    for name in ("found_clients", "found_organisations", "found_texts")
]
UNMAKE = [
    *(
        f"DROP TRIGGER {name}"
        for table in ("found_clients", "found_organisations")
        for name in (f"{table}_added", f"{table}_changed", f"{table}_gone")
    ),
    *(f"DROP TRIGGER found_{one.kind}_{what}" for one in _WRITTEN for what in ("written", "rewritten", "erased")),
    *(f"DROP TABLE {name}" for name in ("found_clients", "found_organisations", "found_texts", "found_places")),
]
