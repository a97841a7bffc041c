"""Answers of the console as tables that can be shown, drawn and taken along: one kind of value a column."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from experiments_db import console

MAX_BYTES = 8 << 20  # of one answer on a page


@dataclass(frozen=True)
class Answer:
    """Rows under columns of different names; `truncated` where there were more."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool

    def column(self, name: str) -> list[Any]:
        """A column's values."""
        place = self.columns.index(name)
        return [row[place] for row in self.rows]

    def is_number(self, name: str) -> bool:
        """Whether a column holds numbers, and at least one."""
        known = [value for value in self.column(name) if value is not None]
        return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)


def ask(url: str, sql: str, *, max_rows: int) -> Answer:
    """The answer to a query of somebody at a page; ReadOnlyError where it is refused, wrong or takes too long."""
    return tidied(console.select(url, sql, max_rows=max_rows, max_bytes=MAX_BYTES))


def tidied(table: console.Table) -> Answer:
    """Columns of one name told apart; values plain; a column of several kinds as text."""
    columns = [_plain_column([row[place] for row in table.rows]) for place in range(len(table.columns))]
    rows = list(zip(*columns, strict=True)) if columns else []
    return Answer(_told_apart(table.columns), rows, table.truncated)


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """``id``, ``id (2)``."""
    told: list[str] = []
    for name in names:
        label, count = name or "?", 1
        while label in told:
            count += 1
            label = f"{name or '?'} ({count})"
        told.append(label)
    return tuple(told)


def _plain_column(values: Sequence[Any]) -> list[Any]:
    plain = [_plain(value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in plain]
    if len(kinds) > 1:
        return [None if value is None else str(value) for value in plain]
    return plain


def _plain(value: Any) -> Any:
    """A database's value as a number, a text, a moment, or yes or no."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**63) <= value < 2**63:
        return float(value)
    if isinstance(value, bytes | memoryview):
        return f"({len(bytes(value)):,} bytes)"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int | float | str | datetime):
        return value
    return value.isoformat() if isinstance(value, date) else str(value)


def in_short(value: Any) -> str:
    """``substrate = 0.06, method = quick``; lists, and what is nested, as JSON."""
    if isinstance(value, dict) and all(not isinstance(entry, dict | list) for entry in value.values()):
        return ", ".join(f"{name} = {_short(entry)}" for name, entry in value.items())
    return json.dumps(value, ensure_ascii=False)


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else "missing" if value is None else str(value)
