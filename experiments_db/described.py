"""What the tables are, for whoever asks in SQL: their columns, types, and what they mean in the models' own words."""

from dataclasses import dataclass
from inspect import getdoc

from sqlalchemy import JSON, BigInteger, Boolean, DateTime, Float, Integer, types
from sqlmodel import AutoString

from experiments_db.base import Table, UtcDateTime
from experiments_db.console import SECRET

_KINDS: tuple[tuple[type, str], ...] = (
    (UtcDateTime, "moment (UTC)"),
    (DateTime, "moment (UTC)"),
    (Boolean, "yes or no"),
    (BigInteger, "whole number"),
    (Integer, "whole number"),
    (Float, "number"),
    (JSON, "JSON"),
    (types.String, "text"),
    (AutoString, "text"),
)


@dataclass(frozen=True)
class DescribedColumn:
    """A column; refers: the column of another table that it names a row of."""

    name: str
    kind: str
    optional: bool
    refers: str


@dataclass(frozen=True)
class DescribedTable:
    """A table with its columns; meaning: its model's docstring."""

    name: str
    meaning: str
    columns: tuple[DescribedColumn, ...]


def described_tables() -> list[DescribedTable]:
    """The tables that the console shows, by name."""
    models = {str(model.__tablename__): model for model in Table.__subclasses__()}
    found = []
    for name, table in sorted(Table.metadata.tables.items()):
        if name == SECRET:
            continue
        columns = tuple(
            DescribedColumn(
                column.name,
                next((words for kind, words in _KINDS if isinstance(column.type, kind)), str(column.type)),
                bool(column.nullable),
                ", ".join(key.target_fullname for key in column.foreign_keys),
            )
            for column in table.columns
        )
        found.append(DescribedTable(name, getdoc(models[name]) or "", columns))
    return found
