"""What monitoring reads: Prometheus' own parser takes it, and the numbers are those of the record."""

from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from experiments_db import jobs
from experiments_db.database import Database
from experiments_db.desk_models import JOB_STATUSES
from orchestrator.broker import broker
from orchestrator.exposition import Family, by, exposition
from orchestrator.metrics import metrics
from orchestrator.settings import Settings
from tests.orchestrator.at_the_bench import create, velocity

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def parsed(text: str) -> Samples:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def one(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, tuple(sorted(labels.items()))]


# The broker that was started is a process which outlives the object that started it.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_numbers_of_a_record(settings: Settings, database: Database) -> None:
    empty = parsed(metrics(settings, database))
    assert one(empty, "organon_experiments_total", origin="made") == 0
    assert one(empty, "organon_campaigns", status="failed") == 0
    simulated = create(settings, database, laboratory="simulate", budget=3, runs=2)
    simulated.advance()
    manual = create(settings, database, budget=5, batch=2)
    manual.advance()
    manual.bench.tell(manual.waiting()[0]["id"], velocity(manual.waiting()[0]))
    manual.advance()
    with broker(settings):
        found = parsed(metrics(settings, database))
    assert one(found, "organon_broker_up") == 1
    assert one(found, "organon_queue_messages") == one(found, "organon_worker_pools") == 0
    assert one(found, "organon_job_queue_messages") == 0
    assert one(found, "organon_experiments_total", origin="made") == 7
    assert one(found, "organon_decisions_total") == 9, "two more are chosen and wait"
    assert one(found, "organon_steps_total") == 4, "three of a block of two runs, and one"
    assert one(found, "organon_campaigns", status="finished") == 1
    assert one(found, "organon_blocks", status="running") == 1
    assert one(found, "organon_blocks_resting") == 1
    assert one(found, "organon_suggestions", status="open") == 2
    assert one(found, "organon_leases_expired") == one(found, "organon_leases_held") == 0
    assert (
        0
        < one(found, "organon_decision_seconds", quantile="0.5")
        <= one(found, "organon_decision_seconds", quantile="0.99")
    )


def test_a_broker_that_is_away_is_a_number_too(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"broker_url": "redis://127.0.0.1:1/0"})
    for these in (away, settings):  # the second: Organon's own, which nobody has started
        found = parsed(metrics(these, database))
        assert one(found, "organon_broker_up") == 0
        unknown = {"organon_queue_messages", "organon_job_queue_messages", "organon_worker_pools"}
        assert not [name for name, _ in found if name in unknown]


def test_jobs_are_among_the_numbers(settings: Settings, database: Database) -> None:
    now = datetime.now(UTC)
    with database.write() as session:
        for number in range(4):
            jobs.add_job(session, "power", {"number": number}, "Ada")
        for owner, seconds in (("lives", 60.0), ("is gone", -60.0), ("fails", 60.0)):
            claimed = jobs.claim_job(
                session, owner=owner, now=now, lease_seconds=seconds, owner_is_alive=lambda _: True
            )
            assert claimed is not None
        jobs.fail_job(session, claimed.job.id, "fails", "no such thing", now)
    found = parsed(metrics(settings, database))
    counts = {status: one(found, "organon_jobs", status=status) for status in JOB_STATUSES}
    assert counts == {"waiting": 1, "running": 2, "finished": 0, "failed": 1, "cancelled": 0}
    assert one(found, "organon_jobs_expired") == 1


@pytest.mark.parametrize("text", ['a "quoted" one', "a \\ backslash", "two\nlines", "ключ", ""])
def test_any_text_may_be_a_label(text: str) -> None:
    (family,) = text_string_to_metric_families(exposition([Family("x", "gauge", text, by("what", {text: 0.1}))]))
    assert family.samples[0].labels == {"what": text}
    assert family.samples[0].value == 0.1
