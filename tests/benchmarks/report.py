"""What the reports of tables share: options, a line a row while at work, and the file that BENCHMARKS.md is made of."""

import argparse
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch

from meta_learner.evaluation import results

Row = list[object]


def parser(about: str | None) -> argparse.ArgumentParser:
    """A report's options: its docstring as help, and ``--out``."""
    made = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--out", type=Path)
    return made


def report_by_domain(
    about: str | None, domains: Sequence[str], repeats: int, rows: Callable[[str, int], Iterable[Row]]
) -> tuple[argparse.Namespace, list[Row]]:
    """Read ``[DOMAIN …] [--repeats N] [--out FILE.json]``; print ``rows(domain, repeats)`` of each, on one thread."""
    options = parser(about)
    options.add_argument("domains", nargs="*", default=list(domains))
    options.add_argument("--repeats", type=int, default=repeats)
    given = options.parse_args()
    torch.set_num_threads(1)
    return given, list(told(row for name in given.domains for row in rows(name, given.repeats)))


def told(rows: Iterable[Row]) -> Iterator[Row]:
    """Each row, printed as it comes."""
    for row in rows:
        print(*row, sep="  ", flush=True)
        yield row


def save(out: Path | None, table: dict[str, Any], *, processes: int = 1) -> None:
    """Write a table of kind, title, columns, rows and note, where a file is named."""
    if out is not None:
        results.save(out, {**table, **results.provenance(processes=processes)})
