"""The export's contract: its columns, exact floats, whole or not at all."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from experiments_db import queries
from experiments_db.database import Database
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.errors import RequestError
from orchestrator.export import export
from orchestrator.settings import Settings

Perform = Callable[..., str]


@pytest.fixture
def perform(settings: Settings, database: Database) -> Perform:
    """Carry out a small campaign, block by block, in this process; returns its id."""

    def run(**request: Any) -> str:
        small = settings.model_copy(update={"block_runs": 2})
        values = {"particles": 100, "moves": 2, "policy": "random", **request}
        created = services.create_campaign(small, database, services.campaign_request(**values))
        with database.read() as session:
            blocks = {run.block_id for run in queries.campaign_runs(session, created.id)}
        for block in sorted(blocks):
            assert advance(database, settings, block) == "finished"
        return created.id

    return run


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_columns_of_a_simulated_campaign(database: Database, perform: Perform, tmp_path: Path) -> None:
    campaign = perform(domain="enzyme-kinetics", runs=3, budget=2)
    assert services.export_campaign(database, campaign[:5], tmp_path / "out.csv") == 6
    rows = read_csv(tmp_path / "out.csv")
    parameters = ("vmax", "km", "noise", "n", "ki")
    assert list(rows[0]) == [
        "run",
        "step",
        "design.substrate",
        "outcome.velocity",
        "cost",
        "truth.mechanism",
        *(f"truth.{name}" for name in parameters),
        "information",
        "decision_ms",
        "mechanism_probability.michaelis-menten",
        "mechanism_probability.hill",
        "mechanism_probability.substrate-inhibition",
        *(f"{what}.{name}" for name in parameters for what in ("mean", "low90", "high90")),
    ]
    assert [(row["run"], row["step"]) for row in rows] == [(str(r), str(s)) for r in range(3) for s in range(2)]
    for row in rows:
        absent = {"hill": "ki", "substrate-inhibition": "n", "michaelis-menten": "n"}[row["truth.mechanism"]]
        assert row[f"truth.{absent}"] == ""
        weights = {name: float(v) for name, v in row.items() if name.startswith("mechanism_probability.")}
        assert sum(weights.values()) == pytest.approx(1)
        best = max(weights, key=weights.__getitem__).removeprefix("mechanism_probability.")
        assert (row["mean.n"] != "") == (best == "hill")
        assert (row["mean.ki"] != "") == (best == "substrate-inhibition")
        assert float(row["low90.vmax"]) < float(row["mean.vmax"]) < float(row["high90.vmax"])
        assert row["cost"] == "1.0"


def test_a_replay_has_no_truth_and_no_information(database: Database, perform: Perform, tmp_path: Path) -> None:
    campaign = perform(domain="enzyme-kinetics", laboratory="replay:puromycin-treated", budget=3)
    export(database, campaign, tmp_path / "out.csv")
    rows = read_csv(tmp_path / "out.csv")
    assert len(rows) == 3
    assert not [name for name in rows[0] if name.startswith("truth.") or name == "information"]
    assert list(rows[0])[:6] == ["run", "step", "design.substrate", "outcome.velocity", "cost", "decision_ms"]


def test_floats_round_trip_and_the_two_formats_agree(
    database: Database, perform: Perform, tmp_path: Path, costly_file: Path
) -> None:
    campaign = perform(domain=str(costly_file), runs=3)
    count = export(database, campaign, tmp_path / "out.csv")
    assert export(database, campaign, tmp_path / "out.parquet") == count
    texts, values = read_csv(tmp_path / "out.csv"), parquet.read_table(tmp_path / "out.parquet").to_pylist()
    with database.read() as session:
        recorded = list(queries.experiments(session, campaign))
    assert len(texts) == len(values) == len(recorded) == count
    for written, value, experiment in zip(texts, values, recorded, strict=True):
        assert list(written) == list(value)
        assert value["outcome.amount"] == experiment["outcome"]["amount"]
        assert value["design.time"] == experiment["design"]["time"]
        assert value["information"] == experiment["information"]
        assert value["truth.rate"] == experiment["truth"]["parameters"]["rate"]
        for name, cell in written.items():
            assert cell == ("" if value[name] is None else str(value[name])), name


def test_information_adds_up_to_the_finding(database: Database, perform: Perform, tmp_path: Path) -> None:
    campaign = perform(domain="source-location", runs=3, budget=4)
    export(database, campaign, tmp_path / "out.csv")
    runs: dict[str, list[float]] = {}
    for row in read_csv(tmp_path / "out.csv"):
        runs.setdefault(row["run"], []).append(float(row["information"]))
    mean = math.fsum(math.fsum(steps) for steps in runs.values()) / len(runs)
    finding = services.campaign_status(database, campaign)["finding"]
    assert finding["information"]["mean"] == pytest.approx(mean, rel=1e-12)
    assert finding["runs"] == len(runs) == 3


def test_a_finding_is_the_last_belief_that_was_exported(
    database: Database, perform: Perform, tmp_path: Path, costly_file: Path
) -> None:
    """Also of runs that ended before their block did."""
    campaign = perform(domain=str(costly_file), runs=4)
    export(database, campaign, tmp_path / "out.csv")
    last = {row["run"]: row for row in read_csv(tmp_path / "out.csv")}
    assert len({row["step"] for row in last.values()}) > 1
    with database.read() as session:
        found = {str(finding.run_index): finding.content for finding in queries.findings(session, campaign)}
    for run, row in last.items():
        assert found[run]["experiments"] == int(row["step"]) + 1
        for name, summary in found[run]["parameters"].items():
            assert summary["mean"] == pytest.approx(float(row[f"mean.{name}"]), rel=1e-9)
            assert summary["low90"] == pytest.approx(float(row[f"low90.{name}"]), rel=1e-9)


def test_an_export_of_a_campaign_that_has_not_begun_has_a_header_only(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    created = services.create_campaign(settings, database, services.campaign_request(domain="source-location"))
    for name in ("out.csv", "out.parquet"):
        assert export(database, created.id, tmp_path / name) == 0
    assert (tmp_path / "out.csv").read_text().startswith("run,step,design.x,design.y,outcome.log_intensity,cost,")
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 0


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.txt", r"must end in \.csv or \.parquet"),
        ("out", r"must end in"),
        ("missing/out.csv", r"there is no folder .*missing; make it first"),
        ("folder.csv", r"it cannot be written"),
    ],
)
def test_where_it_cannot_be_written(
    database: Database, perform: Perform, tmp_path: Path, name: str, message: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(RequestError, match=message):
        export(database, "0123456789ab", tmp_path / name)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["out.csv", "out.parquet"])
def test_a_failure_leaves_what_was_there(
    database: Database, perform: Perform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    campaign = perform(domain="source-location", budget=2)
    (tmp_path / name).write_text("the export of yesterday")
    genuine = queries.experiments

    def torn(*arguments: Any) -> Any:
        yield next(iter(genuine(*arguments)))
        raise OSError(5, "the disk is gone")

    monkeypatch.setattr(queries, "experiments", torn)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(RequestError, match="it cannot be written"):
        export(database, campaign, tmp_path / name)
    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / name).read_text() == "the export of yesterday"
