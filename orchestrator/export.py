"""The export: one row an experiment, the contract for everyone outside.

Columns: run, step, design.<name>…, outcome.<name>…, cost, [truth.mechanism, truth.<parameter>…, information,]
decision_ms, mechanism_probability.<name>…, and mean/low90/high90.<parameter>… under the most probable mechanism. The
columns in brackets are those of simulated campaigns. Last, of campaigns that started from measurements made before,
given: true for those, false for the campaign's own. Of measured campaigns (manual, command) also result: told, failed,
corrected or withdrawn; design and outcome are those that hold now, and beliefs those of the time, but for the last one
after a revision. Floats round-trip exactly; a missing value is empty.
"""

import csv
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from domains.document import Domain
from domains.loading import load_text
from experiments_db import queries, revisions
from experiments_db.database import Database
from orchestrator.errors import RequestError
from orchestrator.suggestion_rules import is_measured

FORMATS = (".csv", ".parquet")
_BATCH = 2000


def check_target(path: Path) -> None:
    """RequestError unless an export can be written there."""
    if path.suffix not in FORMATS:
        raise RequestError(f"--out {path}: the name must end in {' or '.join(FORMATS)}")
    folder = path.resolve().parent
    if not folder.is_dir():
        raise RequestError(f"--out {path}: there is no folder {folder}; make it first")
    if path.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise RequestError(f"--out {path}: it cannot be written; choose another place")


def export(database: Database, campaign_id: str, path: Path) -> int:
    """Write a campaign's experiments so far to a .csv or .parquet file; returns the number of rows.

    The file appears whole or not at all.
    """
    check_target(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with database.read() as session:
            campaign = queries.get_campaign(session, campaign_id)
            record = queries.get_domain(session, campaign.domain_identity)
            domain = load_text(record.text, f"{record.name}.yaml", record.attachments)
            started_from_data = queries.data_source(session, campaign.id) is not None
            measured = is_measured(campaign.laboratory)
            names = columns(domain, simulated=campaign.laboratory == "simulate", given=started_from_data)
            names += ["result"] if measured else []
            standing = revisions.standing_results(session, campaign.id) if measured else {}
            rows = (
                _row(names, {**entry, **standing.get((entry["run_index"], entry["step"]), {})})
                for entry in queries.experiments(session, campaign.id)
            )
            if path.suffix == ".csv":
                count = _write_csv(partial, names, rows)
            else:
                count = _write_parquet(partial, names, rows, domain)
        partial.replace(path)
    except OSError as error:
        raise RequestError(f"--out {path}: it cannot be written ({error.strerror}); choose another place") from None
    finally:
        partial.unlink(missing_ok=True)
    return count


def columns(domain: Domain, *, simulated: bool, given: bool = False) -> list[str]:
    """The export's columns for a domain, in order."""
    parameters = [entry for parameter in domain.parameters for entry in parameter.entries]
    truth = ["truth.mechanism", *(f"truth.{name}" for name in parameters), "information"] if simulated else []
    return [
        "run",
        "step",
        *(f"design.{design.name}" for design in domain.designs),
        *(f"outcome.{name}" for name in domain.outcome_entries),
        "cost",
        *truth,
        "decision_ms",
        *(f"mechanism_probability.{mechanism.name}" for mechanism in domain.mechanisms),
        *(f"{statistic}.{name}" for name in parameters for statistic in ("mean", "low90", "high90")),
        *_goal_columns(domain, simulated=simulated),
        *(["given"] if given else []),
    ]


def _goal_columns(domain: Domain, *, simulated: bool) -> list[str]:
    """goal_score (simulated campaigns only), and what the goal asks the agent to say."""
    if domain.goal.kind in ("learn", "discriminate"):
        return []
    score = ["goal_score"] if simulated else []
    if domain.goal.kind == "predict":
        return [*score, *(f"prediction.{name}" for name in domain.prediction_names)]
    return [*score, *(f"recommendation.{design.name}" for design in domain.designs)]


def _row(names: list[str], entry: dict[str, Any]) -> dict[str, Any]:
    truth, belief = entry["truth"] or {}, entry["belief"]
    values: dict[str, Any] = {
        "run": entry["run_index"],
        "step": entry["step"],
        "cost": entry["cost"],
        "information": entry["information"],
        "decision_ms": entry["decision_ms"],
        "truth.mechanism": truth.get("mechanism"),
    }
    values |= {f"design.{name}": value for name, value in entry["design"].items()}
    values |= {f"outcome.{name}": value for name, value in entry["outcome"].items()}
    values |= {f"truth.{name}": value for name, value in truth.get("parameters", {}).items()}
    values |= {f"mechanism_probability.{name}": p for name, p in belief["mechanism_probability"].items()}
    for name, summary in belief["parameters"].items():
        values |= {f"{statistic}.{name}": summary[statistic] for statistic in ("mean", "low90", "high90")}
    values |= {f"recommendation.{name}": value for name, value in belief.get("recommendation", {}).items()}
    values |= {f"prediction.{name}": value for name, value in belief.get("prediction", {}).items()}
    values |= {"goal_score": belief.get("goal_score"), "given": entry["given"], "result": entry.get("result")}
    return {name: values.get(name) for name in names}


def _write_csv(path: Path, names: list[str], rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        for count, row in enumerate(rows, 1):  # noqa: B007
            writer.writerow([_cell(value) for value in row.values()])
    return count


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


def _write_parquet(path: Path, names: list[str], rows: Iterable[dict[str, Any]], domain: Domain) -> int:
    import pyarrow
    from pyarrow import parquet

    texts = {"truth.mechanism", "result", *(f"design.{d.name}" for d in domain.designs if d.kind == "choice")}
    kinds = {"run": pyarrow.int64(), "step": pyarrow.int64(), "given": pyarrow.bool_()}
    kinds |= dict.fromkeys(texts, pyarrow.string())
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.float64())) for name in names])
    count = 0
    with parquet.ParquetWriter(path, schema) as writer:
        for batch in _batches(rows):
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
            count += len(batch)
    return count


def _batches(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    iterator = iter(rows)
    while batch := list(itertools.islice(iterator, _BATCH)):
        yield batch
