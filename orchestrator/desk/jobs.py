"""What people do about jobs: ask workers for something, stop it, try again what failed."""

from dataclasses import dataclass
from typing import Any

from experiments_db.jobs import JobRecord
from orchestrator import jobs
from orchestrator.desk.base import Desk


@dataclass(frozen=True)
class JobDesk(Desk):
    """Jobs of any kind."""

    def ask(self, kind: str, arguments: dict[str, Any]) -> JobRecord:
        """Have a worker do it: once for the same arguments; RequestError for an unknown kind."""
        return jobs.ask(self.settings, self.database, kind, arguments, self.acting().by)

    def stop(self, job_id: str) -> None:
        """Cancel a job at its next sign of progress; a training keeps what it has learned. RequestError where it has
        ended."""
        self.acting()
        jobs.cancel(self.database, job_id)

    def retry(self, job_id: str) -> None:
        """Do a failed job again; RequestError where it has not failed."""
        self.acting()
        jobs.retry(self.settings, self.database, job_id)
