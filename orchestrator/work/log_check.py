"""A long log checked by a worker, so that no page waits for it."""

from typing import Any

from orchestrator.job_work import Work
from orchestrator.log_check import check_log


def log_check(work: Work) -> dict[str, Any]:
    """Of the ``campaign``; as ``check_log``."""
    return check_log(work.database, work.arguments["campaign"], lambda share: work.tell(share, "checking the log"))
