"""What monitoring reads, from the record and the broker: the same whichever of several processes is asked."""

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from experiments_db.database import Database
from experiments_db.totals import Totals, totals
from orchestrator import broker, presence
from orchestrator.errors import BrokerError
from orchestrator.exposition import Family, by, exposition, one
from orchestrator.settings import Settings


def metrics(settings: Settings, database: Database) -> str:
    """All metrics in Prometheus' text format. RecordError where the record is away; a broker that is away shows."""
    with database.read() as session:
        found = totals(session, datetime.now(UTC))
    return exposition([*_of_the_record(found), *_of_the_broker(settings)])


def _of_the_record(found: Totals) -> Iterator[Family]:
    yield Family("organon_build_info", "gauge", "The version that answers.", by("version", {version("organon"): 1}))
    yield Family(
        "organon_experiments_total",
        "counter",
        "Experiments on record: made in campaigns, or given beforehand.",
        by("origin", {"made": found.experiments, "given": found.given}),
    )
    yield one("organon_decisions_total", "counter", "Designs that were chosen.", found.decisions)
    yield one("organon_steps_total", "counter", "Steps that blocks have recorded.", found.steps)
    yield Family(
        "organon_decision_seconds",
        "gauge",
        "How long a decision took: quantiles of the newest thousand.",
        by("quantile", {f"{quantile:g}": seconds for quantile, seconds in found.decision_seconds.items()}),
    )
    yield Family("organon_campaigns", "gauge", "Campaigns by status.", by("status", {**found.campaigns}))
    yield Family("organon_blocks", "gauge", "Blocks of runs by status.", by("status", {**found.blocks}))
    yield one("organon_blocks_resting", "gauge", "Blocks that wait for somebody's answer.", found.resting)
    yield Family("organon_suggestions", "gauge", "Suggestions by status.", by("status", {**found.suggestions}))
    yield one("organon_suggestions_overdue", "gauge", "Suggestions past the time they were due.", found.overdue)
    yield one("organon_leases_held", "gauge", "Blocks that a worker advances now.", found.held)
    yield one("organon_leases_expired", "gauge", "Blocks whose worker shows no sign of life.", found.expired)
    yield Family("organon_jobs", "gauge", "Jobs beside campaigns by status.", by("status", {**found.jobs}))
    yield one("organon_jobs_expired", "gauge", "Jobs whose worker shows no sign of life.", found.jobs_expired)
    yield one("organon_processes_at_work", "gauge", "Processes that advance a block now.", found.holders)


def _of_the_broker(settings: Settings) -> Iterator[Family]:
    """Whether it answers, and only then what it knows: a number that is not known is left out, not 0."""
    try:
        waiting, jobs = broker.queue_length(settings), broker.queue_length(settings, settings.job_queue)
        alive = len(presence.pools(settings))
    except BrokerError:
        yield one("organon_broker_up", "gauge", "Whether the broker answers.", 0)
        return
    yield one("organon_broker_up", "gauge", "Whether the broker answers.", 1)
    yield one("organon_queue_messages", "gauge", "Blocks that wait in the queue for a free process.", waiting)
    yield one("organon_job_queue_messages", "gauge", "Jobs that wait in their queue for a free process.", jobs)
    yield one("organon_worker_pools", "gauge", "Pools of workers that answer.", alive)
