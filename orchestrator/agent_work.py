"""The jobs that are about agents: trainings, adaptations, comparisons. Torch-free."""

from experiments_db import jobs
from experiments_db.database import Database
from experiments_db.jobs import JobRecord

_LOOKED_AT = 100  # of the newest jobs of a kind


def open_jobs(database: Database, kind: str) -> list[JobRecord]:
    """The jobs of a kind that wait or run."""
    with database.read() as session:
        return [job for status in jobs.OPEN for job in jobs.list_jobs(session, kind=kind, status=status)]


def work_on(database: Database, agent: str) -> list[JobRecord]:
    """The trainings and adaptations that were to give this agent, newest first; of late, not all there ever were."""
    with database.read() as session:
        found = [job for kind in ("train", "adapt") for job in jobs.list_jobs(session, kind=kind, limit=_LOOKED_AT)]
    about = [job for job in found if given_name(job) == agent]
    return sorted(about, key=lambda job: job.created_at, reverse=True)


def comparisons(database: Database, agent: str) -> list[JobRecord]:
    """The comparisons of an agent with others, newest first, likewise."""
    with database.read() as session:
        found = jobs.list_jobs(session, kind="compare", limit=_LOOKED_AT)
    return [job for job in found if agent in compared(job)]


def compared(job: JobRecord) -> tuple[str, ...]:
    """The policies of a comparison."""
    return tuple(policy["name"] for policy in job.arguments["policies"])


def given_name(job: JobRecord) -> str:
    """The agent that a training or an adaptation gives."""
    return str(job.arguments["recipe"]["name"] if job.kind == "train" else job.arguments["name"])


def being_made(database: Database) -> dict[str, JobRecord]:
    """The open trainings and adaptations, by the agent that each gives."""
    return {given_name(job): job for kind in ("train", "adapt") for job in open_jobs(database, kind)}
