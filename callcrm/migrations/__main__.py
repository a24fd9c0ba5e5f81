"""`python -m callcrm.migrations "what it does"` writes the next step from how the tables differ from the last one.

Read what it wrote before it is committed: a renamed column looks like one gone and one new.
"""

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from callcrm.kernel import migrate
from callcrm.tables import metadata


def write_step(title: str, *, folder: Path | None = None) -> Path:
    """Write the next step into `folder` (the project's unless told) and return its file."""
    config = migrate.configuration()
    head = ScriptDirectory.from_config(config).get_current_head()
    revision = f"{int(head or 0) + 1:04}"
    with tempfile.TemporaryDirectory() as scratch:
        engine = create_engine(f"sqlite:///{scratch}/present.db")
        with engine.begin() as connection:
            migrate.upgrade(connection)
        with engine.begin() as connection:
            config.attributes.update(connection=connection, metadata=metadata)
            where = str(folder) if folder else None
            command.revision(config, title, autogenerate=True, rev_id=revision, version_path=where)
        engine.dispose()
    stem = f"{revision}_*.py"
    return next((folder or migrate.FOLDER / "versions").glob(stem))


if __name__ == "__main__":
    sys.stdout.write(f"{write_step(sys.argv[1])}\n")
