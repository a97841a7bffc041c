"""Tables as files to take along: CSV and Parquet, written row by row by way of a temporary file."""

import csv
import io
import itertools
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from experiments_db.browsing import Browse, browse_all, browse_columns
from experiments_db.database import Database
from orchestrator.export import FORMATS as FORMATS

MOST_ROWS = 100_000
_BATCH = 2000
_WHOLE = {"run", "step", "steps", "runs", "seed"}
_NUMBERS = {"budget", "cost", "information"}


def browsed_file(database: Database, wanted: Browse, suffix: str) -> bytes:
    """The rows of a table that fit, the newest 100,000 at most, as .csv or .parquet."""
    columns = browse_columns(wanted.table)
    with database.read() as session:
        rows = ([_plain(row[name]) for name in columns] for row in browse_all(session, wanted, limit=MOST_ROWS))
        if suffix == ".csv":
            return _csv(columns, rows)
        return _parquet(columns, [_kind(name) for name in columns], rows)


def answer_file(columns: Sequence[str], rows: Sequence[Sequence[Any]], suffix: str) -> bytes:
    """The answer to a query, one kind of value a column, as .csv or .parquet."""
    if suffix == ".csv":
        return _csv(columns, rows)
    kinds = [_kind_of([row[place] for row in rows]) for place in range(len(columns))]
    return _parquet(columns, kinds, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    with tempfile.TemporaryFile() as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_cell(value) for value in row])
        file.seek(0)
        return file.read()


def _parquet(columns: Sequence[str], kinds: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    import pyarrow
    from pyarrow import parquet

    types = {
        "whole": pyarrow.int64(),
        "number": pyarrow.float64(),
        "moment": pyarrow.timestamp("us", tz="UTC"),
        "truth": pyarrow.bool_(),
        "text": pyarrow.string(),
    }
    schema = pyarrow.schema([(name, types[kind]) for name, kind in zip(columns, kinds, strict=True)])
    with tempfile.TemporaryFile() as file:
        with parquet.ParquetWriter(file, schema) as writer:
            for batch in _batches(rows):
                columns_of_batch = zip(zip(*batch, strict=True), schema, strict=True)
                arrays = [pyarrow.array(list(values), field.type) for values, field in columns_of_batch]
                writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
        file.seek(0)
        return file.read()


def _batches(rows: Iterable[Sequence[Any]]) -> Iterator[list[Sequence[Any]]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch


def _kind(name: str) -> str:
    if name in _WHOLE or name in _NUMBERS:
        return "whole" if name in _WHOLE else "number"
    return "moment" if name.endswith("_at") else "truth" if name == "given" else "text"


def _kind_of(values: Sequence[Any]) -> str:
    kinds = {bool: "truth", int: "whole", float: "number", datetime: "moment"}
    return next((kinds.get(type(value), "text") for value in values if value is not None), "text")


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value.isoformat() if isinstance(value, datetime) else "" if value is None else value
