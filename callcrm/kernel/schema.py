"""What every table stands on: the declarative base, and moments that are always aware UTC."""

import json
from datetime import UTC, datetime
from typing import Any

import sqlalchemy
from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer, MetaData, TypeDecorator
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase

#: Integer keys: SQLite gives row numbers to plain INTEGER only.
Key = BigInteger().with_variant(Integer, "sqlite")
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Moment(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python, whatever the database keeps."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone cannot be stored")
        value = value.astimezone(UTC)
        return value if dialect.name == "postgresql" else value.replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class String(TypeDecorator[str]):
    """Text of at most `length` characters, cut when it is longer; what no database can keep is left out.

    So a hostile name costs its tail on every database, instead of the whole call on one of them.
    Without `length` only what cannot be kept is left out.
    """

    impl = sqlalchemy.String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None or (value.isascii() and "\0" not in value):
            return value if value is None or self.length is None else value[: self.length]
        return storable(value)[: self.length]


def dump_json(value: Any) -> str:
    """JSON that both databases take: hostile text may hold NUL and half surrogates, which PostgreSQL refuses."""
    try:
        said = to_json(value).decode()
    except (PydanticSerializationError, ValueError):
        said = "\\u0000"
    return _JSON.encode(_storable(value)) if "\\u0000" in said else said


def storable(text: str) -> str:
    """`text` as both databases can keep it: NUL left out, halves of surrogate pairs replaced."""
    if "\0" in text:
        text = text.replace("\0", "")
    return text if _encodable(text) else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _storable(held) for key, held in value.items()}
    return [_storable(held) for held in value] if isinstance(value, (list, tuple)) else value


class Base(DeclarativeBase):
    """Every table; names of keys and indexes follow one pattern, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: String, datetime: Moment, dict[str, Any]: Json, list[Any]: Json}  # noqa: RUF012
