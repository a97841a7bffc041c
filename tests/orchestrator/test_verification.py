"""Verification: an honest record is verified, whatever its campaign was, and every kind of tampering is found."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from experiments_db import record
from experiments_db.block_rows import campaign_blocks
from experiments_db.canonical import canonical, digest
from experiments_db.chains import read_chain
from experiments_db.database import Database, connect
from experiments_db.events import append, campaign_digest, first_hash, next_hash
from meta_learner.rollout import BlockSteps
from meta_learner.streams import stream
from orchestrator import advance as advancing
from orchestrator import services
from orchestrator.advance import advance
from orchestrator.settings import Settings
from orchestrator.verification import verify as verifying
from orchestrator.verification.report import Report
from orchestrator.verification.verify import verify

SMALL: dict[str, Any] = {"particles": 100, "moves": 2, "runs": 3, "budget": 3, "seed": 5}
DATA = "design.time,design.method,outcome.amount\n1.0,quick,0.4\n2.0,careful,\n"


def performed(settings: Settings, database: Database, **request: Any) -> str:
    """A campaign carried out to its end in this process, in blocks of two; its id."""
    values = {"domain": "enzyme-kinetics", **SMALL, **request}
    campaign = services.create_campaign(settings, database, services.campaign_request(**values)).id
    with database.read() as session:
        blocks = campaign_blocks(session, campaign)
    for block in blocks:
        assert advance(database, settings, block) == "finished"
    assert services.campaign_status(database, campaign)["status"] == "finished"
    return campaign


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(home=home, task_seconds=60, block_runs=2)


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home with a finished campaign, and its id; to be copied, not changed."""
    home = tmp_path_factory.mktemp("honest") / "home"
    made = Settings(home=home, task_seconds=60, block_runs=2)
    database = services.open_database(made)
    campaign = performed(made, database)
    database.close()
    return home, campaign


@pytest.fixture
def copied(honest: tuple[Path, str], settings: Settings) -> Iterator[tuple[Database, str]]:
    """A copy of it in this test's home, with the triggers gone that would keep a tamperer away."""
    shutil.copytree(honest[0], settings.folder)
    database = connect(settings.database)
    with database.write() as session:
        for name in ("event_no_update", "event_no_delete", "event_no_replace"):
            session.connection().exec_driver_sql(f"DROP TRIGGER {name}")
    yield database, honest[1]
    database.close()


def sql(database: Database, *statements: str) -> None:
    with database.write() as session:
        for statement in statements:
            session.connection().exec_driver_sql(statement)


def fields(report: Report) -> set[tuple[str, int | None, int | None, str]]:
    return {(each.check, each.run, each.step, each.field) for each in report.found}


def test_an_honest_campaign_is_verified(settings: Settings, copied: tuple[Database, str]) -> None:
    told: list[tuple[str, float]] = []
    report = verify(settings, copied[0], copied[1][:6], lambda what, share: told.append((what, share)))
    assert report.found == []
    assert (report.ok, report.same_kind) == (True, True)
    assert (report.experiments, sum(block.experiments for block in report.blocks)) == (9, 9)
    assert [what for what, _ in told] == ["block 0"] * 3 + ["block 1"] * 3
    assert [share for _, share in told] == pytest.approx([1 / 6, 2 / 6, 3 / 6, 4 / 6, 5 / 6, 1])
    assert json.loads(json.dumps(report.as_dict()))["ok"] is True
    with copied[0].read() as session:
        assert report.digest == campaign_digest(session, copied[1])


RUN_1 = '(SELECT id FROM run WHERE "index" = 1)'
AT_1_2 = f"WHERE run_id = {RUN_1} AND step = 2"


@pytest.mark.parametrize(
    ("statement", "wanted"),
    [
        (f"UPDATE experiment SET outcome = '{{\"velocity\":7.0}}' {AT_1_2}",
         {("tables", 1, 2, "outcome"), ("replay", 1, 2, "outcome.velocity")}),
        (f"UPDATE experiment SET design = '{{\"substrate\":1.0}}' {AT_1_2}",
         {("tables", 1, 2, "design"), ("replay", 1, 2, "design.substrate")}),
        (f"UPDATE experiment SET cost = 0.5 {AT_1_2}", {("tables", 1, 2, "cost"), ("replay", 1, 2, "cost")}),
        (f"UPDATE experiment SET information = NULL {AT_1_2}",
         {("tables", 1, 2, "information"), ("replay", 1, 2, "information")}),
        (f"UPDATE experiment SET given = 1 {AT_1_2}", {("tables", 1, 2, "given"), ("replay", 1, 2, "given")}),
        (f"UPDATE experiment SET belief = json_set(belief, '$.mechanism_probability.hill', 0.5) {AT_1_2}",
         {("tables", 1, 2, "belief"), ("replay", 1, 2, "belief.mechanism_probability.hill")}),
        (f"UPDATE experiment SET candidates = json_set(candidates, '$[0].score', 9.0) {AT_1_2}",
         {("tables", 1, 2, "candidates"), ("replay", 1, 2, "candidates[0].score")}),
        (f"DELETE FROM experiment {AT_1_2}", {("tables", 1, 2, "experiment"), ("replay", 1, 2, "experiment")}),
        (f"UPDATE experiment SET step = 3 {AT_1_2}", {("tables", 1, 3, "experiment"), ("tables", 1, 2, "experiment")}),
        (f"UPDATE run SET truth = json_set(truth, '$.parameters.vmax', 1.0) WHERE id = {RUN_1}",
         {("tables", 1, None, "truth"), ("replay", 1, None, "truth.parameters.vmax")}),
        (f"UPDATE run SET cost = 2.0 WHERE id = {RUN_1}", {("tables", 1, None, "cost of the run")}),
        (f"UPDATE run SET steps = 2 WHERE id = {RUN_1}", {("tables", 1, None, "steps")}),
        (f"UPDATE finding SET content = json_set(content, '$.probability', 1.0) WHERE run_id = {RUN_1}",
         {("tables", 1, None, "content"), ("replay", 1, None, "finding.probability")}),
        (f"UPDATE finding SET text = 'sure' WHERE run_id = {RUN_1}",
         {("tables", 1, None, "text"), ("replay", 1, None, "finding's text")}),
        (f"DELETE FROM finding WHERE run_id = {RUN_1}", {("tables", 1, None, "row")}),
        ("UPDATE finding SET content = json_set(content, '$.experiments', 10) WHERE run_id IS NULL",
         {("tables", None, None, "content"), ("replay", None, None, "finding.experiments")}),
        ("UPDATE block SET step = 2 WHERE \"index\" = 0", {("tables", None, None, "step")}),
        ("UPDATE campaign SET seed = 6", {("tables", None, None, "seed"), ("replay", 0, 0, "outcome.velocity")}),
        ("UPDATE campaign SET budget = 4.0", {("tables", None, None, "budget")}),
        ("UPDATE campaign SET settings = json_set(settings, '$.belief.moves', 3)",
         {("tables", None, None, "settings")}),
        ("UPDATE campaign SET status = 'failed'", {("tables", None, None, "status")}),
        ("UPDATE domain SET text = replace(text, 'budget: 12', 'budget: 13')", {("tables", None, None, "text")}),
        ("UPDATE event SET content = replace(content, 'velocity\":', 'velocity\":1') WHERE chain LIKE '%/0' "
         "AND \"index\" = 2", {("chain", None, None, "event 2 (step recorded)"), ("tables", 0, 1, "outcome")}),
        ("DELETE FROM event WHERE chain LIKE '%/0' AND \"index\" = 2",
         {("chain", None, None, "missing event"), ("chain", None, None, "order of events")}),
        ("DELETE FROM event WHERE kind = 'block ended' AND chain LIKE '%/0'", {("tables", None, None, "finished")}),
        ("DELETE FROM event WHERE kind = 'campaign finished'",
         {("tables", None, None, "status"), ("chain", None, None, "missing event")}),
        ("DELETE FROM event", {("chain", None, None, "campaign created"), ("tables", 0, 0, "experiment")}),
        ("DELETE FROM event WHERE chain LIKE '%/1'", {("tables", 2, 0, "experiment")}),
        ("UPDATE event SET \"index\" = 3 - \"index\" + 100 WHERE chain LIKE '%/0' AND \"index\" IN (1, 2); "
         "UPDATE event SET \"index\" = \"index\" - 100 WHERE \"index\" >= 100",
         {("chain", None, None, "event 1 (step recorded)"), ("chain", None, None, "order of events")}),
        ("INSERT INTO event (chain, \"index\", campaign_id, kind, content, hash, created_at) "
         "SELECT chain, 7, campaign_id, kind, content, hash, created_at FROM event "
         "WHERE chain LIKE '%/0' AND \"index\" = 1",
         {("chain", None, None, "event 7 (step recorded)"), ("chain", None, None, "order of events")}),
        ("UPDATE event SET chain = chain || '0' WHERE chain LIKE '%/1'",
         {("chain", None, None, "chain"), ("tables", 2, 0, "experiment")}),
    ],
)  # fmt: skip
def test_tampering_is_found(
    settings: Settings, copied: tuple[Database, str], statement: str, wanted: set[tuple[Any, ...]]
) -> None:
    sql(copied[0], *statement.split("; "))
    report = verify(settings, copied[0], copied[1])
    assert not report.ok
    assert wanted <= fields(report), fields(report)
    assert report.in_words()[-1].startswith("NOT verified: ")


def test_one_tampered_cell_is_one_difference_a_check(settings: Settings, copied: tuple[Database, str]) -> None:
    """The replay goes on from seeds, so that what follows a changed outcome is not called wrong, too."""
    sql(copied[0], f"UPDATE experiment SET outcome = '{{\"velocity\":7.0}}' WHERE run_id = {RUN_1} AND step = 0")
    report = verify(settings, copied[0], copied[1])
    assert fields(report) == {("tables", 1, 0, "outcome"), ("replay", 1, 0, "outcome.velocity")}
    (told,) = [line for line in report.in_words() if "outcome.velocity" in line]
    assert told.startswith("run 1, step 0, outcome.velocity: recorded 7.0, by the replay ")


def test_times_are_not_part_of_what_is_verified(settings: Settings, copied: tuple[Database, str]) -> None:
    sql(copied[0], "UPDATE experiment SET decision_ms = 7", "UPDATE event SET created_at = '2030-01-01 00:00:00'")
    assert verify(settings, copied[0], copied[1]).ok


def forge(database: Database, campaign: str, block: int, change: Callable[[dict[str, Any]], None]) -> None:
    """Change every step of a block's log and hash the chain anew, as one could who may write to the database."""
    chain = f"{campaign}/{block}"
    with database.write() as session:
        previous = first_hash(chain)
        for event in read_chain(session, chain):
            content = event.said
            if "experiments" in content:
                change(content)
            text = canonical(content)
            previous = next_hash(previous, event.index, event.kind, text)
            session.connection().exec_driver_sql(
                'UPDATE event SET content = ?, hash = ? WHERE chain = ? AND "index" = ?',
                (text, previous, chain, event.index),
            )


def test_a_forged_log_is_found_by_the_replay_and_by_its_digest(
    settings: Settings, copied: tuple[Database, str]
) -> None:
    """Log and table changed together: chain and tables agree, and the seeds still say what came back."""
    database, campaign = copied
    before = verify(settings, database, campaign).digest

    def better(content: dict[str, Any]) -> None:
        if content["step"] == 1:
            content["experiments"][0]["outcome"]["velocity"] = 99.0

    forge(database, campaign, 0, better)
    sql(database, "UPDATE experiment SET outcome = '{\"velocity\":99.0}' WHERE step = 1 AND run_id = "
        "(SELECT id FROM run WHERE \"index\" = 0)")  # fmt: skip
    report = verify(settings, database, campaign)
    assert fields(report) == {("replay", 0, 1, "outcome.velocity")}
    assert report.digest != before


@pytest.mark.parametrize(
    "request_",
    [
        {"laboratory": "replay:bench"},
        {"data": "made.csv"},
        {"data": "made.csv", "laboratory": "none"},
        {"policy": "expected-information-gain", "stop": {"information": 0.3}, "batch": 2, "budget": 8},
        {"policy": "sobol", "stop": {"probability": 0.9}},
    ],
    ids=["replay", "after data", "analysis", "batches that end early", "precision"],
)
def test_every_way_to_run_a_campaign_is_verified(
    settings: Settings, database: Database, costly_file: Path, request_: dict[str, Any]
) -> None:
    (costly_file.parent / "made.csv").write_text(DATA)
    values = {"domain": str(costly_file), "policy": "random", "budget": 6, **request_}
    if "data" in values:
        values["data"] = costly_file.parent / values["data"]
    campaign = performed(settings, database, **values)
    report = verify(settings, database, campaign)
    assert (report.found, report.ok) == ([], True)


def one_step(*_: object) -> Callable[[], bool]:
    """A pause after every step of the loop."""
    return iter([False, True]).__next__


def test_a_campaign_under_way_steered_and_resumed_is_verified(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = services.campaign_request(domain="enzyme-kinetics", **SMALL)
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        blocks = campaign_blocks(session, campaign)
    assert verify(settings, database, campaign).ok
    with monkeypatch.context() as patch:
        patch.setattr(advancing._Advance, "_pause", one_step)
        assert advance(database, settings, blocks[0]) == "again"
    assert advance(database, settings, blocks[1]) == "finished"
    services.pause_campaign(database, campaign, services.Why("Ada", "the lamp flickers"))
    assert verify(settings, database, campaign).ok
    services.resume_campaign(settings, database, campaign)
    services.cancel_campaign(database, campaign, services.Why("Ada"))
    report = verify(settings, database, campaign)
    assert report.found == []
    with database.read() as session:
        log = read_chain(session, campaign)
    assert [event.kind for event in log] == [
        "campaign created", "campaign started", "campaign paused", "campaign resumed", "campaign cancelled",
    ]  # fmt: skip
    assert log[2].said == {"by": "Ada", "reason": "the lamp flickers"}
    assert log[3].said["by"]


def test_a_failed_campaign_is_verified_with_its_reason(
    settings: Settings, database: Database, costly_file: Path
) -> None:
    request = services.campaign_request(domain=str(costly_file), **{**SMALL, "budget": 0.25, "policy": "random"})
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        blocks = campaign_blocks(session, campaign)
    advance(database, settings, blocks[0])
    assert verify(settings, database, campaign).found == []
    sql(database, "UPDATE campaign SET message = 'all went well'")
    assert [each.field for each in verify(settings, database, campaign).found] == ["message"]


def test_the_log_of_two_runs_of_the_same_work_says_the_same(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No clock, no process, no interruption in what is chained: only the chain's name differs."""
    logs = []
    for interrupted in (False, True):
        if interrupted:
            monkeypatch.setattr(advancing._Advance, "_pause", one_step)
        request = services.campaign_request(domain="enzyme-kinetics", **SMALL)
        campaign = services.create_campaign(settings, database, request).id
        with database.read() as session:
            blocks = campaign_blocks(session, campaign)
        for block in blocks:
            while advance(database, settings, block) == "again":
                shutil.rmtree(settings.folder / "cache")
        with database.read() as session:
            chains = [read_chain(session, chain) for chain in (campaign, f"{campaign}/0", f"{campaign}/1")]
        logs.append([[(event.kind, event.content) for event in chain] for chain in chains])
    assert logs[0] == logs[1]


def _elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kind of machine, at its worst: moves and prior draws share nothing with those recorded."""
    genuine = BlockSteps._stream

    def other(self: BlockSteps, step: int, purpose: Any) -> Any:
        if purpose in ("update", "prior", "hypothesise"):
            return stream(self.seed + 1, self.block, step, purpose)
        return genuine(self, step, purpose)

    monkeypatch.setattr(BlockSteps, "_stream", other)
    monkeypatch.setattr(verifying, "machine_kind", lambda _device: {"torch": "3.0", "capability": "NEON"})


@pytest.mark.parametrize("seed", range(2))
def test_elsewhere_agreement_within_monte_carlo_error_is_enough(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    campaign = performed(settings, database, budget=4, particles=400, moves=5, seed=seed)
    _elsewhere(monkeypatch)
    report = verify(settings, database, campaign)
    assert report.found == []
    assert (report.ok, report.same_kind) == (True, False)
    words = " ".join(report.in_words())
    assert "on another kind of machine (recorded: organon" in words
    assert "here: torch 3.0, capability NEON)" in words
    assert "12 designs came out as recorded" in words
    assert report.as_dict()["compared"]["not_compared"]


def test_elsewhere_what_is_wrong_is_still_found(
    settings: Settings, copied: tuple[Database, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    database, campaign = copied
    _elsewhere(monkeypatch)
    law = "$.mechanisms.michaelis-menten.vmax.mean"
    sql(
        database,
        "UPDATE experiment SET outcome = json_set(outcome, '$.velocity', 1.01 * json_extract(outcome, '$.velocity')) "
        + AT_1_2,
        f"UPDATE experiment SET belief = json_set(belief, '{law}', 1e6, '$.most_probable', 'michaelis-menten') "
        "WHERE step = 1",
        "UPDATE run SET truth = json_set(truth, '$.parameters.vmax', 1.0) WHERE \"index\" = 2",
    )
    found = {each for each in fields(verify(settings, database, campaign)) if each[0] == "replay"}
    assert ("replay", 1, 2, "outcome.velocity") in found
    assert ("replay", 2, None, "truth.parameters.vmax") in found
    assert ("replay", 0, 1, "belief.mechanisms.michaelis-menten.vmax.mean") in found


def test_rows_that_are_no_experiments_of_the_domain_are_a_difference(
    settings: Settings, copied: tuple[Database, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _elsewhere(monkeypatch)
    sql(copied[0], f'UPDATE experiment SET design = \'{{"temperature":"hot"}}\' {AT_1_2}')
    assert ("replay", None, None, "rows") in fields(verify(settings, copied[0], copied[1]))


def test_a_record_older_than_the_log_is_replayed(settings: Settings, copied: tuple[Database, str]) -> None:
    """As migration 0005 leaves a campaign: one event that says how far it was."""
    database, campaign = copied
    sql(database, "DELETE FROM event")
    with database.write() as session:
        said = {"blocks": [[3, "finished"], [3, "finished"]], "message": "", "started": True, "status": "finished"}
        append(session, campaign, "log begun", said)
    report = verify(settings, database, campaign)
    assert report.found == []
    assert report.unlogged == 9
    assert "9 experiments are older than the log: they were replayed only" in report.in_words()
    sql(database, f"UPDATE experiment SET information = 1.5 {AT_1_2}")
    assert ("replay", 1, 2, "information") in fields(verify(settings, database, campaign))


def test_what_cannot_be_replayed_is_not_verified(settings: Settings, copied: tuple[Database, str]) -> None:
    database, campaign = copied
    sql(database, "UPDATE domain SET text = 'format: 1'")
    report = verify(settings, database, campaign)
    assert (report.ok, report.in_words()[2][:14]) == (False, "not replayed: ")


def test_a_campaign_on_postgresql_is_verified(settings: Settings, postgres: Database) -> None:
    campaign = performed(settings, postgres)
    assert verify(settings, postgres, campaign).found == []
    sql(postgres, 'UPDATE experiment SET cost = 0.5 WHERE step = 2 AND run_id = (SELECT id FROM run WHERE "index" = 1)')
    assert fields(verify(settings, postgres, campaign)) == {("tables", 1, 2, "cost"), ("replay", 1, 2, "cost")}


def test_a_truth_recorded_by_somebody_else_is_found(settings: Settings, database: Database) -> None:
    request = services.campaign_request(domain="enzyme-kinetics", **{**SMALL, "runs": 1})
    campaign = services.create_campaign(settings, database, request).id
    with database.read() as session:
        (block,) = campaign_blocks(session, campaign)
    truth = {"mechanism": "michaelis-menten", "parameters": {"vmax": 100.0}}
    for _ in range(2):  # a second time, as after a crash: nothing happens
        with database.write() as session:
            record.record_truths(session, block, [truth])
    with database.read() as session:
        (event,) = read_chain(session, f"{campaign}/0")
    assert event.said == {"truths": [digest(truth)]}
    assert any(each.field.startswith("truth.") for each in verify(settings, database, campaign).found)
