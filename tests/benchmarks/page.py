"""BENCHMARKS.md, made from the files in ``tests/benchmarks/results``: a table a domain and setting, then all others.

    python -m tests.benchmarks.page            # writes BENCHMARKS.md; `make page` does it
    python -m tests.benchmarks.page --check    # exit status 1 where it is not what the files give

Every file there is one JSON document with a ``kind``. ``benchmark`` files (``organon benchmark NAME --out``) become
tables of policies beside published rows; rows of other domains, budgets or contrasts never share a table, and where
seeds or anything else of the setting differ, a column says so. ``calibration`` files (``organon benchmark calibration
--out``) have a section by statistic and by domain. A document of any other kind needs no code here: it is one table of
``{"kind": …, "title": …, "columns": [names], "rows": [[cells]], "note": …}``, in the order of the files' names;
``commit``, ``date`` and ``machine`` (``results.provenance``), where they are there, are told below it. A document
without ``columns`` is left out, which is for reports that have pages of their own.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from meta_learner.evaluation import results
from meta_learner.evaluation.published import Published, PublishedRow, published
from tests.benchmarks.calibration_section import calibration_section
from tests.benchmarks.markdown import table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = Path(__file__).with_name("results")
PAGE = ROOT / "BENCHMARKS.md"

_HEAD = """\
# Benchmarks

Made from the files in `tests/benchmarks/results` by `make page`; do not edit by hand.

How much policies learn about the whole hypothesis in simulated runs, in nats a run, ± one standard error over runs
unless it says 95 %. sPCE and sACE are lower bounds, sNMC and sVNMC upper bounds
(`meta_learner/evaluation/bounds.py` defines them); none of them uses what our beliefs say. sPCE cannot exceed
log(L + 1); sACE can. *Belief's own* is the information by the belief's own predictions. *At the cap* is the share of
runs whose sPCE is within 0.01 of log(L + 1). Policies that look at no belief need none kept: such rows have sPCE and
sNMC alone, and no particles. Times are of one processor core. Rows in *italics* are published ones, not measured here;
no policy of ours was trained for a domain, so that its training time is zero.
"""
_COLUMNS = [
    "policy",
    "runs",
    "sPCE",
    "sNMC",
    "sACE",
    "sVNMC",
    "belief's own",
    "at the cap",
    "ms a decision",
    "particles",
]
_TABLE = ("identity", "budget", "contrasts")  # what rows of one table share
_DIFFERENCES = {"seed": "seed", "moves": "moves", "proposals": "L of sACE", "block_runs": "runs a block"}


def page(folder: Path = RESULTS) -> str:
    """The whole page."""
    found = [results.load(path) for path in sorted(folder.glob("*.json"))]
    benchmarks = [document for document in found if document.get("kind") == "benchmark"]
    others = [document for document in found if document.get("kind") != "benchmark" and "columns" in document]
    parts = [_HEAD, *(part for document in benchmarks for part in _benchmark(document)), *map(_other, others)]
    return "\n".join(parts)


def _benchmark(document: dict[str, Any]) -> Iterator[str]:
    yield f"## {document['domain']}\n\n{document['title']}\n"
    tables: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for row in document["rows"]:
        tables.setdefault(tuple(row[name] for name in _TABLE), []).append(row)
    for rows in tables.values():
        yield _setting(document["domain"], rows)


def _setting(domain: str, rows: list[dict[str, Any]]) -> str:
    """One table: rows of one setting, the published ones below them."""
    first, known = rows[0], published().get(domain)
    same = known is not None and (known.contrasts, known.budget) == (first["contrasts"], first["budget"])
    differences = [name for name in _DIFFERENCES if len(_values(rows, name)) > 1]
    columns = [*_COLUMNS, *(_DIFFERENCES[name] for name in differences)]
    lines = [_heading(rows), ""]
    beside = [_published(row, len(columns)) for row in known.rows] if known and same else []
    lines += [table(columns, [*(_measured(row, differences) for row in rows), *beside]), ""]
    lines += [_notes(known), ""] if known and same else []
    lines += _provenances(rows)
    lines += [f"- Beware: {words}." for row in rows if (words := results.failed_in_words(row))]
    return "\n".join([*lines, ""])


def _values(rows: list[dict[str, Any]], name: str) -> set[Any]:
    """Of one entry of the setting; rows without a belief have none for some."""
    return {row[name] for row in rows if row.get(name) is not None}


def _heading(rows: list[dict[str, Any]]) -> str:
    experiments, seeds = [row["experiments"] for row in rows], _values(rows, "seed")
    most = f"{max(experiments)}" if len(set(experiments)) == 1 else f"{min(experiments)} to {max(experiments)}"
    seed = f", seed {next(iter(seeds))}" if len(seeds) == 1 else ""
    return f"T = {most}, L = {rows[0]['contrasts']:,}{seed}."


def _provenances(rows: list[dict[str, Any]]) -> list[str]:
    """By which version, where and when: a line for all policies that share it."""
    shared: dict[str, list[str]] = {}
    for row in rows:
        shared.setdefault(_provenance(row), []).append(row["policy"])
    return [f"- {', '.join(dict.fromkeys(policies))}: {told}" for told, policies in shared.items()]


def _measured(row: dict[str, Any], differences: Sequence[str]) -> list[object]:
    bounds = [_nats(row[name]) for name in ("spce", "snmc", "sace", "svnmc", "information")]
    decision = f"{1000 * row['decision_seconds']:.3g}"
    cells = [row["policy"], f"{row['runs']:,}", *bounds, f"{row['capped']:.0%}", decision, row["particles"]]
    return [*cells, *(row.get(name) for name in differences)]


def _published(row: PublishedRow, columns: int) -> list[object]:
    error = f" ± {row.error:g}" if row.error else f" ± {row.ci:g} (95 %)" if row.ci else ""
    name = f"*{row.policy}, published{f' ({row.differs})' if row.differs else ''}*"
    cells = [name, "", f"*{row.lower:g}{error}*", f"*{row.upper:g}*" if row.upper else ""]
    return [*cells, *[""] * (columns - len(cells))]


def _notes(known: Published) -> str:
    sources = list(dict.fromkeys(row.source for row in known.rows))
    return f"Published setting: {known.setting}. Sources: {'; '.join(sources)}."


def _other(document: dict[str, Any]) -> str:
    if document["kind"] == "calibration" and "results" in document:
        lines = [calibration_section(document)]
    else:
        lines = _described(document)
    lines += [f"- {_provenance(document)}", ""] if "machine" in document else []
    return "\n".join(lines)


def _described(document: dict[str, Any]) -> list[str]:
    """A document of any kind, as it describes itself."""
    lines = [f"## {document.get('title', document.get('kind'))}", "", table(document["columns"], document["rows"]), ""]
    return [*lines, document["note"], ""] if document.get("note") else lines


def _nats(estimate: dict[str, float | None] | None) -> str:
    if estimate is None or estimate["mean"] is None:
        return ""
    return f"{estimate['mean']:.3f} ± {estimate['se'] or 0:.3f}"


def _provenance(row: dict[str, Any]) -> str:
    machine = row["machine"]
    if isinstance(machine, str):  # files of earlier versions
        return f"Organon {row.get('version', '')}, commit {row['commit'] or 'unknown'}; {machine}"
    told = f"Organon {row['organon']}, commit {row['commit'] or 'unknown'}, {row['date']} UTC; {machine['processor']}, "
    return told + f"torch {machine['torch']}, {machine['device']}, {machine['threads']} thread a process"


def main() -> None:
    """Write the page, or say whether it is what the files give."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), encoding="utf-8")
    elif PAGE.read_text(encoding="utf-8") != page():
        sys.exit("BENCHMARKS.md is not what tests/benchmarks/results gives; run: make page")


if __name__ == "__main__":
    main()
