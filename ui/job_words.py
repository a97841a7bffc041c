"""How jobs and durations are said."""

from datetime import UTC, datetime

from experiments_db.jobs import JobRecord


def kind_words(kind: str) -> str:
    """A kind of job as people read it: ``check-domain`` → ``Check domain``."""
    words = kind.replace("-", " ").replace("_", " ").replace(".", " ")
    return words[:1].upper() + words[1:]


def duration(seconds: float | None) -> str:
    """``0.4 s``, ``42 s``, ``3 min 5 s``, ``2 h 10 min``; a dash where it is not known."""
    if seconds is None:
        return "–"
    if seconds < 10:
        return f"{max(seconds, 0.0):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def time_taken(job: JobRecord) -> float | None:
    """Seconds from when somebody began it to its end, or to now."""
    if job.started_at is None:
        return None
    return ((job.finished_at or datetime.now(UTC)) - job.started_at).total_seconds()


def owner_words(owner: str) -> str:
    """``process 1234 on HOST`` from a lease's owner."""
    host, pid, _ = owner.rsplit("/", 2)
    return f"process {pid} on {host}"
