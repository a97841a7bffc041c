"""Work asked for beside campaigns: who claims it, how far it is, what came of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.orm import Session
from sqlmodel import col

from experiments_db.canonical import digest
from experiments_db.errors import ConflictError, NotFoundError
from experiments_db.models import Job
from experiments_db.queries import view

OPEN = ("waiting", "running")


@dataclass(frozen=True)
class JobRecord:
    """A job as recorded."""

    id: str
    kind: str
    arguments: dict[str, Any]
    by: str
    status: str
    share: float
    saying: str
    result: dict[str, Any] | None
    message: str
    attempts: int
    lease_owner: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def open(self) -> bool:
        """Whether something may still come of it."""
        return self.status in OPEN


@dataclass(frozen=True)
class ClaimedJob:
    """A job just claimed, and who held it last, if nobody gave it back: a worker that is gone."""

    job: JobRecord
    before: str | None


def job_key(kind: str, arguments: dict[str, Any]) -> str:
    """By which the same work is told from other work; another version of Organon may do it otherwise."""
    return digest({"kind": kind, "arguments": arguments, "organon": version("organon")})


def find_job(session: Session, kind: str, arguments: dict[str, Any]) -> JobRecord | None:
    """The newest job that does this and has neither failed nor been cancelled."""
    same = (col(Job.key) == job_key(kind, arguments), col(Job.status).not_in(("failed", "cancelled")))
    job = session.scalars(select(Job).where(*same).order_by(col(Job.created_at).desc()).limit(1)).one_or_none()
    return None if job is None else view(JobRecord, job)


def find_or_add_job(session: Session, kind: str, arguments: dict[str, Any], by: str) -> tuple[JobRecord, bool]:
    """The job that does this, recorded now if there is none, and whether it was; two who ask at once get the same."""
    if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer at a time
        session.execute(select(func.pg_advisory_xact_lock(int(job_key(kind, arguments)[:15], 16))))
    known = find_job(session, kind, arguments)
    return (known, False) if known else (add_job(session, kind, arguments, by), True)


def asked_job(session: Session, kind: str, arguments: dict[str, Any]) -> JobRecord | None:
    """The newest job that did or does this; where none did, the newest that failed or was cancelled."""
    if (known := find_job(session, kind, arguments)) is not None:
        return known
    same = select(Job).where(col(Job.key) == job_key(kind, arguments)).order_by(col(Job.created_at).desc()).limit(1)
    job = session.scalars(same).one_or_none()
    return None if job is None else view(JobRecord, job)


def add_job(session: Session, kind: str, arguments: dict[str, Any], by: str) -> JobRecord:
    """Record a job that waits."""
    job = Job(kind=kind, key=job_key(kind, arguments), arguments=arguments, by=by)
    session.add(job)
    session.flush()
    return view(JobRecord, job)


def get_job(session: Session, job_id: str) -> JobRecord:
    """Return a job; NotFoundError where there is none of this id."""
    if (job := session.get(Job, job_id)) is None:
        raise NotFoundError(f"There is no job '{job_id}': the page of workers lists them all.")
    return view(JobRecord, job)


def list_jobs(
    session: Session, *, kind: str | None = None, status: str | None = None, limit: int = 50, offset: int = 0
) -> list[JobRecord]:
    """Jobs, newest first."""
    query = select(Job).order_by(col(Job.created_at).desc(), col(Job.id)).limit(limit).offset(offset)
    query = query if kind is None else query.where(col(Job.kind) == kind)
    query = query if status is None else query.where(col(Job.status) == status)
    return [view(JobRecord, job) for job in session.scalars(query)]


def waiting_jobs(session: Session, now: datetime, owner_is_alive: Callable[[str], bool]) -> list[str]:
    """The jobs that nobody is at, in order."""
    free = _free(_dead_owners(session, now, owner_is_alive), now)
    return list(session.scalars(select(col(Job.id)).where(free).order_by(col(Job.created_at), col(Job.id))))


def claim_job(
    session: Session, *, owner: str, now: datetime, lease_seconds: float, owner_is_alive: Callable[[str], bool]
) -> ClaimedJob | None:
    """Take the job that has waited longest, since it was asked for or last given back, of those tried least.

    None where none waits. What the owner itself holds it has lost track of.
    """
    free = _free({owner, *_dead_owners(session, now, owner_is_alive)}, now)
    since = func.coalesce(col(Job.lease_until), col(Job.created_at))
    oldest = select(Job).where(free).order_by(col(Job.attempts), since, col(Job.id)).limit(1)
    job = session.scalars(oldest.with_for_update(skip_locked=True)).one_or_none()
    if job is None:
        return None
    before = job.lease_owner
    job.status, job.lease_owner, job.lease_until = "running", owner, now + timedelta(seconds=lease_seconds)
    job.attempts += 1
    job.started_at = job.started_at or now
    session.flush()
    return ClaimedJob(view(JobRecord, job), before)


def renew_job(session: Session, job_id: str, owner: str, until: datetime) -> bool:
    """Let a job stay with its owner until then; whether it is still the owner's."""
    renewed = update(Job).where(*_held(job_id, owner)).values(lease_until=until).returning(col(Job.id))
    return session.scalars(renewed).one_or_none() is not None


def note_progress(session: Session, job_id: str, owner: str, share: float, saying: str) -> None:
    """How far its owner is; ConflictError where the job is no longer the owner's: cancelled, or taken over.

    It stays tried: whoever takes it over begins the slice anew, and may die where this owner does.
    """
    _change(session, job_id, owner, share=share, saying=saying)


def release_job(session: Session, job_id: str, owner: str, now: datetime) -> None:
    """Give it back to go on after those who wait; ConflictError where it is no longer the owner's."""
    _change(session, job_id, owner, lease_owner=None, lease_until=now, attempts=0, message="")


def release_jobs(session: Session, owner: str, now: datetime, fault: str) -> int:
    """Give back all that an owner holds and could not go on with, and why; how many there were.

    It stays tried: what is wrong each time is given up in the end.
    """
    held = update(Job).where(col(Job.lease_owner) == owner, col(Job.status) == "running")
    anew = {"lease_owner": None, "lease_until": now, "message": fault}
    return len(session.scalars(held.values(anew).returning(col(Job.id))).all())


def finish_job(session: Session, job_id: str, owner: str, result: dict[str, Any], now: datetime) -> None:
    """Record what came of it; ConflictError where it is no longer the owner's."""
    _change(session, job_id, owner, status="finished", share=1.0, saying="", message="", result=result,
            finished_at=now, lease_owner=None, lease_until=None)  # fmt: skip


def fail_job(session: Session, job_id: str, owner: str, message: str, now: datetime) -> None:
    """Record why nothing came of it; ConflictError where it is no longer the owner's."""
    _change(session, job_id, owner, status="failed", message=message, finished_at=now, lease_owner=None,
            lease_until=None)  # fmt: skip


def give_up_job(session: Session, claimed: ClaimedJob, message: str, now: datetime) -> None:
    """Let a job fail over which workers died. It stays with the last of them until `note_job_fault` says of what."""
    values = {"status": "failed", "message": message, "finished_at": now, "lease_owner": claimed.before,
              "lease_until": None}  # fmt: skip
    session.execute(update(Job).where(*_held(claimed.job.id, claimed.job.lease_owner or "")).values(values))


def note_job_fault(session: Session, owner_prefix: str, fault: str) -> None:
    """Note on the jobs that a dead process held what it died of, also where they have been given up meanwhile."""
    his = col(Job.lease_owner).startswith(owner_prefix, autoescape=True)
    session.execute(update(Job).where(his, col(Job.status) == "running").values(message=f"died of {fault}"))
    added = {"message": col(Job.message) + f"; the last died of {fault}", "lease_owner": None}
    session.execute(update(Job).where(his, col(Job.status) == "failed").values(added))


def cancel_job(session: Session, job_id: str, now: datetime) -> bool:
    """Let nobody go on with it; whether it was still open."""
    open_one = (col(Job.id) == job_id, col(Job.status).in_(OPEN))
    ended = update(Job).where(*open_one).values(status="cancelled", finished_at=now).returning(col(Job.id))
    return session.scalars(ended).one_or_none() is not None


def retry_job(session: Session, job_id: str) -> bool:
    """Let a job that failed wait again; whether it had failed."""
    failed = (col(Job.id) == job_id, col(Job.status) == "failed")
    anew = {"status": "waiting", "message": "", "attempts": 0, "finished_at": None, "lease_owner": None,
            "lease_until": None, "share": 0.0, "saying": ""}  # fmt: skip
    return session.scalars(update(Job).where(*failed).values(anew).returning(col(Job.id))).one_or_none() is not None


def job_counts(session: Session) -> dict[str, int]:
    """How many jobs there are of each status."""
    return {status: int(count) for status, count in session.execute(
        select(col(Job.status), func.count()).group_by(col(Job.status)))}  # fmt: skip


def ended_jobs(session: Session, before: datetime) -> int:
    """How many jobs ended before a moment."""
    return int(session.scalar(select(func.count()).select_from(Job).where(*_ended(before))) or 0)


def forget_jobs(session: Session, before: datetime) -> int:
    """Delete the jobs that ended before a moment, with their results; how many there were."""
    return len(session.scalars(delete(Job).where(*_ended(before)).returning(col(Job.id))).all())


def forget_jobs_about(session: Session, campaign_id: str) -> None:
    """Delete what was computed of a campaign, its measurements among it; who is at it finds the job gone."""
    session.execute(delete(Job).where(col(Job.arguments)["campaign"].as_string() == campaign_id))


def _ended(before: datetime) -> tuple[Any, ...]:
    return col(Job.status).not_in(OPEN), col(Job.finished_at) < before


def _held(job_id: str, owner: str) -> tuple[Any, ...]:
    return col(Job.id) == job_id, col(Job.lease_owner) == owner, col(Job.status) == "running"


def _change(session: Session, job_id: str, owner: str, **values: Any) -> None:
    changed = update(Job).where(*_held(job_id, owner)).values(values).returning(col(Job.id))
    if session.scalars(changed).one_or_none() is None:
        raise ConflictError(f"Job {job_id} is no longer {owner}'s: it was cancelled, or another worker has taken it.")


def _dead_owners(session: Session, now: datetime, alive: Callable[[str], bool]) -> set[str]:
    """Whoever holds a lease that goes on and is gone."""
    running = (col(Job.status) == "running", col(Job.lease_until) > now)
    owners = session.scalars(select(col(Job.lease_owner)).where(*running).distinct())
    return {owner for owner in owners if owner is not None and not alive(owner)}


def _free(dead: set[str], now: datetime) -> Any:
    """Waiting, or running under an owner who is dead, gave it back, or let the lease expire.

    Who is dead is listed, not who lives: whoever has claimed a job since we looked is on neither list.
    """
    lost = or_(col(Job.lease_owner).is_(None), col(Job.lease_until) <= now, col(Job.lease_owner).in_(sorted(dead)))
    return or_(col(Job.status) == "waiting", and_(col(Job.status) == "running", lost))
