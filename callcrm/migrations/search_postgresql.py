"""PostgreSQL's side of step 0009: GIN indexes over pieces of names and over words, and the triggers that keep them.

No extension is needed: pg_trgm would cut Cyrillic by the rules of the database's locale, and may not be there.
"""

# ruff: noqa: S608 - nothing of these statements comes from outside

from typing import NamedTuple

_FROM = "ёйїàáâãäåçèéêëìíîïñòóôõöùúûüýÿ"
_TO = "еиіaaaaaaceeeeiiiinooooouuuuyy"
#: A person's words, then those of his organisation.
_PERSON = (
    "' ' || {row}.search || ' ' || "
    "coalesce((SELECT o.search || ' ' FROM organisations o WHERE o.id = {row}.organisation_id), '')"
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


def _text_triggers(one: _Written) -> list[str]:
    new, old = one.of("NEW"), one.of("OLD")
    differs = " OR ".join(f"OLD.{name} IS DISTINCT FROM NEW.{name}" for name in one.columns)
    return [
        f"""CREATE FUNCTION callcrm_written_{one.kind}() RETURNS trigger LANGUAGE plpgsql AS $$
          DECLARE place bigint; BEGIN
            INSERT INTO found_places (kind, ref, user_id) VALUES ('{new.kind}', {new.ref}, {new.user})
              ON CONFLICT (kind, ref, user_id) DO UPDATE SET kind = excluded.kind RETURNING id INTO place;
            INSERT INTO found_texts (rowid, words) VALUES (place, callcrm_words({new.text}))
              ON CONFLICT (rowid) DO UPDATE SET words = excluded.words;
            RETURN NULL; END $$""",
        f"""CREATE FUNCTION callcrm_erased_{one.kind}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            DELETE FROM found_texts WHERE rowid IN (SELECT id FROM found_places WHERE {old.place});
            DELETE FROM found_places WHERE {old.place};
            RETURN NULL; END $$""",
        f"""CREATE TRIGGER found_{one.kind}_written AFTER INSERT ON {one.table} FOR EACH ROW
          WHEN (btrim({new.text}) <> '') EXECUTE FUNCTION callcrm_written_{one.kind}()""",
        f"""CREATE TRIGGER found_{one.kind}_rewritten AFTER UPDATE OF {", ".join(one.columns)} ON {one.table}
          FOR EACH ROW WHEN ({differs}) EXECUTE FUNCTION callcrm_written_{one.kind}()""",
        f"""CREATE TRIGGER found_{one.kind}_erased AFTER DELETE ON {one.table}
          FOR EACH ROW EXECUTE FUNCTION callcrm_erased_{one.kind}()""",
    ]


def _places(one: _Written) -> str:
    row = one.of(one.table)
    return f"""INSERT INTO found_places (kind, ref, user_id)
      SELECT '{one.kind}', {row.ref}, {row.user} FROM {one.table}
      WHERE {one.key} BETWEEN :first AND :last AND btrim({row.text}) <> ''
      ORDER BY {one.key} ON CONFLICT DO NOTHING"""


def _texts(one: _Written) -> str:
    row = one.of(one.table)
    return f"""INSERT INTO found_texts (rowid, words) SELECT p.id, callcrm_words({row.text}) FROM {one.table}
      JOIN found_places p ON p.kind = '{one.kind}' AND p.ref = {row.ref} AND p.user_id = {row.user}
      WHERE {one.table}.{one.key} BETWEEN :first AND :last ON CONFLICT DO NOTHING"""


MAKE = [
    """CREATE FUNCTION callcrm_pieces(text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
      AS $$ SELECT array_agg(DISTINCT substr($1, n, 3)) FROM generate_series(1, length($1) - 2) AS n $$""",
    f"""CREATE FUNCTION callcrm_words(text) RETURNS tsvector LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
      AS $$ SELECT to_tsvector('simple'::regconfig,
        regexp_replace(translate(lower($1), '{_FROM}', '{_TO}'), '[^[:alnum:]]+', ' ', 'g')) $$""",
    "CREATE TABLE found_clients (rowid bigint PRIMARY KEY, text text NOT NULL)",
    "CREATE TABLE found_organisations (rowid bigint PRIMARY KEY, text text NOT NULL)",
    "CREATE TABLE found_texts (rowid bigint PRIMARY KEY, words tsvector NOT NULL)",
    """CREATE TABLE found_places (id bigserial PRIMARY KEY, kind text NOT NULL, ref text NOT NULL,
      user_id bigint NOT NULL, UNIQUE (kind, ref, user_id))""",
    f"""CREATE FUNCTION callcrm_found_client() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO found_clients (rowid, text) VALUES (NEW.id, {_PERSON.format(row="NEW")})
        ON CONFLICT (rowid) DO UPDATE SET text = excluded.text;
      RETURN NULL; END $$""",
    """CREATE FUNCTION callcrm_gone_client() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM found_clients WHERE rowid = OLD.id; RETURN NULL; END $$""",
    """CREATE FUNCTION callcrm_found_organisation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      INSERT INTO found_organisations (rowid, text) VALUES (NEW.id, ' ' || NEW.search || ' ')
        ON CONFLICT (rowid) DO UPDATE SET text = excluded.text;
      INSERT INTO found_clients (rowid, text)
        SELECT c.id, ' ' || c.search || ' ' || NEW.search || ' ' FROM clients c WHERE c.organisation_id = NEW.id
        ON CONFLICT (rowid) DO UPDATE SET text = excluded.text;
      RETURN NULL; END $$""",
    """CREATE FUNCTION callcrm_gone_organisation() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      DELETE FROM found_organisations WHERE rowid = OLD.id; RETURN NULL; END $$""",
    """CREATE TRIGGER found_clients_added AFTER INSERT ON clients FOR EACH ROW
      WHEN (NEW.search <> '' OR NEW.organisation_id IS NOT NULL) EXECUTE FUNCTION callcrm_found_client()""",
    """CREATE TRIGGER found_clients_changed AFTER UPDATE OF search, organisation_id ON clients FOR EACH ROW
      WHEN (OLD.search IS DISTINCT FROM NEW.search OR OLD.organisation_id IS DISTINCT FROM NEW.organisation_id)
      EXECUTE FUNCTION callcrm_found_client()""",
    """CREATE TRIGGER found_clients_gone AFTER DELETE ON clients FOR EACH ROW
      EXECUTE FUNCTION callcrm_gone_client()""",
    """CREATE TRIGGER found_organisations_added AFTER INSERT ON organisations FOR EACH ROW
      EXECUTE FUNCTION callcrm_found_organisation()""",
    """CREATE TRIGGER found_organisations_changed AFTER UPDATE OF search ON organisations FOR EACH ROW
      WHEN (OLD.search IS DISTINCT FROM NEW.search) EXECUTE FUNCTION callcrm_found_organisation()""",
    """CREATE TRIGGER found_organisations_gone AFTER DELETE ON organisations FOR EACH ROW
      EXECUTE FUNCTION callcrm_gone_organisation()""",
    *(statement for one in _WRITTEN for statement in _text_triggers(one)),
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
    "CREATE INDEX found_clients_pieces ON found_clients USING gin (callcrm_pieces(text))",
    "CREATE INDEX found_organisations_pieces ON found_organisations USING gin (callcrm_pieces(text))",
    "CREATE INDEX found_texts_words ON found_texts USING gin (words)",
    *(f"ANALYZE {name}" for name in ("found_clients", "found_organisations", "found_texts", "found_places")),
]
UNMAKE = [
    *(f"DROP TRIGGER found_clients_{what} ON clients" for what in ("added", "changed", "gone")),
    *(f"DROP TRIGGER found_organisations_{what} ON organisations" for what in ("added", "changed", "gone")),
    *(
        f"DROP TRIGGER found_{one.kind}_{what} ON {one.table}"
        for one in _WRITTEN
        for what in ("written", "rewritten", "erased")
    ),
    *(f"DROP FUNCTION callcrm_{what}_{one.kind}()" for one in _WRITTEN for what in ("written", "erased")),
    *(f"DROP FUNCTION callcrm_{what}_{which}()" for what in ("found", "gone") for which in ("client", "organisation")),
    *(f"DROP TABLE {name}" for name in ("found_clients", "found_organisations", "found_texts", "found_places")),
    "DROP FUNCTION callcrm_pieces(text)",
    "DROP FUNCTION callcrm_words(text)",
]
