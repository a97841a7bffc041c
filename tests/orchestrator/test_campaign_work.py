"""Jobs about campaigns, done by a worker on real campaigns: bands of predictions, checks of the log, power."""

import json
from typing import Any

import pytest

from experiments_db import jobs as recorded
from experiments_db import queries, run_reads
from experiments_db.database import Database
from orchestrator import job_work, jobs
from orchestrator.log_check import check_log
from orchestrator.requests import Document
from orchestrator.settings import Settings
from orchestrator.work import beliefs
from tests.orchestrator.at_the_bench import Campaign, create, velocity
from tests.orchestrator.conftest import BENCH, COSTLY


def done(settings: Settings, database: Database, kind: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a job, slice by slice as a worker makes it."""
    job = jobs.ask(settings, database, kind, arguments, "Ada")
    while job_work.work_next(database, settings, lambda: None)[0] == "again":
        pass
    with database.read() as session:
        found = recorded.get_job(session, job.id)
    assert found.result is not None, found.message
    return found.result


def asked(campaign: Campaign, known: int, **values: Any) -> dict[str, Any]:
    base = {"campaign": campaign.id, "run": 0, "known": known, "axis": "substrate", "at": None, "revised": 0}
    return {**base, **values}


@pytest.fixture
def finished(settings: Settings, database: Database) -> Campaign:
    campaign = create(settings, database, laboratory="simulate", runs=3, budget=5)
    assert campaign.advance() == ["finished"]
    return campaign


def test_the_belief_of_the_bands_is_the_recorded_one_to_the_last_bit(
    settings: Settings, database: Database, finished: Campaign
) -> None:
    with database.read() as session:
        run = run_reads.get_run(session, finished.id, 1)
        steps = run_reads.run_steps(session, run.id)
    for known in (4, 2, 5):  # backwards and forwards: what is kept of one serves the next, or is not used
        told = done(settings, database, "bands", asked(finished, known, run=1))
        probability = {law["name"]: law["probability"] for law in told["laws"]}
        assert probability == steps[known - 1].belief["mechanism_probability"]
        assert [point["outcome"] for point in told["points"]] == [step.outcome for step in steps[:known]]
        assert told["next"] == (steps[known].design if known < 5 else None)


def test_bands_widen_over_what_is_not_known_and_hold_most_outcomes(
    settings: Settings, database: Database, finished: Campaign
) -> None:
    before = done(settings, database, "bands", asked(finished, 0))
    after = done(settings, database, "bands", asked(finished, 5))
    json.dumps(after, allow_nan=False)
    assert (before["grid"][0], before["grid"][-1]) == (0.01, 2.0)
    assert before["grid"] == sorted(before["grid"])
    for prior, posterior in zip(before["laws"], after["laws"], strict=True):
        widths = []
        for law in (prior, posterior):
            band = law["outcomes"]["velocity"]
            middles = list(zip(band["low"], band["middle"], band["high"], strict=True))
            assert all(low <= middle <= high for low, middle, high in middles)
            widths.append(sum(high - low for low, _, high in middles))
        assert widths[1] < widths[0] / 2
    assert prior["next"]["velocity"]["low"] < prior["next"]["velocity"]["high"]


def test_a_long_fold_is_done_in_slices(
    settings: Settings, database: Database, finished: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = done(settings, database, "bands", asked(finished, 5))
    monkeypatch.setattr(job_work, "_SLICE_SECONDS", 0.0)
    for file in (settings.folder / "cache" / "looked-at").rglob("*.safetensors"):
        file.unlink()
    job = jobs.ask(settings, database, "bands", asked(finished, 5, at={"substrate": 1.0}), "Ada")

    slices = [job_work.work_next(database, settings, lambda: None)[0] for _ in range(5)]

    assert slices == ["again"] * 4 + ["finished"]
    with database.read() as session:
        sliced = recorded.get_job(session, job.id).result
    assert sliced is not None
    assert [law["probability"] for law in sliced["laws"]] == [law["probability"] for law in whole["laws"]]


def test_only_so_many_beliefs_are_kept(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beliefs, "_KEPT", 1)
    for seed in (1, 2):
        campaign = create(settings, database, laboratory="simulate", budget=1, seed=seed)
        campaign.advance()
        done(settings, database, "bands", asked(campaign, 1))
    assert len(list((settings.folder / "cache" / "looked-at").rglob("*.safetensors"))) == 1


def test_settings_of_other_kinds_and_costs_are_drawn_over(settings: Settings, database: Database) -> None:
    document = Document(text=COSTLY, attachments={"bench.csv": BENCH})
    campaign = create(settings, database, domain=document, laboratory="simulate", budget=9)
    campaign.advance()
    over = done(settings, database, "bands", asked(campaign, 1, axis="method"))
    assert over["grid"] == ["quick", "careful"]
    along = done(settings, database, "bands", asked(campaign, 2, axis="time"))
    assert along["at"]["method"] == along["points"][1]["design"]["method"]
    methods = [point["design"]["method"] for point in along["points"]]
    assert [point["near"] for point in along["points"]] == [method == methods[1] for method in methods]


def test_bands_of_a_manual_campaign_follow_corrections_and_show_what_waits(
    settings: Settings, database: Database
) -> None:
    campaign = create(settings, database, budget=4)
    campaign.advance()
    (first,) = campaign.waiting()
    campaign.bench.tell(first["id"], velocity(first))
    campaign.advance()
    (second,) = campaign.waiting()
    told = done(settings, database, "bands", asked(campaign, 1, suggestion=second["id"]))
    assert told["next"] == second["design"]
    assert told["points"][0]["outcome"] == velocity(first)

    campaign.bench.correct(first["id"], {"velocity": 12.5}, reason="a slip")
    campaign.advance()
    anew = done(settings, database, "bands", asked(campaign, 1, revised=1))
    assert anew["points"][0]["outcome"] == {"velocity": 12.5}
    assert anew["laws"][0]["outcomes"] != told["laws"][0]["outcomes"]


def test_a_run_that_is_not_there_fails_the_job_in_words(settings: Settings, database: Database) -> None:
    campaign = create(settings, database)
    job = jobs.ask(settings, database, "bands", asked(campaign, 0, run=9), "Ada")
    job_work.work_next(database, settings, lambda: None)
    with database.read() as session:
        assert "has no run 10" in recorded.get_job(session, job.id).message


def test_a_log_that_was_tampered_with_is_found(settings: Settings, database: Database, finished: Campaign) -> None:
    held = done(settings, database, "log-check", {"campaign": finished.id})
    assert (held["faulty"], held["chains"]) == (0, 2)
    assert {**held, "at": ""} == {**check_log(database, finished.id), "at": ""}
    with database.write() as session:
        connection = session.connection()
        for (name,) in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type='trigger'").all():
            connection.exec_driver_sql(f"DROP TRIGGER {name}")
        connection.exec_driver_sql("DELETE FROM event WHERE kind = 'step recorded' AND \"index\" = 2")
    found = check_log(database, finished.id)
    assert found["faulty"] >= 1
    assert "missing event" in found["faults"][0]


def test_power_of_a_document_is_predicted(settings: Settings, database: Database) -> None:
    document = {"text": COSTLY, "attachments": {"bench.csv": BENCH}}
    study = {"domain": document, "policy": "random", "budget": 4.0, "runs": 4, "particles": 60}
    report = done(settings, database, "power", study)
    assert report["unequal"]
    assert report["budgets"][-1] == 4.0
    assert len(report["policies"][0]["found"]["share"]) == len(report["budgets"])


def test_reads_of_runs_agree_with_the_whole_record(database: Database, finished: Campaign) -> None:
    with database.read() as session:
        every = list(queries.experiments(session, finished.id))
        for index in range(3):
            run = run_reads.get_run(session, finished.id, index)
            mine = [row for row in every if row["run_index"] == index]
            assert [step.design for step in run_reads.run_steps(session, run.id)] == [row["design"] for row in mine]
            assert run_reads.recorded_candidates(session, run.id, 2) == mine[2]["candidates"]
        outcomes = run_reads.run_outcomes(session, finished.id, most=10)
        assert [entry.information for entry in outcomes] == queries.information_by_run(session, finished.id)
        leading = run_reads.leading_laws(session, finished.id)
        law = next(iter(leading))
        assert len(run_reads.run_lines(session, finished.id, limit=10, law=law)) == leading[law]
        assert [line.index for line in run_reads.run_lines(session, finished.id, limit=2, offset=1)] == [1, 2]
