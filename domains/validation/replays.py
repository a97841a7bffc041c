"""Replays: which table of real measurements answers, and how its columns are named."""

from collections.abc import Mapping

from domains.document import Design, Replay
from domains.errors import DomainError
from domains.measurements import Tables
from domains.validation.designs import fault
from domains.validation.report import Part, describe

MAX_REPLAYS = 64
_KEYS = ("file", "where", "columns", "set", "source")


def read_replays(
    part: Part, designs: Mapping[str, Design], outcomes: Mapping[str, bool], tables: Tables
) -> dict[str, Replay]:
    """All replays by name. ``outcomes``: name → whether it is a vector over times, which a table cannot hold."""
    replays = {}
    for name, entry in part.entries("replays", least=0, most=MAX_REPLAYS).items():
        if entry.title():
            replays[name] = _read(name, entry, designs, outcomes, tables)
    return replays


def _read(name: str, part: Part, designs: Mapping[str, Design], outcomes: Mapping[str, bool], tables: Tables) -> Replay:
    fields = part.fields(_KEYS, ("file", "columns"))
    file = fields["file"].text() if "file" in fields else ""
    if "file" in fields and isinstance(fields["file"].value, str):
        try:
            tables.text(file)
        except DomainError as error:
            fields["file"].problem(str(error))
    fixed = _fixed(fields["set"], designs) if "set" in fields else {}
    needed = [name for name in (*designs, *outcomes) if name not in fixed]
    columns = _texts(fields["columns"]) if "columns" in fields else {}
    for key in columns:
        if key in fixed:
            fields["columns"].child(key).problem(f"{key!r} has a column and a fixed value under 'set'; keep one")
        elif key not in needed:
            fields["columns"].child(key).unknown(key, "design or outcome", needed)
        elif outcomes.get(key):
            fields["columns"].child(key).problem(f"{key!r} is a vector over times, which a table's cell cannot hold")
    missing = [key for key in needed if key not in columns]
    if missing and "columns" in fields:
        way = "map each to a column (a design the table lacks gets a fixed value by 'set')"
        fields["columns"].problem(f"no column for {', '.join(missing)}; {way}")
    where = _texts(fields["where"]) if "where" in fields else {}
    return Replay(name, file, columns, where, fixed, fields["source"].text() if "source" in fields else "")


def _texts(part: Part) -> dict[str, str]:
    """A mapping of names to texts; a number counts as its text."""
    texts = {}
    for key, entry in part.entries("names", least=0).items():
        if isinstance(entry.value, list | dict) or entry.value is None:
            entry.problem(f"found {describe(entry.value)}; a text is needed here")
        else:
            texts[key] = str(entry.value).lower() if isinstance(entry.value, bool) else str(entry.value)
    return texts


def _fixed(part: Part, designs: Mapping[str, Design]) -> dict[str, float | str]:
    fixed: dict[str, float | str] = {}
    for name, entry in part.entries("designs", least=0).items():
        if name not in designs:
            entry.unknown(name, "design", designs)
            continue
        wrong = fault(designs[name], entry.value)
        if wrong:
            entry.problem(wrong)
        else:
            fixed[name] = entry.value if designs[name].kind == "choice" else float(entry.value)
    return fixed
