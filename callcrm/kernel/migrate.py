"""Brings a database's schema to what this version needs, with Alembic, in one transaction.

The steps lie in callcrm/migrations; this module knows only the folder, not the tables.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from callcrm.kernel.errors import StartupError

FOLDER = Path(__file__).parent.parent / "migrations"
#: Any number, the same in every callcrm: whoever holds it migrates, the others wait.
_LOCK = 20260142


def upgrade(connection: Connection) -> None:
    """Apply what is missing; the caller's transaction holds it all. Raises StartupError for a newer schema."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    config = configuration()
    if _found(connection, config) == _wanted(config):
        return
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    _check_foreign_keys(connection)


def check(connection: Connection) -> None:
    """Raise StartupError unless the schema is the one this version needs."""
    config = configuration()
    found, wanted = _found(connection, config), _wanted(config)
    if found != wanted:
        raise StartupError(
            f"The database's schema is {found or 'empty'}, this version needs {wanted}; run callcrm migrate."
        )


def configuration() -> Config:
    """Alembic's settings, without a file."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def _wanted(config: Config) -> str | None:
    return ScriptDirectory.from_config(config).get_current_head()


def _found(connection: Connection, config: Config) -> str | None:
    found = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StartupError(
            f"The database was written by a newer callcrm (schema {found}); "
            "install that version again, or restore a backup made before it."
        )
    return found


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return
    broken = connection.execute(text("PRAGMA foreign_key_check")).first()
    if broken is not None:
        raise StartupError(
            f"The database's table {broken[0]} points at rows of {broken[2]} that are gone, so it was left as it was; "
            "restore a backup or ask for help with this message."
        )
