"""The jobs about domains, done as a worker does them."""

import math
from typing import Any

import pytest

from domains.document import Domain
from domains.loading import find, load_text
from experiments_db import record
from experiments_db.database import Database
from experiments_db.jobs import JobRecord, asked_job
from orchestrator import jobs
from orchestrator.desk.domains import check_of, prediction_of
from orchestrator.domain_rows import domain_row
from orchestrator.job_work import work_next
from orchestrator.settings import Settings
from tests.mixed_domain import MIXED

VECTOR = """
format: 1
name: decay-in-time
title: Readings at several times
designs:
  start: {real: [1, 10], scale: log}
  kind: {choice: [slow, fast]}
parameters:
  k: {prior: {lognormal: [-1, 0.3]}}
mechanisms:
  decay:
    dynamics:
      state:
        s: {start: start, rate: "-k * s * where(kind == 'fast', 2, 1)"}
      at: [0.5, 1, 2, 4]
outcomes:
  level: {normal: {mean: s, sd: 0.05}}
  stage: {categorical: {p: ["0.2", "0.5", "0.3"]}}
budget: 5
goal: learn
"""


def _done(settings: Settings, database: Database, job: tuple[str, dict[str, str]]) -> JobRecord:
    asked = jobs.ask(settings, database, *job, by="Ada")
    assert work_next(database, settings, lambda: None) == ("finished", asked.id)
    with database.read() as session:
        found = asked_job(session, *job)
    assert found is not None
    return found


def _saved(database: Database, text: str) -> Domain:
    domain = load_text(text)
    with database.write() as session:
        record.save_domain(session, domain_row(domain))
    return domain


def _predicted(settings: Settings, database: Database, domain: Domain, axis: str) -> dict[str, Any]:
    job = _done(settings, database, prediction_of(domain, axis))
    assert job.status == "finished", job.message
    assert job.result is not None
    return job.result


def test_the_bands_of_a_law_are_those_of_its_prior(settings: Settings, database: Database) -> None:
    """At every point slope·log(dose) + noise is normal, so its quantiles are known; 1,000 draws put the standard error
    of the outer ones at 4 % of their size, and five of these are allowed. The draws are the same in every run."""
    text = MIXED.replace("GOAL", "learn").replace("product", "other").replace("where(strain == 'mutant', gain, 0)", "0")
    domain = _saved(database, text)

    found = _predicted(settings, database, domain, "dose")

    assert (found["axis"], found["laws_in_all"]) == ("dose", 2)
    assert found["held"] == {"count": 4, "heat": 20, "strain": "mutant"}
    bands = found["laws"][0]["outcomes"]["level"]["bands"]
    known = [i for i, value in enumerate(bands[0]) if value is not None]
    assert 0 < len(known) < len(found["at"])  # dose + count <= 9 leaves out the end
    for i in known:
        spread = (math.log(found["at"][i]) ** 2 + 0.25 / 4) ** 0.5
        assert bands[4][i] == pytest.approx(1.645 * spread, rel=0.2)
        assert bands[0][i] == pytest.approx(-1.645 * spread, rel=0.2)
        assert bands[0][i] < bands[1][i] < bands[2][i] < bands[3][i] < bands[4][i]
    alive = found["laws"][0]["outcomes"]["alive"]["shares"]
    assert all(0.4 < share < 0.6 for share in alive["1"] if share is not None)  # symmetric about a half


def test_vectors_counts_and_categories_are_shown_each_in_its_way(settings: Settings, database: Database) -> None:
    found = _predicted(settings, database, _saved(database, VECTOR), "start")

    law = found["laws"][0]["outcomes"]
    assert list(law) == ["level[0]", "level[1]", "level[2]", "level[3]", "stage"]
    assert law["level[0]"]["bands"][2][-1] > law["level[3]"]["bands"][2][-1]  # it decays
    assert law["stage"]["shares"]["1"][0] == pytest.approx(0.5, abs=0.12)
    assert found["at"][0] == pytest.approx(1)
    assert found["at"][-1] == pytest.approx(10)


@pytest.mark.parametrize("name", ["epidemic", "prey-population", "structural-causal", "ces", "gene-switch"])
def test_domains_of_the_catalogue_are_predicted(settings: Settings, database: Database, name: str) -> None:
    domain = find(name)

    found = _predicted(settings, database, domain, domain.designs[0].name)

    assert found["identity"] == domain.identity
    assert len(found["laws"]) == min(8, len(domain.mechanisms))
    for law in found["laws"]:
        assert set(law["outcomes"]) == set(domain.outcome_entries)
        for shown in law["outcomes"].values():
            rows = shown.get("bands") or list(shown["shares"].values())
            assert all(len(row) == len(found["at"]) for row in rows)
            assert any(value is not None for value in rows[0])


def test_an_unknown_design_is_said(settings: Settings, database: Database) -> None:
    job = _done(settings, database, prediction_of(find("death-process"), "dose"))

    assert (job.status, job.message) == ("failed", "death-process has no design 'dose'; it has time")


def test_the_check_gives_verdict_and_remarks(settings: Settings, database: Database) -> None:
    idle = MIXED.replace("GOAL", "learn").replace("budget: 7", "budget: 0.5")
    domain = _saved(database, idle)

    job = _done(settings, database, check_of(domain))

    assert job.result is not None, job.message
    assert {"identity", "ok", "remarks", "laws", "pairs", "edges", "replays"} == set(job.result)
    assert [law["law"] for law in job.result["laws"]] == ["additive", "product"]
    assert all(set(remark) == {"level", "about", "message"} for remark in job.result["remarks"])
    assert any("budget" in remark["about"] for remark in job.result["remarks"])


def test_a_broken_law_is_not_in_order(settings: Settings, database: Database) -> None:
    broken = MIXED.replace("GOAL", "learn").replace('"slope * gain * log(dose) * heat / 20"', '"log(slope) * heat"')

    job = _done(settings, database, check_of(_saved(database, broken)))

    assert job.result is not None, job.message
    assert job.result["ok"] is False
    assert job.result["remarks"][0]["level"] == "failure"
    assert job.result["remarks"][0]["about"] == "law product"


def test_the_check_counts_the_rows_of_replays(settings: Settings, database: Database) -> None:
    job = _done(settings, database, check_of(find("enzyme-kinetics")))

    assert job.result is not None, job.message
    assert job.result["ok"] is True
    assert job.result["replays"]["puromycin-treated"] == 12
