"""Tables of real measurements: where they lie, and their rows as designs and outcomes. Needs no torch.

A replay's table answers instead of a simulator, row by row as the agent asks. A data table holds experiments made
before the first that the agent plans, under the column names of the export.
"""

import csv
import difflib
import io
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from domains.document import Design, Domain, Outcome, Replay
from domains.errors import DomainError

MAX_BYTES = 50_000_000
MAX_DATA_ROWS = 10_000
_DESIGN, _OUTCOME, _RUN = "design.", "outcome.", "run"  # of the columns of an export
_NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


@dataclass(frozen=True)
class Measurements:
    """The rows of a table in the file's order: what was set, and what came back (None: missing)."""

    designs: tuple[dict[str, float | str], ...]
    outcomes: tuple[dict[str, float | None], ...]


@dataclass(frozen=True)
class Tables:
    """The texts of a document's tables: from its ``attachments`` (file name → text) if given, else from the disk."""

    document: Path | None
    attachments: Mapping[str, str] | None = None
    _read: dict[str, str] = field(default_factory=dict)

    def text(self, file: str) -> str:
        """The text of a table, byte for byte; DomainError says why there is none."""
        if file not in self._read:
            self._read[file] = self._load(file)
        return self._read[file]

    def _load(self, file: str) -> str:
        _check_name(file)
        if self.attachments is not None and file in self.attachments:
            return self.attachments[file]
        if self.document is None or self.attachments is not None:
            have = ", ".join(sorted(self.attachments or ())) or "none"
            raise DomainError(f"the table {file!r} is not attached to the document; attached: {have}")
        return _table_text(find_table(self.document, file))


def find_table(document: Path, file: str) -> Path:
    """Where a replay's file lies: beside the document, below it, in ``data/`` there, or in the sibling ``data/``.

    Raises DomainError for a missing file and for a path that leads anywhere else, through a symbolic link too.
    """
    _check_name(file)
    folder = document.resolve().parent
    sibling = folder.parent / "data"
    for candidate in (folder / file, folder / "data" / file, sibling / file):
        found = candidate.resolve()
        if not found.is_file():
            continue
        if found.is_relative_to(folder) or found.is_relative_to(sibling):
            return found
        raise DomainError(f"the table {file!r} lies outside; it must be in {folder}, below it, or in {sibling}")
    raise DomainError(f"the table {file!r} is not in {folder}, {folder / 'data'} or {sibling}; put it there")


def read_replay(domain: Domain, replay_name: str, *, text: str | None = None) -> Measurements:
    """The rows of a replay after its ``where`` filter, in file order.

    ``text``: the table's text; by default what is attached to the document, or lies beside it. Raises DomainError with
    the file, line and column of a cell that is no number, of a design outside its range, of a column that is not there.
    """
    if replay_name not in domain.replays:
        raise DomainError(f"{domain.name} has no replay {replay_name!r}; {_nearest(replay_name, domain.replays)}")
    replay = domain.replays[replay_name]
    table = Tables(domain.file, domain.attached).text(replay.file) if text is None else text
    wanted = (*replay.columns.values(), *replay.where)
    rows = [row for row in _rows(replay.file, table, wanted) if row.matches(replay.where)]
    if not rows:
        condition = ", ".join(f"{column} = {value}" for column, value in replay.where.items())
        raise DomainError(f"{replay.file}: no rows are left" + (f" where {condition}" if condition else ""))
    return Measurements(
        tuple({design.name: row.design(design, replay) for design in domain.designs} for row in rows),
        tuple({o.name: row.outcome(replay.columns[o.name], o) for o in domain.outcomes} for row in rows),
    )


def load_data(domain: Domain, path: Path) -> tuple[Measurements, str]:
    """The experiments in a user's file, and its text; DomainError says what does not fit, and the way out."""
    check_data_name(path.name)
    if not path.is_file():
        raise DomainError(f"{path}: there is no such file; name a CSV table of experiments already made")
    text = _table_text(path)
    return read_data(domain, text, str(path)), text


def check_data_name(name: str) -> None:
    """DomainError unless a file of this name is a CSV table."""
    if Path(name).suffix.lower() != ".csv":
        raise DomainError(f"{name}: measurements are read from CSV only; save the table as a file that ends in .csv")


def data_columns(domain: Domain) -> list[str]:
    """The columns that a table of experiments already made needs, as the export writes them."""
    designs = [f"{_DESIGN}{design.name}" for design in domain.designs]
    return [*designs, *(f"{_OUTCOME}{name}" for name in domain.outcome_entries)]


def read_data(domain: Domain, text: str, file: str) -> Measurements:
    """The experiments of a table with the export's columns ``design.<name>`` and ``outcome.<name>``, in file order.

    Other columns of an export are passed over. An empty outcome is missing. Raises DomainError with the file, line and
    column of what does not fit, and the way out.
    """
    wanted = {f"{_DESIGN}{d.name}": d for d in domain.designs}
    outcomes = {f"{_OUTCOME}{entry}": (entry, outcome) for outcome in domain.outcomes for entry in outcome.entries}
    rows: list[_Row] = []
    for row in _rows(file, text, (*wanted, *outcomes), _check_data_header):
        if len(rows) == MAX_DATA_ROWS:
            raise row.fail(f"more than {MAX_DATA_ROWS} experiments; at most so many can be given: keep fewer rows")
        if rows and row.cells.get(_RUN) != rows[0].cells.get(_RUN):
            raise row.fail(
                f"column {_RUN!r}: {row.cells[_RUN]!r} after {rows[0].cells[_RUN]!r}; a campaign starts from the "
                "measurements of one world: keep the rows of one run"
            )
        rows.append(row)
    if not rows:
        raise DomainError(f"{file}: the table has no rows; each row is one experiment already made")
    return Measurements(
        tuple({design.name: row.setting(column, design) for column, design in wanted.items()} for row in rows),
        tuple({name: row.outcome(column, o) for column, (name, o) in outcomes.items()} for row in rows),
    )


def _check_data_header(file: str, wanted: tuple[str, ...], header: list[str]) -> None:
    """DomainError, with the name to write, where a column is not there or is for something the domain does not have."""
    for column in wanted:
        plain = column.partition(".")[2]
        if column not in header and plain in header:
            raise DomainError(f"{file}:1: the column {plain!r} is to be called {column!r}; write its kind before it")
    for column in header:
        if column.startswith((_DESIGN, _OUTCOME)) and column not in wanted:
            hint = _nearest(column, wanted)
            raise DomainError(f"{file}:1: the domain has nothing for the column {column!r}: rename or drop it; {hint}")


@dataclass(frozen=True)
class _Row:
    file: str
    line: int
    cells: Mapping[str, str]

    def fail(self, message: str) -> DomainError:
        return DomainError(f"{self.file}:{self.line}: {message}")

    def matches(self, where: Mapping[str, str]) -> bool:
        return all(_equal(self.cells[column], value) for column, value in where.items())

    def number(self, column: str) -> float:
        cell = self.cells[column]
        value = _parse(cell)
        if value is None:
            raise self.fail(f"column {column!r}: {cell!r} is not a finite number (a missing outcome is an empty cell)")
        return value

    def outcome(self, column: str, outcome: Outcome) -> float | None:
        if not self.cells[column]:
            return None
        value = self.number(column)
        wrong = outcome_fault(outcome, value)
        if wrong:
            raise self.fail(f"column {column!r}: {wrong}")
        return value

    def design(self, design: Design, replay: Replay) -> float | str:
        if design.name in replay.set:
            return replay.set[design.name]
        return self.setting(replay.columns[design.name], design)

    def setting(self, column: str, design: Design) -> float | str:
        """The value of a design; of levels, the level itself, a rounding apart from what is written."""
        if not self.cells[column]:
            raise self.fail(f"column {column!r} is empty: every experiment needs a value of {design.name!r}")
        value: float | str = self.cells[column] if design.kind == "choice" else self.number(column)
        wrong = design_fault(design, value)
        if wrong:
            raise self.fail(f"column {column!r}: {wrong}")
        if design.kind == "levels" and not isinstance(value, str):
            return min(design.values, key=lambda level: abs(level - value))
        return value


_COUNTS = ("bernoulli", "binomial", "poisson", "negative_binomial", "categorical")
_POSITIVE = ("lognormal", "gamma", "exponential")
_SHARES = ("beta", "logitnormal")


def outcome_fault(outcome: Outcome, value: float) -> str | None:
    """Why no law can give this value: beyond the bounds of censoring, no count, not positive, no share."""
    low, high = outcome.censor or (None, None)
    if low is not None and value < low:
        return f"{value:g} is below the bound {low:g} of its censoring; a reading at or below it is written {low:g}"
    if high is not None and value > high:
        return f"{value:g} is above the bound {high:g} of its censoring; a reading at or above it is written {high:g}"
    if value in (low, high):
        return None
    if outcome.family in _COUNTS and (value < 0 or value != math.floor(value)):
        return f"{value:g} is no count; a {outcome.family} outcome is a whole number from 0"
    options = outcome.arguments.get("p") if outcome.family == "categorical" else None
    top = 1 if outcome.family == "bernoulli" else len(options) - 1 if isinstance(options, tuple) else math.inf
    if value > top:
        return f"{value:g} is above {top:g}, the largest value of a {outcome.family} outcome"
    if outcome.family in _POSITIVE and value <= 0:
        return f"{value:g} is not above 0, as a {outcome.family} outcome is"
    if outcome.family in _SHARES and not 0 < value < 1:
        return f"{value:g} is not between 0 and 1, as a {outcome.family} outcome is"
    return None


def design_fault(design: Design, value: float | str) -> str | None:
    """Why a value cannot be set for this design: not an option, not a level, not whole, outside the range."""
    if design.kind == "choice":
        return None if value in design.options else f"{value!r} is no option; {_nearest(str(value), design.options)}"
    if isinstance(value, str):
        return f"{design.name!r} needs a number, found the text {value!r}"
    if design.kind == "levels":
        near = any(math.isclose(value, level, rel_tol=1e-9) for level in design.values)
        return None if near else f"{design.name!r} has no level {value:g}; its levels are {_list(design.values)}"
    if design.kind == "integer" and value != math.floor(value):
        return f"{design.name!r} takes whole numbers, found {value:g}"
    if design.low <= value <= design.high:
        return None
    return f"{design.name!r} is {value:g}, outside its range [{design.low:g}, {design.high:g}]"


def _list(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in values)


def _check_name(file: str) -> None:
    parts = PurePosixPath(file).parts
    inside = parts[2:] if parts[:2] == ("..", "data") else parts
    if not inside or "\\" in file or ":" in file or "\0" in file or inside[0] == "/" or ".." in inside:
        raise DomainError(
            f"the path {file!r} leads outside; a table lies beside the document, below it, or in ../data/"
        )


def _table_text(path: Path) -> str:
    try:
        _check_size(str(path), path.stat().st_size)
        return decode_table(str(path), path.read_bytes())
    except OSError as error:
        raise DomainError(f"{path}: cannot be read: {error.strerror}") from None


def decode_table(file: str, content: bytes) -> str:
    """The text of a table from its bytes; DomainError where they are too many or no UTF-8."""
    _check_size(file, len(content))
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise DomainError(f"{file}: byte {error.start} is not UTF-8; save the table as UTF-8") from None


def _check_size(file: str, size: int) -> None:
    if size > MAX_BYTES:
        raise DomainError(f"{file}: {size} bytes are too large; at most {MAX_BYTES} are allowed")


HeaderCheck = Callable[[str, tuple[str, ...], list[str]], None]


def _rows(file: str, text: str, wanted: tuple[str, ...], check: HeaderCheck | None = None) -> Iterator[_Row]:
    """The rows of a table that has the wanted columns, once each; ``check`` has the first look at its header."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    try:
        header = [cell.strip() for cell in next(reader, [])]
        if check is not None:
            check(file, wanted, header)
        for column in wanted:
            _check_column(file, column, header, wanted)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(header):
                message = f"{len(cells)} cells under {len(header)} columns; a comma in a text needs quotes"
                raise DomainError(f"{file}:{reader.line_num}: {message}")
            values = dict(zip(header, (cell.strip() for cell in cells), strict=True))
            yield _Row(file, reader.line_num, values)
    except csv.Error as error:
        raise DomainError(f"{file}:{reader.line_num}: not a CSV table: {error}") from None


def _check_column(file: str, column: str, header: list[str], wanted: tuple[str, ...]) -> None:
    if column not in header:
        if len(header) == 1 and ";" in header[0]:
            raise DomainError(f"{file}: its cells are separated by semicolons; save the table with commas between them")
        have = ", ".join(repr(name) for name in header if name) or "none"
        near = difflib.get_close_matches(column, [name for name in header if name not in wanted], 1, 0.6)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        empty = "; an empty column says that nothing came back" if column.startswith(_OUTCOME) else ""
        raise DomainError(f"{file} has no column {column!r}; it has {have}{hint}{empty}")
    if header.count(column) > 1:
        raise DomainError(f"{file} has {header.count(column)} columns {column!r}; rename all but one")


def _nearest(name: str, known: Mapping[str, object] | tuple[str, ...] | list[str]) -> str:
    near = difflib.get_close_matches(name, list(known), 1, 0.6)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(map(repr, known)) or 'none'}"


def _parse(cell: str) -> float | None:
    value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
    return value if math.isfinite(value) else None


def _equal(cell: str, value: str) -> bool:
    """Compare as numbers if both sides are some, else as text."""
    a, b = _parse(cell), _parse(value)
    return cell == value if a is None or b is None else a == b
