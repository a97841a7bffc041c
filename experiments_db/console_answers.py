"""What the console answers, whichever database it asks."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from experiments_db import models
from experiments_db.errors import ReadOnlyError

SECRET = "token"  # the table of those who may speak, with hashes of their secrets: the console does not show it


@dataclass(frozen=True)
class Table:
    """The answer; `truncated` if there were more rows than asked for or than fit in memory."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    truncated: bool


@dataclass(frozen=True)
class Room:
    """How large an answer may be."""

    rows: int
    bytes: int


def collect(columns: tuple[str, ...], answer: Iterable[Any], room: Room, deadline: float) -> Table:
    """The rows, as many as there is room and time for; TimeoutError when that is over."""
    rows: list[tuple[Any, ...]] = []
    size = 0
    for row in answer:
        if time.monotonic() > deadline:
            raise TimeoutError
        if len(rows) == room.rows or size > room.bytes:
            return Table(columns, rows, truncated=True)
        rows.append(tuple(row))
        size += sum(len(value) if isinstance(value, str | bytes) else 32 for value in row)
    return Table(columns, rows, truncated=False)


def refusal(error: BaseException, *, late: bool, seconds: float) -> ReadOnlyError:
    """What went wrong, in words."""
    if late:
        return ReadOnlyError(f"The query took longer than {seconds:g} s and was stopped: ask for less, or add a LIMIT.")
    cause = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    missing = "no such table" in cause or "does not exist" in cause
    tables = f" The tables are {', '.join(sorted(models.Table.metadata.tables.keys() - {SECRET}))}." if missing else ""
    return ReadOnlyError(f"The console refused the statement: {cause}.{tables}")
