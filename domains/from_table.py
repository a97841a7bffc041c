"""A domain begun from a table of measurements: its columns become designs and outcomes, the table a replay.

What a table cannot say is put in as a start to be changed: one law by which nothing depends on the designs, with a
level and a spread taken from the data. Needs no torch.
"""

import csv
import io
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal

from domains.errors import DomainError
from domains.expressions import RESERVED
from domains.hints import spelled

Role = Literal["design", "outcome", "left out"]
ROLES: tuple[Role, ...] = ("design", "outcome", "left out")
_MOST_OPTIONS = 50
_UNIT = re.compile(r"^(.*?)\s*[(\[]\s*([^()\[\]]+?)\s*[)\]]$")
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, what it may be called in a document, and its cells; empty ones are missing."""

    heading: str
    name: str
    unit: str
    cells: tuple[str, ...]

    @property
    def filled(self) -> list[str]:
        return [cell for cell in self.cells if cell]

    @property
    def numbers(self) -> list[float] | None:
        """Its values, None where one is not a number."""
        if not self.filled or not all(_NUMBER.fullmatch(cell) for cell in self.filled):
            return None
        return [float(cell) for cell in self.filled]

    @property
    def guess(self) -> Role:
        """What it most likely is: what misses cells came back; words that repeat, and numbers, were set."""
        if self.numbers == [float(number) for number in range(1, len(self.cells) + 1)] and len(self.cells) > 2:
            return "left out"  # it numbers the rows
        if self.numbers is None:
            options = len(set(self.filled))
            fits = len(self.filled) == len(self.cells) and 1 < options <= min(_MOST_OPTIONS, len(self.cells) / 2)
            return "design" if fits else "left out"
        return "outcome" if len(self.filled) < len(self.cells) else "design"


def read_columns(file: str, text: str) -> list[Column]:
    """The columns of a CSV table; DomainError says what about it is no table."""
    try:
        rows = [row for row in csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True) if row]
    except csv.Error as error:
        raise DomainError(f"{file}: not a CSV table: {error}") from None
    if len(rows) < 2:
        raise DomainError(f"{file}: a line of headings and at least one row are needed; found {len(rows)} line(s)")
    headings = [cell.strip() for cell in rows[0]]
    if len(headings) == 1 and ";" in headings[0]:
        raise DomainError(f"{file}: its cells are separated by semicolons; save the table with commas between them")
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(headings):
            raise DomainError(f"{file}: row {number} has {len(row)} cells under {len(headings)} headings")
    if len(set(headings)) < len(headings):
        raise DomainError(f"{file}: a heading stands twice; rename all but one")
    cells = [tuple(row[index].strip() for row in rows[1:]) for index in range(len(headings))]
    return _named([entry for entry in zip(headings, cells, strict=True) if entry[0]])


def guessed_roles(columns: list[Column]) -> dict[str, Role]:
    """A role for each column: where nothing seems to have come back, the last column of numbers did."""
    roles: dict[str, Role] = {column.heading: column.guess for column in columns}
    numeric = [column.heading for column in columns if column.numbers is not None]
    if numeric and "outcome" not in roles.values():
        roles[numeric[-1]] = "outcome"
    return roles


def table_name(file: str) -> str:
    """The name under which an uploaded table is kept beside a document."""
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", spelled(PurePath(file.replace("\\", "/")).stem)).strip("-") or "measurements"
    return f"{stem[:60]}.csv"


def begin(name: str, title: str, file: str, columns: list[Column], roles: Mapping[str, Role]) -> dict[str, Any]:
    """The document. DomainError where no column is a design or none an outcome, or one cannot be what it is to be."""
    chosen = {role: [column for column in columns if roles.get(column.heading) == role] for role in ROLES}
    for role in ("design", "outcome"):
        if not chosen[role]:
            raise DomainError(f"{file}: no column is {'a design' if role == 'design' else 'an outcome'}; choose one")
    outcomes = [(column, _numeric(file, column)) for column in chosen["outcome"]]
    mapped = {column.name: column.heading for role in ("design", "outcome") for column in chosen[role]}
    return {
        "format": 1,
        "name": name,
        "title": title,
        "designs": {column.name: _design(file, column) for column in chosen["design"]},
        "parameters": {key: value for column, values in outcomes for key, value in _unknowns(column, values)},
        "mechanisms": {"constant": {"let": {f"mean_{column.name}": f"level_{column.name}" for column, _ in outcomes}}},
        "outcomes": {column.name: _outcome(column) for column, _ in outcomes},
        "budget": min(len(columns[0].cells), 20),
        "goal": "learn",
        "replays": {"measurements": {"file": table_name(file), "columns": mapped, "source": f"uploaded table {file}"}},
    }


def _named(entries: list[tuple[str, tuple[str, ...]]]) -> list[Column]:
    taken: set[str] = set()
    columns = []
    for heading, cells in entries:
        found = _UNIT.match(heading)
        plain, unit = (found[1], found[2]) if found else (heading, "")
        name = _free(_name(plain), taken)
        taken.add(name)
        columns.append(Column(heading, name, unit, cells))
    return columns


def _name(text: str) -> str:
    """A name for expressions made of a heading: letters, digits and _, first a letter."""
    name = re.sub(r"[^A-Za-z0-9]+", "_", spelled(text)).strip("_").lower()[:40] or "column"
    name = name if name[0].isalpha() else f"c_{name}"
    return f"{name}_" if name in RESERVED else name


def _free(name: str, taken: set[str]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def _design(file: str, column: Column) -> dict[str, Any]:
    unit = {"unit": column.unit} if column.unit else {}
    if len(column.filled) < len(column.cells):
        raise DomainError(f"{file}: column {column.heading!r} has empty cells; a design is known in every experiment")
    values = column.numbers
    if values is None:
        options = list(dict.fromkeys(column.cells))
        if len(options) > _MOST_OPTIONS:
            raise DomainError(f"{file}: column {column.heading!r} has {len(options)} different words; leave it out")
        return {"choice": options, **unit}
    if min(values) == max(values):
        return {"levels": [_short(values[0])], **unit}
    whole = all(value == math.floor(value) for value in values)
    return {"integer" if whole else "real": [_short(min(values)), _short(max(values))], **unit}


def _numeric(file: str, column: Column) -> list[float]:
    if column.numbers is None:
        raise DomainError(f"{file}: column {column.heading!r} is not of numbers; an outcome is a number")
    return column.numbers


def _unknowns(column: Column, values: list[float]) -> list[tuple[str, Any]]:
    mean = sum(values) / len(values)
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / len(values)) or abs(mean) or 1.0
    unit = {"unit": column.unit} if column.unit else {}
    return [
        (f"level_{column.name}", {"prior": {"normal": [_rounded(mean), _rounded(2 * spread)]}, **unit}),
        (f"noise_{column.name}", {"prior": {"halfnormal": [_rounded(spread)]}, **unit}),
    ]


def _outcome(column: Column) -> dict[str, Any]:
    law = {"normal": {"mean": f"mean_{column.name}", "sd": f"noise_{column.name}"}}
    return {**law, "unit": column.unit} if column.unit else dict(law)


def _short(value: float) -> int | float:
    return int(value) if value == math.floor(value) and abs(value) < 1e15 else value


def _rounded(value: float) -> int | float:
    return _short(float(f"{value:.3g}"))
