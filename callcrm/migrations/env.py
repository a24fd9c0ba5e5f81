"""What Alembic runs: the steps, on the connection and in the transaction that `kernel.migrate` hands over."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import JSON, BigInteger

from callcrm.kernel import fulltext
from callcrm.kernel.schema import Moment, String


def render(kind: str, item: Any, _autogen: Any) -> str | Literal[False]:
    """Own types by the short names that script.py.mako imports, so that a step reads like the tables."""
    if kind != "type":
        return False
    if isinstance(item, String):
        return f"String({item.length})"
    for known, name in ((Moment, "Moment()"), (JSON, "Json"), (BigInteger, "Key")):
        if isinstance(item, known):
            return name
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes.get("metadata"),
    render_as_batch=True,
    render_item=render,
    include_name=fulltext.is_ours,
    transactional_ddl=True,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
