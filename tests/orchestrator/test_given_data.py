"""Campaigns and notebooks that start from experiments already made, or only analyse them."""

import csv
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet
from sqlalchemy.orm import Session

from domains.errors import DomainError
from experiments_db import queries, record
from experiments_db.database import Database
from experiments_db.errors import UnreachableDatabaseError
from meta_learner.belief import BeliefSettings
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.errors import RequestError
from orchestrator.export import export
from orchestrator.given_data import uploaded_table
from orchestrator.investigation import Investigation
from orchestrator.settings import Settings

HEADER = "design.time,design.method,outcome.amount\n"
TABLE = HEADER + "1.0,quick,0.4\n1.0,quick,0.3\n2.0,careful,\n4.0,quick,0.02\n"
ROWS = 4
SMALL = {"particles": 100, "moves": 2, "policy": "random"}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "made.csv"
    path.write_text(TABLE)
    return path


@pytest.fixture
def create(settings: Settings, database: Database, costly_file: Path, table: Path) -> Callable[..., str]:
    """Record a small campaign of the costly domain that starts from the table; returns its id."""

    def make(**request: Any) -> str:
        values = {"domain": str(costly_file), "data": table, **SMALL, **request}
        return services.create_campaign(settings, database, services.campaign_request(**values)).id

    return make


@pytest.fixture
def perform(settings: Settings, database: Database, create: Callable[..., str]) -> Callable[..., str]:
    """Carry such a campaign out in this process; returns its id."""

    def run(**request: Any) -> str:
        campaign = create(**request)
        assert advance(database, settings, block_of(database, campaign)) == "finished"
        return campaign

    return run


def block_of(database: Database, campaign: str) -> int:
    with database.read() as session:
        (block,) = {run.block_id for run in queries.campaign_runs(session, campaign)}
    return block


def exported(database: Database, campaign: str, folder: Path) -> list[dict[str, str]]:
    export(database, campaign, folder / "out.csv")
    with (folder / "out.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def settled(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """An export without the one column that no seed fixes."""
    return [{name: cell for name, cell in row.items() if name != "decision_ms"} for row in rows]


def status(database: Database, campaign: str) -> dict[str, Any]:
    return services.campaign_status(database, campaign)


Perform = Callable[..., str]


def test_given_experiments_come_first_and_are_not_charged(database: Database, perform: Perform, tmp_path: Path) -> None:
    campaign = perform(runs=3, budget=4)
    runs: dict[str, list[dict[str, str]]] = {}
    for row in exported(database, campaign, tmp_path):
        runs.setdefault(row["run"], []).append(row)
    assert len(runs) == 3
    for rows in runs.values():
        assert list(rows[0])[-1] == "given"
        assert [row["given"] for row in rows] == ["true"] * ROWS + ["false"] * (len(rows) - ROWS)
        given, own = rows[:ROWS], rows[ROWS:]
        assert own
        taken = [(row["design.time"], row["design.method"], row["outcome.amount"]) for row in given]
        assert taken == [tuple(line.split(",")) for line in TABLE.split()[1:]]
        assert {(row["cost"], row["information"], row["decision_ms"]) for row in given} == {("0.0", "", "0.0")}
        assert 3.5 < sum(float(row["cost"]) for row in own) <= 4
        assert all(row["information"] for row in own)
    assert len({rows[0]["truth.rate"] for rows in runs.values()}) == 3
    found = status(database, campaign)
    assert found["data"] == {"file": "made.csv", "sha256": found["data"]["sha256"], "experiments": ROWS}
    assert (found["finding"]["experiments"], found["finding"]["given"]) == (sum(map(len, runs.values())), 3 * ROWS)
    assert f"{found['finding']['experiments']} experiments, 12 of them given." in found["finding"]["text"]
    gained = sum(float(row["information"]) for rows in runs.values() for row in rows[ROWS:]) / 3
    assert found["finding"]["information"]["mean"] == pytest.approx(gained, rel=1e-9)


def test_the_two_formats_of_an_export_agree(database: Database, perform: Perform, tmp_path: Path) -> None:
    campaign = perform(runs=1, budget=2)
    texts = exported(database, campaign, tmp_path)
    export(database, campaign, tmp_path / "out.parquet")
    values = parquet.read_table(tmp_path / "out.parquet").to_pylist()
    assert [text["given"] for text in texts] == [str(value["given"]).lower() for value in values]
    assert values[0]["given"] is True


@pytest.mark.parametrize(
    ("laboratory", "steps"),
    [("simulate", 0), ("simulate", 2), ("simulate", 5), ("replay:bench", 2), ("replay:bench", 5), ("none", 2)],
)
def test_a_campaign_killed_on_the_way_ends_as_one_that_was_not(
    settings: Settings, database: Database, create: Perform, perform: Perform, monkeypatch: pytest.MonkeyPatch,
    *, tmp_path: Path, laboratory: str, steps: int,
) -> None:  # fmt: skip
    """After no step, among the given ones and after them; what was recorded is folded anew, the worlds among it."""
    request = {"laboratory": laboratory, "runs": 3, "budget": 6, "seed": 8}
    whole = exported(database, perform(**request), tmp_path)
    campaign = create(**request)
    genuine = record.record_step

    def die(session: Session, block_id: int, *, step: int, **about: Any) -> None:
        if step == steps:
            raise UnreachableDatabaseError("killed")
        genuine(session, block_id, step=step, **about)

    with monkeypatch.context() as patch:
        patch.setattr(record, "record_step", die)
        assert advance(database, settings, block_of(database, campaign)) == "again"
    shutil.rmtree(settings.folder / "cache", ignore_errors=True)
    assert advance(database, settings, block_of(database, campaign)) == "finished"
    assert settled(exported(database, campaign, tmp_path)) == settled(whole)


def test_recorded_worlds_are_kept_though_they_would_be_drawn_otherwise(
    settings: Settings, database: Database, create: Perform, tmp_path: Path
) -> None:
    """What is on record is the truth: the fold that drew it is not repeated."""
    campaign = create(budget=4)
    truth = {"mechanism": "linear", "parameters": {"rate": 0.625, "start": 1.5}}
    with database.write() as session:
        record.record_truths(session, block_of(database, campaign), [truth])
    assert advance(database, settings, block_of(database, campaign)) == "finished"
    rows = exported(database, campaign, tmp_path)
    assert {(row["truth.mechanism"], row["truth.rate"]) for row in rows} == {("linear", "0.625")}
    for row in rows[ROWS:]:
        line = 1.5 - 0.2 * 0.625 * float(row["design.time"])
        assert abs(float(row["outcome.amount"]) - line) < 0.5  # five standard deviations


@pytest.mark.parametrize("seed", [0, 4])
def test_analysing_is_telling_one_by_one(database: Database, perform: Perform, costly_file: Path, seed: int) -> None:
    """The same bits from a campaign without a laboratory, a notebook that is told, and one that reads the file."""
    finding = status(database, perform(laboratory="none", seed=seed))["finding"]
    small = BeliefSettings(particles=100, moves=2)
    told = Investigation(costly_file, seed=seed, settings=small)
    for time, method, amount in (line.split(",") for line in TABLE.split()[1:]):
        told.tell({"time": float(time), "method": method}, {"amount": float(amount) if amount else None})
    read = Investigation(costly_file, seed=seed, settings=small, data=costly_file.with_name("made.csv"))
    assert finding["run"]["mechanisms"] == told.belief["mechanisms"] == read.belief["mechanisms"]
    assert told.belief == read.belief
    assert "after 4 experiments, all of them given:" in finding["text"]
    assert "after 4 experiments, all of them given:" in read.finding()
    assert (finding["experiments"], finding["given"], finding["cost"]) == (4, 4, 0)


def test_a_notebook_goes_on_with_its_whole_budget(costly_file: Path, table: Path) -> None:
    small = BeliefSettings(particles=100, moves=2)
    question = Investigation(costly_file, policy="random", budget=1.0, settings=small, data=str(table))
    design = question.ask()
    assert float(design["time"]) <= 1
    question.tell(design, {"amount": 0.5})
    assert "after 5 experiments, 4 of them given:" in question.finding()
    with pytest.raises(DomainError, match="there is no such file"):
        Investigation(costly_file, data="nowhere.csv")


def test_rows_of_a_replay_that_were_given_are_not_looked_up_again(
    database: Database, perform: Perform, costly_file: Path, tmp_path: Path
) -> None:
    """Of the bench's two quick readings at 1.0, one was given: one is left. All else is looked up once."""
    made = tmp_path / "some.csv"
    made.write_text(HEADER + "1.0,quick,0.4\n4.0,quick,0.02\n3.0,careful,0.5\n")  # the last is no row of the bench
    campaign = perform(laboratory="replay:bench", budget=1000, data=made, domain=str(costly_file))
    looked_up = Counter(
        (float(row["design.time"]), row["design.method"], float(row["outcome.amount"]))
        for row in exported(database, campaign, tmp_path)
        if row["given"] == "false"
    )
    lines = [line.split(",") for line in costly_file.with_name("bench.csv").read_text().split()[1:]]
    bench = Counter((float(time), method, float(amount)) for time, method, amount in lines)
    times = Counter({(time, method): 0 for time, method, _ in bench})
    for (time, method, _), count in (bench - looked_up).items():
        times[time, method] += count
    assert looked_up - bench == Counter()
    assert {design: count for design, count in times.items() if count} == {(1.0, "quick"): 1, (4.0, "quick"): 1}


def test_an_export_is_data_again(database: Database, perform: Perform, costly_file: Path, tmp_path: Path) -> None:
    first = exported(database, perform(data=None, budget=5, seed=2), tmp_path)
    assert "given" not in first[0]
    second = exported(database, perform(data=tmp_path / "out.csv", laboratory="none", seed=2), tmp_path)
    told = [name for name in first[0] if name.startswith(("design.", "outcome.", "mechanism_pro", "mean.", "low90."))]
    assert [[row[name] for name in told] for row in second] == [[row[name] for name in told] for row in first]
    third = perform(data=tmp_path / "out.csv", budget=2, seed=3)
    assert status(database, third)["data"]["experiments"] == len(first)


def test_what_is_expected(settings: Settings, database: Database, tmp_path: Path) -> None:
    made = tmp_path / "made.csv"
    made.write_text("design.substrate,outcome.velocity\n0.02,76\n1.10,207\n0.5,\n")

    def expected(laboratory: str, domain: str = "enzyme-kinetics", **values: Any) -> tuple[float, int | None]:
        request = services.campaign_request(domain=domain, laboratory=laboratory, data=made, **values)
        checked = services.check_campaign(settings, request)
        return checked.expected_cost, checked.expected_experiments

    assert expected("simulate", budget=4.5) == (4, 7)
    assert expected("replay:puromycin-treated", budget=99) == (10, 13)  # two of its twelve rows were given
    assert expected("replay:puromycin-treated", budget=2) == (2, 5)
    assert expected("none", budget=0.1) == (0, 3)
    request = services.campaign_request(domain="enzyme-kinetics", laboratory="none", data=made, runs=5, particles=100)
    campaign = services.create_campaign(settings, database, request).id
    assert services.campaign_progress(database, campaign)["expected"] == 15
    assert status(database, campaign)["progress"]["share"] == 0


def test_progress_counts_what_is_given(
    settings: Settings, database: Database, create: Perform, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = create(laboratory="none")
    genuine = record.record_step

    def die(session: Session, block_id: int, *, step: int, **about: Any) -> None:
        if step == 3:
            raise UnreachableDatabaseError("killed")
        genuine(session, block_id, step=step, **about)

    with monkeypatch.context() as patch:
        patch.setattr(record, "record_step", die)
        assert advance(database, settings, block_of(database, campaign)) == "again"
    progress = status(database, campaign)["progress"]
    assert progress == {"share": 0.75, "runs_finished": 0, "experiments": 3, "cost": 0.0}


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"data": None, "laboratory": "none"}, RequestError, r"analyses those already made: .*--data FILE\.csv"),
        ({"data": "nowhere.csv"}, DomainError, "there is no such file"),
        ({"data": "out.parquet"}, DomainError, "read from CSV only"),
        ({"data": {"file": "up.csv", "text": HEADER}}, DomainError, "up.csv: the table has no rows"),
        ({"data": {"file": "up.xls", "text": TABLE}}, DomainError, "read from CSV only"),
        ({"data": {"file": "up.csv", "text": TABLE.replace("quick", "quik")}}, DomainError, "up.csv:2: .*mean 'quick'"),
        ({"laboratory": "nobody"}, RequestError, "it has simulate, replay:bench, none"),
    ],
)
def test_nothing_is_written_for_data_that_does_not_fit(
    database: Database, create: Perform, values: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        create(**values)
    assert services.list_campaigns(database) == []


def test_a_replay_whose_rows_were_all_given_is_refused(create: Perform, costly_file: Path, tmp_path: Path) -> None:
    bench = costly_file.with_name("bench.csv").read_text()
    (tmp_path / "all.csv").write_text(bench.replace("t,how,a\n", HEADER))
    with pytest.raises(RequestError, match=r"hold every row of it, .* by --laboratory none"):
        create(laboratory="replay:bench", data=tmp_path / "all.csv")


def test_an_upload_is_read_as_a_file_is(database: Database, perform: Perform, table: Path) -> None:
    of_file = status(database, perform(laboratory="none"))
    of_upload = status(database, perform(laboratory="none", data=uploaded_table("made.csv", table.read_bytes())))
    assert of_file["data"] == of_upload["data"]
    assert of_file["finding"] == of_upload["finding"]
    with pytest.raises(DomainError, match=r"made\.csv: byte 0 is not UTF-8"):
        uploaded_table("made.csv", b"\xff")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TABLE.replace("0.02", "1e200"), "no law of decay explains the given experiments"),
        (TABLE.replace("4.0,quick", "3.9,quick"), "the given experiment 4 of 4 breaks a constraint of decay"),
    ],
)
def test_what_only_the_worker_can_tell_fails_the_campaign_with_the_reason(
    settings: Settings, database: Database, create: Perform, costly_file: Path, *, text: str, message: str
) -> None:
    tmp_path = costly_file.parent
    limited = tmp_path / "limited.yaml"
    limited.write_text(costly_file.read_text().replace("parameters:", 'constraints: ["time != 3.9"]\nparameters:', 1))
    (tmp_path / "other.csv").write_text(text)
    campaign = create(domain=str(limited), data=tmp_path / "other.csv")
    assert advance(database, settings, block_of(database, campaign)) == "finished"
    failed = status(database, campaign)
    assert failed["status"] == "failed"
    assert message in failed["message"]


def test_a_budget_that_pays_for_nothing_still_fails(settings: Settings, database: Database, create: Perform) -> None:
    campaign = create(budget=0.25)
    advance(database, settings, block_of(database, campaign))
    assert "the cheapest costs 0.5" in status(database, campaign)["message"]
