"""What people do about workers' work: try again what failed, cancel what is under way."""

from dataclasses import dataclass

from orchestrator import jobs, steering
from orchestrator.desk.base import Desk


@dataclass(frozen=True)
class WorkersDesk(Desk):
    """Jobs and failed campaigns."""

    def retry_job(self, job_id: str) -> None:
        """Do a failed job again; RequestError where it has not failed, ForbiddenError for a viewer."""
        self.acting()
        jobs.retry(self.settings, self.database, job_id)

    def cancel_job(self, job_id: str) -> None:
        """Stop a job at its next sign of progress; RequestError where it has ended, ForbiddenError for a viewer."""
        self.acting()
        jobs.cancel(self.database, job_id)

    def retry_campaign(self, campaign_id: str) -> None:
        """Let a failed campaign go on from what is recorded; RequestError where it has not failed, ForbiddenError for
        a viewer."""
        steering.retry_campaign(self.settings, self.database, campaign_id, self.acting())
